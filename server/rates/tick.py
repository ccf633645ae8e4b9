"""The work sheet of one tick: every counter cell of a Reading against its base."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.core.model import Floats, Mask, Reading
from server.rates.cells import Memory
from server.rates.counters import Growth, grown
from server.rates.layout import Layout
from server.rates.timing import NEVER, Moments

_GAP = 3.5  # a cell not read for more of its usual spacings begins anew: an outage must not hide in a mean
_LATE = 1.5  # a rate over more usual spacings is marked late


@dataclass(slots=True, eq=False)
class Tick:
    """What is known and decided of a Reading's counters: (counters, rows), unless said otherwise.

    `present`: came, at `times_ns`. `usable`: can be compared with its base. `growth`, `span_s`: from the base to now. `rate`
    is what is shown, NaN for none; `held` what is remembered as shown, None for the same. `late` as in `Quality`.
    `advance`: this value becomes the base. `fast` (counters, 1): due at every tick.
    """

    reading: Reading
    layout: Layout
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
    all_fast: bool

    def fast_growth(self) -> Mask:
        """(counters, rows) where a counter that is due at every tick has grown."""
        grew: Mask = self.usable & (self.growth.counts > 0)
        return grew if self.all_fast else grew & self.fast


def compare(
    reading: Reading, layout: Layout, when: Moments, memory: Memory, *, usual_ticks: NDArray[np.int64], cadence_s: float
) -> Tick:
    """Compare the counters of a Reading with their bases: plain rates, before resets are taken out.

    `usual_ticks` (counters,) is how often each is due. `cadence_s` is the device's refresh period, 0 for none: outages are
    then judged more patiently, and a fall may be a wrap of all that grew within it.
    """
    cells = memory.cells
    times_ns = when.times_ns[layout.counters]
    present = reading.valid[layout.counters] & layout.counts & (times_ns != NEVER)
    at = layout.metrics
    fast = (usual_ticks == 1)[:, np.newaxis]
    usual_s = (np.maximum(usual_ticks, 1) * reading.interval_s)[:, np.newaxis]
    base_s: Floats = np.multiply(times_ns - cells.time_ns[at], 1e-9)
    unseen_s = could_s = base_s
    most_s = _GAP * usual_s
    if cadence_s:
        unseen_s = np.multiply(times_ns - cells.seen_ns[at], 1e-9)
        most_s = most_s + 2 * cadence_s * fast
        could_s = np.where(fast, np.maximum(base_s, cadence_s) + reading.interval_s, base_s)
    usable = cells.known[at] & present & (unseen_s <= most_s) & (base_s > 0)
    growth = grown(
        reading.values[layout.counters],
        cells.value[at],
        usable,
        could_s=could_s,
        shown_bps=cells.rate[at] * layout.line_factor,
        faster=memory.faster,
        limits=layout.limits,
    )
    span_s = np.where(usable, base_s, 1.0)
    return Tick(
        reading=reading,
        layout=layout,
        when=when,
        times_ns=times_ns,
        present=present,
        usable=usable,
        growth=growth,
        span_s=span_s,
        rate=np.where(usable, growth.counts * layout.scale / span_s, np.nan),
        held=None,
        late=unseen_s > _LATE * usual_s,
        advance=present,
        fast=fast,
        all_fast=bool(fast.all()),
    )
