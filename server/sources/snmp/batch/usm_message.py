"""The outer form of an SNMPv3 message (RFC 3412 section 6, RFC 3414 section 2.4): where its fields are.

Nothing here knows a key. Definite lengths, exact nesting and no octets too many, as RFC 3417 section 8 requires; all raise
BadReply, with `malformed` where nothing else is said.
"""

from __future__ import annotations

from dataclasses import dataclass

from server.core.errors import BadReply
from server.sources.snmp.wire import Tag, decode_oid, element_at

SECURITY_MODEL = 3  # the user-based one (RFC 3411)
AUTH, PRIV, REPORTABLE = 1, 2, 4  # msgFlags
REPORT, RESPONSE = 0xA8, 0xA2
SEQUENCE = 0x30
MOST_NUMBER = 2**31 - 1
_LEAST_MAX_SIZE = 484  # RFC 3412 section 6: of msgMaxSize
_REPORTS = {
    (1, 3, 6, 1, 6, 3, 11, 2, 1): ("snmpUnknownSecurityModels", "snmpInvalidMsgs", "snmpUnknownPDUHandlers"),
    (1, 3, 6, 1, 6, 3, 12, 1): ("", "", "", "snmpUnavailableContexts", "snmpUnknownContexts"),
    (1, 3, 6, 1, 6, 3, 15, 1, 1): (
        "usmStatsUnsupportedSecLevels",
        "usmStatsNotInTimeWindows",
        "usmStatsUnknownUserNames",
        "usmStatsUnknownEngineIDs",
        "usmStatsWrongDigests",
        "usmStatsDecryptionErrors",
    ),
}


@dataclass(frozen=True, slots=True)
class Form:
    """Where the fields of one message are, and what it says in all octets that do not differ from message to message.

    Slices are of contents. `data` is the scoped PDU where it is not encrypted, and the ciphertext where it is.
    """

    level: int  # AUTH and PRIV of msgFlags
    engine_id: bytes
    boots: int
    user: bytes
    message_id: slice
    time: slice
    digest: slice
    salt: slice
    data: slice
    mask: int
    skeleton: int

    def fits(self, datagram: bytes) -> bool:
        """Whether a datagram of the same length has its fields in the same places and says the same around them."""
        return int.from_bytes(datagram[: self.data.start], "little") & self.mask == self.skeleton


def read_form(datagram: bytes) -> Form:
    """Raises BadReply, also with `version`, or with `security` for another security model."""
    whole = _only(datagram, slice(0, len(datagram)), SEQUENCE)
    version, rest = _number(datagram, whole)
    if version != 3:
        raise BadReply("version")
    header, rest = _element(datagram, rest, SEQUENCE)
    security, rest = _element(datagram, rest, Tag.OCTET_STRING)
    level, message_id = _read_header(datagram, header)
    engine_id, fields = _element(datagram, _only(datagram, security, SEQUENCE), Tag.OCTET_STRING)
    boots, fields = _number(datagram, fields)
    time, fields = _element(datagram, fields, Tag.INTEGER)
    user, fields = _element(datagram, fields, Tag.OCTET_STRING)
    digest, fields = _element(datagram, fields, Tag.OCTET_STRING)
    salt = _only(datagram, fields, Tag.OCTET_STRING)
    data = _only(datagram, rest, Tag.OCTET_STRING if level & PRIV else SEQUENCE)
    if not level & PRIV:
        data = rest
    mask = bytearray(b"\xff" * data.start)
    for varies in (message_id, time, digest, salt):
        mask[varies] = bytes(varies.stop - varies.start)
    fixed = int.from_bytes(mask, "little")
    skeleton = int.from_bytes(datagram[: data.start], "little") & fixed
    return Form(level, datagram[engine_id], boots, datagram[user], message_id, time, digest, salt, data, fixed, skeleton)


def _read_header(datagram: bytes, header: slice) -> tuple[int, slice]:
    """(security level, where msgID is) of a HeaderData's contents."""
    message_id, rest = _element(datagram, header, Tag.INTEGER)
    max_size, rest = _number(datagram, rest)
    flags, rest = _element(datagram, rest, Tag.OCTET_STRING)
    model, rest = _number(datagram, rest)
    if rest.start != rest.stop or flags.stop - flags.start != 1 or max_size < _LEAST_MAX_SIZE:
        raise BadReply("malformed")
    if model != SECURITY_MODEL:
        raise BadReply("security")
    level = datagram[flags.start] & (AUTH | PRIV)
    if level == PRIV:  # RFC 3412 section 7.2 (5): not allowed
        raise BadReply("malformed")
    return level, message_id


@dataclass(frozen=True, slots=True)
class Scoped:
    """Where a scoped PDU has its PDU, whole; the octets before the PDU's contents; and the context that it names."""

    pdu: slice
    prefix: bytes
    engine_id: bytes
    name: bytes


def read_scoped(plaintext: bytes, most_padding: int) -> Scoped:
    """`most_padding` octets of any kind may follow the scoped PDU."""
    tag, scoped, end = element_at(plaintext, 0, len(plaintext))
    if tag != SEQUENCE or len(plaintext) - end > most_padding:
        raise BadReply("malformed")
    engine_id, rest = _element(plaintext, slice(scoped, end), Tag.OCTET_STRING)
    name, pdu = _element(plaintext, rest, Tag.OCTET_STRING)
    _, contents, pdu_end = element_at(plaintext, pdu.start, end)
    if pdu_end != end:
        raise BadReply("malformed")
    return Scoped(pdu, plaintext[:contents], plaintext[engine_id], plaintext[name])


def report_name(pdu: bytes) -> str:
    """What a Report PDU counts, as its MIB names it (RFC 3414, RFC 3412, RFC 3413)."""
    rest = _only(pdu, slice(0, len(pdu)), REPORT)
    for _ in range(3):
        _, rest = _element(pdu, rest, Tag.INTEGER)
    varbind, _ = _element(pdu, _only(pdu, rest, SEQUENCE), SEQUENCE)
    oid, _ = _element(pdu, varbind, Tag.OBJECT_IDENTIFIER)
    try:
        *group, column, _ = decode_oid(pdu[oid])
    except ValueError:
        raise BadReply("malformed") from None
    names = dict(enumerate(_REPORTS.get(tuple(group), ()), 1))
    return names.get(column) or "a Report of another kind"


def number(datagram: bytes, contents: slice) -> int:
    """INTEGER (0..2147483647), the range of all numbers of a message (RFC 3412, RFC 3414)."""
    value = int.from_bytes(datagram[contents], "big", signed=True)
    if contents.start == contents.stop or not 0 <= value <= MOST_NUMBER:
        raise BadReply("malformed")
    return value


def _element(raw: bytes, within: slice, wanted: int) -> tuple[slice, slice]:
    """(contents of the first element, what follows it)."""
    tag, begin, end = element_at(raw, within.start, within.stop)
    if tag != wanted:
        raise BadReply("malformed")
    return slice(begin, end), slice(end, within.stop)


def _only(raw: bytes, within: slice, wanted: int) -> slice:
    contents, rest = _element(raw, within, wanted)
    if rest.start != rest.stop:
        raise BadReply("malformed")
    return contents


def _number(raw: bytes, within: slice) -> tuple[int, slice]:
    contents, rest = _element(raw, within, Tag.INTEGER)
    return number(raw, contents), rest
