"""Rows that grow when nothing of their unit can have been refreshed: they are of another one."""

from __future__ import annotations

import numpy as np

from server.core.model import Mask
from server.rates.layout import Selector
from server.rates.tick import Tick

_STEADY = 2  # refreshes in a row at which a counter grew, that make its silence tell something


def find_strays(tick: Tick, columns: Selector, at: tuple[Selector, Selector], usable: Mask, grew: Mask) -> Mask | None:
    """(rows,) that grew while most of what grows at every refresh of their unit did not; None for none.

    Where a refresh was due, and some of that grew, it fell between two answers of the tick: then there are none.

    `usable` and `grew` (counters, rows) are of the fast `columns`, which are `at` in the arena; what is late growth of the
    newest refresh is not among `grew`.
    """
    plan, cells = tick.plan, tick.plan.arena.cells
    if tick.periods_s is None:
        return None
    slow = tick.periods_s > 0
    steady = usable & (cells.streak[at] >= _STEADY)
    went = plan.groups.count(steady & grew)
    odd = slow & plan.groups.any(grew) & (plan.groups.count(steady & ~grew) > went)
    strays = np.zeros(plan.rows_planned, dtype=np.bool_)
    intervals_s = plan.of_units(tick.readings.interval_s)
    for number in np.flatnonzero(odd).tolist():
        own = grew & plan.groups.spread(np.arange(len(odd)) == number)
        since_s = float(cells.seen_ns[at][own].min()) / 1e9
        at_s = float(tick.times_ns[columns][own].max()) / 1e9
        if not went[number] or not plan.units[number].cadence.is_due(at_s, since_s, float(intervals_s[number])):
            strays |= own.any(axis=0)
    return strays if strays.any() else None
