"""What the last answer of each slot looked like, so that the next is decoded without a walk, many slots at a time.

An answer equal to it in all but the request-id and the octets of the values has the same OIDs, types and lengths. What
makes a value negative or too large for its type (the sign bit, and octets beyond the type's own) must be equal too: a valid
cell is in range by comparison alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntFlag
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from server.sources.snmp.batch.buffers import Rows, extended
from server.sources.snmp.wire import Tag

MOST_OCTETS = 1536  # of an answer that is remembered; one that is longer is walked each time
_STEP = 8  # words by which the remembered octets grow
_OCTETS: dict[int, int] = {Tag.COUNTER64: 8}  # of contents that hold a number of this type; others 4

Slots = NDArray[np.intp]


class Trait(IntFlag):
    """What has to be done besides taking the values."""

    MISSING = 1  # it held noSuchObject, noSuchInstance or endOfMibView
    DISORDERED = 2  # a GETBULK's answer held other or fewer OIDs than expected
    SPOILED = 4  # it held values of the wrong type, or out of range


class Place(NamedTuple):
    """Where the contents of one cell's value are in an answer, and whether the value can be taken."""

    cell: int
    begin: int
    end: int
    tag: int
    valid: bool


class Decoded(NamedTuple):
    """(n, width) numbers, and which of them are."""

    values: NDArray[np.uint64]
    valid: NDArray[np.bool_]


class Layouts:
    """One for each slot. Public arrays are (slots,): `traits`, and `spoiled`, how many cells are. None may raise later."""

    def __init__(self) -> None:
        self.traits = np.zeros(0, np.uint8)
        self.spoiled = np.zeros(0, np.int32)
        self._lengths = np.zeros(0, np.int64)  # of the answer; 0: nothing is remembered
        self._skeleton = np.zeros((0, _STEP), np.uint64)
        self._mask = np.zeros((0, _STEP), np.uint64)
        self._word = np.zeros((0, 0), np.int32)  # where the eight octets that end with the value begin
        self._shift = np.zeros((0, 0), np.uint8)  # and how many bits into that word
        self._keep = np.zeros((0, 0), np.uint64)  # which bits of them are the value
        self._valid = np.zeros((0, 0), np.bool_)

    def grow(self, capacity: int, width: int) -> None:
        """Room for so many slots of so many cells."""
        self.traits, self.spoiled = extended(self.traits, capacity), extended(self.spoiled, capacity)
        self._lengths = extended(self._lengths, capacity)
        self._skeleton, self._mask = extended(self._skeleton, capacity), extended(self._mask, capacity)
        self._word, self._shift = widened(self._word, capacity, width), widened(self._shift, capacity, width)
        self._keep, self._valid = widened(self._keep, capacity, width), widened(self._valid, capacity, width)

    def forget(self, slots: Slots) -> None:
        self._lengths[slots] = 0

    def matching(self, rows: Rows, at: Slots, slots: Slots) -> NDArray[np.bool_] | None:
        """(n,) which of the answers in the rows `at` look like what is remembered of `slots`. None: all do."""
        width = self._skeleton.shape[1]
        difference = self._skeleton.take(slots, 0)
        if len(at) and at[-1] - at[0] == len(at) - 1:
            answers = rows.words[at[0] : at[0] + len(at), :width]
        else:
            answers = rows.words[at, :width]
        np.bitwise_xor(difference, answers, out=difference)
        np.bitwise_and(difference, self._mask.take(slots, 0), out=difference)
        alike = self._lengths.take(slots) == rows.lengths.take(at)
        if np.count_nonzero(alike) == len(alike) and not np.bitwise_or.reduce(difference.reshape(-1)):
            return None
        same: NDArray[np.bool_] = alike & ~difference.any(axis=1)
        return same

    def decode(self, rows: Rows, at: Slots, slots: Slots) -> Decoded:
        """The values of answers in the rows `at` that match."""
        word = self._word.take(slots, 0) + (at * rows.words.shape[1])[:, None]
        shift = self._shift.take(slots, 0).astype(np.uint64)
        values = rows.flat.take(word)
        values >>= shift
        higher = rows.flat[1:].take(word)
        np.subtract(64, shift, out=shift)
        higher <<= shift  # by 64: gives 0
        values |= higher
        values.byteswap(inplace=True)
        values &= self._keep.take(slots, 0)
        return Decoded(values, self._valid.take(slots, 0))

    def learn(
        self, slot: int, answer: bytes, id_at: int, values: Sequence[tuple[int, int]], places: Sequence[Place]
    ) -> None:
        """Remember an answer: where its request-id is, where all of its values are, and those of the cells among them."""
        self._lengths[slot] = 0
        words = -(-len(answer) // 8)
        if len(answer) > MOST_OCTETS:
            return
        self._widen(words)
        mask = bytearray(b"\xff" * len(answer))
        mask[id_at : id_at + 4] = bytes(4)
        for begin, end in values:
            mask[begin:end] = bytes(end - begin)
        for place in places:
            _compare_range(place, mask)
        self._keep[slot], self._valid[slot], self._word[slot], self._shift[slot] = 0, False, 0, 0
        good = [place for place in places if place.valid]
        cells, begins = [place.cell for place in good], np.array([place.end - 8 for place in good], np.int64)
        self._word[slot, cells], self._shift[slot, cells] = begins >> 3, (begins & 7) << 3
        self._keep[slot, cells] = [(1 << 8 * min(place.end - place.begin, 8)) - 1 for place in good]
        self._valid[slot, cells] = True
        octets = np.zeros(self._skeleton.shape[1] * 8, np.uint8)
        octets[: len(answer)] = np.frombuffer(mask, np.uint8)
        self._mask[slot] = octets.view(np.uint64)
        octets[: len(answer)] = np.frombuffer(answer, np.uint8)
        self._skeleton[slot] = octets.view(np.uint64)
        self._lengths[slot] = len(answer)

    def _widen(self, words: int) -> None:
        """Let answers of so many words be remembered."""
        width = self._skeleton.shape[1]
        if words > width:
            width = -(-words // _STEP) * _STEP
            self._skeleton = widened(self._skeleton, len(self._skeleton), width)
            self._mask = widened(self._mask, len(self._mask), width)


def _compare_range(place: Place, mask: bytearray) -> None:
    """Let what decides whether a value is in its range be compared: octets beyond the type's own, and the sign."""
    own = _OCTETS.get(place.tag, 4)
    excess = max(0, place.end - place.begin - own)
    mask[place.begin : place.begin + excess] = b"\xff" * excess
    if place.begin < place.end and (not excess or place.tag == Tag.INTEGER):
        mask[place.begin + excess] = 0x80


def widened(table: NDArray[Any], capacity: int, width: int) -> NDArray[Any]:
    """A copy with `capacity` rows of `width` columns, zeros where there was nothing."""
    larger = np.zeros((capacity, width), table.dtype)
    larger[: table.shape[0], : table.shape[1]] = table
    return larger
