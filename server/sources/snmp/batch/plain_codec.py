"""Version 1 and 2c for a conversation, as strict as the batches and without the cost of a general decoder.

A walk of 48 interfaces reads a thousand varbinds: with pysnmp's models the start of a thousand devices took minutes.
"""

from __future__ import annotations

from server.core.errors import BadReply
from server.sources.snmp.batch.strict import RESPONSE, walk_message
from server.sources.snmp.batch.template import PDU_TAGS
from server.sources.snmp.message import Operation, Report, Request, Response
from server.sources.snmp.pysnmp_stack.security import overhead
from server.sources.snmp.settings import SnmpV1V2
from server.sources.snmp.wire import Tag, VarBind, element, integer


class PlainCodec:
    """Implements `Codec` for one device: pairs by request-id, version and community."""

    knows_peer = True
    silent_refusal = False

    def __init__(self, credentials: SnmpV1V2) -> None:
        self._version = 0 if credentials.version == "1" else 1
        self._community = credentials.community.get_secret_value().encode()
        self.overhead = overhead(credentials)

    def encode(self, request: Request, request_id: int) -> bytes:
        """See `Codec`."""
        repetitions = request.max_repetitions if request.operation is Operation.GET_BULK else 0
        numbers = integer(request_id) + integer(0) + integer(repetitions)
        pdu = element(PDU_TAGS[request.operation], numbers + element(0x30, b"".join(request.varbinds)))
        return element(0x30, integer(self._version) + element(Tag.OCTET_STRING, self._community) + pdu)

    def decode(self, datagram: bytes) -> Response | Report:
        """See `Codec`."""
        message = walk_message(datagram)
        if message.version != self._version:
            raise BadReply("version")
        if message.community != self._community:
            raise BadReply("community")
        pdu = message.pdu
        if pdu.tag != RESPONSE:
            raise BadReply("pdu_type")
        varbinds = (VarBind(bound.oid, bound.tag, datagram[bound.begin : bound.end]) for bound in pdu.varbinds)
        return Response(pdu.request_id, pdu.error_status, pdu.error_index, tuple(varbinds))

    def forget(self, request_id: int) -> None:
        """Nothing is kept."""
