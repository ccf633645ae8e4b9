"""Where datagrams go to and come from, in a form that is compared many at a time."""

from __future__ import annotations

import ipaddress
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

NAME_OCTETS = 32
NAME_WORDS = NAME_OCTETS // 8
_MIX = np.array([0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0xD6E8FEB86659FD93], np.uint64)

Words = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Peer:
    """One UDP end point. `sockaddr` is what the socket module takes and gives; `name` the kernel's own form, padded."""

    family: socket.AddressFamily
    sockaddr: Any
    name: bytes

    @classmethod
    def of(cls, address: tuple[str, int]) -> Peer:
        """The agent at this IP address (a link-local one with its zone, `fe80::1%eth0`) and UDP port. ValueError if none."""
        host, port = address
        ip = ipaddress.ip_address(host)
        if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
            host = str(ip.ipv4_mapped)
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST)
        except OSError as error:
            raise ValueError(f"{host} port {port} is no address: {error.strerror}") from None
        family, sockaddr = found[0][0], found[0][4]
        return cls(family, sockaddr, name_of(family, sockaddr))

    @property
    def name_octets(self) -> int:
        """How much of `name` is address, and not padding."""
        return name_octets(self.family)


def name_octets(family: int) -> int:
    """Of the kernel's form of an address, without padding."""
    return 16 if family == socket.AF_INET else 28


def name_of(family: int, sockaddr: Sequence[Any]) -> bytes:
    """The kernel's form of an address that came from the socket module; the flow label is left out."""
    if family == socket.AF_INET:
        packed = struct.pack("=H", family) + struct.pack(">H", sockaddr[1]) + socket.inet_pton(family, sockaddr[0])
    else:
        host = sockaddr[0].partition("%")[0]
        packed = struct.pack("=H", family) + struct.pack(">HI", sockaddr[1], 0) + socket.inet_pton(family, host)
        packed += struct.pack("=I", sockaddr[3])
    return packed.ljust(NAME_OCTETS, b"\0")


def same(family: int, names: Words, known: Words, slots: NDArray[np.intp]) -> NDArray[np.bool_]:
    """(n,) which of these (n, NAME_WORDS) addresses of one family are those of `slots` in `known` (slots, NAME_WORDS)."""
    if family == socket.AF_INET:  # all of it is in the first word
        names, others = names[:, :1], known[:, :1].take(slots, 0)
    else:
        others = known.take(slots, 0)
    equal: NDArray[np.bool_] = (names == others).all(axis=1)
    return equal


class Directory:
    """Finds a slot of the device that a stray datagram came from."""

    def __init__(self, names: Words, slots: NDArray[np.intp]) -> None:
        """`names` (n, NAME_WORDS) are the addresses of `slots` (n,)."""
        keys, first = np.unique(_keys(names), return_index=True)
        self._keys, self._slots = keys, slots[first]

    def slots_of(self, names: Words) -> NDArray[np.intp]:
        """(n,) a slot of each address (n, NAME_WORDS), -1 for one that is not known."""
        if not len(self._keys):
            return np.full(len(names), -1, np.intp)
        keys = _keys(names)
        at = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        return np.where(self._keys[at] == keys, self._slots[at], -1)


def _keys(names: Words) -> Words:
    """One number for an address; it only has to tell who is to be named in a count, so a collision does no harm."""
    keys: Words = (names * _MIX).sum(axis=1, dtype=np.uint64)
    return keys
