"""What becomes of the datagrams that came: paired with their requests, compared, decoded; and what is refused, counted."""

from __future__ import annotations

import socket
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from server.core.errors import BadReply
from server.sources.snmp.batch.addresses import Directory, same
from server.sources.snmp.batch.answers import Content, read_answer
from server.sources.snmp.batch.buffers import ROOM, Inbox, Outbox, Rows
from server.sources.snmp.batch.columns import Columns
from server.sources.snmp.batch.heads import HeadFinder
from server.sources.snmp.batch.layout import Layouts, Slots, Trait
from server.sources.snmp.batch.request_ids import RequestIds
from server.sources.snmp.batch.security import Community, ReportReceived
from server.sources.snmp.batch.tally import Tally
from server.sources.snmp.batch.template import SlotRequest
from server.sources.snmp.message import ErrorStatus

CREDIT = 4  # datagrams that one request may cost beyond a comparison: a walk costs twenty times that
_OFTEN = frozenset({ErrorStatus.NO_ERROR, ErrorStatus.TOO_BIG, ErrorStatus.NO_SUCH_NAME})  # nothing wrong with the answer

Times = NDArray[np.int64]
_ROWS = np.arange(ROOM)
_NONE = np.zeros(0, np.intp)


class Intake:
    """Takes batches of datagrams in. An answer is its slot's newest when its request-id and its source are as awaited and it
    passes every check; the first such answer wins, and nothing else changes anything but the counts."""

    def __init__(
        self,
        columns: Columns,
        *,
        layouts: Layouts,
        ids: RequestIds,
        outbox: Outbox,
        requests: Sequence[SlotRequest | None],
        inbox: Inbox,
        tally: Tally,
    ) -> None:
        self._columns = columns
        self._layouts = layouts
        self._ids = ids
        self._outbox = outbox
        self._requests = requests
        self._inbox = inbox
        self._tally = tally
        self._heads = HeadFinder(inbox)
        self._opened = Rows()
        self._opened_heads = HeadFinder(self._opened)
        self._first = np.zeros(0, np.int64)  # scratch: the first datagram of each slot in a batch
        self._directory: Directory | None = None

    def renew(self) -> None:
        """Slots came or went."""
        if len(self._first) < len(self._columns.pending):
            self._first = np.zeros(len(self._columns.pending), np.int64)
        self._directory = None

    def take(self, count: int, family: socket.AddressFamily) -> list[Slots]:
        """The slots that the first `count` datagrams of the inbox answer."""
        inbox, columns = self._inbox, self._columns
        ids = self._heads.messages(count)
        slots = self._ids.slots_of(ids)
        ours = columns.awaited.take(slots) == ids
        ours &= same(family, inbox.names[:count], self._outbox.names, slots)
        ours &= ~inbox.truncated[:count]
        at = _ROWS[:count]
        if np.count_nonzero(ours) < count:
            self._refuse(at[~ours], ids[~ours], family)
            at = at[ours]
            slots = slots[at]
        version_3 = columns.version_3.take(slots)
        if not np.count_nonzero(version_3):
            return self._settle(inbox, at, slots, inbox.received_ns.take(at), None)
        plain = ~version_3
        taken = self._settle(inbox, at[plain], slots[plain], inbox.received_ns[at[plain]], None)
        return [*taken, *self._open(at[version_3], slots[version_3])]

    def _open(self, at: Slots, slots: Slots) -> list[Slots]:
        """Answers of version 3: their plaintexts are compared and decoded together, like messages of the others."""
        columns, opened = self._columns, self._opened
        kept: list[int] = []
        reports: list[int] = []
        for row, slot in zip(at.tolist(), slots.tolist(), strict=True):
            request_id = int(columns.awaited[slot])
            if not self._spend(slot, request_id):
                continue
            request = self._request(slot)
            assert not isinstance(request.security, Community)
            try:
                pdu = request.security.open(self._inbox.datagram(row), request_id)
            except ReportReceived:
                self._accept(slot, int(self._inbox.received_ns[row]))
                columns.reported[slot] = True
                reports.append(slot)
            except BadReply as error:
                self._tally.one(slot, str(error))
            else:
                opened.put(len(kept), pdu)
                kept.append(row)
        found = np.array(kept, np.intp)
        of = slots[np.searchsorted(at, found)]
        right = self._opened_heads.pdus(len(kept)) == columns.awaited.take(of)
        taken = self._settle(opened, _ROWS[: len(kept)], of, self._inbox.received_ns[found], right)
        return [*taken, np.array(reports, np.intp)]

    def _settle(
        self, rows: Rows, at: Slots, slots: Slots, received_ns: Times, right: NDArray[np.bool_] | None
    ) -> list[Slots]:
        """Answers in the rows `at` that pair with `slots`. `right` (n,) says which may be taken by comparison; None: all."""
        if not len(slots):
            return []
        alike = self._layouts.matching(rows, at, slots)
        if right is not None and not right.all():
            alike = right if alike is None else alike & right
        order = _ROWS[: len(slots)]
        self._first[slots[::-1]] = order[::-1]
        if alike is None and np.count_nonzero(self._first.take(slots) == order) == len(slots):
            self._take_alike(rows, at, slots, received_ns)
            return [slots]
        return self._sort_out(rows, at, slots, received_ns, np.ones(len(slots), np.bool_) if alike is None else alike)

    def _sort_out(self, rows: Rows, at: Slots, slots: Slots, received_ns: Times, alike: NDArray[np.bool_]) -> list[Slots]:
        """A batch that holds answers that look new, or several of one slot."""
        order = _ROWS[: len(slots)]
        self._first[slots] = ROOM
        self._first[slots[alike][::-1]] = order[alike][::-1]
        spent = ~alike & (self._columns.credit.take(slots) <= 0)
        self._tally.many(slots[spent], "flood")
        walked: list[int] = []
        for row in np.flatnonzero(~alike & ~spent).tolist():
            slot = int(slots[row])
            request_id = int(self._columns.awaited[slot])
            if not request_id or self._first[slot] < row:
                self._tally.one(slot, "duplicate")
            elif self._spend(slot, request_id) and self._walk(slot, rows.datagram(int(at[row])), int(received_ns[row])):
                walked.append(slot)
        winners = alike & (self._first.take(slots) == order) & (self._columns.awaited.take(slots) > 0)
        self._tally.many(slots[alike & ~winners], "duplicate")
        self._take_alike(rows, at[winners], slots[winners], received_ns[winners])
        return [slots[winners], np.array(walked, np.intp)]

    def _take_alike(self, rows: Rows, at: Slots, slots: Slots, received_ns: Times) -> None:
        """Answers that look like the ones before, each of another slot."""
        columns = self._columns
        columns.values[slots], columns.valid[slots] = self._layouts.decode(rows, at, slots)
        columns.received_ns[slots] = np.maximum(received_ns, columns.sent_ns.take(slots))
        self._ids.answered(columns.awaited.take(slots))
        columns.awaited[slots] = 0
        columns.pending[slots] = False
        traits = self._layouts.traits.take(slots)
        if np.count_nonzero(traits):
            columns.missing[slots] = traits & Trait.MISSING
            columns.disordered[slots] = traits & Trait.DISORDERED
            for slot in slots[traits & Trait.SPOILED > 0].tolist():
                self._tally.one(slot, "type", int(self._layouts.spoiled[slot]))

    def _walk(self, slot: int, raw: bytes, received_ns: int) -> bool:
        """An answer that looks new; whether it is one."""
        columns = self._columns
        try:
            content = read_answer(self._request(slot), raw, int(columns.awaited[slot]))
        except BadReply as error:
            self._tally.one(slot, str(error))
            return False
        self._accept(slot, received_ns)
        columns.missing[slot] = Trait.MISSING in content.traits
        columns.disordered[slot] = Trait.DISORDERED in content.traits
        columns.error_status[slot] = content.pdu.error_status
        columns.error_index[slot] = content.pdu.error_index
        if content.pdu.error_status:
            if content.pdu.error_status not in _OFTEN:
                self._tally.one(slot, "error_status")
            return True
        if content.spoiled:
            self._tally.one(slot, "type", content.spoiled)
        cells = [place.cell for place in content.places if place.valid]
        columns.values[slot, cells] = [int.from_bytes(raw[p.begin : p.end], "big") for p in content.places if p.valid]
        columns.valid[slot, cells] = True
        self._learn(slot, raw, content)
        return True

    def _learn(self, slot: int, raw: bytes, content: Content) -> None:
        if content.pdu.request_id_octets == 4:
            values = [(varbind.begin, varbind.end) for varbind in content.pdu.varbinds]
            self._layouts.learn(slot, raw, content.pdu.request_id_at, values, content.places)
            self._layouts.traits[slot], self._layouts.spoiled[slot] = content.traits, content.spoiled

    def _accept(self, slot: int, received_ns: int) -> None:
        columns = self._columns
        self._ids.answered(columns.awaited[slot : slot + 1])
        columns.awaited[slot] = 0
        columns.pending[slot] = False
        columns.received_ns[slot] = max(received_ns, int(columns.sent_ns[slot]))

    def _spend(self, slot: int, request_id: int) -> bool:
        """Whether one more datagram of this slot is worth its cost."""
        if not request_id:
            self._tally.one(slot, "duplicate")
            return False
        if self._columns.credit[slot] <= 0:
            self._tally.one(slot, "flood")
            return False
        self._columns.credit[slot] -= 1
        return True

    def _refuse(self, at: Slots, ids: NDArray[np.int64], family: socket.AddressFamily) -> None:
        """Count the datagrams in the rows `at`, with these request-ids, which pair with nothing. However many they are, no
        loop goes over them."""
        columns, tally = self._columns, self._tally
        names = self._inbox.names[at]
        found = self._ids.find(ids, columns.born)
        slots = found.slots
        from_it = found.known & same(family, names, self._outbox.names, slots)
        cut = from_it & self._inbox.truncated[at] & (columns.awaited.take(slots) == ids)
        late = from_it & ~found.done & ~cut
        tally.many(slots[cut], "truncated")
        tally.many(slots[late], "late")
        tally.many(slots[from_it & found.done & ~cut], "duplicate")
        tally.many(slots[found.known & ~from_it], "address")
        if late.any():
            columns.late_s[slots[late]] = (self._inbox.received_ns[at] - found.sent_ns)[late] / 1e9
            self._ids.answered(ids[late])
        stray = ~found.known
        if stray.any():
            if self._directory is None:
                live = np.array([slot for slot, request in enumerate(self._requests) if request is not None], np.intp)
                self._directory = Directory(self._outbox.names[live], live)
            whose = self._directory.slots_of(names[stray])
            tally.many(whose[whose < 0], "address")
            tally.many(whose[(whose >= 0) & (ids[stray] > 0)], "request_id")
            tally.many(whose[(whose >= 0) & (ids[stray] < 0)], "malformed")

    def _request(self, slot: int) -> SlotRequest:
        request = self._requests[slot]
        assert request is not None, "a slot that awaits an answer has a request"
        return request
