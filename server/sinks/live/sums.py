"""Sums over rows that neither dip when an answer is missed nor hold what is old.

A row counts with its newest sample while that is not late. Between late and "no data" nobody knows what it carries, so a sum
with it is a gap. After that the row is counted no more, and the number of counted rows says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from server.core.model import Frame, Mask, Table

LATE_INTERVALS = 2.5
NO_DATA_INTERVALS = 10.0
_DIRECTIONS = ("in_bps", "out_bps")
_SMOOTHING = 0.2


@dataclass(frozen=True, slots=True)
class Sum:
    """Bits per second in and out; None is unknown. `counted` rows are in it; `late`: a row is late, so it is a gap."""

    in_bps: float | None
    out_bps: float | None
    counted: int
    late: bool


class DeviceSums:
    """The newest sample of each row of one device, and when it came.

    State: `_newest` and `_times_s`, (2, rows); `_spacing_s`, the measured time between samples, which is more than the
    interval where a device answers slowly.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        self._interval_s = 1.0
        self._spacing_s = 0.0
        self._last_s = -np.inf
        self._newest = np.full((2, len(table.rows)), np.nan)
        self._times_s = np.full((2, len(table.rows)), -np.inf)

    def add(self, frame: Frame) -> None:
        """Take one frame. A table of other rows keeps each row's sample by its name."""
        if frame.table is not self._table:
            self._follow(frame.table)
        self._interval_s = frame.interval_s
        self._measure(frame)
        for direction, shown in enumerate(_DIRECTIONS):
            values = frame.column(shown)
            if values is not None:
                present = ~np.isnan(values)
                self._newest[direction, present] = values[present]
                self._times_s[direction, present] = frame.wall_s

    def at(self, now_s: float) -> Sum:
        """The sum at this moment. A sample that the wall clock puts into the future is not counted."""
        known, late = self._known_and_late(now_s)
        sums = [
            float(self._newest[direction, known[direction]].sum())
            if known[direction].any() and not late[direction].any()
            else None
            for direction in range(2)
        ]
        return Sum(sums[0], sums[1], int(known.any(axis=0).sum()), bool(late.any()))

    def _known_and_late(self, now_s: float) -> tuple[Mask, Mask]:
        age_s = now_s - self._times_s
        step_s = max(self._interval_s, self._spacing_s)
        late_s = LATE_INTERVALS * step_s
        return np.abs(age_s) <= late_s, (age_s > late_s) & (age_s <= NO_DATA_INTERVALS * step_s)

    def _measure(self, frame: Frame) -> None:
        rates = [values for shown in _DIRECTIONS if (values := frame.column(shown)) is not None]
        if not any((~np.isnan(values)).any() for values in rates):
            return
        spacing_s = frame.wall_s - self._last_s
        if 0 < spacing_s <= NO_DATA_INTERVALS * self._interval_s:  # else an outage, or the wall clock stepped
            known_s = self._spacing_s or self._interval_s
            self._spacing_s = known_s + _SMOOTHING * (spacing_s - known_s)
        self._last_s = frame.wall_s

    def _follow(self, table: Table) -> None:
        old = self._table.index_of()
        sources = np.array([old.get(row.name, -1) for row in table.rows], dtype=np.intp)
        known = sources >= 0
        newest, times_s = self._newest, self._times_s
        self._newest = np.full((2, len(table.rows)), np.nan)
        self._times_s = np.full((2, len(table.rows)), -np.inf)
        self._newest[:, known] = newest[:, sources[known]]
        self._times_s[:, known] = times_s[:, sources[known]]
        self._table = table


NOTHING = Sum(None, None, 0, False)


def total(sums: Sequence[Sum]) -> Sum:
    """The sum of all devices: a gap when one of them has a late row."""
    late = any(one.late for one in sums)
    in_bps = [one.in_bps for one in sums if one.in_bps is not None]
    out_bps = [one.out_bps for one in sums if one.out_bps is not None]
    counted = sum(one.counted for one in sums)
    return Sum(sum(in_bps) if in_bps and not late else None, sum(out_bps) if out_bps and not late else None, counted, late)
