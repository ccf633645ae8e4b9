from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.core.blocks import Frames
from server.core.model import Frame, Table
from server.hub import Removed
from server.sinks.history import ring, strand
from server.sinks.history.ring import RingHistory
from server.sinks.history.strand import MOST_SAMPLES
from tests.support.frames import START_S, block, blocked, event, frame, status, table

SHOWN = ("in_bps", "out_bps", "in_errors_per_s")


def rows(*places: int) -> np.ndarray:
    return np.array(places, dtype=np.intp)


# -- against a plain list


@dataclass
class Model:
    """What the ring must hold, kept as a plain list for each metric."""

    most: int
    samples: dict[str, list[tuple[int, float, dict[str, float]]]] = field(default_factory=dict)

    def add(self, one: Frame) -> None:
        for position, column in enumerate(one.columns):
            cells = {row.name: float(np.float32(one.values[position][place])) for place, row in enumerate(one.table.rows)}
            held = self.samples.setdefault(one.table.metrics[column].shown, [])
            held.append((one.seq, one.wall_s, cells))
            known = set(cells)
            for _, _, older in held:  # a row that is gone loses its past
                for name in set(older) - known:
                    del older[name]

    def follow(self, of: Table) -> None:
        known = {row.name for row in of.rows}
        for held in self.samples.values():
            for _, _, cells in held:
                for name in set(cells) - known:
                    del cells[name]

    def window(self, shown: Sequence[str], names: Sequence[str], since_s: float) -> dict[str, object]:
        parts = {name: [one for one in self.samples.get(name, [])[-self.most :] if one[1] > since_s] for name in shown}
        times = {seq: time_s for part in parts.values() for seq, time_s, _ in part}
        seqs = sorted(times)
        by_seq = {name: {seq: cells for seq, _, cells in part} for name, part in parts.items()}
        return {
            "seqs": seqs,
            "times": [times[seq] for seq in seqs],
            "values": [[[by_seq[name].get(seq, {}).get(row, math.nan) for seq in seqs] for row in names] for name in shown],
            "due": [[seq in by_seq[name] for seq in seqs] for name in shown],
        }


@st.composite
def pasts(draw: st.DrawFn) -> list[tuple[list[str], float, dict[str, Any]]]:
    """Ticks: names of the rows, seconds since the tick before, the metrics that were due with their cells."""
    names = ["a", "b", "c"]
    ticks = []
    for _ in range(draw(st.integers(1, 45))):
        if draw(st.integers(0, 9)) == 0:
            names = draw(st.lists(st.sampled_from("abcde"), unique=True, min_size=0, max_size=4))
        due = {"in_bps"} | ({"out_bps"} if draw(st.booleans()) else set())
        due |= {"in_errors_per_s"} if draw(st.integers(0, 4)) == 0 else set()
        cell = st.one_of(st.just(math.nan), st.floats(0, 2.0**40, width=32))
        cells = {name: draw(st.lists(cell, min_size=len(names), max_size=len(names))) for name in sorted(due)}
        ticks.append((list(names), draw(st.sampled_from([0.25, 1.0, 1.0, 7.0, 30.0])), cells))
    return ticks


