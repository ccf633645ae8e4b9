"""Many devices in one block: each is shown as if it were alone, and none costs another anything."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.core.blocks import Readings
from server.core.model import Reading, Table
from server.rates import Meters, arena
from server.rates.cadence import Cadence
from server.rates.tick import compare
from server.rates.units import Device
from tests.rates.agent import Agent, every, steady
from tests.rates.build import ERRORS, IN, OUT, START_NS, chunk, reading, table
from tests.rates.chassis import chassis
from tests.rates.fleet import Fleet, Named, assert_same
from tests.rates.test_model import Device as Life
from tests.rates.test_model import Step, steps


@settings(max_examples=60, deadline=None)
@given(
    lives=st.lists(st.lists(steps(), min_size=3, max_size=9), min_size=2, max_size=5),
    bits=st.sampled_from([32, 64]),
    dice=st.randoms(use_true_random=False),
)
def test_a_device_in_a_block_is_shown_as_if_it_were_alone_whatever_befalls_it(
    lives: list[list[Step]], bits: int, dice: random.Random
) -> None:
    fleet = Fleet()
    devices = [(Named(f"sw{number}"), Life(10**10, bits, bool(number % 2), 100_000)) for number in range(len(lives))]
    for tick in range(9):
        there = [number for number, life in enumerate(lives) if tick < len(life)]
        dice.shuffle(there)
        cut = dice.randrange(len(there) + 1)
        for part in (there[:cut], there[cut:]):
            found = [devices[number][0].reading(devices[number][1].poll(lives[number][tick])) for number in part]
            if found:
                fleet.take(found)
        if dice.random() < 0.1:
            fleet.forget("sw0")


def agents(dice: random.Random) -> list[Agent]:
    """Devices that refresh at every poll, slowly, irregularly; with lost polls, with several answers, idle or nearly so."""

    def sometimes(tick: int) -> bool:
        return tick % 17 in (5, 6) and tick > 30

    loads = [
        [[steady(bps * (row + 1)) for row in range(1 + number % 4)]] * 2 for number, bps in enumerate((1e9, 0, 2e6) * 3)
    ]
    slow = [
        (),
        (),
        every(3.02, 300, dice.random()),
        every(2.5, 300, jitter_s=0.05),
        every(5, 300),
        every(1.3, 300),
        (),
        (),
        (),
    ]
    return [
        Agent(
            of,
            refreshes,
            lost=sometimes if number % 4 == 3 else lambda tick: False,
            answers=1 + number % 3,
            between_s=0.02 * (number % 2),
            random=random.Random(dice.random()),
        )
        for number, (of, refreshes) in enumerate(zip(loads, slow, strict=True))
    ]


@pytest.mark.parametrize("seed", range(4))
def test_agents_of_every_cadence_are_shown_in_blocks_as_if_each_were_alone(seed: int) -> None:
    dice, fleet = random.Random(seed), Fleet()
    line_cards = [
        chassis(seed, busy=3, answers=2),
        chassis(seed + 10, (0, 3, 5), busy=3, lost=lambda tick: tick % 13 == 5),
        chassis(seed + 20, (2, 4.02), busy=4),
    ]
    fleet_of = [(Named(f"sw{number}"), agent) for number, agent in enumerate([*agents(dice), *line_cards])]
    estimated = carded = 0
    for _ in range(90):
        dice.shuffle(fleet_of)
        cut = dice.choice([0, 3, len(fleet_of)])
        for part in (fleet_of[:cut], fleet_of[cut:]):
            if part:
                shown = fleet.take([name.reading(agent.reading()) for name, agent in part])
                estimated += sum(frame.cadence_s is not None for frame in shown)
                carded += sum(frame.row_cadence_s is not None and frame.table.device == "sw9" for frame in shown)
    assert estimated > 90
    assert carded > 30


def devices_at(second: int, tables: list[Table], **more: object) -> list[Reading]:
    """Each row of device n grows by 1000 (n + 1) in a second."""
    return [
        reading(of, second, [[1000 * (number + 1) * second] * len(of.rows)] * len(of.metrics), **more)  # type: ignore[arg-type]
        for number, of in enumerate(tables)
    ]


def fleet_tables(count: int) -> list[Table]:
    return [replace(table(2), device=f"sw{number}") for number in range(count)]


def shown_bps(meters: Meters, block: list[Reading]) -> dict[str, float]:
    """in_bps of each device's first row."""
    blocks, _ = meters.advance(Readings.of(block))
    return {frame.table.device: float(frame.values[0, 0]) for frames in blocks for frame in frames}


