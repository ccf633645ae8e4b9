"""What a reader of a row should know: the `Quality` bits of a Frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from server.core.model import Mask, Quality
from server.rates.tick import Tick
from server.rates.timing import NEVER


def judge(tick: Tick, shown: Mask, reset: Mask | None, in_cadence: bool) -> NDArray[np.uint8]:
    """(rows,) `Quality` bits. `shown` (counters, rows) has a rate; `reset` (rows,) are rows that began anew."""
    reading, layout = tick.reading, tick.layout
    quality = np.zeros(len(reading.table.rows), dtype=np.uint8)

    def mark(cells: Mask, flag: Quality) -> None:
        if cells.any():
            np.bitwise_or(quality, np.uint8(flag), out=quality, where=np.logical_or.reduce(cells, axis=0))

    came = reading.valid if tick.when.restarted else reading.valid & (tick.when.times_ns != NEVER)
    if not came.all():
        mark(layout.exists & ~came, Quality.INVALID)
    if tick.growth.unsure is not None:
        mark(tick.growth.unsure & tick.usable, Quality.INVALID)
    if tick.growth.wrapped is not None:
        mark(tick.growth.wrapped & shown, Quality.WRAPPED)
    mark(tick.late & shown, Quality.LATE)
    # No rate and no known speed are NaN, and nothing is above that.
    mark(tick.rate * layout.line_factor > layout.over_bps, Quality.OVER_SPEED)
    if in_cadence:
        mark(shown & tick.fast, Quality.ESTIMATED)
    if reset is not None:
        quality[reset] |= np.uint8(Quality.RESET)
    return quality
