"""What one answer says, for those that are not decoded many at a time: walked strictly, checked against what was asked."""

from __future__ import annotations

from typing import NamedTuple, cast

from server.core.errors import BadReply
from server.sources.snmp.batch.layout import Place, Trait
from server.sources.snmp.batch.security import Community
from server.sources.snmp.batch.strict import RESPONSE, Bound, Pdu, walk_message, walk_pdu
from server.sources.snmp.batch.template import SlotRequest
from server.sources.snmp.message import Operation
from server.sources.snmp.wire import MISSING, Tag, VarBind


class Content(NamedTuple):
    """An answer that passed all checks. `spoiled` counts the cells of the wrong type or out of range."""

    pdu: Pdu
    places: list[Place]
    traits: Trait
    spoiled: int


def read_answer(request: SlotRequest, raw: bytes, request_id: int) -> Content:
    """The answer of a message, or for version 3 of a PDU. Raises BadReply, whose text is the word of the failed check."""
    pdu = _pdu(request, raw, frozenset(request.oids))
    if pdu.tag != RESPONSE:
        raise BadReply("pdu_type")
    if pdu.request_id != request_id:
        raise BadReply("request_id")
    if pdu.error_status:
        return Content(pdu, [], Trait(0), 0)
    found = _cells(request, pdu.varbinds)
    places, spoiled, missing = [], 0, any(varbind.tag == Tag.END_OF_MIB_VIEW for varbind in pdu.varbinds)
    for cell, (oid, tag, begin, end) in found:
        if tag in MISSING:
            missing = True
        elif tag == request.tags[cell]:
            valid = VarBind(oid, tag, raw[begin:end]).number(cast(Tag, tag)) is not None
            places.append(Place(cell, begin, end, tag, valid))
            spoiled += not valid
        else:
            spoiled += 1
    ordered = len(pdu.varbinds) == len(request.oids) == len(found) and all(cell == at for at, (cell, _) in enumerate(found))
    traits = Trait.MISSING * missing | Trait.DISORDERED * (not ordered) | Trait.SPOILED * bool(spoiled)
    return Content(pdu, places, Trait(traits), spoiled)


def _pdu(request: SlotRequest, raw: bytes, known: frozenset[bytes]) -> Pdu:
    if not isinstance(request.security, Community):
        return walk_pdu(raw, known)
    message = walk_message(raw, known)
    if message.version != request.security.version:
        raise BadReply("version")
    if message.community != request.security.community:
        raise BadReply("community")
    return message.pdu


def _cells(request: SlotRequest, varbinds: list[Bound]) -> list[tuple[int, Bound]]:
    """Which varbind is which cell. A GET is answered in its own order (RFC 3416 section 4.2.1)."""
    if request.operation is Operation.GET_BULK:
        position = {oid: cell for cell, oid in enumerate(request.oids)}
        named = (varbind for varbind in varbinds if varbind.tag != Tag.END_OF_MIB_VIEW)
        return [(position[varbind.oid], varbind) for varbind in named if varbind.oid in position]
    if tuple(varbind.oid for varbind in varbinds) != request.oids:
        raise BadReply("oid")
    return list(enumerate(varbinds))
