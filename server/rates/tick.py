"""The work sheet of one tick of a block: every counter cell against its base."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from server.core.blocks import Readings
from server.core.model import Floats, Mask
from server.rates.counters import Growth, grown
from server.rates.places import Plan
from server.rates.segments import Segments
from server.rates.timing import NEVER, Moments

_Array = TypeVar("_Array", Floats, NDArray[np.int64])
_GAP = 3.5  # a cell not read for more of its usual spacings begins anew: an outage must not hide in a mean
_LATE = 1.5  # a rate over more usual spacings is marked late


@dataclass(slots=True, eq=False)
class Tick:
    """What is known and decided of a block's counters: (counters, rows), unless said otherwise.

    `present`: came, at `times_ns`. `usable`: can be compared with its base. `growth`, `span_s`: from the base to now. `rate`
    is what is shown, NaN for none; `held` what is remembered as shown, None for the same. `late` as in `Quality`.
    `advance`: this value becomes the base. `fast`: due at every tick, (counters, 1) where that is the same for all devices.
    `periods_s` (units,) were known before this tick, 0 for none; None where none was.
    """

    readings: Readings
    plan: Plan
    when: Moments
    times_ns: NDArray[np.int64]
    present: Mask
    usable: Mask
    growth: Growth
    span_s: Floats
    rate: Floats
    held: Floats | None
    late: Mask
    advance: Mask
    fast: Mask
    periods_s: Floats | None


def compare(readings: Readings, plan: Plan, when: Moments, usual_ticks: NDArray[np.int64]) -> Tick:
    """Compare the counters of a block with their bases: plain rates, before resets are taken out.

    `usual_ticks` (counters, devices) is how often each is due. Of a device that refreshes its counters slowly, outages are
    judged more patiently, and a fall may be a wrap of all that grew within a refresh period.
    """
    layout, cells, at = plan.layout, plan.arena.cells, plan.at
    times_ns = when.times_ns[layout.counters]
    present = readings.valid[layout.counters] & layout.counts & (times_ns != NEVER)
    interval_s = _spread(readings.interval_s, plan.segments)
    usual = _spread(usual_ticks, plan.segments)
    fast: Mask = usual == 1
    usual_s = np.maximum(usual, 1) * interval_s
    base_s: Floats = np.multiply(times_ns - cells.time_ns[at], 1e-9)
    unseen_s = could_s = base_s
    most_s = _GAP * usual_s
    known_s = [unit.cadence.period_s for unit in plan.units]
    periods_s = np.array(known_s) if any(known_s) else None
    if periods_s is not None:
        cadence_s = _spread(periods_s, plan.groups)
        slow = fast & (cadence_s > 0)
        unseen_s = np.where(cadence_s > 0, np.multiply(times_ns - cells.seen_ns[at], 1e-9), base_s)
        most_s = most_s + 2 * cadence_s * fast
        could_s = np.where(slow, np.maximum(base_s, cadence_s) + interval_s, base_s)
    usable = cells.known[at] & present & (unseen_s <= most_s) & (base_s > 0)
    growth = grown(
        readings.values[layout.counters],
        cells.value[at],
        usable,
        could_s=could_s,
        shown_bps=lambda: cells.rate[at] * layout.line_factor,
        faster=plan.arena.rows.faster[plan.rows],
        limits=layout.limits,
    )
    gain: Floats = growth.counts * layout.scale
    if usable.all():
        span_s, rate = base_s, gain / base_s
    else:
        span_s = np.where(usable, base_s, 1.0)
        rate = np.where(usable, gain / span_s, np.nan)
    return Tick(
        readings=readings,
        plan=plan,
        when=when,
        times_ns=times_ns,
        present=present,
        usable=usable,
        growth=growth,
        span_s=span_s,
        rate=rate,
        held=None,
        late=unseen_s > _LATE * usual_s,
        advance=present,
        fast=fast,
        periods_s=periods_s,
    )


def _spread(of_each: _Array, segments: Segments) -> _Array:
    """Each segment's value at all its rows, as (..., 1) where it is the same for all."""
    first = of_each[..., :1]
    if bool((of_each == first).all()):
        return first
    return segments.spread(of_each)
