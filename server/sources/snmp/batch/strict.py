"""A strict walk of one answer (BER, RFC 3417 section 8): definite lengths, everything nested exactly, nothing left over.

Values keep their outer form only (tag, where the contents begin and end), so that one bad value spoils one cell.
"""

from __future__ import annotations

from collections.abc import Container
from typing import NamedTuple

from server.core.errors import BadReply
from server.sources.snmp.wire import Tag, element_at

RESPONSE = 0xA2
_SEQUENCE = 0x30


class Bound(NamedTuple):
    """A varbind of an answer: OID (contents), the value's tag, and where its contents begin and end in the answer."""

    oid: bytes
    tag: int
    begin: int
    end: int


class Pdu(NamedTuple):
    """A PDU as it came. The contents of its request-id stand at `request_id_at`, `request_id_octets` long."""

    tag: int
    request_id: int
    request_id_at: int
    request_id_octets: int
    error_status: int
    error_index: int
    varbinds: list[Bound]


class Message(NamedTuple):
    """A message of version 1 (`version` 0, RFC 1157) or 2c (`version` 1, RFC 1901)."""

    version: int
    community: bytes
    pdu: Pdu


def walk_message(raw: bytes, known: Container[bytes] = ()) -> Message:
    """Raises BadReply `malformed`, or `oid` where an OID is ill-formed or comes twice. `known` OIDs are well-formed."""
    tag, at, end = element_at(raw, 0, len(raw))
    if tag != _SEQUENCE or end != len(raw):
        raise BadReply("malformed")
    version, _, at = _integer(raw, at, end)
    tag, begin, at = element_at(raw, at, end)
    if tag != Tag.OCTET_STRING:
        raise BadReply("malformed")
    return Message(version, raw[begin:at], _walk_pdu(raw, at, end, known))


def walk_pdu(raw: bytes, known: Container[bytes] = ()) -> Pdu:
    """A PDU alone; raises as `walk_message` does."""
    return _walk_pdu(raw, 0, len(raw), known)


def _walk_pdu(raw: bytes, at: int, end: int, known: Container[bytes]) -> Pdu:
    tag, at, pdu_end = element_at(raw, at, end)
    if pdu_end != end:
        raise BadReply("malformed")
    request_id, id_begin, id_end = _integer(raw, at, end)
    error_status, _, at = _integer(raw, id_end, end)
    error_index, _, at = _integer(raw, at, end)
    list_tag, at, list_end = element_at(raw, at, end)
    if list_tag != _SEQUENCE or list_end != end:
        raise BadReply("malformed")
    varbinds = _varbinds(raw, at, end)
    _check_oids(varbinds, known)
    return Pdu(tag, request_id, id_begin, id_end - id_begin, error_status, error_index, varbinds)


def _varbinds(raw: bytes, at: int, end: int) -> list[Bound]:
    found = []
    while at < end:
        tag, at, varbind_end = element_at(raw, at, end)
        oid_tag, oid_begin, oid_end = element_at(raw, at, varbind_end)
        value_tag, begin, at = element_at(raw, oid_end, varbind_end)
        if tag != _SEQUENCE or oid_tag != Tag.OBJECT_IDENTIFIER or at != varbind_end:
            raise BadReply("malformed")
        found.append(Bound(raw[oid_begin:oid_end], value_tag, begin, at))
    return found


def _check_oids(varbinds: list[Bound], known: Container[bytes]) -> None:
    for varbind in varbinds:
        if varbind.oid not in known and not well_formed(varbind.oid):
            raise BadReply("oid")
    # The end of the MIB view takes the name of the varbind before it, as often as it is repeated (RFC 3416 section 4.2.3).
    named = [varbind.oid for varbind in varbinds if varbind.tag != Tag.END_OF_MIB_VIEW]
    if len(set(named)) != len(named):
        raise BadReply("oid")


def well_formed(oid: bytes) -> bool:
    """Whole sub-identifiers without leading zeros, up to 2^32 - 1."""
    number, begins = 0, True
    for octet in oid:
        if begins and octet == 0x80:
            return False
        number = (0 if begins else number << 7) | octet & 0x7F
        if number > 0xFFFFFFFF:
            return False
        begins = octet < 0x80
    return begins and bool(oid)


def _integer(raw: bytes, at: int, end: int) -> tuple[int, int, int]:
    """(value, begin, end of contents) of an INTEGER of 32 bits."""
    tag, begin, at = element_at(raw, at, end)
    if tag != Tag.INTEGER or not 1 <= at - begin <= 4:
        raise BadReply("malformed")
    return int.from_bytes(raw[begin:at], "big", signed=True), begin, at
