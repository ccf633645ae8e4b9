"""How many messages a browser may send: a token bucket."""

from __future__ import annotations


class Allowance:
    """So many messages a second, sustained, and `most` at once. State: what is left, and when that was reckoned."""

    def __init__(self, per_s: float, most: float) -> None:
        self._per_s = per_s
        self._most = most
        self._left = most
        self._at_s: float | None = None

    def take(self, now_s: float) -> bool:
        """Whether one more may be taken at this moment (monotonic seconds)."""
        if self._at_s is not None:
            self._left = min(self._most, self._left + (now_s - self._at_s) * self._per_s)
        self._at_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True