def test_slow_columns_of_a_block_keep_each_devices_own_spacing() -> None:
    tables = [replace(table(2, metrics=(IN, OUT, ERRORS)), device=f"sw{number}") for number in range(3)]
    fleet = Fleet()
    for second in range(45):
        for due, part in ((second % 10 == 0, tables[:2]), (second % 15 == 0, tables[2:])):
            columns = (0, 1, 2) if due else (0, 1)
            values = [[1000 * second] * 2, [1000 * second] * 2, [5 * second] * 2][: len(columns)]
            fleet.take([reading(of, second, values, columns=columns) for of in part])
    values = [[1000 * 45] * 2, [1000 * 45] * 2, [5 * 45] * 2]
    frames = fleet.take([reading(of, 45, values, columns=(0, 1, 2)) for of in tables])
    assert np.array([frame.values[2] for frame in frames]) == pytest.approx(np.full((3, 2), 5.0))
    assert [frame.quality.tolist() for frame in frames] == [[0, 0]] * 3


def test_a_device_that_comes_between_others_changes_nothing_for_them() -> None:
    tables, meters = fleet_tables(3), Meters()
    for second in range(5):
        shown_bps(meters, devices_at(second, tables)[:2])
    for second in range(5, 9):
        block = devices_at(second, tables)
        assert shown_bps(meters, [block[0], block[2], block[1]]) | {"sw2": 0.0} == {
            "sw0": 8000.0,
            "sw1": 16000.0,
            "sw2": 0.0,
        }


def test_a_new_table_of_one_device_leaves_the_others_and_its_own_rows_where_they_were() -> None:
    tables, meters = fleet_tables(3), Meters()
    for second in range(5):
        shown_bps(meters, devices_at(second, tables))
    wider = table(3, version=2)
    tables[1] = replace(wider, device="sw1")
    for second in range(5, 9):
        assert shown_bps(meters, devices_at(second, tables)) == {"sw0": 8000.0, "sw1": 16000.0, "sw2": 24000.0}


def test_bursts_of_a_device_are_a_stream_of_their_own() -> None:
    meters, (whole,) = Meters(), fleet_tables(1)
    part = replace(table(1), device="sw0", version=7)
    for second in range(6):
        (frames,), events = meters.advance(Readings.of(devices_at(second, [whole])))
        (bursts,), more = meters.advance(Readings.of(devices_at(second, [part]), burst=True))
        assert events == more == []
    assert (frames.burst, bursts.burst) == (False, True)
    assert (frames.seqs.tolist(), bursts.seqs.tolist()) == ([5], [5])
    assert (frames.values[0].tolist(), bursts.values[0].tolist()) == ([8000.0, 8000.0], [8000.0])


def test_a_device_that_is_forgotten_begins_anew_but_never_uses_a_seq_twice() -> None:
    tables, meters = fleet_tables(2), Meters()
    for second in range(5):
        meters.advance(Readings.of(devices_at(second, tables)))
    meters.forget("sw0")
    (frames,), _ = meters.advance(Readings.of(devices_at(5, tables)))
    assert frames.seqs[0] > 4
    assert frames.seqs[1] == 5
    assert np.isnan(frames.frame(0).values).all()
    assert frames.frame(1).values[0].tolist() == [16000.0] * 2


