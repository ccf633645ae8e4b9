"""What a reader of a row should know: the `Quality` bits of a Frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from server.core.model import Mask, Quality
from server.rates.tick import Tick
from server.rates.timing import NEVER


def judge(tick: Tick, shown: Mask, reset: Mask | None, estimated: Mask | None) -> NDArray[np.uint8]:
    """(rows,) `Quality` bits. `shown` (counters, rows) has a rate; `reset` (rows,) are rows that began anew.

    `estimated` (rows,) are of devices that refresh their counters slowly; None for none.
    """
    readings, plan, layout = tick.readings, tick.plan, tick.plan.layout
    quality = np.zeros(plan.rows_planned, dtype=np.uint8)

    def mark(cells: Mask, flag: Quality) -> None:
        if cells.any():
            np.bitwise_or(quality, np.uint8(flag), out=quality, where=np.logical_or.reduce(cells, axis=0))

    came = readings.valid & (tick.when.times_ns != NEVER)
    if not came.all():
        for device in tick.when.restarts:  # what came before it is not missing
            rows = plan.rows_of(device)
            came[:, rows] = readings.valid[:, rows]
        mark(layout.exists & ~came, Quality.INVALID)
    if tick.growth.unsure is not None:
        mark(tick.growth.unsure & tick.usable, Quality.INVALID)
    if tick.growth.wrapped is not None:
        mark(tick.growth.wrapped & shown, Quality.WRAPPED)
    mark(tick.late & shown, Quality.LATE)
    # No rate and no known speed are NaN, and nothing is above that.
    mark(tick.rate * layout.line_factor > layout.over_bps, Quality.OVER_SPEED)
    if estimated is not None:
        mark(shown & tick.fast & estimated, Quality.ESTIMATED)
    if reset is not None:
        quality[reset] |= np.uint8(Quality.RESET)
    return quality
