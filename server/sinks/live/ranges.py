"""Which stretches of one axis are taken. State: the free stretches, ascending and never side by side, and the end."""

from __future__ import annotations

from bisect import insort


class Ranges:
    """Hands out stretches from the front, so that little of the axis is ever unused."""

    def __init__(self) -> None:
        self.used = 0
        self._free: list[tuple[int, int]] = []

    def take(self, length: int) -> slice:
        """The first free stretch of this length; at the end where there is none."""
        for place, (start, stop) in enumerate(self._free):
            if stop - start >= length:
                self._free[place : place + 1] = [(start + length, stop)] if stop - start > length else []
                return slice(start, start + length)
        start, self.used = self.used, self.used + length
        return slice(start, self.used)

    def give(self, held: slice) -> None:
        """Take back what was handed out."""
        if held.start == held.stop:
            return
        insort(self._free, (held.start, held.stop))
        place = self._free.index((held.start, held.stop))
        first, last = max(0, place - 1), min(len(self._free), place + 2)
        joined: list[tuple[int, int]] = []
        for start, stop in self._free[first:last]:
            if joined and joined[-1][1] == start:
                joined[-1] = joined[-1][0], stop
            else:
                joined.append((start, stop))
        self._free[first:last] = joined
        if self._free[-1][1] == self.used:
            self.used = self._free.pop()[0]
