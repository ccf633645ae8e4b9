"""Finds the request-ids of a batch of datagrams, before it is known whose they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from server.sources.snmp.batch.buffers import STRIDE, Rows

_LONG = 0x80
_HEADER = np.array(
    [2 + (octet & 0x7F if octet > _LONG else 0) for octet in range(256)]
)  # of an element, by its length octet
_WHOLE = np.array([2 + (octet if octet < _LONG else 0) for octet in range(256)])  # of a short element
_ID_HEADER = 0x0402  # INTEGER of four octets, as a little-endian word


class HeadFinder:
    """Looks into the datagrams of one buffer. Nothing else of them is checked: one that is taken further is compared or
    walked whole."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._begins = np.arange(len(rows.octets)) * STRIDE
        octets = rows.flat_octets
        self._loads = np.ndarray((octets.size - 7,), "<u8", octets, 0, (1,))  # eight octets from anywhere

    def messages(self, count: int) -> NDArray[np.int64]:
        """(count,) request-ids of the first `count` datagrams, which are messages (of version 3 msgIDs), -1 for none."""
        octets, begins = self._rows.flat_octets, self._begins[:count]
        at = begins + _HEADER.take(octets.take(begins + 1))  # INTEGER version: three octets
        version_3 = octets.take(at + 2) == 3
        at += 3  # the community, or version 3's msgGlobalData, which begins with the msgID
        length = octets.take(at + 1)
        pdu = at + _WHOLE.take(length)
        if np.count_nonzero(length >= _LONG):
            pdu = np.where(length == _LONG + 1, at + 3 + octets.take(at + 2), pdu)
        inside = pdu + _HEADER.take(octets.take(pdu + 1))
        if np.count_nonzero(version_3):
            inside = np.where(version_3, at + _HEADER.take(length), inside)
        return self._ids(inside, count)

    def pdus(self, count: int) -> NDArray[np.int64]:
        """(count,) request-ids of the first `count` rows, which are PDUs alone."""
        octets, begins = self._rows.flat_octets, self._begins[:count]
        return self._ids(begins + _HEADER.take(octets.take(begins + 1)), count)

    def _ids(self, at: NDArray[np.int64], count: int) -> NDArray[np.int64]:
        loads = self._loads[at]
        found = loads.astype(np.uint16) == _ID_HEADER
        found &= at + 6 <= self._begins[:count] + self._rows.lengths[:count]
        ids = (loads >> 16).astype(np.uint32).byteswap().astype(np.int64)
        ids[~found] = -1
        return ids
