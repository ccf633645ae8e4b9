"""Counts what is refused, so that a flood costs one call for each word and slot, and not one for each datagram."""

from __future__ import annotations

from collections import defaultdict
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

_MOST_NAMED = 256  # slots that are named for one word at a time; the rest is counted as of no one


class Bad(Protocol):
    """Told of `count` answers (or cells of one) of `slot` that failed the check `word`; slot -1: it is not known whose."""

    def __call__(self, slot: int, word: str, count: int = 1) -> None: ...


class Tally:
    """What was refused since it was last told."""

    def __init__(self, bad: Bad) -> None:
        self._bad = bad
        self._parts: defaultdict[str, list[NDArray[np.intp]]] = defaultdict(list)
        self._single: defaultdict[tuple[int, str], int] = defaultdict(int)

    def one(self, slot: int, word: str, count: int = 1) -> None:
        self._single[slot, word] += count

    def many(self, slots: NDArray[np.intp], word: str) -> None:
        """One for each entry of `slots`."""
        if len(slots):
            self._parts[word].append(slots)

    def tell(self) -> None:
        """Tell all, and begin anew."""
        if not self._parts and not self._single:
            return
        parts, single = self._parts, self._single
        self._parts, self._single = defaultdict(list), defaultdict(int)
        for word, slots in parts.items():
            found, counts = np.unique(np.concatenate(slots), return_counts=True)
            for slot, count in zip(found[:_MOST_NAMED].tolist(), counts[:_MOST_NAMED].tolist(), strict=True):
                single[slot, word] += count
            if len(found) > _MOST_NAMED:
                single[-1, word] += int(counts[_MOST_NAMED:].sum())
        for (slot, word), count in single.items():
            self._bad(slot, word, count)
