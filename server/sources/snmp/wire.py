"""Varbinds on the wire (RFC 3416, BER). Only their outer form is trusted, so that one bad value spoils one cell.

A library that decodes values by their ASN.1 constraints refuses the whole PDU for one negative counter.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from server.core.errors import BadReply

Oid = tuple[int, ...]


class Tag(IntEnum):
    """The BER tags of the values that SNMP carries."""

    INTEGER = 0x02
    OCTET_STRING = 0x04
    NULL = 0x05
    OBJECT_IDENTIFIER = 0x06
    COUNTER32 = 0x41
    GAUGE32 = 0x42
    TIME_TICKS = 0x43
    COUNTER64 = 0x46
    NO_SUCH_OBJECT = 0x80
    NO_SUCH_INSTANCE = 0x81
    END_OF_MIB_VIEW = 0x82


MISSING = frozenset({Tag.NO_SUCH_OBJECT, Tag.NO_SUCH_INSTANCE, Tag.END_OF_MIB_VIEW})
_BITS = {Tag.COUNTER32: 32, Tag.GAUGE32: 32, Tag.TIME_TICKS: 32, Tag.COUNTER64: 64}


class VarBind(NamedTuple):
    """One variable of an answer: encoded OID (contents only), the value's tag and contents."""

    oid: bytes
    tag: int
    content: bytes

    def number(self, tag: Tag) -> int | None:
        """The value as a non-negative number of this type; None where it is of another type or out of its range."""
        if self.tag != tag or not self.content:
            return None
        value = int.from_bytes(self.content, "big", signed=True)
        return value if 0 <= value < 1 << _BITS.get(tag, 31) else None


def parse_varbind(raw: bytes) -> VarBind:
    """A whole varbind, `SEQUENCE { OBJECT IDENTIFIER, value }`. Raises ValueError where it is not that."""
    tag, begin, end = _element_at(raw, 0, len(raw))
    if tag != 0x30 or end != len(raw):
        raise ValueError("not a varbind")
    oid_tag, oid_begin, oid_end = _element_at(raw, begin, end)
    if oid_tag != Tag.OBJECT_IDENTIFIER:
        raise ValueError("not an object identifier")
    return VarBind(raw[oid_begin:oid_end], *parse_value(raw[oid_end:end]))


def parse_value(raw: bytes) -> tuple[int, bytes]:
    """(tag, contents) of one whole element. Raises ValueError where it is not one."""
    tag, begin, end = _element_at(raw, 0, len(raw))
    if end != len(raw):
        raise ValueError("value does not end with its varbind")
    return tag, raw[begin:end]


def element_at(raw: bytes, at: int, limit: int) -> tuple[int, int, int]:
    """(tag, begin, end of contents) of the element at `at`, which ends by `limit`. Raises BadReply `malformed`.

    Definite lengths of up to three octets only, as RFC 3417 section 8 requires.
    """
    begin = at + 2
    if begin > limit:
        raise BadReply("malformed")
    length = raw[at + 1]
    if length >= 0x80:
        octets = length & 0x7F
        if not 1 <= octets <= 3:
            raise BadReply("malformed")
        length = int.from_bytes(raw[begin : begin + octets], "big")
        begin += octets
    end = begin + length
    if end > limit:
        raise BadReply("malformed")
    return raw[at], begin, end


def _element_at(raw: bytes, at: int, limit: int) -> tuple[int, int, int]:
    """`element_at`, but raises ValueError, as the others here do: the strict walk has no time to translate its errors."""
    try:
        return element_at(raw, at, limit)
    except BadReply:
        raise ValueError("not an element") from None


def pdu_tag(message: bytes) -> int:
    """The tag of the PDU in a message of version 1 or 2c (RFC 1157, RFC 1901). Raises ValueError where it is none."""
    tag, begin, end = _element_at(message, 0, len(message))
    if tag != 0x30 or end != len(message):
        raise ValueError("not a message")
    for wanted in (Tag.INTEGER, Tag.OCTET_STRING):
        tag, _, begin = _element_at(message, begin, end)
        if tag != wanted:
            raise ValueError("not a message")
    tag, _, pdu_end = _element_at(message, begin, end)
    if pdu_end != end:
        raise ValueError("PDU does not end with its message")
    return tag


def element(tag: int, content: bytes) -> bytes:
    """A whole element."""
    if len(content) < 0x80:
        return bytes((tag, len(content))) + content
    size = len(content).to_bytes(3, "big").lstrip(b"\0")
    return bytes((tag, 0x80 | len(size))) + size + content


def integer(number: int) -> bytes:
    """A whole INTEGER that is not negative."""
    return element(Tag.INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def encode_oid(oid: Oid) -> bytes:
    """The contents of an OBJECT IDENTIFIER. Raises ValueError for a number below zero."""
    if min(oid) < 0:
        raise ValueError("an object identifier has no number below zero")
    out = bytearray()
    for number in (oid[0] * 40 + oid[1], *oid[2:]):
        septets = [number & 0x7F]
        while number := number >> 7:
            septets.append(0x80 | number & 0x7F)
        out += bytes(reversed(septets))
    return bytes(out)


def encode_index(index: int) -> bytes:
    """One sub-identifier, as it ends the contents of an OBJECT IDENTIFIER."""
    return encode_oid((0, 0, index))[1:]


def decode_oid(content: bytes) -> Oid:
    """The whole OBJECT IDENTIFIER of these contents. Raises ValueError as `decode_index` does."""
    first, *others = decode_index(content)
    top = min(first // 40, 2)
    return (top, first - 40 * top, *others)


def decode_index(content: bytes) -> Oid:
    """The sub-identifiers in the tail of an OBJECT IDENTIFIER. Raises ValueError where they are cut or above 32 bits."""
    numbers: list[int] = []
    number = 0
    for octet in content:
        number = number << 7 | octet & 0x7F
        if number > 0xFFFFFFFF:
            raise ValueError("sub-identifier above 32 bits")
        if not octet & 0x80:
            numbers.append(number)
            number = 0
    if content and content[-1] & 0x80:
        raise ValueError("truncated object identifier")
    return tuple(numbers)
