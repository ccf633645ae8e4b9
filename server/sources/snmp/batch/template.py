"""What a slot sends: one PDU, encoded once, whose request-id alone changes."""

from __future__ import annotations

from dataclasses import dataclass

from server.sources.snmp.batch.security import Community, Usm
from server.sources.snmp.message import Operation
from server.sources.snmp.wire import Tag, element, integer

PDU_TAGS = {Operation.GET: 0xA0, Operation.GET_NEXT: 0xA1, Operation.GET_BULK: 0xA5}
_ID_OCTETS = 4
_NULL = bytes((Tag.NULL, 0))


@dataclass(frozen=True, slots=True, eq=False)
class SlotRequest:
    """One PDU that is asked again and again. Its answer's first varbind is sysUpTime.0.

    `address` is an IP address and a UDP port. `oids` are the encoded OIDs (contents) that are expected in the answer, in
    order, and `tags` the `wire.Tag` that each value must have. `asked` are the OIDs that are sent where they are others: of
    a GETBULK sysUpTime's predecessor, which is its one non-repeater, then the columns from where they start.
    """

    address: tuple[str, int]
    security: Community | Usm
    operation: Operation
    oids: tuple[bytes, ...]
    tags: tuple[int, ...]
    max_repetitions: int = 0
    asked: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Template:
    """A datagram (or, for version 3, a PDU) whose request-id has its contents, four octets, at `id_at`."""

    octets: bytes
    id_at: int

    @classmethod
    def of(cls, request: SlotRequest) -> Template:
        pdu = cls._of_pdu(request)
        if not isinstance(request.security, Community):
            return pdu
        head = element(Tag.INTEGER, bytes((request.security.version,)))
        head += element(Tag.OCTET_STRING, request.security.community)
        message = element(0x30, head + pdu.octets)
        return cls(message, len(message) - len(pdu.octets) + pdu.id_at)

    @classmethod
    def _of_pdu(cls, request: SlotRequest) -> Template:
        bulk = request.operation is Operation.GET_BULK
        # Of a GETBULK the two numbers after the request-id are non-repeaters and max-repetitions (RFC 3416 section 3).
        numbers = (1, request.max_repetitions) if bulk else (0, 0)
        varbinds = b"".join(map(_varbind, request.asked or request.oids))
        body = b"".join(map(integer, numbers)) + element(0x30, varbinds)
        whole = element(PDU_TAGS[request.operation], element(Tag.INTEGER, bytes(_ID_OCTETS)) + body)
        return cls(whole, len(whole) - len(body) - _ID_OCTETS)

    def with_id(self, request_id: int) -> bytes:
        return self.octets[: self.id_at] + request_id.to_bytes(_ID_OCTETS, "big") + self.octets[self.id_at + _ID_OCTETS :]


def _varbind(oid: bytes) -> bytes:
    """A variable without a value."""
    size = len(oid)
    if size < 0x7C:
        return bytes((0x30, size + 4, Tag.OBJECT_IDENTIFIER, size)) + oid + _NULL
    return element(0x30, element(Tag.OBJECT_IDENTIFIER, oid) + _NULL)
