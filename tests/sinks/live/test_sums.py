from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from server.core.blocks import Frames
from server.core.model import Frame
from server.sinks.live.fleet import Fleet
from server.sinks.live.sums import Sums
from server.sinks.live.sums import sums as sums_at
from tests.support.frames import START_S, frame, status, table


class Counted:
    """A fleet of devices r1, r2, ... that have sent these frames."""

    def __init__(self, *devices: Sequence[Frame]) -> None:
        self._fleet = Fleet()
        for number, frames in enumerate(devices, start=1):
            self._fleet.status(status(f"r{number}"))
            for one in frames:
                self._fleet.frames(Frames.of([one]))
        self._fleet.settle()

    def at(self, now_s: float) -> Sums:
        roster = self._fleet.roster
        return sums_at(roster.rows, roster.devices, roster.used_rows, now_s)


def sums(*frames: Frame) -> Counted:
    return Counted(frames)


def test_a_row_that_missed_one_answer_still_counts_and_the_sum_does_not_dip() -> None:
    of = table("a", "b")
    found = sums(frame(of, 0, in_bps=[1.0, 2.0], out_bps=5.0), frame(of, 1, in_bps=[4.0, None], out_bps=5.0)).at(
        START_S + 1.5
    )
    assert (found.in_bps, found.out_bps, found.counted) == (6.0, 10.0, 2)


@pytest.mark.parametrize(
    ("age_s", "in_bps", "counted", "late"), [(2.5, 3.0, 2, False), (2.6, None, 1, True), (11.0, 2.0, 1, False)]
)
def test_a_late_row_makes_the_sum_a_gap_until_it_is_given_up(
    age_s: float, in_bps: float | None, counted: int, late: bool
) -> None:
    of = table("a", "b")
    later = [frame(of, 1 + step, wall_s=START_S + 1 + step, in_bps=[None, 2.0]) for step in range(int(age_s))]
    found = sums(frame(of, 0, in_bps=[1.0, 2.0]), *later).at(START_S + age_s)
    assert (found.in_bps, found.counted, found.late) == (in_bps, counted, late)


def test_a_row_that_never_had_a_sample_is_neither_counted_nor_a_gap() -> None:
    found = sums(frame(table("a", "b"), 0, in_bps=[1.0, None])).at(START_S)
    assert (found.in_bps, found.out_bps, found.counted) == (1.0, None, 1)


def test_the_limits_follow_the_interval_of_the_device() -> None:
    found = sums(frame(table("a"), 0, in_bps=1.0, interval_s=30.0)).at(START_S + 70)
    assert found.in_bps == 1.0


def test_a_sample_that_the_clock_puts_into_the_future_is_not_counted() -> None:
    assert sums(frame(table("a"), 0, in_bps=1.0)).at(START_S - 3600).in_bps is None


def test_rows_keep_their_samples_by_name_when_the_table_changes() -> None:
    before, after = table("a", "b"), table("b", "c", version=2)
    found = sums(frame(before, 0, in_bps=[1.0, 2.0]), frame(after, 1, in_bps=[None, 4.0])).at(START_S + 1)
    assert (found.in_bps, found.counted) == (6.0, 2)


def test_the_total_of_devices_is_a_gap_when_one_is_late_and_nothing_when_there_are_none() -> None:
    of, other = table("a"), table("a", device="r2")
    fine, late = frame(other, 0, in_bps=1.0), frame(other, 0, wall_s=START_S - 5, in_bps=2.0)
    together = Counted([frame(of, 0, in_bps=1.0)], [fine]).at(START_S)
    assert (together.in_bps, together.out_bps, together.counted) == (2.0, None, 2)
    with_late = Counted([frame(of, 0, in_bps=1.0)], [late]).at(START_S)
    assert (with_late.in_bps, with_late.counted, with_late.late) == (None, 1, True)
    assert with_late.device_bps[0, 1:3].tolist() == pytest.approx([1.0, math.nan], nan_ok=True)
    none = Counted().at(START_S)
    assert (none.in_bps, none.out_bps, none.counted, none.late) == (None, None, 0, False)


def test_a_device_that_answers_slowly_is_not_late_by_its_own_pace() -> None:
    of = table("a")
    slow = sums(*[frame(of, step, wall_s=START_S + 4 * step, in_bps=1.0, interval_s=1.0) for step in range(20)])
    found = slow.at(START_S + 4 * 19 + 3.9)
    assert (found.in_bps, found.late) == (1.0, False)
