"""What to ask a device each tick, cut into PDUs whose answers fit one Ethernet frame."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from server.core.model import Counts, Mask, Table
from server.sources.snmp.message import MOST_OCTETS, Operation, Request
from server.sources.snmp.mib import (
    FAST_SOURCES,
    IF_COUNTER_DISCONTINUITY_TIME,
    IF_TABLE_LAST_CHANGE,
    SOURCES,
    SYS_UP_TIME,
    Column,
)
from server.sources.snmp.wire import Tag, VarBind, encode_index

MOST_VARBINDS = 24  # of one PDU: decoding one answer must not hold the event loop
_LEAST_BULK = 4  # rows of a PDU, below which GETBULK saves nothing
_WIDEST = 6  # metrics of one PDU: narrower blocks take more rows each and fill a PDU better
_VALUE_OCTETS = {Tag.COUNTER64: 11, Tag.INTEGER: 6}  # tag, length and the longest contents; others 7


NO_ROW = -1


@dataclass(frozen=True, slots=True)
class Cell:
    """Where one varbind of an answer belongs; `metric` None is the row's discontinuity stamp, or with `row` NO_ROW
    ifTableLastChange."""

    oid: bytes
    column: Column
    metric: int | None
    row: int

    @property
    def octets(self) -> int:
        """Of its varbind in an answer, at most."""
        return 4 + len(self.oid) + _VALUE_OCTETS.get(self.column.tag, 7)


_LAST_CHANGE = Cell(IF_TABLE_LAST_CHANGE, Column(IF_TABLE_LAST_CHANGE, Tag.TIME_TICKS), None, NO_ROW)


@dataclass(frozen=True, slots=True, eq=False)
class Ask:
    """One PDU: sysUpTime.0 first, then its cells. It carries `metrics` x `rows`, as positions in the table.

    `bulk`: its rows follow each other and have the same columns, so that GETBULK can ask for `repetitions` of them from
    `bulk`, the encoded OIDs just before the first; empty where it cannot.
    """

    request: Request
    cells: tuple[Cell, ...]
    metrics: tuple[int, ...]
    rows: NDArray[np.uint32]
    bulk: tuple[bytes, ...] = ()
    repetitions: int = 0

    @property
    def oids(self) -> tuple[bytes, ...]:
        """Of its answer, in order."""
        return (SYS_UP_TIME, *(cell.oid for cell in self.cells))


@dataclass(eq=False)
class Values:
    """The cells of one tick as they come in. `discontinuity` (rows,) is kept from tick to tick by its owner."""

    position: dict[int, int]  # column of the Reading by metric
    values: Counts
    valid: Mask
    discontinuity: Counts
    last_change: int | None = None  # ifTableLastChange, where it was asked and came

    @classmethod
    def empty(cls, metrics: tuple[int, ...], discontinuity: Counts) -> Values:
        shape = (len(metrics), len(discontinuity))
        positions = {metric: position for position, metric in enumerate(metrics)}
        return cls(positions, np.zeros(shape, np.uint64), np.zeros(shape, np.bool_), discontinuity)

    def put(self, cell: Cell, varbind: VarBind) -> bool:
        """Take a value in; False when it has the wrong type or is out of range, and the cell stays invalid."""
        number = varbind.number(cell.column.tag)
        if number is None:
            return False
        if cell.row == NO_ROW:
            self.last_change = number
        elif cell.metric is None:
            self.discontinuity[cell.row] = number
        else:
            position = self.position[cell.metric]
            self.values[position, cell.row] = number
            self.valid[position, cell.row] = True
        return True


@dataclass(frozen=True, slots=True)
class Shape:
    """What bounds a plan's PDUs: `overhead` octets around the varbinds of an answer, and how many varbinds.

    `dropped` are OIDs that the device turned out not to have. `bulk`: rows that follow each other may be asked by GETBULK.
    `last_change`: the device has ifTableLastChange. `slow` False leaves the slow columns out.
    """

    overhead: int
    most_varbinds: int = MOST_VARBINDS
    dropped: frozenset[bytes] = frozenset()
    bulk: bool = False
    last_change: bool = False
    slow: bool = True


class Plan:
    """The PDUs of a fast tick (`fast`) and those that a slow tick adds (`slow`).

    `stamped` (rows,) says which rows have ifCounterDiscontinuityTime. A table without rows still asks for sysUpTime, so that
    the device's health is known.
    """

    def __init__(self, table: Table, stamped: Mask, shape: Shape) -> None:
        self.table = table
        self.stamped = stamped
        self.shape = shape
        count = len(FAST_SOURCES)
        self.fast_metrics = tuple(range(count))
        self.slow_metrics = tuple(range(count, len(SOURCES))) if shape.slow else ()
        self.fast = self._cut(self.fast_metrics, stamps=True) or (_ask((), ()),)
        self.slow = self._cut(self.slow_metrics, stamps=False)
        if shape.last_change and self.slow and IF_TABLE_LAST_CHANGE not in shape.dropped:
            self.slow += (_ask((), (_LAST_CHANGE,)),)

    @property
    def dropped(self) -> frozenset[bytes]:
        """What the device turned out not to have."""
        return self.shape.dropped

    def halved(self) -> Plan:
        """For a device that says tooBig."""
        return self._with(most_varbinds=max(3, self.shape.most_varbinds // 2))

    def without(self, oid: bytes) -> Plan:
        """For a device that does not have this object."""
        return self._with(dropped=self.shape.dropped | {oid})

    def whole(self) -> Plan:
        """With all that was dropped: what a device lacked once it may have again."""
        return self._with(dropped=frozenset())

    def one_by_one(self) -> Plan:
        """For a device that does not give rows in their order when it is asked for many at once."""
        return self._with(bulk=False)

    def _with(self, **changed: Any) -> Plan:
        return Plan(self.table, self.stamped, replace(self.shape, **changed))

    def _cut(self, metrics: tuple[int, ...], stamps: bool) -> tuple[Ask, ...]:
        asks: list[Ask] = []
        width = max(1, min(_WIDEST, self.shape.most_varbinds - 1 - stamps))
        for begin in range(0, len(metrics), width):
            block = metrics[begin : begin + width]
            asks += self._cut_rows(block, stamps and begin == 0)
        return tuple(asks)

    def _cut_rows(self, metrics: tuple[int, ...], stamps: bool) -> list[Ask]:
        asks: list[Ask] = []
        cells: list[Cell] = []
        octets = room = MOST_OCTETS - self.shape.overhead - 4 - len(SYS_UP_TIME) - 7
        for row in range(len(self.table.rows)):
            more = self._cells(row, metrics, stamps)
            size = sum(cell.octets for cell in more)
            if cells and (len(cells) + len(more) > self.shape.most_varbinds - 1 or size > octets):
                asks.append(self._bulk(_ask(metrics, tuple(cells))))
                cells, octets = [], room
            cells += more
            octets -= size
        return [*asks, self._bulk(_ask(metrics, tuple(cells)))] if cells else asks

    def _bulk(self, ask: Ask) -> Ask:
        """The same, with how GETBULK asks for it, where that can be."""
        indexes = [self.table.rows[row].index for row in ask.rows.tolist()]
        width, odd = divmod(len(ask.cells), len(indexes))
        in_a_row = indexes == list(range(indexes[0], indexes[0] + len(indexes)))
        if not self.shape.bulk or len(indexes) < _LEAST_BULK or odd or not in_a_row or indexes[0] < 1:
            return ask
        columns = [cell.column for cell in ask.cells[:width]]
        if any(cell.column is not columns[place % width] for place, cell in enumerate(ask.cells)):
            return ask
        before = encode_index(indexes[0] - 1)
        return replace(ask, bulk=(SYS_UP_TIME[:-1], *(column.at(before) for column in columns)), repetitions=len(indexes))

    def _cells(self, row: int, metrics: tuple[int, ...], stamps: bool) -> list[Cell]:
        index = encode_index(self.table.rows[row].index)
        columns: list[tuple[int | None, Column]] = []
        for metric in metrics:
            column = SOURCES[metric].column(int(self.table.counter_bits[metric, row]))
            if column is not None:
                columns.append((metric, column))
        if stamps and self.stamped[row] and columns:
            columns.append((None, IF_COUNTER_DISCONTINUITY_TIME))
        cells = (Cell(column.at(index), column, metric, row) for metric, column in columns)
        return [cell for cell in cells if cell.oid not in self.shape.dropped]


def _ask(metrics: tuple[int, ...], cells: tuple[Cell, ...]) -> Ask:
    request = Request.of(Operation.GET, (SYS_UP_TIME, *(cell.oid for cell in cells)))
    rows = np.array(sorted({cell.row for cell in cells} - {NO_ROW}), np.uint32)
    return Ask(request, cells, metrics, rows)
