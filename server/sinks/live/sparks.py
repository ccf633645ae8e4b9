"""Five minutes of every row in 60 means of 5 s, in and out: the small charts of the overview, and what changed most.

State: for each slot of time that has closed, the means of all rows in one array; of the slot that is open, the sums.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from server.core.model import Floats
from server.sinks.live.columns import DeviceColumns, Places, rows_of

SLOTS = 60
SLOT_S = 5.0

Means = NDArray[np.float32]


class Sparks:
    """Slots of the whole fleet. A slot's number is Unix time / 5 s; `DeviceColumns.slot` is the one that is open (-1: none).

    What stands in a slot is found by its number: nothing is moved when time passes.
    """

    def __init__(self, devices: DeviceColumns) -> None:
        self._devices = devices
        self._closed: dict[int, Means] = {}  # (2, rows) by slot; rows beyond its end have none
        self._sums = np.zeros((2, 0))
        self._counts = np.zeros((2, 0), dtype=np.uint16)

    def arrive(self, numbers: NDArray[np.intp], wall_s: Floats, rows: int) -> None:
        """Before frames of these devices are added: close the slots that ended before. `rows` are in the fleet."""
        if rows > self._sums.shape[1]:
            extra = max(rows, 2 * self._sums.shape[1]) - self._sums.shape[1]
            self._sums = np.pad(self._sums, ((0, 0), (0, extra)))
            self._counts = np.pad(self._counts, ((0, 0), (0, extra)))
        slots = (wall_s // SLOT_S).astype(np.int64)
        steps = slots - self._devices.slot[numbers]
        if ((steps != 0) & (steps != -1)).any():  # a frame that was stamped just before the open slot began is counted in it
            self._advance(numbers, slots)

    def add(self, direction: int, rows: Places, values_bps: Floats) -> None:
        """Put one sample of each of these rows into the open slot of its device."""
        self._sums[direction][rows] += values_bps
        self._counts[direction][rows] += 1

    def advance(self, numbers: NDArray[np.intp], now_s: float) -> None:
        """Close the slots of these devices that ended before `now_s`, and forget those that are too old."""
        slot = int(now_s // SLOT_S)
        known = numbers[self._devices.slot[numbers] >= 0]
        self._advance(known, np.full(len(known), slot, dtype=np.int64))
        for number in [one for one in self._closed if not slot - SLOTS <= one <= slot]:
            del self._closed[number]

    def row(self, number: int, row: int) -> Means:
        """(2, SLOTS) of one row of a device, oldest first; NaN is a slot without a sample."""
        slot = int(self._devices.slot[number])
        found = np.full((2, SLOTS), np.nan, dtype=np.float32)
        for place in range(SLOTS):
            means = self._closed.get(slot - SLOTS + place)
            if means is not None and row < means.shape[1]:
                found[:, place] = means[:, row]
        return found

    def before(self, owner: NDArray[np.intp], slots: int = 12) -> Means:
        """(2, rows) means of `slots` slots ago, by the slot of each row's owner; NaN where there is none."""
        found = np.full((2, len(owner)), np.nan, dtype=np.float32)
        own = self._devices.slot[owner]
        for slot in np.unique(self._devices.slot).tolist():
            means = self._closed.get(slot - slots)
            if means is None:
                continue
            width = min(means.shape[1], len(owner))
            np.copyto(found[:, :width], means[:, :width], where=own[:width] == slot)
        return found

    def moved(self, old: slice, sources: NDArray[np.intp], new: slice) -> None:
        """A device has other rows now: each keeps its past. See `Columns.move`."""
        self._sums = _moved(self._sums, old, sources, new, 0)
        self._counts = _moved(self._counts, old, sources, new, 0)
        for slot, means in self._closed.items():
            self._closed[slot] = _moved(means, old, sources, new, np.nan)

    def freed(self, held: slice) -> None:
        """These rows are nobody's now."""
        self._sums[:, held] = 0
        self._counts[:, held] = 0
        for means in self._closed.values():
            means[:, held] = np.nan

    def _advance(self, numbers: NDArray[np.intp], slots: NDArray[np.int64]) -> None:
        open_slots = self._devices.slot[numbers]
        steps = np.where(open_slots >= 0, slots - open_slots, 0)
        back, on = steps < -1, steps > 0
        if back.any():  # the wall clock was set back: what is held has no place in time any more
            rows = self._rows(numbers[back])
            self._sums[:, rows] = 0
            self._counts[:, rows] = 0
            for means in self._closed.values():
                means[:, _below(rows, means.shape[1])] = np.nan
        for slot in np.unique(open_slots[on]).tolist():
            self._close(slot, self._rows(numbers[on & (open_slots == slot)]))
        stays = steps == -1
        self._devices.slot[numbers[~stays]] = slots[~stays]

    def _close(self, slot: int, rows: Places) -> None:
        means = self._closed.get(slot)
        if means is None or means.shape[1] < self._sums.shape[1]:
            self._closed[slot] = means = _wide(means, self._sums.shape[1])
        with np.errstate(invalid="ignore"):  # 0 / 0: a slot without a sample
            for direction in range(2):
                means[direction][rows] = self._sums[direction][rows] / self._counts[direction][rows]
                self._sums[direction][rows] = 0
                self._counts[direction][rows] = 0

    def _rows(self, numbers: NDArray[np.intp]) -> Places:
        return rows_of(self._devices.start[numbers], self._devices.rows[numbers])


def _below(rows: Places, end: int) -> Places:
    return slice(rows.start, min(rows.stop, end)) if isinstance(rows, slice) else rows[rows < end]


def _wide(means: Means | None, rows: int) -> Means:
    wide = np.full((2, rows), np.nan, dtype=np.float32)
    if means is not None:
        wide[:, : means.shape[1]] = means
    return wide


def _moved(array: NDArray[Any], old: slice, sources: NDArray[np.intp], new: slice, blank: float) -> NDArray[Any]:
    """See `Columns.move`; `array` may end before these rows, which then are blank."""
    had = array[:, old]
    known = (sources >= 0) & (sources < had.shape[1])
    part = np.full((2, len(sources)), blank, dtype=array.dtype)
    part[:, known] = had[:, sources[known]]
    array[:, old] = blank
    if new.stop > array.shape[1] and known.any():
        array = np.pad(array, ((0, 0), (0, new.stop - array.shape[1])), constant_values=blank)
    array[:, new] = part[:, : max(0, array.shape[1] - new.start)]
    return array
