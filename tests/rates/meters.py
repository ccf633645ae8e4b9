"""The meter of one device: one that runs, and short ways to feed it and read what it shows."""

from __future__ import annotations

import math
from collections.abc import Iterable

from server.core.blocks import Readings
from server.core.model import Event, Frame, Reading
from server.rates import Meters
from tests.rates.build import reading, table

TWO_ROWS = table(2)


class RateMeter:
    """`Meters` of a single device, in the terms of one device. Raises ValueError for a Reading that makes no sense."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._meters = Meters()

    def advance(self, reading: Reading) -> tuple[Frame, list[Event]]:
        """Take the device's next Reading. Returns its Frame, and what is to be told of resets."""
        blocks, events = self._meters.advance(Readings.of([reading]))
        if not blocks:
            raise ValueError(f"no rates from this reading of {self._device}")
        return blocks[0].frame(0), events


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
