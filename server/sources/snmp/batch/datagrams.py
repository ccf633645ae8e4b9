"""One non-blocking UDP socket of each address family, for all devices: many datagrams a call where the kernel has that."""

from __future__ import annotations

import errno
import socket
import struct
import sys
import time
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from server.core.clock import boot_ns
from server.sources.snmp.batch import kernel
from server.sources.snmp.batch.addresses import name_octets, name_of
from server.sources.snmp.batch.buffers import ROOM, Inbox, InboxHeaders, Outbox
from server.sources.snmp.batch.columns import Where
from server.sources.snmp.batch.kernel import CONTROL, MMSGHDR, MSG_TRUNC, Kernel

Times = NDArray[np.int64]

_BUFFER_OCTETS = 32 << 20  # 20,000 answers that come at once
_READINGS, _APART_NS = 4, 20_000  # of two clocks, until they are one moment
_STAMP_OCTETS = CONTROL.itemsize
_STAMPED = sys.platform == "linux" and socket.CMSG_SPACE(16) == _STAMP_OCTETS


class Datagrams(Protocol):
    """One socket. `receive_buffer_octets` is what the kernel granted (it doubles what is asked, for its own needs)."""

    family: socket.AddressFamily
    receive_buffer_octets: int

    def fileno(self) -> int: ...

    def send(self, outbox: Outbox, where: Where) -> int:
        """How many of these slots, from the first, went out: fewer than all when the kernel's buffer is full.

        A datagram to where there is no way counts as sent: it will not be answered.
        """
        ...

    def receive(self) -> int:
        """How many datagrams were put into the inbox; fewer than ROOM when there are no more."""
        ...

    def close(self) -> None: ...


def open_datagrams(family: socket.AddressFamily, inbox: Inbox, batched: bool | None = None) -> Datagrams:
    """`batched` None: with many datagrams a call where that can be. Raises OSError where there is no such family."""
    found = None if batched is False else Kernel.find()
    if found is not None:
        return BatchedDatagrams(family, inbox, found)
    if batched:
        raise OSError(errno.ENOSYS, "no sendmmsg and recvmmsg here")
    return PlainDatagrams(family, inbox)


class _Arrivals:
    """Turns the kernel's stamps, on the wall clock, to CLOCK_BOOTTIME.

    The wall clock may step between arrival and reading: what comes out is never before the queue was last seen empty, and
    never after now.
    """

    def __init__(self) -> None:
        self._empty_ns = self._began_ns = boot_ns()

    def begin(self) -> None:
        """The queue is about to be read."""
        self._began_ns = boot_ns()

    def none(self) -> None:
        """Nothing was read: the queue is empty."""
        self._empty_ns = self._began_ns

    def end(self, stamps_ns: Times, stamped: NDArray[np.bool_], arrived_ns: Times, emptied: bool) -> None:
        """Put the CLOCK_BOOTTIME of arrival of what was read into `arrived_ns` (n,); where not `stamped`, now."""
        wall_ns, now_ns = _clocks_ns()
        np.add(stamps_ns, now_ns - wall_ns, out=arrived_ns)
        np.maximum(arrived_ns, self._empty_ns, out=arrived_ns)
        np.minimum(arrived_ns, now_ns, out=arrived_ns)
        if np.count_nonzero(stamped) < len(stamped):
            arrived_ns[~stamped] = now_ns
        if emptied:
            self._empty_ns = self._began_ns


def _clocks_ns() -> tuple[int, int]:
    """The wall clock and CLOCK_BOOTTIME at one moment: read anew where something came between."""
    for _ in range(_READINGS):
        before, now_ns, after = time.time_ns(), boot_ns(), time.time_ns()
        if after - before < _APART_NS:
            break
    return (before + after) // 2, now_ns


