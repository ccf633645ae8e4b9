"""What to ask a device each tick, cut into PDUs whose answers fit one Ethernet frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.core.model import Counts, Mask, Table
from server.sources.snmp.message import MOST_OCTETS, Operation, Request
from server.sources.snmp.mib import FAST_SOURCES, IF_COUNTER_DISCONTINUITY_TIME, SOURCES, SYS_UP_TIME, Column
from server.sources.snmp.wire import Tag, VarBind, encode_oid

MOST_VARBINDS = 24  # of one PDU: decoding one answer must not hold the event loop
_WIDEST = 6  # metrics of one PDU: narrower blocks take more rows each and fill a PDU better
_VALUE_OCTETS = {Tag.COUNTER64: 11, Tag.INTEGER: 6}  # tag, length and the longest contents; others 7


@dataclass(frozen=True, slots=True)
class Cell:
    """Where one varbind of an answer belongs; `metric` None is the row's discontinuity stamp."""

    oid: bytes
    column: Column
    metric: int | None
    row: int

    @property
    def octets(self) -> int:
        """Of its varbind in an answer, at most."""
        return 4 + len(self.oid) + _VALUE_OCTETS.get(self.column.tag, 7)


@dataclass(frozen=True, slots=True, eq=False)
class Ask:
    """One PDU: sysUpTime.0 first, then its cells. It carries `metrics` x `rows`, as positions in the table."""

    request: Request
    cells: tuple[Cell, ...]
    metrics: tuple[int, ...]
    rows: NDArray[np.uint32]


@dataclass(eq=False)
class Values:
    """The cells of one tick as they come in. `discontinuity` is kept from tick to tick by its owner."""

    position: dict[int, int]  # column of the Reading by metric
    values: Counts
    valid: Mask
    discontinuity: Counts

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
        if cell.metric is None:
            self.discontinuity[cell.row] = number
        else:
            position = self.position[cell.metric]
            self.values[position, cell.row] = number
            self.valid[position, cell.row] = True
        return True


class Plan:
    """The PDUs of a fast tick (`fast`) and those that a slow tick adds (`slow`).

    `stamped` (rows,) says which rows have ifCounterDiscontinuityTime. `dropped` are OIDs that the device turned out not to
    have. `most_varbinds` bounds a PDU. A table without rows still asks for sysUpTime, so that the device's health is known.
    """

    def __init__(
        self,
        table: Table,
        stamped: Mask,
        overhead: int,
        most_varbinds: int = MOST_VARBINDS,
        dropped: frozenset[bytes] = frozenset(),
    ) -> None:
        self.table = table
        self.most_varbinds = most_varbinds
        self.dropped = dropped
        self._stamped = stamped
        self._overhead = overhead
        count = len(FAST_SOURCES)
        self.fast_metrics = tuple(range(count))
        self.slow_metrics = tuple(range(count, len(SOURCES)))
        self.fast = self._cut(self.fast_metrics, stamps=True) or (_ask((), ()),)
        self.slow = self._cut(self.slow_metrics, stamps=False)

    def halved(self) -> Plan:
        """For a device that says tooBig."""
        return Plan(self.table, self._stamped, self._overhead, max(3, self.most_varbinds // 2), self.dropped)

    def without(self, oid: bytes) -> Plan:
        """For a device that does not have this object."""
        return Plan(self.table, self._stamped, self._overhead, self.most_varbinds, self.dropped | {oid})

    def whole(self) -> Plan:
        """With all that was dropped: what a device lacked once it may have again."""
        return Plan(self.table, self._stamped, self._overhead, self.most_varbinds)

    def _cut(self, metrics: tuple[int, ...], stamps: bool) -> tuple[Ask, ...]:
        asks: list[Ask] = []
        width = max(1, min(_WIDEST, self.most_varbinds - 1 - stamps))
        for begin in range(0, len(metrics), width):
            block = metrics[begin : begin + width]
            asks += self._cut_rows(block, stamps and begin == 0)
        return tuple(asks)

    def _cut_rows(self, metrics: tuple[int, ...], stamps: bool) -> list[Ask]:
        asks: list[Ask] = []
        cells: list[Cell] = []
        octets = room = MOST_OCTETS - self._overhead - 4 - len(SYS_UP_TIME) - 7
        for row in range(len(self.table.rows)):
            more = self._cells(row, metrics, stamps)
            size = sum(cell.octets for cell in more)
            if cells and (len(cells) + len(more) > self.most_varbinds - 1 or size > octets):
                asks.append(_ask(metrics, tuple(cells)))
                cells, octets = [], room
            cells += more
            octets -= size
        return [*asks, _ask(metrics, tuple(cells))] if cells else asks

    def _cells(self, row: int, metrics: tuple[int, ...], stamps: bool) -> list[Cell]:
        index = encode_oid((0, 0, self.table.rows[row].index))[1:]
        columns: list[tuple[int | None, Column]] = []
        for metric in metrics:
            column = SOURCES[metric].column(int(self.table.counter_bits[metric, row]))
            if column is not None:
                columns.append((metric, column))
        if stamps and self._stamped[row] and columns:
            columns.append((None, IF_COUNTER_DISCONTINUITY_TIME))
        cells = (Cell(column.at(index), column, metric, row) for metric, column in columns)
        return [cell for cell in cells if cell.oid not in self.dropped]


def _ask(metrics: tuple[int, ...], cells: tuple[Cell, ...]) -> Ask:
    request = Request.of(Operation.GET, (SYS_UP_TIME, *(cell.oid for cell in cells)))
    rows = np.array(sorted({cell.row for cell in cells}), np.uint32)
    return Ask(request, cells, metrics, rows)
