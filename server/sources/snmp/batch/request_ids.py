"""Request-ids: which slot one belongs to, and whether it is the newest, told for many answers at once.

They rise by one with each request from a random start, so an id comes back only after two thousand million requests: a late
answer cannot pass for a new one. The newest of them are remembered in a ring.
"""

from __future__ import annotations

import secrets
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LOWEST = 1 << 24  # four octets of contents always, and never negative
_SPAN = (1 << 31) - LOWEST  # a multiple of every possible size of the ring
_LEAST_RING, _MOST_RING = 1 << 14, 1 << 24

Ints = NDArray[np.int64]


class Found(NamedTuple):
    """(n,) what is known of request-ids: whether they are remembered, their slots, whether they were answered, and when they
    were first sent (CLOCK_BOOTTIME)."""

    known: NDArray[np.bool_]
    slots: NDArray[np.intp]
    done: NDArray[np.bool_]
    sent_ns: Ints


class RequestIds:
    """The ids given out. `number` counts them, from a random start."""

    def __init__(self) -> None:
        self.number = secrets.randbelow(_SPAN)
        self._first = self.number
        self._allot(_LEAST_RING)

    def _allot(self, size: int) -> None:
        self._size = size
        self._slots = np.zeros(size, np.int32)  # ~slot once answered
        self._sent_ns = np.zeros(size, np.int64)

    def grow(self, slots: int) -> None:
        """Remember the last few requests of each of so many slots."""
        size = self._size
        while size < min(_MOST_RING, 8 * slots):
            size *= 2
        if size == self._size:
            return
        kept = np.arange(max(self._first, self.number - self._size), self.number)
        old, slots_before, sent_before = kept % self._size, self._slots, self._sent_ns
        self._allot(size)
        self._slots[kept % size] = slots_before[old]
        self._sent_ns[kept % size] = sent_before[old]

    def give(self, slots: NDArray[np.intp], sent_ns: int) -> Ints:
        """(n,) fresh ids for requests of these slots."""
        count, first, at = len(slots), self.number % _SPAN, self.number & (self._size - 1)
        self.number += count
        ids = np.arange(first + LOWEST, first + LOWEST + count)
        where: slice | Ints = slice(at, at + count)
        if at + count > self._size or first + count > _SPAN:
            ids = (ids - LOWEST) % _SPAN + LOWEST
            where = ids - LOWEST & (self._size - 1)
        self._slots[where] = slots
        self._sent_ns[where] = sent_ns
        return ids

    def slots_of(self, ids: Ints) -> NDArray[np.intp]:
        """(n,) the slot that each id would be of. Whether it is, the slot's own newest id must tell."""
        slots = self._slots.take((ids - LOWEST) & (self._size - 1))
        return (slots ^ slots >> 31).astype(np.intp)

    def answered(self, ids: Ints) -> None:
        """These have their answer."""
        at = (ids - LOWEST) & (self._size - 1)
        slots = self._slots.take(at)
        self._slots[at] = ~(slots ^ slots >> 31)

    def find(self, ids: Ints, born: Ints) -> Found:
        """What is remembered of these; an id given before its slot was `born` (slots,), as a `number`, is of no one."""
        at = (ids - LOWEST) & (self._size - 1)
        slots = self.slots_of(ids)
        age = (self.number - (ids - LOWEST)) % _SPAN
        known = (ids >= LOWEST) & (age > 0) & (age <= self._size) & (self.number - age >= born[slots])
        return Found(known & (self.number - age >= self._first), slots, self._slots.take(at) < 0, self._sent_ns.take(at))
