"""A meter that runs, and short ways to feed it and read what it shows."""

from __future__ import annotations

import math
from collections.abc import Iterable

from server.core.model import Frame, Reading
from server.rates import RateMeter
from tests.rates.build import reading, table

TWO_ROWS = table(2)


def running(of: object = None, **more: object) -> tuple[RateMeter, list[Frame]]:
    """A meter whose device has been found to refresh at every poll: 4 polls at 1 s, each counter grew by 1000 x its row."""
    meter = RateMeter("sw1")
    return meter, feed(meter, (steady(at, of, **more) for at in range(4)))


def steady(at_s: float, of: object = None, **more: object) -> Reading:
    the_table = TWO_ROWS if of is None else of
    rows = len(the_table.rows)  # type: ignore[attr-defined]
    values = [[round(1000 * at_s) * (row + 1) for row in range(rows)]] * 2
    return reading(the_table, at_s, values, columns=(0, 1), **more)  # type: ignore[arg-type]


def feed(meter: RateMeter, readings: Iterable[Reading]) -> list[Frame]:
    return [meter.advance(one)[0] for one in readings]


def shown(frame: Frame) -> list[list[float | None]]:
    return [[None if math.isnan(value) else round(value, 3) for value in column] for column in frame.values.tolist()]
