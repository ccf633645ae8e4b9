"""Which datagrams are worth decoding: decoding one costs a thousand times what sending it does."""

from __future__ import annotations

# Answers are asked to fit 1,472 octets; the rest is room for agents that do not count well. The worst datagram of this size
# takes 10 ms to decode, and 14 ms with pysnmp's own polling.
LARGEST_DATAGRAM = 4096
_MOST_CREDIT = 16  # datagrams that are decoded beyond what was asked
_CREDIT_A_REQUEST = 2


class Guard:
    """Refuses what is too large, and a flood."""

    def __init__(self) -> None:
        self._credit = _MOST_CREDIT

    def sent(self) -> None:
        """A datagram was sent: answers are expected."""
        self._credit = min(_MOST_CREDIT, self._credit + _CREDIT_A_REQUEST)

    def refusal(self, datagram: bytes) -> str:
        """The word of the failed check, or empty: decode it."""
        if self._credit <= 0:
            return "flood"
        if len(datagram) > LARGEST_DATAGRAM:
            return "size"
        self._credit -= 1
        return ""