class BatchedDatagrams:
    """`Datagrams` by sendmmsg and recvmmsg."""

    def __init__(self, family: socket.AddressFamily, inbox: Inbox, calls: Kernel) -> None:
        self.family = family
        self._inbox = inbox
        self._filled = InboxHeaders(inbox, name_octets(family))
        self._calls = calls
        self._socket, self.receive_buffer_octets = _open(family)
        self._descriptor = self._socket.fileno()
        self._arrivals = _Arrivals()

    def fileno(self) -> int:
        return self._descriptor

    def close(self) -> None:
        self._socket.close()

    def send(self, outbox: Outbox, where: Where) -> int:
        if isinstance(where, slice):
            address, count = outbox.address + where.start * MMSGHDR.itemsize, where.stop - where.start
        else:
            headers = outbox.headers[where]
            address, count = headers.ctypes.data, len(where)
        done = 0
        while done < count:
            sent = self._calls.send(self._descriptor, address + done * MMSGHDR.itemsize, count - done)
            if sent < 0:
                if self._calls.error() in kernel.FULL:
                    break
                sent = 1  # there is no way to the first of these
            done += sent
        return done

    def receive(self) -> int:
        self._arrivals.begin()
        inbox, filled = self._inbox, self._filled
        count = max(0, self._calls.receive(self._descriptor, filled.address, ROOM))
        if not count:
            self._arrivals.none()
            return 0
        headers, control = filled.headers[:count], filled.control[:count]
        inbox.lengths[:count] = headers["octets"]
        np.not_equal(headers["flags"] & MSG_TRUNC, 0, out=inbox.truncated[:count])
        stamped = headers["control_octets"] == _STAMP_OCTETS
        stamped &= control["type"] == kernel.SO_TIMESTAMPNS
        stamps_ns = control["s"] * 1_000_000_000
        stamps_ns += control["ns"]
        if np.count_nonzero(stamped) < count:
            filled.renew()
        self._arrivals.end(stamps_ns, stamped, inbox.received_ns[:count], count < ROOM)
        return count


class PlainDatagrams:
    """`Datagrams` one at a time, for where the kernel has no better way."""

    def __init__(self, family: socket.AddressFamily, inbox: Inbox) -> None:
        self.family = family
        self._inbox = inbox
        self._socket, self.receive_buffer_octets = _open(family)
        self._arrivals = _Arrivals()

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def send(self, outbox: Outbox, where: Where) -> int:
        slots = range(where.start, where.stop) if isinstance(where, slice) else where.tolist()
        for done, slot in enumerate(slots):
            peer = outbox.peers[slot]
            try:
                if peer is not None:
                    self._socket.sendto(outbox.datagram(slot), peer.sockaddr)
            except OSError as error:
                if error.errno in kernel.FULL:
                    return done
        return len(slots)

    def receive(self) -> int:
        self._arrivals.begin()
        inbox = self._inbox
        stamps_ns, stamped = np.zeros(ROOM, np.int64), np.zeros(ROOM, np.bool_)
        count = 0
        while count < ROOM:
            try:
                octets, control, flags, sender = self._socket.recvmsg_into([inbox.row(count)], 64)
            except OSError:
                break
            inbox.lengths[count] = octets
            inbox.truncated[count] = bool(flags & socket.MSG_TRUNC)
            inbox.names[count] = np.frombuffer(name_of(self.family, sender), np.uint64)
            if control and control[0][1] == kernel.SO_TIMESTAMPNS and _STAMPED:
                seconds, nanoseconds = struct.unpack("=qq", control[0][2])
                stamps_ns[count], stamped[count] = seconds * 1_000_000_000 + nanoseconds, True
            count += 1
        self._arrivals.end(stamps_ns[:count], stamped[:count], inbox.received_ns[:count], count < ROOM)
        return count


def _open(family: socket.AddressFamily) -> tuple[socket.socket, int]:
    """A socket with as large buffers as we may have, and the receive buffer's size."""
    opened = socket.socket(family, socket.SOCK_DGRAM)
    try:
        opened.setblocking(False)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind(("", 0))
        for option, forced in (
            (socket.SO_RCVBUF, kernel.SO_RCVBUFFORCE),
            (socket.SO_SNDBUF, kernel.SO_SNDBUFFORCE),
        ):
            _enlarge(opened, option, forced)
        if _STAMPED:
            opened.setsockopt(socket.SOL_SOCKET, kernel.SO_TIMESTAMPNS, 1)
        return opened, opened.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    except OSError:
        opened.close()
        raise


def _enlarge(opened: socket.socket, option: int, forced: int) -> None:
    """SO_RCVBUFFORCE and SO_SNDBUFFORCE need CAP_NET_ADMIN; Linux cuts the others to its limit, other systems refuse."""
    options = (forced, option) if sys.platform == "linux" else (option,)
    for octets in (_BUFFER_OCTETS >> halvings for halvings in range(8)):
        for choice in options:
            try:
                opened.setsockopt(socket.SOL_SOCKET, choice, octets)
                return
            except OSError:
                continue
