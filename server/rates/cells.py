"""What is remembered of each cell between ticks, by column, and how it moves to a new version of the table."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from server.core.model import Counts, Floats, Mask, Table
from server.rates.timing import NEVER


@dataclass(slots=True, eq=False)
class Cells:
    """(metrics, rows) each. The base of a cell is the value that its next one is compared with.

    `known`: there is a base, `value` at `time_ns`. `seen_ns`: when the cell was last read. `rate`: what it last showed (NaN:
    nothing). `through`: the number of the device's refresh that the base holds. `streak`: at how many fresh ticks in a row
    the counter has grown.
    """

    known: Mask
    value: Counts
    time_ns: NDArray[np.int64]
    seen_ns: NDArray[np.int64]
    rate: Floats
    through: NDArray[np.int64]
    streak: NDArray[np.int64]

    @classmethod
    def empty(cls, table: Table) -> Cells:
        """Nothing known yet."""
        shape = (len(table.metrics), len(table.rows))
        return cls(
            known=np.zeros(shape, dtype=np.bool_),
            value=np.zeros(shape, dtype=np.uint64),
            time_ns=np.full(shape, NEVER, dtype=np.int64),
            seen_ns=np.full(shape, NEVER, dtype=np.int64),
            rate=np.full(shape, np.nan),
            through=np.zeros(shape, dtype=np.int64),
            streak=np.zeros(shape, dtype=np.int64),
        )

    def in_step(self, fresh_ticks: int) -> int:
        """How many counters grew at each of the last fresh ticks."""
        return int(np.count_nonzero(self.streak >= fresh_ticks))


@dataclass(slots=True, eq=False)
class Memory:
    """All that is remembered of one table: its cells, a discontinuity stamp per row, and how often each metric is due.

    `stamp` (rows,) counts where `stamped`. `faster` (rows,): has shown more than its stated speed. `due` (metrics,) is the
    number of the Reading in which a metric was last due, -1 never; `spacing` how many Readings before that it was due, 0
    unknown.
    """

    table: Table
    cells: Cells
    stamp: Counts
    stamped: Mask
    faster: Mask
    due: NDArray[np.int64]
    spacing: NDArray[np.int64]

    @classmethod
    def of(cls, table: Table) -> Memory:
        """Nothing known yet."""
        metrics, rows = len(table.metrics), len(table.rows)
        return cls(
            table=table,
            cells=Cells.empty(table),
            stamp=np.zeros(rows, dtype=np.uint64),
            stamped=np.zeros(rows, dtype=np.bool_),
            faster=np.zeros(rows, dtype=np.bool_),
            due=np.full(metrics, -1, dtype=np.int64),
            spacing=np.zeros(metrics, dtype=np.int64),
        )

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
        for field in fields(Cells):
            getattr(new.cells, field.name)[new_grid] = getattr(self.cells, field.name)[old_grid]
        new.cells.known[new_grid] &= self.table.counter_bits[old_grid] == table.counter_bits[new_grid]
        new.stamp[new_rows], new.stamped[new_rows] = self.stamp[old_rows], self.stamped[old_rows]
        same_speed = self.table.speeds_bps()[old_rows] == table.speeds_bps()[new_rows]
        new.faster[new_rows] = self.faster[old_rows] & same_speed
        new.due[new_metrics], new.spacing[new_metrics] = self.due[old_metrics], self.spacing[old_metrics]
        return new

    def usual_ticks(self, metrics: NDArray[np.intp], number: int) -> NDArray[np.int64]:
        """Take note that these metrics are due in Reading `number`. How many Readings apart they usually are, 0 unknown."""
        before = self.due[metrics]
        step = np.where(before >= 0, number - before, 0)
        usual = np.maximum(step, self.spacing[metrics])
        self.due[metrics] = number
        self.spacing[metrics] = step
        return usual


def _pairs(pairs: list[tuple[int, int]]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    both = np.array(pairs, dtype=np.intp).reshape(-1, 2)
    return both[:, 0], both[:, 1]
