"""Datagrams in memory: those that wait to be sent again and again, and those that just came."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from server.sources.snmp.batch.addresses import NAME_OCTETS, NAME_WORDS, Peer
from server.sources.snmp.batch.kernel import CONTROL, IOVEC, MMSGHDR

LARGEST_DATAGRAM = 4096  # an answer is asked to fit 1,472 octets; the rest is room for agents that do not count well
STRIDE = LARGEST_DATAGRAM + 64  # not a power of two: rows that alias would push each other out of the cache
ROOM = 128  # datagrams taken in with one call
_LEAST_ROW = 256


class Rows:
    """(room, STRIDE) octets, one datagram in each row, seen also as little-endian words.

    `flat` has `STRIDE // 8` words for each row.
    """

    def __init__(self, room: int = ROOM) -> None:
        self.octets = np.zeros((room, STRIDE), np.uint8)
        self.words = self.octets.view("<u8")
        self.flat_octets = self.octets.reshape(-1)
        self.flat = self.words.reshape(-1)
        self.lengths = np.zeros(room, np.int64)
        self._views = [row[:LARGEST_DATAGRAM].data for row in self.octets]

    def row(self, number: int) -> memoryview:
        """Where datagram `number` goes."""
        return self._views[number]

    def datagram(self, number: int) -> bytes:
        """A copy of datagram `number`."""
        return bytes(self._views[number][: int(self.lengths[number])])

    def put(self, number: int, datagram: bytes) -> None:
        self._views[number][: len(datagram)] = datagram
        self.lengths[number] = len(datagram)


class Inbox(Rows):
    """A batch of datagrams that came, with where from, when (CLOCK_BOOTTIME), and whether they were cut to fit."""

    def __init__(self) -> None:
        super().__init__()
        self.names = np.zeros((ROOM, NAME_WORDS), np.uint64)
        self.received_ns = np.zeros(ROOM, np.int64)
        self.truncated = np.zeros(ROOM, np.bool_)


class InboxHeaders:
    """The headers by which the kernel fills an inbox."""

    def __init__(self, inbox: Inbox, name_octets: int) -> None:
        self.headers = np.zeros(ROOM, MMSGHDR)
        self.control = np.zeros(ROOM, CONTROL)
        self.address = self.headers.ctypes.data
        self._parts = np.zeros(ROOM, IOVEC)
        rows = np.arange(ROOM, dtype=np.uint64)
        self._parts["base"] = _address(inbox.octets) + rows * np.uint64(STRIDE)
        self._parts["octets"] = LARGEST_DATAGRAM
        self.headers["name"] = _address(inbox.names) + rows * np.uint64(NAME_OCTETS)
        self.headers["name_octets"] = name_octets  # the kernel writes the same over it each time
        self.headers["iov"] = _address(self._parts) + rows * np.uint64(IOVEC.itemsize)
        self.headers["iov_count"] = 1
        self.headers["control"] = _address(self.control) + rows * np.uint64(CONTROL.itemsize)
        self.renew()

    def renew(self) -> None:
        """The kernel writes how much it used over how much it may: of use again after a message without a stamp."""
        self.headers["control_octets"] = CONTROL.itemsize


class Outbox:
    """The datagram of each slot, its address and its header. All arrays may be other ones after `grow`.

    A datagram begins in its row so that its request-id, four octets of contents, is a whole word of `_ids`:
    that at `_id_at`, in the column `_id_column` of its row. `address` is that of the headers.
    """

    def __init__(self) -> None:
        self.octets = np.zeros((0, _LEAST_ROW), np.uint8)
        self.names = np.zeros((0, NAME_WORDS), np.uint64)
        self.peers: list[Peer | None] = []
        self.headers = np.zeros(0, MMSGHDR)
        self._parts = np.zeros(0, IOVEC)
        self._begin = np.zeros(0, np.int64)
        self._id_column = np.zeros(0, np.int64)
        self._point()

    def grow(self, capacity: int, datagram_octets: int = 0) -> None:
        """Room for so many slots, and for datagrams of so many octets."""
        before, row = self.octets.shape
        row = max(row, -(-(datagram_octets + 4) // 64) * 64)
        if (capacity, row) == self.octets.shape:
            return
        octets = np.zeros((capacity, row), np.uint8)
        octets[:before, : self.octets.shape[1]] = self.octets
        self.octets = octets
        self.names = extended(self.names, capacity)
        self.headers, self._parts = extended(self.headers, capacity), extended(self._parts, capacity)
        self._begin, self._id_column = extended(self._begin, capacity), extended(self._id_column, capacity)
        self.peers += [None] * (capacity - before)
        self._point()

    def put(self, slot: int, peer: Peer, datagram: bytes, id_at: int) -> None:
        """What a slot sends, and where the contents of its request-id are."""
        self.peers[slot] = peer
        self.names[slot] = np.frombuffer(peer.name, np.uint64)
        self.headers["name_octets"][slot] = peer.name_octets
        self._begin[slot] = begin = -id_at % 4
        self._id_column[slot] = (begin + id_at) // 4
        self._id_at[slot] = slot * (self.octets.shape[1] // 4) + self._id_column[slot]
        self._parts["base"][slot] = _address(self.octets) + slot * self.octets.shape[1] + begin
        self.rewrite(slot, datagram)

    def rewrite(self, slot: int, datagram: bytes) -> None:
        """Another datagram of the same slot."""
        if len(datagram) + 4 > self.octets.shape[1]:
            self.grow(len(self.octets), len(datagram))
        begin = slot * self.octets.shape[1] + int(self._begin[slot])
        self._view[begin : begin + len(datagram)] = datagram
        self._parts["octets"][slot] = len(datagram)

    def stamp(self, where: slice | NDArray[np.intp], request_ids: NDArray[np.int64]) -> None:
        """Write the request-ids of slots whose datagrams have one."""
        self._ids[self._id_at[where]] = request_ids.astype(np.uint32).astype(">u4").view(np.uint32)

    def datagram(self, slot: int) -> memoryview:
        begin = slot * self.octets.shape[1] + int(self._begin[slot])
        return self._view[begin : begin + int(self._parts["octets"][slot])]

    def _point(self) -> None:
        """Tell the headers where everything is now."""
        capacity, row = self.octets.shape
        rows = np.arange(capacity, dtype=np.uint64)
        self._view = self.octets.reshape(-1).data
        self._ids = self.octets.reshape(-1).view(np.uint32)
        self._id_at = np.arange(capacity) * (row // 4) + self._id_column
        self.address = self.headers.ctypes.data
        self._parts["base"] = _address(self.octets) + rows * np.uint64(row) + self._begin.astype(np.uint64)
        self.headers["name"] = _address(self.names) + rows * np.uint64(NAME_OCTETS)
        self.headers["iov"] = _address(self._parts) + rows * np.uint64(IOVEC.itemsize)
        self.headers["iov_count"] = 1


def extended(column: NDArray[Any], capacity: int, fill: float = 0) -> NDArray[Any]:
    """A copy with `capacity` rows, the new ones filled."""
    longer = np.full((capacity, *column.shape[1:]), fill, column.dtype) if fill else _zeros(column, capacity)
    longer[: len(column)] = column
    return longer


def _zeros(column: NDArray[Any], capacity: int) -> NDArray[Any]:
    return np.zeros((capacity, *column.shape[1:]), column.dtype)


def _address(array: NDArray[Any]) -> np.uint64:
    return np.uint64(array.ctypes.data)