@settings(max_examples=150, deadline=None)
@given(past=pasts(), age_s=st.floats(0, 20), asked=st.lists(st.sampled_from(SHOWN), min_size=1, unique=True))
def test_a_window_is_what_a_plain_list_would_give(
    past: list[tuple[list[str], float, dict[str, Any]]], age_s: float, asked: list[str]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(strand, "LEAST_SAMPLES", 2)  # so that it begins and drops segments within a few samples
        patch.setattr(strand, "MOST_SAMPLES", 3)
        history, model = RingHistory(window_s=20.0, most_samples=16), Model(most=16)
        of, now_s = table(*past[0][0]), START_S
        for seq, (names, later_s, cells) in enumerate(past):
            if names != [row.name for row in of.rows]:
                of = table(*names, version=of.version + 1)
                model.follow(of)
            now_s += later_s
            one = frame(of, seq, wall_s=now_s, **cells)
            history.offer(blocked(one))
            model.add(one)
    # who asks may hold a table that has other rows than the newest
    own = table("e", "d", "c", "b", "a")
    found = history.window(own, asked, rows(0, 1, 2, 3, 4), now_s - age_s)
    wanted = model.window(asked, "edcba", now_s - age_s)
    assert found.seqs.tolist() == wanted["seqs"]
    assert found.times_s.tolist() == wanted["times"]
    np.testing.assert_array_equal(found.due, np.array(wanted["due"], dtype=bool).reshape(found.due.shape))
    np.testing.assert_array_equal(found.values, np.array(wanted["values"]).reshape(found.values.shape))
    assert found.values.dtype == np.float32


# -- one thing at a time


def filled(count: int, interval_s: float = 1.0, **options: float) -> tuple[RingHistory, Table]:
    history, of = RingHistory(**options), table("a", "b")  # type: ignore[arg-type]
    for seq in range(count):
        history.offer(block(of, seq, interval_s=interval_s))
    return history, of


def test_it_grows_until_it_spans_its_window_and_holds_no_more_than_it_must() -> None:
    history, of = filled(2000, window_s=900.0)
    found = history.window(of, ["in_bps"], rows(0), -np.inf)
    assert found.seqs[-1] == 1999
    assert 900 <= len(found.seqs) <= 1024
    assert found.seqs.tolist() == list(range(2000 - len(found.seqs), 2000))
    assert found.values[0, 0].tolist() == [1000.0 * seq for seq in found.seqs]


def test_it_never_holds_more_than_the_most_samples() -> None:
    history, of = filled(500, interval_s=0.25, window_s=900.0, most_samples=100)
    assert history.window(of, ["in_bps"], rows(0), -np.inf).seqs.tolist() == list(range(400, 500))


def test_since_is_exclusive() -> None:
    history, of = filled(10)
    assert history.window(of, ["in_bps"], rows(0), START_S + 6).seqs.tolist() == [7, 8, 9]


def test_a_missed_sample_is_due_and_nan_while_a_slow_column_is_not_due() -> None:
    history, of = RingHistory(), table("a")
    history.offer(block(of, 0, in_bps=1.0, in_errors_per_s=0.0))
    history.offer(block(of, 1, in_bps=[None]))
    history.offer(block(of, 2, in_bps=3.0))
    found = history.window(of, ["in_bps", "in_errors_per_s"], rows(0), 0.0)
    assert found.due.tolist() == [[True, True, True], [True, False, False]]
    np.testing.assert_array_equal(found.values[0, 0], [1.0, np.nan, 3.0])


def test_a_row_keeps_its_past_by_its_name_when_the_indexes_move() -> None:
    history, old = RingHistory(), table("a", "b")
    history.offer(block(old, 0, in_bps=[1.0, 2.0]))
    new = table("b", "new", "a", version=2, first_index=500)
    history.offer(block(new, 1, in_bps=[20.0, 30.0, 10.0]))
    found = history.window(new, ["in_bps"], rows(0, 1, 2), 0.0)
    np.testing.assert_array_equal(found.values[0], [[2.0, 20.0], [np.nan, 30.0], [1.0, 10.0]])


def test_a_window_holds_the_asked_rows_in_the_asked_order() -> None:
    history, of = filled(1)
    assert history.window(of, ["out_bps"], rows(1, 0, 1), 0.0).values[0, :, 0].tolist() == [0.5, 0.0, 0.5]


def test_what_was_never_seen_gives_an_empty_window_of_the_right_shape() -> None:
    history, of = filled(3)
    for asked_of, shown in ((table("a", device="r9"), ["in_bps", "out_bps"]), (of, ["no_such", "other"])):
        found = history.window(asked_of, shown, rows(0), 0.0)
        assert (found.seqs.shape, found.times_s.shape) == ((0,), (0,))
        assert (found.values.shape, found.due.shape) == ((2, 1, 0), (2, 0))


def test_an_unknown_metric_beside_a_known_one_is_never_due() -> None:
    history, of = filled(3)
    found = history.window(of, ["in_bps", "no_such"], rows(0), 0.0)
    assert found.due.tolist() == [[True] * 3, [False] * 3]
    assert np.isnan(found.values[1]).all()


def test_a_device_that_lost_all_its_rows_and_got_them_back_begins_anew() -> None:
    history, _ = filled(3)
    history.offer(block(table(version=2), 3, in_bps=[]))
    again = table("a", "b", version=3)
    history.offer(block(again, 4, in_bps=[8.0, 9.0]))
    found = history.window(again, ["in_bps"], rows(0), 0.0)
    assert found.seqs.tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(found.values[0, 0], [np.nan] * 4 + [8.0])


def test_a_window_is_a_copy() -> None:
    history, of = filled(3)
    history.window(of, ["in_bps"], rows(0, 1), 0.0).values[:] = -1
    assert (history.window(of, ["in_bps"], rows(0, 1), 0.0).values >= 0).all()


def test_a_removed_device_is_forgotten_and_others_are_not() -> None:
    history, of = filled(3)
    other = table("x", device="r2")
    history.offer(block(other, 0))
    history.offer(Removed("r1"))
    history.offer(Removed("r1"))
    assert len(history.window(of, ["in_bps"], rows(0), 0.0).seqs) == 0
    assert len(history.window(other, ["in_bps"], rows(0), 0.0).seqs) == 1


def test_states_and_events_are_no_samples() -> None:
    history = RingHistory()
    history.offer(status())
    history.offer(event())
    assert len(history.window(table("a"), ["in_bps"], rows(0), 0.0).seqs) == 0


def test_after_the_wall_clock_was_set_back_new_samples_are_still_found() -> None:
    history, of = filled(5)
    for seq in range(5, 8):
        history.offer(block(of, seq, wall_s=START_S - 3600 + seq))
    found = history.window(of, ["in_bps"], rows(0), START_S - 3600)
    assert {5, 6, 7} <= set(found.seqs.tolist())


def test_when_the_wall_clock_is_set_back_the_past_that_has_no_place_in_time_goes() -> None:
    history, of = RingHistory(), table("dev", ("a",))
    for number in range(3):
        history.offer(block(of, number, wall_s=START_S + number))
    history.offer(block(of, 3, wall_s=START_S - 3600))
    history.offer(block(of, 4, wall_s=START_S - 3599))
    past = history.window(of, ["in_bps"], rows(0), -math.inf)
    assert past.seqs.tolist() == [3, 4]
    assert past.times_s.tolist() == [START_S - 3600, START_S - 3599]


def test_the_shortest_interval_still_fills_the_whole_window() -> None:
    history, of = RingHistory(window_s=60), table("dev", ("a",))
    for number in range(700):
        history.offer(block(of, number, wall_s=START_S + number * ring.LEAST_INTERVAL_S))
    past = history.window(of, ["in_bps"], rows(0), -math.inf)
    assert past.times_s[-1] - past.times_s[0] == pytest.approx(60, abs=1)


# -- blocks of many devices


def test_a_burst_is_no_part_of_the_past() -> None:
    history, of = filled(2)
    history.offer(Frames.of([frame(table("a"), 7, in_bps=9.0)], burst=True))
    assert history.window(of, ["in_bps"], rows(0), -math.inf).seqs.tolist() == [0, 1]


def test_each_device_of_a_block_has_its_own_past() -> None:
    together, alone = RingHistory(), RingHistory()
    tables = [table(*"abcdef"[:count], device=f"r{count}") for count in (3, 0, 1, 6)]
    for seq in range(200):
        due = {"in_bps": seq + 0.5} if seq % 7 else {"in_bps": seq + 0.5, "out_bps": 2.0, "in_errors_per_s": 1.0}
        frames = [frame(of, seq, wall_s=START_S + seq + 0.1 * place, **due) for place, of in enumerate(tables)]
        together.offer(Frames.of(frames))
        for one in frames:
            alone.offer(blocked(one))
    for of in tables:
        every = rows(*range(len(of.rows)))
        found, wanted = (each.window(of, SHOWN, every, START_S + 20) for each in (together, alone))
        assert found.seqs.tolist() == wanted.seqs.tolist() == list(range(20 if of is not tables[0] else 21, 200))
        np.testing.assert_array_equal(found.times_s, wanted.times_s)
        np.testing.assert_array_equal(found.values, wanted.values)
        np.testing.assert_array_equal(found.due, wanted.due)


def test_metrics_that_were_due_together_and_are_so_no_more_keep_their_past() -> None:
    history, of = RingHistory(), table("a")
    history.offer(block(of, 0, in_bps=1.0, out_bps=2.0, in_errors_per_s=3.0))
    history.offer(block(of, 1, out_bps=4.0, in_errors_per_s=5.0))
    history.offer(block(of, 2, in_errors_per_s=6.0, in_bps=7.0))
    found = history.window(of, SHOWN, rows(0), -math.inf)
    assert found.due.tolist() == [[True, False, True], [True, True, False], [True, True, True]]
    np.testing.assert_array_equal(found.values[:, 0], [[1, np.nan, 7], [2, 4, np.nan], [3, 5, 6]])


def test_a_table_with_other_facts_and_the_same_rows_copies_nothing() -> None:
    history, _ = filled(5)
    held = [id(one) for one in history._devices["r1"].strands.values()]
    again = table("a", "b", version=2, note="another")
    history.offer(block(again, 5))
    assert [id(one) for one in history._devices["r1"].strands.values()] == held
    assert history.window(again, ["in_bps"], rows(0), -math.inf).seqs.tolist() == [0, 1, 2, 3, 4, 5]


def test_the_memory_of_a_device_stays_what_its_window_needs() -> None:
    history, of = RingHistory(window_s=300), table(*(f"e{number}" for number in range(48)))
    sizes = []
    for seq in range(2000):
        history.offer(block(of, seq))
        past = history._devices["r1"]
        segments = {id(one): one for strand in past.strands.values() for one in strand._segments}
        sizes.append(sum(one.values.nbytes for one in segments.values()))
    assert max(sizes[1000:]) <= 4 * 2 * 48 * (300 + 2 * MOST_SAMPLES)
