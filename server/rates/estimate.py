"""Rates of devices that refresh their counters more slowly than they are asked: means over their refresh periods.

Every cell remembers which of its unit's refreshes its base holds (`through`), so a cell that was missed while others were
refreshed is measured over the right number of periods. A refresh may fall between two answers of one tick: then some cells
grow at this tick and the others at the next. So a cell that has not grown at a fresh tick is "through" only when the
next tick finds it still unchanged, and it is zero from then on; until then its last estimate stands.
"""

from __future__ import annotations

import numpy as np

from server.core.model import Mask
from server.rates.modes import Mode, Silence
from server.rates.tick import Tick
from server.rates.watch import Watch


def estimate(tick: Tick, watch: Watch) -> Mask | None:
    """Settle the cells of a block, and replace the plain rates of units in CADENCE by estimates.

    Says which cells get a new base. Returns the rows (rows,) of those units, None for none.
    """
    plan, cadences = tick.plan, [unit.cadence for unit in tick.plan.units]
    refreshes = np.array([cadence.refreshes for cadence in cadences], dtype=np.int64)
    steps = np.array([cadence.step for cadence in cadences], dtype=np.int64)
    settled, first = watch.settle(tick, refreshes, steps)
    slow = [cadence.mode is Mode.CADENCE for cadence in cadences]
    if not any(slow):
        return None
    spread = plan.groups.spread
    middles_s, intervals_s = plan.of_units(tick.when.middle_s), plan.of_units(tick.readings.interval_s)
    ages = zip(cadences, slow, middles_s.tolist(), intervals_s.tolist(), strict=True)
    silences = [
        cadence.silence(middle_s, interval_s) if one else Silence.HOLD for cadence, one, middle_s, interval_s in ages
    ]
    still = spread(np.array([silence is Silence.STILL for silence in silences]))
    told = spread(np.array([silence is not Silence.UNKNOWN for silence in silences]))
    missed = np.maximum(spread(refreshes - steps) - watch.through, 0)
    periods_s = spread(np.array([cadence.period_s for cadence in cadences]))
    spans_s = spread(np.array([cadence.span_s for cadence in cadences]))
    stands = (watch.usable & still) | settled
    estimated = spread(np.array(slow))
    here: Mask = tick.fast[watch.columns] & estimated
    span_s = np.where(here, spans_s + missed * periods_s, 1.0)
    counts, scale = tick.growth.counts[watch.columns], plan.layout.scale[watch.columns]
    held = np.where(watch.grew, counts * scale / span_s, plan.arena.cells.rate[watch.at])
    held[stands] = 0.0
    entries = spread(np.array([cadence.entry for cadence in cadences], dtype=np.int64))
    held[first | (plan.arena.cells.through[watch.at] < entries)] = np.nan  # what a plain rate was is no estimate
    late = watch.grew & (spread(steps) + missed > 1)
    advance = watch.present & (watch.grew | stands | first)
    tick.held, tick.advance = tick.rate.copy(), tick.advance.copy()
    for whole, part in (
        (tick.held, held),
        (tick.rate, np.where(watch.usable & told, held, np.nan)),
        (tick.late, late),
        (tick.span_s, span_s),
        (tick.advance, advance),
    ):
        whole[watch.columns] = np.where(here, part, whole[watch.columns])
    return estimated
