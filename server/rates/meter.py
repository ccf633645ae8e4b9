"""The meter of one device: Readings in, Frames out."""

from __future__ import annotations

from server.core.blocks import Readings
from server.core.model import Event, Frame, Reading
from server.rates.meters import Meters


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
