"""Whether a device began anew, by sysUpTime (RFC 3418): hundredths of a second that wrap after 497 days."""

from __future__ import annotations

from collections.abc import Iterable

from server.core.model import Chunk

_WRAP = 2**32
_SLACK = 3000  # ticks: devices that keep their clock loosely, or refresh it every few seconds


class Uptime:
    """Follows one device's clock."""

    def __init__(self) -> None:
        self._ticks: int | None = None
        self._at_ns = 0

    def restarted(self, chunks: Iterable[Chunk]) -> bool:
        """Take in the answers of a tick; True when one of them shows that the device began anew since the last tick."""
        restarted = False
        for chunk in chunks:
            if chunk.device_ticks is None:
                continue
            restarted = restarted or self._began_anew(chunk.device_ticks, chunk.received_ns)
            self._ticks, self._at_ns = chunk.device_ticks, chunk.received_ns
        return restarted

    def _began_anew(self, ticks: int, at_ns: int) -> bool:
        if self._ticks is None:
            return False
        elapsed = (at_ns - self._at_ns) / 1e7
        back = self._ticks - ticks
        if 0 < back <= _SLACK and ticks > elapsed + 100:
            return False  # it began before the last answer: answers in another order, or a loose clock
        moved = -back % _WRAP
        # A restart moves the clock back, which is a huge step forward modulo 2^32, or leaves it behind the time gone by.
        # A plain step forward is the clock of another device, a standby that took over the address, say.
        return moved > elapsed + _SLACK or moved < elapsed - _SLACK
