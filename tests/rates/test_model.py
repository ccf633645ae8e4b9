"""The meter against the slow exact model, over random lives of a device."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from server.core.model import Chunk, Quality, Reading, Table
from tests.rates.build import ERRORS, IN, OUT, START_NS, G, table
from tests.rates.meters import RateMeter
from tests.rates.model import Model

INTERVAL_S = 12.0
"""Slower than 10 s, so that nothing is shown late for want of a known cadence."""

ROWS = ("heart", "b", "c", "d")


@dataclass(frozen=True)
class Step:
    """What happens to the device before a poll, and to the poll. The first row always grows and always answers."""

    growth: tuple[int, ...]
    missed: frozenset[tuple[int, int]]
    lost_chunks: frozenset[int]
    skipped: int
    zeroed: int | None
    restarts: bool
    leaps: bool
    stamped: int | None
    renumbered: int | None
    swapped: bool
    narrowed: int | None
    jitter_ms: tuple[int, int, int]
    timed: bool


def steps() -> st.SearchStrategy[Step]:
    rarely = st.sampled_from([False] * 9 + [True])
    row = st.integers(1, 3)

    def sometimes(what: st.SearchStrategy[int]) -> st.SearchStrategy[int | None]:
        return st.one_of(st.none(), st.none(), st.none(), what)

    cells = len(ROWS) * 3
    growth = st.one_of(st.just(0), st.integers(1, 10**6), st.integers(10**8, 2 * 10**10), st.integers(0, 2**31))
    return st.builds(
        Step,
        growth=st.tuples(*[growth] * cells),
        missed=st.frozensets(st.tuples(st.integers(0, 2), row), max_size=3),
        lost_chunks=st.frozensets(st.just(1), max_size=1),
        skipped=st.sampled_from([0, 0, 0, 1, 2, 3]),
        zeroed=sometimes(row),
        restarts=rarely,
        leaps=rarely,
        stamped=sometimes(row),
        renumbered=sometimes(row),
        swapped=rarely,
        narrowed=sometimes(row),
        jitter_ms=st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50)),
        timed=st.sampled_from([True, True, True, False]),
    )


class Device:
    """A device with exact integer counters. Two answers carry a tick: rows heart and b, rows c and d."""

    def __init__(self, speed_bps: int, bits: int, near_end: bool, ticks: int) -> None:
        self.table: Table = table(metrics=(IN, OUT, ERRORS), speed_bps=speed_bps, bits=bits, names=ROWS)
        start = 2**bits - 10**7 if near_end else 10**6
        self.values = {(metric, name): start for metric in range(3) for name in ROWS}
        self.stamps = dict.fromkeys(ROWS, 5)
        self.at_s = 0.0
        self.born_s = -ticks / 100

    def poll(self, step: Step) -> Reading:
        self.at_s += INTERVAL_S * (1 + step.skipped)
        self._live(step)
        names = [row.name for row in self.table.rows]
        values = np.zeros((3, len(names)), dtype=np.uint64)
        valid = np.ones((3, len(names)), dtype=np.bool_)
        for metric in range(3):
            for number, name in enumerate(names):
                values[metric, number] = self.values[metric, name]
                valid[metric, number] = (metric, ROWS.index(name)) not in step.missed
        chunks = []
        sent_s = self.at_s
        for part, members in enumerate((("heart", "b"), ("c", "d"))):
            wait_s, back_s, later_s = (ms / 1000 for ms in step.jitter_ms)
            rows = np.array([names.index(name) for name in members], dtype=np.uint32)
            if part in step.lost_chunks:
                valid[:, rows] = False
                continue
            looked_s = sent_s + wait_s
            ticks = int((looked_s - self.born_s) * 100) % 2**32 if step.timed else None
            sent_ns, received_ns = (START_NS + round(s * 1e9) for s in (sent_s, looked_s + back_s + 0.001))
            chunks.append(Chunk(sent_ns, received_ns, ticks, (0, 1, 2), rows))
            sent_s += later_s
        stamps = np.array([self.stamps[name] for name in names], dtype=np.uint64)
        return Reading(self.table, tuple(chunks), self.at_s, (0, 1, 2), values, valid, INTERVAL_S, stamps)

    def _live(self, step: Step) -> None:
        if step.restarts:
            self.born_s = self.at_s - 5
            self.values = dict.fromkeys(self.values, 0)
        if step.leaps:
            self.born_s -= 10_000
        if step.zeroed is not None:
            for metric in range(3):
                self.values[metric, ROWS[step.zeroed]] = 0
        if step.stamped is not None:
            self.stamps[ROWS[step.stamped]] += 100
        self._change_table(step)
        bits = {row.name: position for position, row in enumerate(self.table.rows)}
        for metric in range(3):
            for number, name in enumerate(ROWS):
                grown = step.growth[metric * len(ROWS) + number] + (1 if name == "heart" else 0)
                modulus = 2 ** int(self.table.counter_bits[metric, bits[name]])
                self.values[metric, name] = (self.values[metric, name] + grown) % modulus

    def _change_table(self, step: Step) -> None:
        rows, bits = list(self.table.rows), self.table.counter_bits.copy()
        if step.renumbered is not None:
            number = next(n for n, row in enumerate(rows) if row.name == ROWS[step.renumbered])
            rows[number] = replace(rows[number], index=rows[number].index + 100)
        if step.narrowed is not None:
            number = next(n for n, row in enumerate(rows) if row.name == ROWS[step.narrowed])
            bits[0, number] = 96 - bits[0, number]
        if step.swapped:
            rows.reverse()
            bits = bits[:, ::-1].copy()
        if step.renumbered is not None or step.narrowed is not None or step.swapped:
            self.table = replace(self.table, version=self.table.version + 1, rows=tuple(rows), counter_bits=bits)


@settings(max_examples=250, deadline=None)
@given(
    life=st.lists(steps(), min_size=2, max_size=14),
    speed_bps=st.sampled_from([0, 10_000_000, G, 10 * G, 400 * G]),
    bits=st.sampled_from([32, 64]),
    near_end=st.booleans(),
    ticks=st.sampled_from([100_000, 2**32 - 2_000]),
)
def test_every_value_flag_and_event_agrees_with_the_exact_model(
    life: list[Step], speed_bps: int, bits: int, near_end: bool, ticks: int
) -> None:
    device, meter, model = Device(speed_bps, bits, near_end, ticks), RateMeter("sw1"), Model()
    for number, step in enumerate(life):
        reading = device.poll(step)
        frame, events = meter.advance(reading)
        truth = model.advance(reading)
        assert frame.seq == number
        for (position, row), rate in truth.values.items():
            shown = float(frame.values[position, row])
            if rate is None:
                assert math.isnan(shown), (number, position, row, shown)
            else:
                assert math.isclose(shown, float(rate), rel_tol=1e-8, abs_tol=1e-12), (number, position, row)
        assert {row: Quality(int(flags)) for row, flags in enumerate(frame.quality)} == truth.quality
        if truth.restarted:
            assert [event.kind for event in events] == ["clock_jumped" if truth.leapt else "restarted"]
        else:
            assert {event.row for event in events} == truth.reset_rows
