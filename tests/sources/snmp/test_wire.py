from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import encoder
from pyasn1.type import univ

from server.core.errors import BadReply
from server.sources.snmp.wire import (
    Tag,
    VarBind,
    decode_index,
    decode_oid,
    element_at,
    encode_oid,
    parse_varbind,
    pdu_tag,
)

NUMBERS = st.lists(st.integers(0, 2**32 - 1), max_size=12)


@given(NUMBERS)
def test_an_oid_is_encoded_as_pyasn1_does_it(tail: list[int]) -> None:
    oid = (1, 3, *tail)
    assert encode_oid(oid) == encoder.encode(univ.ObjectIdentifier(oid))[2:]
    assert decode_index(encode_oid(oid)[1:]) == tuple(tail)


@given(st.sampled_from([(0, 39), (1, 0), (1, 39), (2, 0), (2, 999)]), NUMBERS)
def test_an_oid_is_decoded_as_it_was_encoded(begin: tuple[int, int], tail: list[int]) -> None:
    assert decode_oid(encode_oid((*begin, *tail))) == (*begin, *tail)


@pytest.mark.parametrize("content", [b"\x81", b"\x90\x80\x80\x80\x00"])
def test_an_index_that_is_cut_or_too_large_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="identifier"):
        decode_index(content)


@pytest.mark.parametrize(
    ("tag", "content", "number"),
    [
        (Tag.COUNTER64, b"\x00" + b"\xff" * 8, 2**64 - 1),
        (Tag.COUNTER64, b"\x01" + b"\xff" * 8, None),
        (Tag.COUNTER32, b"\x00\xff\xff\xff\xff", 2**32 - 1),
        (Tag.COUNTER32, b"\x01\x00\x00\x00\x00", None),
        (Tag.COUNTER32, b"\xff", None),
        (Tag.COUNTER32, b"", None),
        (Tag.INTEGER, b"\x07", 7),
        (Tag.INTEGER, b"\xff", None),
    ],
)
def test_a_number_out_of_its_types_range_is_none(tag: Tag, content: bytes, number: int | None) -> None:
    assert VarBind(b"", tag, content).number(tag) == number


def test_a_number_of_another_type_is_none() -> None:
    assert VarBind(b"", Tag.COUNTER32, b"\x01").number(Tag.COUNTER64) is None


@pytest.mark.parametrize(
    ("raw", "at", "found"),
    [
        (b"\x05\x00", 0, (5, 2, 2)),
        (b"..\x04\x02ab.", 2, (4, 4, 6)),
        (b"\x04\x81\x80" + b"x" * 128, 0, (4, 3, 131)),
        (b"\x04\x83\x00\x00\x01x.", 0, (4, 5, 6)),
    ],
)
def test_an_element_ends_where_its_length_says(raw: bytes, at: int, found: tuple[int, int, int]) -> None:
    assert element_at(raw, at, len(raw)) == found


@pytest.mark.parametrize(
    ("raw", "limit"),
    [
        pytest.param(b"\x04\x00", 1, id="no room for a length"),
        pytest.param(b"\x04\x80" + bytes(128), 130, id="indefinite length"),
        pytest.param(b"\x04\x84\x00\x00\x00\x00", 6, id="a length of four octets"),
        pytest.param(b"\x04\xff" + bytes(127), 129, id="a length of 127 octets"),
        pytest.param(b"\x04\x82\x00", 3, id="a length that is cut"),
        pytest.param(b"\x04\x81\x00", 2, id="a length beyond the limit"),
        pytest.param(b"\x04\x02a", 3, id="contents that are cut"),
        pytest.param(b"\x04\x02ab", 3, id="contents beyond the limit"),
    ],
)
def test_an_element_with_a_forbidden_length_or_beyond_its_limit_is_refused(raw: bytes, limit: int) -> None:
    with pytest.raises(BadReply, match="malformed"):
        element_at(raw, 0, limit)


GOOD = bytes.fromhex("3008060329010241 0101".replace(" ", ""))


@pytest.mark.parametrize(
    "raw", [b"", b"\x30", b"\x31\x00", b"\x30\x02\x05\x00", GOOD[:-1], b"\x30\x80" + GOOD[2:], b"\x30\x81"]
)
def test_what_is_no_varbind_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_varbind(raw)


@given(st.binary(max_size=60))
def test_any_octets_give_a_varbind_or_a_value_error(raw: bytes) -> None:
    try:
        varbind = parse_varbind(raw)
    except ValueError:
        return
    assert varbind.content in raw


def test_a_long_form_length_is_read() -> None:
    value = b"x" * 300
    raw = b"\x30\x82" + (3 + 4 + 300 + 1).to_bytes(2, "big") + b"\x06\x02\x2b\x06" + b"\x04\x82\x01\x2c" + value
    assert parse_varbind(raw) == VarBind(b"\x2b\x06", Tag.OCTET_STRING, value)


MESSAGE = bytes.fromhex("300b020101 0401 78 a203 020107".replace(" ", ""))


def test_the_pdu_of_a_message_is_known_by_its_tag() -> None:
    assert pdu_tag(MESSAGE) == 0xA2


@pytest.mark.parametrize(
    "message",
    [
        b"",
        MESSAGE[:-1],
        MESSAGE + b"\x00",
        b"\x31" + MESSAGE[1:],
        MESSAGE.replace(b"\x04\x01x", b"\x05\x01x"),
        MESSAGE.replace(b"\xa2\x03", b"\xa2\x02"),
        MESSAGE.replace(b"\x30\x0b", b"\x30\x80") + b"\x00\x00",
    ],
)
def test_what_is_no_message_has_no_pdu(message: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        pdu_tag(message)


def test_no_object_identifier_has_a_number_below_zero() -> None:
    with pytest.raises(ValueError, match="below zero"):
        encode_oid((1, 3, -1))
