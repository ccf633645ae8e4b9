"""Rates of a device that refreshes its counters more slowly than it is asked: means over its refresh periods.

Every cell remembers which of the device's refreshes its base holds (`through`), so a cell that was missed while others were
refreshed is measured over the right number of periods. A refresh may fall between two answers of one tick: then some cells
grow at this tick and the others at the next. So a cell that has not grown at a fresh tick is "through" only when the
next tick finds it still unchanged, and it is zero from then on; until then its last estimate stands.
"""

from __future__ import annotations

import numpy as np

from server.core.model import Mask
from server.rates.cadence import Cadence, Silence
from server.rates.cells import Cells
from server.rates.tick import Tick


def is_answered(tick: Tick, cells: Cells) -> bool:
    """Whether at least half of what could have shown growth came."""
    known = np.count_nonzero(cells.known[tick.layout.metrics] & tick.fast)
    return bool(known > 0 and 2 * np.count_nonzero(tick.usable & tick.fast) >= known)


def is_new_refresh(grew: Mask, tick: Tick, cells: Cells, refreshes: int, asked_ns: int) -> bool:
    """Whether growth tells of a new refresh, and is not late growth of the newest one, number `refreshes`.

    `asked_ns` is when the answers of the tick with that refresh began.
    """
    at = tick.layout.metrics
    behind = cells.through[at] < refreshes
    if not (grew & ~behind).any():
        return False
    # What had not grown at the newest one, though it was read then, and grows at this one, was unchanged by the newest.
    waited = grew & behind & (cells.seen_ns[at] >= asked_ns)
    if waited.any():
        cells.through[at] = np.where(waited, refreshes, cells.through[at])
    return True


def settle(tick: Tick, grew: Mask, cells: Cells, cadence: Cadence, fresh: bool) -> tuple[Mask, Mask]:
    """Take note of which refresh each fast cell is through, after the cadence has counted this tick.

    `grew` (counters, rows) are the fast counters that grew; `fresh` says that this is a new refresh. Returns the cells that
    are settled: a refresh has passed and they have not grown; and those that have nothing to be compared with.
    """
    at = tick.layout.metrics
    through, streak = cells.through[at], cells.streak[at]
    # What has not grown at a fresh tick may grow at the next; what had not grown by then is settled.
    owed = cadence.refreshes - cadence.step if fresh else cadence.refreshes
    settled = tick.usable & tick.fast & ~grew & (through < owed)
    first = tick.present & ~tick.usable & tick.fast
    if settled.any():
        through = np.where(settled, owed, through)
        cells.streak[at] = np.where(settled, 0, streak)
    cells.through[at] = np.where(grew | first, cadence.refreshes, through)
    return settled, first


def estimate(tick: Tick, grew: Mask, cells: Cells, cadence: Cadence, *, silence: Silence, fresh: bool) -> None:
    """Replace the plain rates of the fast columns by estimates, and say which cells get a new base."""
    fast = tick.fast
    missed = np.maximum(cadence.refreshes - cadence.step - cells.through[tick.layout.metrics], 0)
    settled, first = settle(tick, grew, cells, cadence, fresh)
    usable = tick.usable & fast
    stands = usable if silence is Silence.STILL else settled
    span_s = cadence.span_s + missed * cadence.period_s
    held = np.where(grew, tick.growth.counts * tick.layout.scale / span_s, cells.rate[tick.layout.metrics])
    held[stands] = 0.0
    held[first] = np.nan
    shown = np.where(usable & (silence is not Silence.UNKNOWN), held, np.nan)
    tick.held = np.where(fast, held, tick.rate)
    tick.late = np.where(fast, grew & (cadence.step + missed > 1), tick.late)
    tick.span_s = np.where(fast, span_s, tick.span_s)
    tick.rate = np.where(fast, shown, tick.rate)
    tick.advance = np.where(fast, tick.present & (grew | stands | first), tick.advance)