def test_a_restart_of_one_device_is_told_once_and_is_a_gap_of_that_device_alone() -> None:
    tables, meters = fleet_tables(3), Meters()
    for second in range(5):
        meters.advance(Readings.of(devices_at(second, tables)))
    block = devices_at(5, tables)
    block[1] = replace(block[1], chunks=(replace(block[1].chunks[0], device_ticks=50),))
    (frames,), events = meters.advance(Readings.of(block))
    assert [(event.kind, event.device) for event in events] == [("restarted", "sw1")]
    assert np.isnan(frames.values).any(axis=0).tolist() == [False, False, True, True, False, False]


def test_a_device_that_makes_no_sense_costs_its_own_tick_only_and_is_logged_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tables, meters = fleet_tables(3), Meters()
    for second in range(5):
        shown_bps(meters, devices_at(second, tables))
    poll = Cadence.poll

    def raises(self: Cadence, at_s: float, since_s: float | None, interval_s: float, in_step: Callable[[int], int]) -> None:
        if at_s > START_NS / 1e9 + 5.25:
            raise ArithmeticError("no such moment")
        poll(self, at_s, since_s, interval_s, in_step)

    block = devices_at(5, tables)
    block[1] = replace(block[1], chunks=(chunk(5.3, (0, 1), (0, 1), ticks=block[1].chunks[0].device_ticks),))
    with monkeypatch.context() as patch:
        patch.setattr(Cadence, "poll", raises)
        assert shown_bps(meters, block) == {"sw0": 8000.0, "sw2": 24000.0}
    assert caplog.text.count("no rates from a reading of sw1") == 1
    for second in range(6, 12):
        after = shown_bps(meters, devices_at(second, tables))
    assert after == {"sw0": 8000.0, "sw1": 16000.0, "sw2": 24000.0}


