"""Who is in the fleet and where its rows are: a number for each device, a range of rows for each table.

State: `Roster._members`, in the order in which devices were first heard of, and which numbers and ranges are free.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.core.model import DeviceState, DeviceStatus, Table
from server.sinks.live.columns import DeviceColumns, RowColumns
from server.sinks.live.ranges import Ranges

LOST = frozenset({DeviceState.DOWN, DeviceState.AUTH_FAILED, DeviceState.BAD_REPLIES})
NOBODY = 0  # the number of no device: rows that are free belong to it


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One device. `texts` are what is searched, one for each row; `start` is the first of its rows in the fleet."""

    number: int
    status: DeviceStatus
    table: Table | None = None
    start: int = 0
    texts: tuple[str, ...] = ()


class Roster:
    """See above. `rows` and `devices` hold what is known of them; who keeps more by row goes by `place` and `remove`."""

    def __init__(self) -> None:
        self.rows = RowColumns()
        self.devices = DeviceColumns()
        self.used_numbers = 1
        self.layout = 0  # another number after each change of a table
        self.roles: dict[str, int] = {}
        self.by_table: dict[Table, int] = {}
        self._members: dict[str, Member] = {}
        self._list: tuple[Member, ...] | None = None
        self._free_numbers: list[int] = []
        self._ranges = Ranges()

    @property
    def used_rows(self) -> int:
        """Rows from here on are nobody's."""
        return self._ranges.used

    def members(self) -> tuple[Member, ...]:
        """All, in order; the same tuple until somebody changes."""
        if self._list is None:
            self._list = tuple(self._members.values())
        return self._list

    def member(self, device: str) -> Member | None:
        return self._members.get(device)

    def hear(self, status: DeviceStatus) -> None:
        """Take a device's newest status; a device that was not known comes last."""
        known = self._members.get(status.device)
        if known is None:
            known = Member(self._number(), status)
        self._set(Member(known.number, status, known.table, known.start, known.texts))
        self.devices.lost[known.number] = status.state in LOST
        self.devices.status_interval_s[known.number] = status.interval_s
        if known.table is None:
            self.devices.interval_s[known.number] = status.interval_s

    def place(self, member: Member, table: Table) -> tuple[slice, NDArray[np.intp], slice]:
        """Give a device the rows of this table: where its rows were, which of them each was (-1: none), where they are now.

        What `rows` holds has moved with them.
        """
        old = slice(member.start, member.start + (len(member.table.rows) if member.table else 0))
        new = old if old.stop - old.start == len(table.rows) else self._ranges.take(len(table.rows))
        self.rows.grow_to(self.used_rows)
        sources = np.full(len(table.rows), -1, dtype=np.intp)
        if member.table is not None:
            names = member.table.index_of()
            sources = np.array([names.get(row.name, -1) for row in table.rows], dtype=np.intp)
            self.rows.move(old, sources, new)
            if new != old:
                self._ranges.give(old)
            del self.by_table[member.table]
        self.layout += 1
        self.by_table[table] = member.number
        texts = tuple(f"{table.device} {row.name} {row.alias} {row.description}".lower() for row in table.rows)
        self._set(Member(member.number, member.status, table, new.start, texts))
        self._write_facts(member.number, table, new)
        return old, sources, new

    def remove(self, device: str) -> slice | None:
        """Forget a device; the rows that are free now."""
        member = self._members.pop(device, None)
        if member is None:
            return None
        self._list = None
        self.layout += 1
        held = slice(member.start, member.start)
        if member.table is not None:
            del self.by_table[member.table]
            held = slice(member.start, member.start + len(member.table.rows))
            self.rows.clear(held)
            self._ranges.give(held)
        self.devices.clear(slice(member.number, member.number + 1))
        self._free_numbers.append(member.number)
        return held

    def order(self) -> NDArray[np.int64]:
        """(numbers,) of each device: how many rows stand before its first one in the order of the members."""
        before = np.zeros(self.used_numbers, dtype=np.int64)
        numbers = self.numbers()
        if len(numbers):
            before[numbers] = np.concatenate(([0], np.cumsum(self.devices.rows[numbers] + 1)[:-1]))
        return before

    def numbers(self) -> NDArray[np.intp]:
        """The numbers of the members, in their order."""
        return np.array([member.number for member in self.members()], dtype=np.intp)

    def _set(self, member: Member) -> None:
        self._members[member.status.device] = member
        self._list = None

    def _write_facts(self, number: int, table: Table, held: slice) -> None:
        self.devices.start[number], self.devices.rows[number] = held.start, len(table.rows)
        rows = self.rows
        rows.owner[held] = number
        rows.place[held] = np.arange(len(table.rows))
        rows.speed_bps[held] = table.speeds_bps()
        roles = [row.role for row in table.rows]
        rows.role[held] = [self.roles.setdefault(role, len(self.roles)) for role in roles]
        rows.described[held] = list(map(bool, roles))
        shown = {metric.shown for metric in table.metrics}
        for kind, name in enumerate(("oper_status", "admin_status")):
            if name not in shown:
                rows.status[kind, held] = np.nan
                rows.no_traffic[kind, held] = False

    def _number(self) -> int:
        if self._free_numbers:
            return self._free_numbers.pop()
        number, self.used_numbers = self.used_numbers, self.used_numbers + 1
        self.devices.grow_to(self.used_numbers)
        return number
