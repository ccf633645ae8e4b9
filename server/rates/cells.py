"""What is remembered between ticks of each cell, row and metric, and how it moves to a new version of the table."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from server.core.model import Counts, Floats, Mask, Table
from server.rates.layout import Selector


class _Arrays:
    """Arrays whose last axis is the same: of the rows, or of the devices. Subclasses are dataclasses of arrays alone."""

    __slots__ = ()

    def part(self, at: slice) -> Self:
        """A stretch of the last axis, as views."""
        return type(self)(*(getattr(self, field.name)[..., at] for field in fields(self)))  # type: ignore[arg-type]

    def take(self, other: Self, to: object, at: object) -> None:
        """Copy what `other` holds at one index to another index here."""
        for field in fields(self):  # type: ignore[arg-type]
            getattr(self, field.name)[to] = getattr(other, field.name)[at]


@dataclass(slots=True, eq=False)
class Cells(_Arrays):
    """(metrics, rows) each. The base of a cell is the value that its next one is compared with.

    `known`: there is a base, `value` at `time_ns`; else the others mean nothing. `seen_ns`: when the cell was last read.
    `rate`: what it last showed (NaN: nothing). `through`: the number of the device's refresh that the base holds. `streak`:
    at how many fresh ticks in a row the counter has grown.
    """

    known: Mask
    value: Counts
    time_ns: NDArray[np.int64]
    seen_ns: NDArray[np.int64]
    rate: Floats
    through: NDArray[np.int64]
    streak: NDArray[np.int64]

    @classmethod
    def empty(cls, metrics: int, rows: int) -> Self:
        """Nothing known yet: all zero, so that what no counter needs takes no memory."""
        shape = (metrics, rows)
        return cls(
            known=np.zeros(shape, dtype=np.bool_),
            value=np.zeros(shape, dtype=np.uint64),
            time_ns=np.zeros(shape, dtype=np.int64),
            seen_ns=np.zeros(shape, dtype=np.int64),
            rate=np.zeros(shape),
            through=np.zeros(shape, dtype=np.int64),
            streak=np.zeros(shape, dtype=np.int64),
        )

    def in_step(self, fresh_ticks: int) -> int:
        """How many counters grew at each of the last fresh ticks."""
        return int(np.count_nonzero(self.streak >= fresh_ticks))


@dataclass(slots=True, eq=False)
class Rows(_Arrays):
    """(rows,) each. `stamp`, of a discontinuity, counts where `stamped`. `faster`: has shown more than its stated speed.

    `grew` and `heard` tell of the device's last 64 ticks that brought any counter due at every tick, bit 0 of the newest: at
    which such a counter of the row had grown, and at which one was read. A row is hidden since `doubt_s`, as nobody knows
    yet how it is refreshed; 0 where that is known.
    """

    stamp: Counts
    stamped: Mask
    faster: Mask
    grew: Counts
    heard: Counts
    doubt_s: Floats

    @classmethod
    def empty(cls, rows: int) -> Self:
        """Nothing known yet."""
        return cls(
            stamp=np.zeros(rows, dtype=np.uint64),
            stamped=np.zeros(rows, dtype=np.bool_),
            faster=np.zeros(rows, dtype=np.bool_),
            grew=np.zeros(rows, dtype=np.uint64),
            heard=np.zeros(rows, dtype=np.uint64),
            doubt_s=np.zeros(rows),
        )


@dataclass(slots=True, eq=False)
class Dues(_Arrays):
    """How often each metric is due: (metrics, devices) each.

    `due` is the number of the Reading in which a metric was last due, -1 never; `spacing` how many Readings before that it
    was due, 0 unknown.
    """

    due: NDArray[np.int64]
    spacing: NDArray[np.int64]

    @classmethod
    def empty(cls, metrics: int, devices: int) -> Self:
        """Nothing known yet."""
        return cls(np.full((metrics, devices), -1, dtype=np.int64), np.zeros((metrics, devices), dtype=np.int64))

    def usual_ticks(self, at: tuple[Selector, Selector], numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Take note of what is due in the Readings with these numbers (devices,). `at` indexes metrics x devices.

        Returns how many Readings apart each usually is, 0 unknown.
        """
        before = self.due[at]
        step = np.where(before >= 0, numbers - before, 0)
        usual = np.maximum(step, self.spacing[at])
        self.due[at] = numbers
        self.spacing[at] = step
        return usual


@dataclass(slots=True, eq=False)
class Memory:
    """All that is remembered of one table. `dues` is of one device."""

    table: Table
    cells: Cells
    rows: Rows
    dues: Dues

    @classmethod
    def of(cls, table: Table) -> Memory:
        """Nothing known yet."""
        metrics, rows = len(table.metrics), len(table.rows)
        return cls(table, Cells.empty(metrics, rows), Rows.empty(rows), Dues.empty(metrics, 1))

    def moved_to(self, table: Table) -> Memory:
        """The same for a new version of the table: rows follow their names, metrics theirs.

        A row whose index changed, and a cell whose counter bits changed, are another counter: they have no base.
        """
        new = Memory.of(table)
        here = {row.name: (position, row.index) for position, row in enumerate(self.table.rows)}
        rows = [
            (here[row.name][0], position)
            for position, row in enumerate(table.rows)
            if row.name in here and here[row.name][1] == row.index
        ]
        names = {metric.name: position for position, metric in enumerate(self.table.metrics)}
        metrics = [(names[m.name], position) for position, m in enumerate(table.metrics) if m.name in names]
        old_rows, new_rows = _pairs(rows)
        old_metrics, new_metrics = _pairs(metrics)
        old_grid, new_grid = np.ix_(old_metrics, old_rows), np.ix_(new_metrics, new_rows)
        new.cells.take(self.cells, new_grid, old_grid)
        new.cells.known[new_grid] &= self.table.counter_bits[old_grid] == table.counter_bits[new_grid]
        new.rows.take(self.rows, new_rows, old_rows)
        same_speed = self.table.speeds_bps()[old_rows] == table.speeds_bps()[new_rows]
        new.rows.faster[new_rows] &= same_speed
        new.dues.take(self.dues, new_metrics, old_metrics)
        return new


def _pairs(pairs: list[tuple[int, int]]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    both = np.array(pairs, dtype=np.intp).reshape(-1, 2)
    return both[:, 0], both[:, 1]
