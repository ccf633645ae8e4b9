"""Five minutes of every row in 60 means of 5 s, in and out: the small charts of the overview, and what changed most."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from server.core.model import Frame, Table

SLOTS = 60
SLOT_S = 5.0
_DIRECTIONS = ("in_bps", "out_bps")


class DeviceSparks:
    """Slots of one device. `closed` is (2, rows, SLOTS) float32, oldest first; NaN is a slot without a sample.

    `slot` is the number of the slot that is being filled: Unix time / 5 s.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self.slot = -1
        self._reset(len(table.rows))

    def _reset(self, rows: int) -> None:
        self.closed = np.full((2, rows, SLOTS), np.nan, dtype=np.float32)
        self._sums = np.zeros((2, rows))
        self._counts = np.zeros((2, rows))

    def add(self, frame: Frame) -> None:
        """Put one frame into its slot. A table of other rows keeps each row's past by its name."""
        if frame.table is not self.table:
            self._follow(frame.table)
        self.advance(frame.wall_s)
        for direction, shown in enumerate(_DIRECTIONS):
            values = frame.column(shown)
            if values is not None:
                present = ~np.isnan(values)
                self._sums[direction, present] += values[present]
                self._counts[direction, present] += 1

    def advance(self, now_s: float) -> None:
        """Close the slots that ended before `now_s`."""
        slot = int(now_s // SLOT_S)
        steps = slot - self.slot if self.slot >= 0 else 0
        if steps == -1:  # a frame that was stamped just before the open slot began is counted in it
            return
        self.slot = slot
        if steps < 0:  # the wall clock was set back: what is held has no place in time any more
            self._reset(len(self.table.rows))
        if steps <= 0:
            return
        with np.errstate(invalid="ignore", divide="ignore"):
            newest = self._sums / self._counts
        self.closed = np.roll(self.closed, -min(steps, SLOTS), axis=2)
        self.closed[:, :, SLOTS - min(steps, SLOTS) :] = np.nan
        if steps <= SLOTS:
            self.closed[:, :, SLOTS - steps] = newest
        self._sums[:] = 0
        self._counts[:] = 0

    def change(self, now: NDArray[np.float64], slots: int = 12) -> NDArray[np.float64]:
        """(2, rows) values of `slots` slots ago, to hold against `now` (2, rows); NaN where there is none."""
        before = self.closed[:, :, SLOTS - slots].astype(np.float64)
        return np.where(np.isnan(now), np.nan, before)

    def _follow(self, table: Table) -> None:
        old = self.table.index_of()
        sources = np.array([old.get(row.name, -1) for row in table.rows], dtype=np.intp)
        known = sources >= 0
        closed, sums, counts = self.closed, self._sums, self._counts
        self._reset(len(table.rows))
        self.closed[:, known] = closed[:, sources[known]]
        self._sums[:, known] = sums[:, sources[known]]
        self._counts[:, known] = counts[:, sources[known]]
        self.table = table
