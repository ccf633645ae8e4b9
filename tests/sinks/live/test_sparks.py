from __future__ import annotations

import numpy as np
import pytest

from server.core.blocks import Frames
from server.core.model import Frame, Table
from server.sinks.live.fleet import Fleet
from server.sinks.live.roster import Member
from server.sinks.live.sparks import SLOT_S, SLOTS
from tests.support.frames import frame, status, table

OF = table("a", "b")
BEGIN_S = 1_000_000.0  # the begin of a slot


class DeviceSparks:
    """The sparks of one device in a fleet."""

    def __init__(self, of: Table) -> None:
        self._fleet, self._device = Fleet(), of.device
        self._fleet.status(status(of.device))
        self.add(frame(of, wall_s=0.0, in_bps=[None] * len(of.rows)))  # so that it has its rows

    @property
    def _member(self) -> Member:
        member = self._fleet.roster.member(self._device)
        assert member is not None
        return member

    def add(self, one: Frame) -> None:
        self._fleet.frames(Frames.of([one]))
        self._fleet.settle()

    def advance(self, now_s: float) -> None:
        self._fleet.sparks.advance(self._fleet.roster.numbers(), now_s)

    @property
    def table(self) -> Table | None:
        return self._member.table

    @property
    def slot(self) -> int:
        return int(self._fleet.roster.devices.slot[self._member.number])

    @property
    def closed(self) -> np.ndarray:
        """(2, rows, SLOTS)"""
        member = self._member
        assert member.table is not None
        rows = [self._fleet.sparks.row(member.number, member.start + row) for row in range(len(member.table.rows))]
        return np.stack(rows, axis=1)

    def change(self) -> np.ndarray:
        """(2, rows) of a minute ago."""
        roster = self._fleet.roster
        return self._fleet.sparks.before(roster.rows.owner[: roster.used_rows])


def filled(slots: int) -> DeviceSparks:
    """Slot n has the mean n in, 10 n out; the last one is open."""
    sparks = DeviceSparks(OF)
    for number in range(slots):
        for share in (0.5, 1.5):
            wall_s = BEGIN_S + number * SLOT_S + share
            sparks.add(frame(OF, wall_s=wall_s, in_bps=number * share, out_bps=10.0 * number * share))
    return sparks


def test_a_slot_holds_the_mean_of_its_samples_once_it_has_closed() -> None:
    sparks = filled(3)
    np.testing.assert_array_equal(sparks.closed[0, 0, -3:], [np.nan, 0.0, 1.0])
    sparks.advance(BEGIN_S + 3 * SLOT_S)
    np.testing.assert_array_equal(sparks.closed[0, 0, -3:], [0.0, 1.0, 2.0])
    np.testing.assert_array_equal(sparks.closed[1, 1, -3:], [0.0, 10.0, 20.0])
    assert sparks.slot == (BEGIN_S + 3 * SLOT_S) // SLOT_S


def test_five_minutes_are_kept() -> None:
    sparks = filled(SLOTS + 7)
    np.testing.assert_array_equal(sparks.closed[0, 0], np.arange(6, SLOTS + 6))
    assert sparks.closed.dtype == np.float32


def test_a_missed_sample_does_not_lower_the_mean_and_a_slot_without_any_is_a_gap() -> None:
    sparks = DeviceSparks(OF)
    sparks.add(frame(OF, wall_s=BEGIN_S, in_bps=[4.0, None], out_bps=1.0))
    sparks.add(frame(OF, wall_s=BEGIN_S + 1, in_bps=[None, None]))
    sparks.add(frame(OF, wall_s=BEGIN_S + 2, in_errors_per_s=7.0))
    sparks.advance(BEGIN_S + 3 * SLOT_S)
    np.testing.assert_array_equal(sparks.closed[0, :, -3:], [[4.0, np.nan, np.nan], [np.nan, np.nan, np.nan]])
    np.testing.assert_array_equal(sparks.closed[1, :, -3:], [[1.0, np.nan, np.nan], [1.0, np.nan, np.nan]])


@pytest.mark.parametrize("slots", [SLOTS - 1, SLOTS, SLOTS + 1, 10 * SLOTS])
def test_a_silence_moves_what_was_before_out_to_the_left(slots: int) -> None:
    sparks = DeviceSparks(OF)
    sparks.add(frame(OF, wall_s=BEGIN_S, in_bps=4.0, out_bps=4.0))
    sparks.advance(BEGIN_S + slots * SLOT_S)
    left = np.flatnonzero(~np.isnan(sparks.closed[0, 0])).tolist()
    assert left == ([SLOTS - slots] if slots <= SLOTS else [])


def test_a_row_keeps_its_past_by_its_name() -> None:
    sparks = filled(3)
    new = table("b", "new", "a", version=2)
    sparks.add(frame(new, wall_s=BEGIN_S + 2 * SLOT_S + 2, in_bps=[8.0, 9.0, 2.0]))
    sparks.advance(BEGIN_S + 3 * SLOT_S)
    np.testing.assert_array_equal(sparks.closed[0, :, -2:], [[1.0, 4.0], [np.nan, 9.0], [1.0, 2.0]])
    assert sparks.table is new


def test_a_frame_stamped_just_before_the_open_slot_began_wipes_nothing_and_is_counted() -> None:
    sparks = filled(4)
    sparks.advance(BEGIN_S + 4 * SLOT_S)  # the board's second comes first ...
    sparks.add(frame(OF, wall_s=BEGIN_S + 4 * SLOT_S - 0.01, in_bps=70.0))  # ... then the frame of the poll before it
    np.testing.assert_array_equal(sparks.closed[0, 0, -4:], [0.0, 1.0, 2.0, 3.0])
    sparks.advance(BEGIN_S + 5 * SLOT_S)
    assert sparks.closed[0, 0, -1] == 70.0


def test_a_wall_clock_that_was_set_back_begins_anew() -> None:
    sparks = filled(10)
    sparks.add(frame(OF, wall_s=BEGIN_S - 3600, in_bps=5.0))
    assert np.isnan(sparks.closed).all()
    sparks.advance(BEGIN_S - 3600 + SLOT_S)
    assert np.flatnonzero(~np.isnan(sparks.closed[0, 0])).tolist() == [SLOTS - 1]
    assert sparks.closed[0, 0, -1] == 5.0


def test_what_changed_is_held_against_a_minute_ago() -> None:
    np.testing.assert_array_equal(filled(20).change(), [[7.0, 7.0], [70.0, 70.0]])
    assert np.isnan(filled(3).change()).all()
