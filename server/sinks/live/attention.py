"""Why a row wants to be looked at: columnar ranks, and the words for the rows that are shown."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from server.core.model import Floats, Mask, Quality
from server.sinks.live.messages import Attention

WARN_PERCENT = 80.0
CRITICAL_PERCENT = 90.0
ERRORS_PER_S = 1.0


class Rank(IntEnum):
    """What comes first. Above NORMAL is what the filter "attention" shows."""

    DOWN = 0
    NORMAL = 1
    LATE = 2
    NO_DATA = 3
    HIGH = 4
    FULL = 5
    ERRORS = 6
    LINE_DOWN = 7


def ranks(in_percent: Floats, out_percent: Floats, errors_per_s: Floats, *, down: Mask, line_down: Mask) -> NDArray[np.int8]:
    """(rows,) ranks of rows of a device that answers. NaN is unknown, and raises nothing.

    `down` rows pass no traffic; `line_down` are those of them that should: switched on, and described as a line.
    """
    busier = np.fmax(in_percent, out_percent)
    found = np.full(len(down), Rank.NORMAL, dtype=np.int8)
    found[down] = Rank.DOWN
    found[busier >= WARN_PERCENT] = Rank.HIGH
    found[busier >= CRITICAL_PERCENT] = Rank.FULL
    found[errors_per_s >= ERRORS_PER_S] = Rank.ERRORS
    found[line_down] = Rank.LINE_DOWN
    return found


def words(
    rank: int, *, switched_off: bool, in_is_busier: bool, errors_per_s: float, age_s: float | None, quality: int
) -> Attention | None:
    """What the page says of one row; None where there is nothing to say."""
    direction = "In" if in_is_busier else "Out"
    match rank:
        case Rank.LINE_DOWN:
            return Attention("critical", "Line down")
        case Rank.ERRORS:
            return Attention("critical", f"{errors_per_s:,.0f} errors/s")
        case Rank.FULL:
            return Attention("critical", f"{direction} over {CRITICAL_PERCENT:.0f}%")
        case Rank.HIGH:
            return Attention("warning", f"{direction} over {WARN_PERCENT:.0f}%")
        case Rank.NO_DATA:
            return Attention("stale", "No data" if age_s is None else f"No data {seconds(age_s)}")
        case Rank.LATE:
            return Attention("note", "Late" if age_s is None else f"Late {seconds(age_s)}")
        case Rank.DOWN:
            return Attention("down", "Switched off" if switched_off else "Down")
        case _:
            return Attention("note", "Above stated speed") if quality & Quality.OVER_SPEED else None


def seconds(age_s: float) -> str:
    """An age in the largest unit that keeps two digits: 96 s, 12 m, 5 h."""
    if age_s < 100:
        return f"{age_s:.0f} s"
    return f"{age_s / 60:.0f} m" if age_s < 6000 else f"{age_s / 3600:.0f} h"
