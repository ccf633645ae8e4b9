"""One memory for many devices, so that one operation serves all: each device has a stretch of its rows, and a slot."""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from server.core.model import Table
from server.rates.cells import Cells, Dues, Memory, Rows

_ROOM = 2  # times as much, when there is too little
_MOST_ROWS = 131_072  # of one arena: a block with devices in several is metered in parts; larger ones take long to grow


class Ranges:
    """Hands out stretches of an axis, the first that fits. Those taken in a row follow each other while all is free."""

    def __init__(self) -> None:
        self.end = 0  # of all that is handed out
        self.used = 0  # of it, without the gaps
        self._free: list[tuple[int, int]] = []  # begin and end, ascending, none touching another

    def take(self, length: int) -> int:
        """Where the stretch begins."""
        self.used += length
        for number, (begin, end) in enumerate(self._free):
            if end - begin >= length:
                self._free[number : number + 1] = [(begin + length, end)] if end - begin > length else []
                return begin
        begin, self.end = self.end, self.end + length
        return begin

    def give(self, begin: int, length: int) -> None:
        """It is free again."""
        self.used -= length
        if not length:
            return
        insort(self._free, (begin, begin + length))
        joined: list[tuple[int, int]] = []
        for start, end in self._free:
            if joined and joined[-1][1] == start:
                joined[-1] = (joined[-1][0], end)
            else:
                joined.append((start, end))
        if joined[-1][1] == self.end:
            self.end = joined.pop()[0]
        self._free = joined


class Arena:
    """What is remembered of devices whose tables have these metrics.

    `cells` are (metrics, rows), `rows` (rows,), `dues` (metrics, slots); (slots,) are `number`, how many Readings there
    were, and `fresh_ns`, when the answers of the last fresh tick began. A device's rows are `begin` and those after it; each
    of its line cards has a slot of its own, for `fresh_ns` alone.
    """

    def __init__(self, metrics: int) -> None:
        self.cells, self.rows, self.dues = Cells.empty(metrics, 0), Rows.empty(0), Dues.empty(metrics, 0)
        self.number: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self.fresh_ns: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._metrics = metrics
        self._begins, self._slots = Ranges(), Ranges()

    def has_room(self, rows: int) -> bool:
        """Whether so many more rows should go here. More would fit; but what is large takes long to grow."""
        return self._begins.used == 0 or self._begins.used + rows <= _MOST_ROWS

    def add(self, memory: Memory, number: int = 0) -> tuple[int, int]:
        """Take a device in: its `begin` and slot."""
        length = len(memory.table.rows)
        begin, slot = self._begins.take(length), self._slots.take(1)
        self._make_room()
        rows = slice(begin, begin + length)
        self.cells.part(rows).take(memory.cells, ..., ...)
        self.rows.part(rows).take(memory.rows, ..., ...)
        self.dues.part(slice(slot, slot + 1)).take(memory.dues, ..., ...)
        self.number[slot], self.fresh_ns[slot] = number, 0
        return begin, slot

    def take_slot(self) -> int:
        """One more slot, for a line card."""
        slot = self._slots.take(1)
        self._make_room()
        return slot

    def give_slot(self, slot: int) -> None:
        """It is free again."""
        self._slots.give(slot, 1)

    def memory(self, table: Table, begin: int, slot: int) -> Memory:
        """What is remembered of a device, as views; they hold until the next `add`."""
        rows = slice(begin, begin + len(table.rows))
        return Memory(table, self.cells.part(rows), self.rows.part(rows), self.dues.part(slice(slot, slot + 1)))

    def drop(self, table: Table, begin: int, slots: Sequence[int]) -> None:
        """The device is gone."""
        self._begins.give(begin, len(table.rows))
        for slot in slots:
            self._slots.give(slot, 1)

    def _make_room(self) -> None:
        rows, slots = len(self.rows.stamp), len(self.number)
        if self._begins.end > rows:
            size = max(self._begins.end, rows * _ROOM)
            cells, facts = Cells.empty(self._metrics, size), Rows.empty(size)
            cells.part(slice(0, rows)).take(self.cells, ..., ...)
            facts.part(slice(0, rows)).take(self.rows, ..., ...)
            self.cells, self.rows = cells, facts
        if self._slots.end > slots:
            size = max(self._slots.end, slots * _ROOM)
            dues = Dues.empty(self._metrics, size)
            dues.part(slice(0, slots)).take(self.dues, ..., ...)
            self.dues = dues
            self.number, self.fresh_ns = (
                np.concatenate([old, np.zeros(size - slots, np.int64)]) for old in (self.number, self.fresh_ns)
            )
