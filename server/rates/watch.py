"""Follows the refreshes of a block's units: which of their counters grew, and what that says of each unit's cadence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.core.model import Mask
from server.rates.cells import Cells
from server.rates.layout import Selector, cross, selector
from server.rates.strays import find_strays
from server.rates.tick import Tick

_LATEST = 2**62  # no time is later


@dataclass(slots=True, eq=False)
class Watch:
    """The counters of a tick that are due at every tick: (counters, rows), unless said otherwise.

    `columns` are their positions among the tick's counters, `at` indexes them in the arena. `present` and `usable` as in
    `Tick`, False where a device asks a counter less often. `grew`: has grown. `through` as in `Cells`. (units,) are
    `refreshes`, counted before this tick, `some_grew`, and `fresh`: this tick brought a new refresh. `strays` (rows,) grew
    when nothing of their unit could, None for none; no other field tells of them.
    """

    columns: Selector
    at: tuple[Selector, Selector]
    present: Mask
    usable: Mask
    grew: Mask
    through: NDArray[np.int64]
    refreshes: NDArray[np.int64]
    some_grew: Mask
    fresh: Mask
    strays: Mask | None = None

    @classmethod
    def of(cls, tick: Tick) -> Watch:
        """Look at what grew. It tells of a new refresh, or is late growth of the newest one."""
        plan, cells = tick.plan, tick.plan.arena.cells
        columns: Selector = slice(None)
        at, fast = plan.at, tick.fast
        if not fast.all():
            columns = selector(np.flatnonzero(fast.any(axis=1)))
            at = cross(selector(plan.layout.metric_numbers[columns]), plan.rows)
            fast = fast[columns]
        present, usable = tick.present[columns] & fast, tick.usable[columns] & fast
        grew: Mask = usable & (tick.growth.counts[columns] > 0)
        refreshes = np.array([unit.cadence.refreshes for unit in plan.units], dtype=np.int64)
        numbers = plan.groups.spread(refreshes)
        through = cells.through[at].copy()
        behind = through < numbers
        anew = grew & ~behind
        strays = find_strays(tick, columns, at, usable, anew)
        if strays is not None:
            usable, grew, anew = usable & ~strays, grew & ~strays, anew & ~strays
            tick.rate[np.broadcast_to(tick.fast & strays, tick.rate.shape)] = np.nan
        late = grew & behind
        fresh = plan.groups.any(anew)
        if late.any():
            # What had not grown at the newest, though it was read then, and grows at this one, was unchanged by the newest.
            asked_ns = plan.groups.spread(plan.arena.fresh_ns[plan.unit_slots])
            waited = late & plan.groups.spread(fresh) & (cells.seen_ns[at] >= asked_ns)
            np.copyto(through, numbers, where=waited)
        return cls(columns, at, present, usable, grew, through, refreshes, plan.groups.any(grew), fresh, strays)

    def follow(self, tick: Tick) -> dict[int, Exception]:
        """Tell each unit's cadence of this tick. Returns what went wrong, by device: nothing more is known of those."""
        plan, when, arena = tick.plan, tick.when, tick.plan.arena
        cells, groups = arena.cells, plan.groups
        cells.streak[self.at] += self.grew
        self._remember_ticks(tick)
        since_s, at_s = self._spacings(tick, cells)
        arena.fresh_ns[plan.unit_slots] = np.where(self.fresh, plan.of_units(when.first_ns), arena.fresh_ns[plan.unit_slots])
        outage, answered, brought = np.zeros(len(groups), np.bool_), self.some_grew, self.some_grew
        if not self.some_grew.all():
            outage = groups.any(self.present) & ~groups.any(self.usable)
            answered = self._answered(tick, cells)
            brought = groups.any(tick.present)  # time without counters is no time to learn in
        failed = dict[int, Exception]()
        told = zip(
            plan.units,
            plan.of_units(when.middle_s).tolist(),
            plan.of_units(tick.readings.interval_s).tolist(),
            outage.tolist(),
            self.fresh.tolist(),
            at_s,
            since_s,
            self.some_grew.tolist(),
            answered.tolist(),
            brought.tolist(),
            strict=True,
        )
        for number, (unit, middle_s, interval_s, out, fresh, fresh_s, read_s, grew, heard, learns) in enumerate(told):
            cadence = unit.cadence
            try:
                if out:
                    cadence.restart(middle_s)
                if fresh:
                    cadence.poll(fresh_s, read_s, interval_s, unit.in_step_now)
                elif grew:
                    cadence.late_part()
                elif heard:
                    cadence.poll(middle_s, None, interval_s, unit.in_step)
                if learns:
                    cadence.end_learning(middle_s, interval_s, unit.in_step)
            except Exception as error:
                failed[number if plan.owners is None else int(plan.owners[number])] = error
        return failed

    def _spacings(self, tick: Tick, cells: Cells) -> tuple[list[float], list[float]]:
        """Of each unit: when the counters that grew had last been read, and when they were read now."""
        groups, grew = tick.plan.groups, self.grew
        # Multiplied, since that is far cheaper than to choose: what has not grown is 0, less than any other.
        seen_ns = cells.seen_ns[self.at] * grew
        before_ns = (_LATEST - tick.times_ns[self.columns]) * grew
        since_ns = groups.reduce(np.maximum, np.maximum.reduce(seen_ns, axis=0, initial=0), 0)
        at_ns = _LATEST - groups.reduce(np.maximum, np.maximum.reduce(before_ns, axis=0, initial=0), 0)
        since_s, at_s = since_ns / 1e9, at_ns / 1e9
        return since_s.tolist(), at_s.tolist()

    def _answered(self, tick: Tick, cells: Cells) -> Mask:
        """(units,) of which at least half of what could have shown growth came."""
        known = tick.plan.groups.count(cells.known[self.at] & tick.fast[self.columns])
        answered: Mask = (known > 0) & (2 * tick.plan.groups.count(self.usable) >= known)
        return answered

    def _remember_ticks(self, tick: Tick) -> None:
        plan = tick.plan
        memory, rows = plan.arena.rows, plan.rows
        heard, grew = np.logical_or.reduce(self.present, axis=0), np.logical_or.reduce(self.grew, axis=0)
        if self.strays is not None:
            grew |= self.strays
        told = plan.segments.any(heard)
        for device, at_s, some in zip(plan.devices, tick.when.middle_s.tolist(), told.tolist(), strict=True):
            if some:
                device.times_s.appendleft(at_s)
        for history, newest in ((memory.heard, heard), (memory.grew, grew)):
            longer = (history[rows] << np.uint64(1)) | newest
            history[rows] = longer if told.all() else np.where(plan.segments.spread(told), longer, history[rows])

    def settle(self, tick: Tick, refreshes: NDArray[np.int64], steps: NDArray[np.int64]) -> tuple[Mask, Mask]:
        """Take note of which refresh each cell is through, after the cadences have counted this tick.

        `refreshes` and `steps` (units,) are theirs now. Returns the cells that are settled: a refresh has passed and they
        have not grown; and those that have nothing to be compared with.
        """
        plan, cells = tick.plan, tick.plan.arena.cells
        # What has not grown at a fresh tick may grow at the next; what had not grown by then is settled.
        owed = plan.groups.spread(np.where(self.fresh, refreshes - steps, refreshes))
        settled = self.usable & ~self.grew & (self.through < owed)
        first = self.present & ~self.usable
        through = self.through.copy()
        if settled.any():
            np.copyto(through, owed, where=settled)
            cells.streak[self.at] *= ~settled
        np.copyto(through, plan.groups.spread(refreshes), where=self.grew | first)
        cells.through[self.at] = through
        return settled, first
