"""A device as its meter knows it, and its units of refresh: all its rows, or those of each line card and the rest."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from server.core.model import Counts, Floats, Mask, Table
from server.rates.arena import Arena
from server.rates.cadence import Cadence
from server.rates.groups import TICKS
from server.rates.layout import Selector, selector
from server.rates.modes import Mode
from server.rates.timing import DeviceClock

LOOK_TICKS = 16
"""How many ticks apart the looks for line cards are."""
_NEAR = 0.05  # of a period: what was shown over one that is so near still stands


@dataclass(slots=True, eq=False)
class Unit:
    """Rows of a device that are refreshed together. `rows` are they in the arena, where the unit has a `slot`."""

    arena: Arena
    rows: Selector
    slot: int
    cadence: Cadence

    def in_step(self, fresh_ticks: int) -> int:
        """How many counters grew at each of the last fresh ticks."""
        return int(np.count_nonzero(self.arena.cells.streak[:, self.rows] >= fresh_ticks))

    def in_step_now(self, fresh_ticks: int) -> int:
        """The same of rows that grew at this tick, where any did: others may be through with these refreshes alone."""
        grew = self.arena.rows.grew[self.rows] & np.uint64(1)
        if not grew.any():
            return self.in_step(fresh_ticks)
        return int(np.count_nonzero((self.arena.cells.streak[:, self.rows] >= fresh_ticks) & (grew > 0)))


@dataclass(slots=True, eq=False)
class Device:
    """One device, or one burst of its rows: what is no array. Its rows in the arena are `begin` and those after it.

    `group` (rows,) tells of each row to which of the `units` it belongs, None where there is one. The first unit, whose slot
    is the device's, has the rows that are of no card. `times_s` are of the ticks of which `Rows` tells, newest first.
    `doubts`: some row is in doubt. `sample` is when the counters were last looked at for cards (a number of a Reading), and
    what they were. `look` is where in `LOOK_TICKS` its looks come.
    """

    table: Table
    arena: Arena
    begin: int
    slot: int
    next_seq: int
    speeds_bps: Floats
    clock: DeviceClock
    units: tuple[Unit, ...] = ()
    group: NDArray[np.intp] | None = None
    times_s: deque[float] = field(default_factory=lambda: deque(maxlen=TICKS))
    doubts: bool = False
    sample: tuple[int, Counts] | None = None
    look: int = 0

    @classmethod
    def new(cls, table: Table, arena: Arena, place: tuple[int, int], next_seq: int) -> Device:
        """A device of which nothing is known: all its rows are in doubt."""
        device = cls(table, arena, *place, next_seq, table.speeds_bps(), DeviceClock(), doubts=True)
        device.look = crc32(table.device.encode()) % LOOK_TICKS
        device.units = (Unit(arena, device.rows, device.slot, Cadence()),)
        arena.rows.doubt_s[device.rows] = DOUBT
        return device

    @property
    def rows(self) -> slice:
        """Its rows in the arena."""
        return slice(self.begin, self.begin + len(self.table.rows))

    @property
    def slots(self) -> list[int]:
        """Its slots in the arena."""
        return [unit.slot for unit in self.units] or [self.slot]

    @property
    def has_lapsed(self) -> bool:
        """Whether some card has no cadence any more."""
        return any(unit.cadence.mode is not Mode.CADENCE for unit in self.units[1:])

    def groups(self) -> NDArray[np.intp]:
        """(rows,) as `group`; all zero where there is one unit."""
        return np.zeros(len(self.table.rows), dtype=np.intp) if self.group is None else self.group

    def moved_to(self, table: Table, arena: Arena, place: tuple[int, int], fresh_ns: Sequence[int]) -> Device:
        """The same device with a new version of its table, after its memory moved. Units follow the names of rows.

        `fresh_ns` (units,) is when the last fresh tick of each began. A row that is new beside cards is in doubt.
        """
        new = Device(table, arena, *place, self.next_seq, table.speeds_bps(), self.clock, look=self.look)
        new.times_s, new.doubts = self.times_s, self.doubts
        units, group = [unit.cadence for unit in self.units], np.zeros(len(table.rows), dtype=np.intp)
        if self.group is not None:
            before = dict(zip((row.name for row in self.table.rows), self.group.tolist(), strict=True))
            group[:] = [before.get(row.name, 0) for row in table.rows]
            fresh = [row.name not in before for row in table.rows]
            arena.rows.doubt_s[new.rows][fresh] = DOUBT
            new.doubts |= any(fresh)
        new._settle_in(group, units, fresh_ns)
        return new

    def part(self, group: NDArray[np.intp], cadences: Sequence[Cadence]) -> None:
        """Make units of these cadences and their rows: `group` (rows,) are positions among `cadences`.

        What a row showed counts no more where its unit is another now, unless it has the same period. Rows that leave a card
        for the rest are in doubt. An idle row is what it was.
        """
        arena, rows, old = self.arena, self.rows, self.units
        before = np.array([id(unit.cadence) for unit in old])[self.groups()]
        moved = np.array([id(cadence) for cadence in cadences])[group] != before
        were_s = np.array([_period_s(unit.cadence) for unit in old])[self.groups()]
        are_s = np.array([_period_s(cadence) for cadence in cadences])[group]
        refreshes = np.array([cadence.refreshes for cadence in cadences])[group]
        cells, facts = arena.cells.part(rows), arena.rows.part(rows)
        owed, busy = self._are_behind(group, len(cadences), facts.grew), facts.grew > 0
        cells.through[:, moved] = (refreshes - owed)[moved]
        cells.streak[:, moved] = np.where(are_s > 0, 2 * (np.bitwise_count(facts.grew) > 1), 0)[moved]
        cells.rate[:, moved & busy & (np.abs(are_s - were_s) > _NEAR * were_s)] = np.nan
        facts.doubt_s[moved & (are_s > 0)] = 0.0
        doubted = moved & busy & (are_s == 0) & ((were_s > 0) | (self.groups() > 0))
        facts.doubt_s[doubted] = self.times_s[0]
        self.doubts |= bool(doubted.any())
        fresh_ns = {id(unit.cadence): int(arena.fresh_ns[unit.slot]) for unit in old}
        for unit in old[1:]:
            arena.give_slot(unit.slot)
        self._settle_in(group, cadences, [fresh_ns.get(id(cadence), 0) for cadence in cadences])

    def _are_behind(self, group: NDArray[np.intp], units: int, grew: Counts) -> Mask:
        """(rows,) that did not grow at this tick, at which others of their unit did: they may at the next."""
        now: Mask = (grew & np.uint64(1)) > 0
        some: Mask = np.bincount(group[now], minlength=units) > 0
        return some[group] & ~now

    def _settle_in(self, group: NDArray[np.intp], cadences: Sequence[Cadence], fresh_ns: Sequence[int]) -> None:
        arena, units = self.arena, list[Unit]()
        for number, (cadence, begun_ns) in enumerate(zip(cadences, fresh_ns, strict=True)):
            slot = arena.take_slot() if number else self.slot
            arena.fresh_ns[slot] = begun_ns
            rows = self.rows if len(cadences) == 1 else selector(self.begin + np.flatnonzero(group == number))
            units.append(Unit(arena, rows, slot, cadence))
        self.units, self.group = tuple(units), None if len(units) == 1 else group


DOUBT = 1.0
"""In `Rows.doubt_s`: in doubt since a beginning that is still to come."""


def _period_s(cadence: Cadence) -> float:
    return cadence.period_s if cadence.mode is Mode.CADENCE else 0.0