def test_a_device_that_spoils_a_whole_block_is_alone_from_then_on_until_it_makes_sense(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tables, meters = fleet_tables(3), Meters()

    def raises(readings: Readings, *more: object) -> object:
        if tables[1] in readings.tables:
            raise ArithmeticError("no such value")
        return compare(readings, *more)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr("server.rates.meters.compare", raises)
        assert shown_bps(meters, devices_at(0, tables)) == {}
        for second in range(1, 6):
            after = shown_bps(meters, devices_at(second, tables))
    assert after == {"sw0": 8000.0, "sw2": 24000.0}
    for second in range(6, 11):
        after = shown_bps(meters, devices_at(second, tables))
    assert after == {"sw0": 8000.0, "sw1": 16000.0, "sw2": 24000.0}
    assert caplog.text.count("no rates from a reading of sw1") == 1
    (frames,), _ = meters.advance(Readings.of(devices_at(11, tables)))
    assert len(frames) == 3


def test_a_look_for_line_cards_that_fails_costs_its_own_device_only(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tables, meters = fleet_tables(3), Meters()

    def fails(device: Device) -> bool:
        if device.table is tables[1]:
            raise ArithmeticError("no such card")
        return False

    with monkeypatch.context() as patch:
        patch.setattr("server.rates.meters.needs_look", fails)
        for second in range(40):
            assert {"sw0", "sw2"} <= shown_bps(meters, devices_at(second, tables)).keys()
    assert caplog.text.count("no rates from a reading of sw1") > 0
    for second in range(40, 50):
        after = shown_bps(meters, devices_at(second, tables))
    assert after == {"sw0": 8000.0, "sw1": 16000.0, "sw2": 24000.0}


def test_one_table_that_makes_no_sense_does_not_spoil_its_block(caplog: pytest.LogCaptureFixture) -> None:
    tables, meters = fleet_tables(3), Meters()
    tables[1] = replace(tables[1], counter_bits=np.zeros((1, 1), dtype=np.uint8))
    with caplog.at_level(logging.ERROR):
        for second in range(5):
            after = shown_bps(meters, devices_at(second, tables))
    assert after == {"sw0": 8000.0, "sw2": 24000.0}
    assert caplog.text.count("no rates from a reading of sw1") == 1


def test_arrays_that_do_not_fit_the_tables_are_refused() -> None:
    meters, block = Meters(), Readings.of(devices_at(0, fleet_tables(2)))
    for wrong in ({"valid": block.valid[:, 1:]}, {"discontinuity": block.discontinuity[1:]}, {"wall_s": block.wall_s[1:]}):
        assert meters.advance(replace(block, **wrong)) == ([], [])


def test_a_device_that_stands_in_a_block_twice_is_taken_twice() -> None:
    tables, meters = fleet_tables(1), Meters()
    for second in range(0, 8, 2):
        block = [*devices_at(second, tables), *devices_at(second + 1, tables)]
        blocks, _ = meters.advance(Readings.of(block))
    assert [frames.values[0].tolist() for frames in blocks] == [[8000.0] * 2] * 2


def test_a_frame_of_a_block_is_not_changed_by_later_blocks() -> None:
    tables, meters = fleet_tables(2), Meters()
    for second in range(5):
        (frames,), _ = meters.advance(Readings.of(devices_at(second, tables)))
    before = frames.frame(1)
    values = before.values.copy()
    for second in range(5, 9):
        meters.advance(Readings.of([replace(one, values=one.values * 2) for one in devices_at(second, tables)]))
    assert_same(before, replace(before, values=values))


def test_devices_with_other_metrics_are_metered_besides() -> None:
    meters = Meters()
    plain, other = fleet_tables(1), [replace(table(2, metrics=(ERRORS,)), device="sw9")]
    for second in range(6):
        here = shown_bps(meters, devices_at(second, plain))
        there = shown_bps(meters, devices_at(second, other))
    assert (here, there) == ({"sw0": 8000.0}, {"sw9": 1000.0})


def test_devices_that_have_no_arena_in_common_are_metered_in_one_block_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arena, "_MOST_ROWS", 4)
    tables, meters = fleet_tables(7), Meters()
    for second in range(3):
        for group in (tables[:2], tables[2:5], tables[5:]):
            meters.advance(Readings.of(devices_at(second, group)))
    for second in range(3, 9):
        block = devices_at(second, tables)
        after = shown_bps(meters, [block[number] for number in (3, 0, 6, 2, 1, 5, 4)])
    assert after == {f"sw{number}": 8000.0 * (number + 1) for number in range(7)}


def test_blocks_that_never_come_again_leave_nothing_behind() -> None:
    tables, meters = fleet_tables(8), Meters()
    dice = random.Random(3)
    for second in range(300):
        meters.advance(Readings.of(dice.sample(devices_at(second, tables), dice.randint(1, 8))))
    plans = meters._places._plans
    assert sum(plan.segments.starts[-1] for _, plan in plans.values()) <= 4 * sum(len(of.rows) for of in tables)


def test_each_row_remembers_at_which_of_the_last_64_ticks_it_was_read_and_had_grown() -> None:
    tables, meters = fleet_tables(2), Meters()
    silent, grown = {7}, {3, 6, 8}
    for second in range(10):
        values = [[len([tick for tick in grown if tick <= second]), 5 * second]] * 2
        missing = [(0, 1), (1, 1)] if second == 5 else []
        found = [reading(of, second, values, missing=missing) for of in tables]
        if second in silent:
            found[1] = reading(tables[1], second, values, missing=[(0, 0), (0, 1), (1, 0), (1, 1)])
        meters.advance(Readings.of(found))
    rows = meters._places._arenas[tables[0].metrics][0].rows
    # Of the first tick nothing is known. Row b was not read at second 5, and device sw1 did not answer at 7.
    assert [f"{history:b}" for history in rows.heard[:4].tolist()] == ["111111111", "111101111", "11111111", "11110111"]
    assert [f"{history:09b}" for history in rows.grew[:4].tolist()] == ["001001010", "111101111", "000100110", "011110111"]
