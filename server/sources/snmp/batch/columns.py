"""The state of all slots, one array for each fact."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from server.sources.snmp.batch.buffers import extended
from server.sources.snmp.batch.layout import widened

Where = slice | NDArray[np.intp]


class Columns:
    """Arrays of (capacity,), but for `values` and `valid`, which are (capacity, width). Growth makes other arrays.

    The newest answer: `values` and which of them are `valid`; `error_status` and `error_index`; `missing`: it held
    noSuchObject, noSuchInstance or endOfMibView; `disordered`: a GETBULK's held other or fewer OIDs than expected (cells
    found by their OID are still taken); `reported`: it was a Report. All are as of the newest request: cleared when it is
    sent, and set when it is answered.

    `pending`: an answer is awaited. `sent_ns` (of the first try) and `received_ns` are CLOCK_BOOTTIME. `late_s`: the age of
    an answer that came after it was given up, NaN until then; the caller clears it.
    """

    def __init__(self) -> None:
        self.values = np.zeros((0, 0), np.uint64)
        self.valid = np.zeros((0, 0), np.bool_)
        self.sent_ns, self.received_ns = np.zeros(0, np.int64), np.zeros(0, np.int64)
        self.pending = np.zeros(0, np.bool_)
        self.late_s = np.zeros(0, np.float64)
        # Ours alone: the request-id of the awaited answer or 0; how many more datagrams may be walked or opened; the number
        # of request-ids given out before the slot was added; whether it speaks version 3.
        self.awaited, self.born = np.zeros(0, np.int64), np.zeros(0, np.int64)
        self.credit = np.zeros(0, np.int8)
        self.version_3 = np.zeros(0, np.bool_)
        self._name(np.zeros((0, 2), np.int32), np.zeros((0, 4), np.bool_))

    def _name(self, errors: NDArray[np.int32], marks: NDArray[np.bool_]) -> None:
        """Facts that are cleared together stand side by side."""
        self._errors, self._marks = errors, marks
        self.error_status, self.error_index = errors[:, 0], errors[:, 1]
        self.missing, self.disordered, self.reported = marks[:, 0], marks[:, 1], marks[:, 2]

    def grow(self, capacity: int, width: int) -> None:
        """Room for so many slots of so many cells."""
        self.values, self.valid = widened(self.values, capacity, width), widened(self.valid, capacity, width)
        self.sent_ns, self.received_ns = extended(self.sent_ns, capacity), extended(self.received_ns, capacity)
        self.pending, self.late_s = extended(self.pending, capacity), extended(self.late_s, capacity, np.nan)
        self.awaited, self.born = extended(self.awaited, capacity), extended(self.born, capacity)
        self.credit, self.version_3 = extended(self.credit, capacity), extended(self.version_3, capacity)
        self._name(extended(self._errors, capacity), extended(self._marks, capacity))

    def clear(self, where: Where) -> None:
        """Nothing is known of the newest answer, and none is awaited."""
        self.pending[where] = False
        self.awaited[where] = 0
        self.valid[where] = False
        self._errors.view(np.int64)[where] = 0
        self._marks.view(np.int32)[where] = 0


def consecutive(slots: NDArray[np.intp]) -> Where:
    """The same slots, as a slice where they follow one another: that costs a fifth."""
    count = len(slots)
    if not count or int(slots[-1]) - int(slots[0]) != count - 1:
        return slots
    if np.count_nonzero(slots[1:] - slots[:-1] == 1) < count - 1:
        return slots
    return slice(int(slots[0]), int(slots[-1]) + 1)
