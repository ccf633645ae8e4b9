"""The allow-list of the differential fuzz: where our decoder and pysnmp's may differ, why, and which is right.

In all of them pysnmp takes an answer that ours refuses. Where ours takes one that pysnmp refuses, or both take it and read
another value, nothing is allowed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from server.sources.snmp.wire import Tag
from tests.support.mutations import elements

_SEQUENCE, _EOO = 0x30, b"\0\0"


@dataclass(frozen=True, slots=True)
class Allowed:
    """A kind of answer. `holds` says whether a datagram is of it."""

    name: str
    why: str
    holds: Callable[[bytes], bool]


def allowed_for(octets: bytes, ours: bool, reference: bool) -> str:
    """The name of the entry that allows this disagreement; empty where none does. The flags say who took the answer."""
    if ours or not reference:
        return ""
    return next((entry.name for entry in ALLOWED if entry.holds(octets)), "")


def _varbinds(octets: bytes) -> list[tuple[bytes, int]]:
    """(contents of the OID, tag of the value) of each varbind."""
    found = []
    every = elements(octets)
    ends = {begin: end for begin, _, end in every}
    for begin, content, end in every:
        if octets[begin] == _SEQUENCE and octets[content : content + 1] == b"\x06" and content in ends:
            value = ends[content]
            if value < end:
                oid = next(octets[inside:stop] for at, inside, stop in every if at == content)
                found.append((oid, octets[value]))
    return found


def _repeats_an_oid(octets: bytes) -> bool:
    named = [oid for oid, tag in _varbinds(octets) if tag != Tag.END_OF_MIB_VIEW]
    return len(set(named)) < len(named)


def _has_an_ill_formed_oid(octets: bytes) -> bool:
    return any(not _well_formed(oid) for oid, _ in _varbinds(octets))


def _well_formed(oid: bytes) -> bool:
    parts: list[bytes] = [b""]
    for octet in oid:
        parts[-1] += bytes((octet,))
        if octet < 0x80:
            parts.append(b"")
    *whole, rest = parts
    return bool(whole) and not rest and all(part[0] != 0x80 and _number(part) < 2**32 for part in whole)


def _number(part: bytes) -> int:
    value = 0
    for octet in part:
        value = value << 7 | octet & 0x7F
    return value


def _has_an_odd_integer(octets: bytes) -> bool:
    """Of version, request-id, error-status and error-index; a value is of its cell alone."""
    values = {begin for begin, _, _ in _values(octets)}
    numbers = (
        octets[content:end]
        for begin, content, end in elements(octets)
        if octets[begin] == Tag.INTEGER and begin not in values
    )
    return any(not 1 <= len(number) <= 4 or (len(number) > 1 and number[0] == 0 and number[1] < 0x80) for number in numbers)


def _values(octets: bytes) -> list[tuple[int, int, int]]:
    every = elements(octets)
    ends = {begin: end for begin, _, end in every}
    heads = [
        content for begin, content, _ in every if octets[begin] == _SEQUENCE and octets[content : content + 1] == b"\x06"
    ]
    after = {ends[head] for head in heads if head in ends}
    return [found for found in every if found[0] in after]


def _has_an_indefinite_length(octets: bytes) -> bool:
    return any(octets[at] & 0x20 and octets[at + 1] == 0x80 for at in range(len(octets) - 1)) and _EOO in octets


def _has_a_length_of_many_octets(octets: bytes) -> bool:
    return any(octets[begin + 1] > 0x83 for begin, _, _ in elements(octets))


def _has_a_long_length_at_its_head(octets: bytes) -> bool:
    """Of version, community or request-id: the first three that hold no others; of a PDU alone the first."""
    plain = sorted(begin for begin, _, _ in elements(octets) if not octets[begin] & 0x20)
    return any(octets[begin + 1] > 0x80 for begin in plain[: 3 if octets[:1] == b"\x30" else 1])


def _has_a_constructed_string(octets: bytes) -> bool:
    return any(octets[begin] == 0x24 for begin, _, _ in elements(octets))


ALLOWED = (
    Allowed(
        "an OID comes twice",
        "An answer has one value of each variable (RFC 3416 section 4.2), but for endOfMibView. Which of two is true cannot "
        "be known, so ours takes none.",
        _repeats_an_oid,
    ),
    Allowed(
        "an ill-formed OID",
        "Sub-identifiers have no leading zeros (X.690 8.19.2), end within their OID and are below 2^32 (RFC 2578 7.1.3). "
        "Here varbinds stay raw in the reference, which looks at no OID that it does not look for.",
        _has_an_ill_formed_oid,
    ),
    Allowed(
        "a number of more octets than it takes, or of none",
        "Version, request-id, error-status and error-index are INTEGERs of 32 bits (RFC 3416 section 3), of 1 to 4 octets "
        "without leading zeros (X.690 8.3.2). pyasn1 takes any width, and none for 0; ours finds no request-id behind them.",
        _has_an_odd_integer,
    ),
    Allowed(
        "an indefinite length",
        "RFC 3417 section 8 (2) prohibits it. pyasn1 decodes all of BER.",
        _has_an_indefinite_length,
    ),
    Allowed(
        "a length of four octets or more",
        "No datagram is that long. X.690 allows leading zeros there, and pyasn1 takes them; agents use three octets.",
        _has_a_length_of_many_octets,
    ),
    Allowed(
        "a string in parts",
        "RFC 3417 section 8 (3) wants the primitive form. pyasn1 takes the constructed one too.",
        _has_a_constructed_string,
    ),
    Allowed(
        "a length at the head that is longer than it has to be",
        "pysnmp is right: X.690 8.1.3.5 allows it, in version, community and request-id too. Ours looks for the request-ids "
        "of many answers at once, and only where these three have the shortest lengths. We know no agent that has others.",
        _has_a_long_length_at_its_head,
    ),
)
