"""Messages of version 3 made ready: encoded once, with room for what differs from message to message."""

from __future__ import annotations

from dataclasses import dataclass

from server.sources.snmp.batch.usm_message import PRIV, REPORTABLE, SECURITY_MODEL, SEQUENCE
from server.sources.snmp.message import MOST_OCTETS
from server.sources.snmp.wire import Tag

_SHORT = 0x7F  # the longest contents with a length of one octet
_SALT_OCTETS = 8


@dataclass(frozen=True, slots=True)
class Template:
    """A message up to its scoped PDU, encrypted or not, with zeros where the slices say. `scoped` precedes the PDU."""

    head: bytes
    scoped: bytes
    message_id: slice
    time: slice
    digest: slice
    salt: slice


@dataclass(frozen=True, slots=True)
class Envelope:
    """What all requests to one device say of themselves. `level`: AUTH and PRIV of msgFlags."""

    level: int
    engine_id: bytes
    user: bytes
    digest_octets: int
    context_engine_id: bytes
    context_name: bytes

    @property
    def overhead(self) -> int:
        """Octets of an answer around its varbinds, at most."""
        # Message 4, version 3, header 22, security parameters 4 + 4, engine ID 2, boots 6, time 6, user 2, digest 2,
        # salt 10, data 4, padding 8, scoped PDU 4, engine ID 2, context 3, PDU 4, request-id 6, error 3 + 4, varbinds 4.
        fixed = 107
        contents = (self.engine_id, self.user, self.context_engine_id, self.context_name)
        return fixed + self.digest_octets + sum(map(len, contents))

    def scoped(self, pdu_octets: int) -> bytes:
        """What precedes a PDU of this size in its scoped PDU."""
        context = _element(Tag.OCTET_STRING, self.context_engine_id) + _element(Tag.OCTET_STRING, self.context_name)
        return bytes((SEQUENCE,)) + _length(len(context) + pdu_octets) + context

    def template(self, scoped: bytes, data_octets: int, boots: int, id_octets: int, time_octets: int) -> Template:
        """For a scoped PDU that begins with `scoped` and is `data_octets` long in the message."""
        header = _element(Tag.INTEGER, bytes(id_octets)) + _integer(MOST_OCTETS)
        header += _element(Tag.OCTET_STRING, bytes((self.level | REPORTABLE,))) + _integer(SECURITY_MODEL)
        security = _element(Tag.OCTET_STRING, self.engine_id) + _integer(boots)
        time_at = len(security) + 2
        security += _element(Tag.INTEGER, bytes(time_octets)) + _element(Tag.OCTET_STRING, self.user)
        digest_at = len(security) + 2
        security += _element(Tag.OCTET_STRING, bytes(self.digest_octets))
        salt_at = len(security) + 2
        security += _element(Tag.OCTET_STRING, bytes(_SALT_OCTETS if self.level & PRIV else 0))
        parameters = _element(Tag.OCTET_STRING, _element(SEQUENCE, security))
        body = _integer(3) + _element(SEQUENCE, header)
        id_at = len(body) - len(header) + 2
        body += parameters
        at = len(body) - len(security)
        if self.level & PRIV:
            body += bytes((Tag.OCTET_STRING,)) + _length(data_octets)
        outer = bytes((SEQUENCE,)) + _length(len(body) + data_octets)
        at, id_at = at + len(outer), id_at + len(outer)
        return Template(
            head=outer + body,
            scoped=scoped,
            message_id=slice(id_at, id_at + id_octets),
            time=slice(at + time_at, at + time_at + time_octets),
            digest=slice(at + digest_at, at + digest_at + self.digest_octets),
            salt=slice(at + salt_at, at + len(security)),
        )


def octets_of(value: int) -> int:
    """Octets of the contents of a non-negative INTEGER."""
    return value.bit_length() // 8 + 1


def _integer(value: int) -> bytes:
    return _element(Tag.INTEGER, value.to_bytes(octets_of(value), "big"))


def _element(tag: int, content: bytes) -> bytes:
    return bytes((tag,)) + _length(len(content)) + content


def _length(octets: int) -> bytes:
    if octets <= _SHORT:
        return bytes((octets,))
    size = octets.to_bytes(3, "big").lstrip(b"\0")
    return bytes((0x80 | len(size),)) + size
