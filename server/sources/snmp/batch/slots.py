"""The request table of the batch engine: many requests, each asked again and again, sent and answered in batches.

No scheduling, no waiting: the engine around it says what is sent and when the sockets are read.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from server.core.clock import boot_ns
from server.core.errors import NoAnswer
from server.sources.snmp.batch.addresses import Peer
from server.sources.snmp.batch.buffers import ROOM, Inbox, Outbox, extended
from server.sources.snmp.batch.columns import Columns, Where, consecutive
from server.sources.snmp.batch.datagrams import Datagrams, open_datagrams
from server.sources.snmp.batch.intake import CREDIT, Intake
from server.sources.snmp.batch.layout import Layouts
from server.sources.snmp.batch.request_ids import RequestIds
from server.sources.snmp.batch.security import Community
from server.sources.snmp.batch.tally import Bad, Tally
from server.sources.snmp.batch.template import SlotRequest, Template

# What one call gives one socket: neither a flood nor a thousand first answers may hold the event loop.
_LONGEST_NS = 8_000_000
_AT_ONCE = 128  # requests that share one time of sending
_LEAST_CAPACITY = 64


class Slots(Columns):
    """See `Columns` for what can be read. Slot numbers stay as they are until `remove`.

    `bad` is called with what was refused; it may be called from `receive` alone. `batched` None: many datagrams a call where
    the system can. Raises OSError where there is no socket to be had.
    """

    def __init__(self, bad: Bad, *, batched: bool | None = None) -> None:
        super().__init__()
        self._requests: list[SlotRequest | None] = []
        self._templates: dict[int, Template] = {}  # of slots that speak version 3
        self._outbox = Outbox()
        self._inbox = Inbox()
        self._ids = RequestIds()
        self._layouts = Layouts()
        self._tally = Tally(bad)
        self._intake = Intake(
            self,
            layouts=self._layouts,
            ids=self._ids,
            outbox=self._outbox,
            requests=self._requests,
            inbox=self._inbox,
            tally=self._tally,
        )
        self._sockets: dict[int, Datagrams] = {}
        self._families = np.zeros(0, np.int32)
        self._taken = np.zeros(0, np.bool_)
        self.behind = False  # more has come than the last `receive` took in
        self._end = 0  # one past the last slot that was ever taken
        self._make_room(needed=1, wide=1, datagram_octets=0)
        for family in (socket.AF_INET, socket.AF_INET6):
            self._open(family, batched)

    def _open(self, family: socket.AddressFamily, batched: bool | None) -> None:
        try:
            self._sockets[family] = open_datagrams(family, self._inbox, batched)
        except OSError:
            if family == socket.AF_INET:
                raise  # a system without IPv6 is none that we refuse to run on

    @property
    def receive_buffer_octets(self) -> int:
        """What the kernel granted each socket, at least."""
        return min(opened.receive_buffer_octets for opened in self._sockets.values())

    def filenos(self) -> tuple[int, ...]:
        """The sockets' descriptors, the same as long as it is open."""
        return tuple(opened.fileno() for opened in self._sockets.values())

    def close(self) -> None:
        for opened in self._sockets.values():
            opened.close()

    def add(self, requests: Sequence[SlotRequest]) -> NDArray[np.intp]:
        """(requests,) their slots, ascending. The arrays may be other ones afterwards.

        Raises NoAnswer, and adds nothing, where there is no way to an address.
        """
        addresses = {request.address for request in requests}
        peers = {address: self._peer(address) for address in addresses}
        templates = [Template.of(request) for request in requests]
        slots = self._free(len(requests))
        self._make_room(
            needed=int(slots[-1]) + 1 if len(slots) else 0,
            wide=max((len(request.oids) for request in requests), default=0),
            datagram_octets=max((len(template.octets) for template in templates), default=0),
        )
        for slot, request, template in zip(slots.tolist(), requests, templates, strict=True):
            peer = peers[request.address]
            self._requests[slot] = request
            self._families[slot] = peer.family
            self.version_3[slot] = version_3 = not isinstance(request.security, Community)
            if version_3:
                self._templates[slot] = template
            self._outbox.put(slot, peer, template.octets, template.id_at)
        self._taken[slots] = True
        self._end = max(self._end, int(slots[-1]) + 1 if len(slots) else 0)
        self.late_s[slots] = np.nan
        self.born[slots] = self._ids.number
        self._layouts.forget(slots)
        return slots

    def remove(self, slots: NDArray[np.intp]) -> None:
        """Forget them. Their numbers are given out again."""
        self.give_up(slots)
        self.valid[slots] = self._taken[slots] = False
        for slot in slots.tolist():
            self._requests[slot] = None
            self._templates.pop(slot, None)
        self._intake.renew()

    def send(self, slots: NDArray[np.intp]) -> int:
        """Ask anew: how many of `slots`, from the first, went out. They are pending now.

        The rest, where the kernel's buffer is full, is not pending; no cell of any of them is valid until it is answered.
        """
        where = consecutive(slots)
        self.clear(where)
        done = 0
        while done < len(slots):
            some = slots[done : done + _AT_ONCE]
            part: Where = some
            if isinstance(where, slice):
                part = slice(where.start + done, where.start + done + len(some))
            sent = self._send(some, part)
            done += sent
            if sent < len(some):
                break
        return done

    def _send(self, slots: NDArray[np.intp], where: Where) -> int:
        ids = self._ids.give(slots, boot_ns())
        version_3 = self.version_3[where]
        if np.count_nonzero(version_3):
            self._outbox.stamp(slots[~version_3], ids[~version_3])
            self._encode(slots[version_3], ids[version_3])
        else:
            self._outbox.stamp(where, ids)
        sent_ns = boot_ns()  # after the encoding of version 3, which takes its time
        sent = self._transmit(where)
        if sent < len(slots):
            slots, ids = slots[:sent], ids[:sent]
            where = slots
        self.awaited[where] = ids
        self.sent_ns[where] = sent_ns
        self.pending[where] = True
        self.credit[where] = CREDIT
        return sent

    def again(self, slots: NDArray[np.intp]) -> None:
        """Send those that are pending once more, with the same request-ids."""
        slots = slots[self.pending[slots]]
        version_3 = slots[self.version_3[slots]]
        self._encode(version_3, self.awaited[version_3])
        self.credit[slots] = CREDIT
        self._transmit(slots)

    def give_up(self, slots: NDArray[np.intp]) -> None:
        """Await no answer any more: one that comes is late."""
        self.pending[slots] = False
        self.awaited[slots] = 0

    def receive(self) -> NDArray[np.intp]:
        """Take in what has come: the slots that were answered, each once. Raises nothing for what came.

        After some milliseconds the rest is left for the next call; its time of arrival is the kernel's all the same.
        """
        answered: list[NDArray[np.intp]] = []
        self.behind = False
        for opened in self._sockets.values():
            until_ns = boot_ns() + _LONGEST_NS
            while count := opened.receive():
                answered += self._intake.take(count, opened.family)
                if count < ROOM:
                    break
                if boot_ns() > until_ns:
                    self.behind = True
                    break
        self._tally.tell()
        return np.concatenate(answered) if answered else np.zeros(0, np.intp)

    def _encode(self, slots: NDArray[np.intp], ids: NDArray[np.int64]) -> None:
        """A message of version 3 is another each time."""
        for slot, request_id in zip(slots.tolist(), ids.tolist(), strict=True):
            request = self._requests[slot]
            assert request is not None, "only slots that were added are sent"
            assert not isinstance(request.security, Community), "a community needs no encoding"
            self._outbox.rewrite(slot, request.security.encode(self._templates[slot].with_id(request_id), request_id))

    def _transmit(self, where: Where) -> int:
        """How many, from the first, went out."""
        families = self._families[where]
        if len(families) and np.count_nonzero(families == families[0]) == len(families):
            return self._sockets[int(families[0])].send(self._outbox, where)
        slots = np.arange(where.start, where.stop) if isinstance(where, slice) else where
        ends = [*(np.flatnonzero(np.diff(families)) + 1).tolist(), len(slots)]
        begin = 0
        for end in ends if len(slots) else ():
            begin += self._sockets[int(families[begin])].send(self._outbox, consecutive(slots[begin:end]))
            if begin < end:
                break
        return begin

    def _peer(self, address: tuple[str, int]) -> Peer:
        try:
            peer = Peer.of(address)
        except ValueError as error:
            raise NoAnswer(str(error)) from None
        if peer.family not in self._sockets:
            raise NoAnswer(f"cannot send to {address[0]}: no IPv6 on this machine")
        return peer

    def _free(self, count: int) -> NDArray[np.intp]:
        """Slots of no one: the first run of them, else those past the last one."""
        begin = self._end
        if count and self._end - np.count_nonzero(self._taken) >= count:
            free = np.concatenate(([0], np.cumsum(~self._taken[: self._end])))
            runs = np.flatnonzero(free[count:] - free[:-count] == count)
            begin = int(runs[0]) if len(runs) else begin
        return np.arange(begin, begin + count)

    def _make_room(self, needed: int, wide: int, datagram_octets: int) -> None:
        capacity, width = self.values.shape
        while capacity < needed:
            capacity = max(_LEAST_CAPACITY, capacity * 2)
        if (capacity, max(width, wide)) != self.values.shape:
            self._layouts.grow(capacity, max(width, wide))
            self.grow(capacity, max(width, wide))
            self._families, self._taken = extended(self._families, capacity), extended(self._taken, capacity)
        self._requests += [None] * (capacity - len(self._requests))
        self._ids.grow(capacity)
        self._outbox.grow(capacity, datagram_octets)
        self._intake.renew()
