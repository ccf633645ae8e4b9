"""Where the cells of a device's ticks are among the request slots."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.core.blocks import NOT_CARRIED
from server.core.model import Mask
from server.sources.snmp.batch.security import Security
from server.sources.snmp.batch.template import SlotRequest
from server.sources.snmp.message import Operation
from server.sources.snmp.plan import NO_ROW, Ask, Plan
from server.sources.snmp.wire import Tag

NOWHERE = 0
"""The slot of a cell that does not exist; nothing is ever valid in it."""


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """One kind of tick of one device: the fast one, or that with the slow columns.

    `slots` (asks,) are asked, in this order. `slot` and `place` (columns, rows) say where a cell's value is, NOWHERE for one
    that does not exist; `exists` which do, and `ask` (columns, rows) int32 which of `slots` carries it, or NOT_CARRIED.
    `stamp_slot` and `stamp_place` (rows,) are the same for ifCounterDiscontinuityTime. `last_change` is the slot and place
    of ifTableLastChange.
    """

    columns: tuple[int, ...]
    slots: NDArray[np.intp]
    slot: NDArray[np.intp]
    place: NDArray[np.intp]
    exists: Mask
    ask: NDArray[np.int32]
    stamp_slot: NDArray[np.intp]
    stamp_place: NDArray[np.intp]
    last_change: tuple[int, int] | None

    @classmethod
    def of(cls, plan: Plan, columns: tuple[int, ...], asks: tuple[Ask, ...], slots: NDArray[np.intp]) -> Sheet:
        """The sheet of these asks, which have these slots."""
        rows = len(plan.table.rows)
        shape = (len(columns), rows)
        slot, place = np.full(shape, NOWHERE, np.intp), np.zeros(shape, np.intp)
        ask_of = np.full(shape, NOT_CARRIED, np.int32)
        stamp_slot, stamp_place = np.full(rows, NOWHERE, np.intp), np.zeros(rows, np.intp)
        last_change = None
        position = {metric: at for at, metric in enumerate(columns)}
        for number, (ask, own) in enumerate(zip(asks, slots.tolist(), strict=True)):
            for at, cell in enumerate(ask.cells, 1):  # place 0 is sysUpTime
                if cell.row == NO_ROW:
                    last_change = (own, at)
                elif cell.metric is None:
                    stamp_slot[cell.row], stamp_place[cell.row] = own, at
                else:
                    column = position[cell.metric]
                    slot[column, cell.row], place[column, cell.row] = own, at
                    ask_of[column, cell.row] = number
        return cls(columns, slots, slot, place, ask_of != NOT_CARRIED, ask_of, stamp_slot, stamp_place, last_change)


def requests(asks: tuple[Ask, ...], address: tuple[str, int], security: Security) -> list[SlotRequest]:
    """What the slots of these asks ask for."""
    return [_request(ask, address, security) for ask in asks]


def _request(ask: Ask, address: tuple[str, int], security: Security) -> SlotRequest:
    tags = (Tag.TIME_TICKS, *(cell.column.tag for cell in ask.cells))
    if ask.bulk:
        return SlotRequest(address, security, Operation.GET_BULK, ask.oids, tags, ask.repetitions, ask.bulk)
    return SlotRequest(address, security, Operation.GET, ask.oids, tags)
