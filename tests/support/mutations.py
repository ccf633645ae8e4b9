"""Answers made wrong at random: octets, lengths, varbinds, and splices of two answers."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

_TAGS = (0x02, 0x04, 0x05, 0x06, 0x41, 0x42, 0x43, 0x44, 0x46, 0x80, 0x81, 0x82, 0x30, 0xA2, 0xA8, 0x1F, 0x24)
_LENGTHS = (b"\x00", b"\x01", b"\x7f", b"\x80", b"\x81\x01", b"\x82\x00\x01", b"\x84\x00\x00\x00\x04", b"\xff", b"\x89")


def elements(raw: bytes) -> list[tuple[int, int, int]]:
    """(begin, begin of contents, end) of each BER element, outer ones first; what is broken is left out."""
    found: list[tuple[int, int, int]] = []
    within = [(0, len(raw))]
    while within:
        at, end = within.pop()
        while at + 2 <= end:
            begin = at + 2
            length = raw[at + 1]
            if length > 0x80:
                begin += length & 0x7F
                length = int.from_bytes(raw[at + 2 : begin], "big")
            if begin + length > end:
                break
            found.append((at, begin, begin + length))
            if raw[at] & 0x20:
                within.append((begin, begin + length))
            at = begin + length
    return found


def mutated(answer: bytes, other: bytes, chance: Random) -> bytes:
    """`answer`, changed once or a few times; `other` is what it may be spliced with."""
    for _ in range(chance.choice((1, 1, 1, 1, 1, 2, 3))):
        answer = chance.choice(_KINDS)(answer, other, chance)[:1400]
    return answer


def _bit(answer: bytes, other: bytes, chance: Random) -> bytes:
    return _at_random(answer, chance, 1, lambda old: bytes((old[0] ^ 1 << chance.randrange(8),)) if old else b"")


def _octets(answer: bytes, other: bytes, chance: Random) -> bytes:
    return _at_random(answer, chance, chance.choice((1, 1, 3)), lambda old: chance.randbytes(len(old)))


def _cut(answer: bytes, other: bytes, chance: Random) -> bytes:
    return answer[: chance.randrange(len(answer) + 1)]


def _insert(answer: bytes, other: bytes, chance: Random) -> bytes:
    return _at_random(answer, chance, 0, lambda _: chance.randbytes(chance.randrange(1, 4)))


def _delete(answer: bytes, other: bytes, chance: Random) -> bytes:
    return _at_random(answer, chance, chance.randrange(1, 4), lambda _: b"")


def _splice(answer: bytes, other: bytes, chance: Random) -> bytes:
    return answer[: chance.randrange(len(answer) + 1)] + other[chance.randrange(len(other) + 1) :]


def _length(answer: bytes, other: bytes, chance: Random) -> bytes:
    """One element gets another length, its parents keep theirs."""
    found = elements(answer)
    if not found:
        return answer
    begin, content, _ = chance.choice(found)
    return answer[: begin + 1] + chance.choice(_LENGTHS) + answer[content:]


def _type(answer: bytes, other: bytes, chance: Random) -> bytes:
    found = elements(answer)
    if not found:
        return answer
    begin = chance.choice(found)[0]
    return answer[:begin] + bytes((chance.choice(_TAGS),)) + answer[begin + 1 :]


def _value(answer: bytes, other: bytes, chance: Random) -> bytes:
    """The contents of a value change, its length does not: what comparison alone must see."""
    plain = [found for found in elements(answer) if not answer[found[0]] & 0x20 and found[2] > found[1]]
    if not plain:
        return answer
    _, begin, end = chance.choice(plain)
    new = chance.choice((chance.randbytes(end - begin), bytes(end - begin), b"\xff" * (end - begin)))
    return answer[:begin] + new + answer[end:]


def _resized(answer: bytes, other: bytes, chance: Random) -> bytes:
    """The contents of a value get another length, and all lengths around it are right."""
    plain = [found for found in elements(answer) if not answer[found[0]] & 0x20]
    if not plain:
        return answer
    at, _, _ = chance.choice(plain)
    octets = chance.choice((0, 1, 2, 3, 4, 5, 8, 9, 10))
    return rebuilt(answer, {at: bytes((answer[at], octets)) + chance.choice((b"\0", b"\x80", b"\xff", b"\1")) * octets})


def _twice(answer: bytes, other: bytes, chance: Random) -> bytes:
    """A varbind comes twice, and all lengths around it are right."""
    varbinds = _varbinds(answer)
    if not varbinds:
        return answer
    begin, end = chance.choice(varbinds)
    return rebuilt(answer, {begin: answer[begin:end] * 2})


def _swapped(answer: bytes, other: bytes, chance: Random) -> bytes:
    varbinds = _varbinds(answer)
    if len(varbinds) < 2:
        return answer
    (a, a_end), (b, b_end) = sorted(chance.sample(varbinds, 2))
    return answer[:a] + answer[b:b_end] + answer[a_end:b] + answer[a:a_end] + answer[b_end:]


def _without(answer: bytes, other: bytes, chance: Random) -> bytes:
    varbinds = _varbinds(answer)
    return rebuilt(answer, {chance.choice(varbinds)[0]: b""}) if varbinds else answer


def _loose(answer: bytes, other: bytes, chance: Random) -> bytes:
    """The same in another encoding that BER allows, though not all of them are allowed here (RFC 3417 section 8)."""
    found = elements(answer)
    if not found:
        return answer
    at, begin, end = chance.choice(found)
    tag, content = answer[at : at + 1], answer[begin:end]
    width = chance.choice((1, 2, 3, 4, 5))
    ways = [tag + bytes((0x80 | width,)) + len(content).to_bytes(width, "big") + content] if len(content) < 0x100 else []
    if answer[at] & 0x20:
        ways.append(tag + b"\x80" + content + b"\0\0")
    elif answer[at] == 0x04 and len(content) < 0x70:
        ways.append(bytes((0x24, len(content) + 2)) + tag + bytes((len(content),)) + content)
    elif answer[at] == 0x02:
        ways.append(tag + bytes((len(content) + 1,)) + b"\0" + content)
    return rebuilt(answer, {at: chance.choice(ways)}) if ways else answer


def _at_random(answer: bytes, chance: Random, octets: int, change: Callable[[bytes], bytes]) -> bytes:
    at = chance.randrange(len(answer) + 1)
    return answer[:at] + change(answer[at : at + octets]) + answer[at + octets :]


def _varbinds(answer: bytes) -> list[tuple[int, int]]:
    """A SEQUENCE that begins with an OBJECT IDENTIFIER is one."""
    return [(at, end) for at, begin, end in elements(answer) if answer[at] == 0x30 and answer[begin : begin + 1] == b"\x06"]


def rebuilt(raw: bytes, instead: dict[int, bytes]) -> bytes:
    """`raw` with other elements where `instead` says, and right lengths around them."""

    def build(at: int, end: int) -> bytes:
        out = b""
        while at < end:
            begin = at + 2
            length = raw[at + 1] if at + 1 < end else 0
            if length > 0x80:
                begin += length & 0x7F
                length = int.from_bytes(raw[at + 2 : begin], "big")
            if begin + length > end:
                return out + raw[at:end]
            if at in instead:
                out += instead[at]
            elif raw[at] & 0x20:
                content = build(begin, begin + length)
                size = b"\x82" + len(content).to_bytes(2, "big") if len(content) > 0x7F else bytes((len(content),))
                out += raw[at : at + 1] + size + content
            else:
                out += raw[at : begin + length]
            at = begin + length
        return out

    return build(0, len(raw))


_ROUGH = (_bit, _octets, _cut, _insert, _delete, _splice, _length, _type)
_FINE = (_value, _value, _resized, _resized, _twice, _swapped, _without, _loose)  # much of what these make is taken
_KINDS = _ROUGH + _FINE
