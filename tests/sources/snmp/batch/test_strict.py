from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.errors import BadReply
from server.sources.snmp.batch.strict import walk_message, walk_pdu, well_formed
from server.sources.snmp.wire import Tag, encode_oid
from tests.sources.snmp.batch.scripted import OIDS, count, element, honest, message, number, pdu, reply

ID = 0x12345678
GOOD = reply(ID, honest())


def refusal(raw: bytes) -> str:
    with pytest.raises(BadReply) as caught:
        walk_message(raw)
    return str(caught.value)


def test_an_answer_is_taken_apart() -> None:
    version, community, inner = walk_message(reply(ID, honest(3), status=5, index=2))
    assert (version, community, inner.tag, inner.request_id) == (1, b"public", 0xA2, ID)
    assert (inner.error_status, inner.error_index) == (5, 2)
    assert [varbind.oid for varbind in inner.varbinds] == list(OIDS)


def test_values_and_the_request_id_are_where_it_says() -> None:
    inner = walk_message(GOOD).pdu
    assert GOOD[inner.request_id_at : inner.request_id_at + inner.request_id_octets] == ID.to_bytes(4, "big")
    assert [count(int.from_bytes(GOOD[v.begin : v.end], "big")) for v in inner.varbinds[1:]] == [v for _, v in honest()[1:]]


def test_a_pdu_alone_is_walked_too() -> None:
    assert walk_pdu(pdu(ID, honest())).request_id == ID
    assert walk_pdu(pdu(ID, [])).varbinds == []


@pytest.mark.parametrize("size", range(len(GOOD)))
def test_a_part_of_an_answer_is_none(size: int) -> None:
    assert refusal(GOOD[:size]) == "malformed"


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(GOOD + b"\0", id="something after it"),
        pytest.param(element(0x31, GOOD[3:]), id="not a sequence"),
        pytest.param(b"\x30\x80" + GOOD[3:] + b"\0\0", id="indefinite length"),
        pytest.param(b"\x30\x84\0\0\0\0" + GOOD[3:], id="a length of four octets"),
        pytest.param(message(pdu(ID, honest()) + b"\x05\0"), id="something after the PDU"),
        pytest.param(message(element(0xA2, pdu(ID, honest())[3:] + b"\x05\0")), id="something after the varbinds"),
        pytest.param(element(0x30, number(Tag.COUNTER32, 1) + GOOD[6:]), id="a version that is no INTEGER"),
        pytest.param(message(element(0xA2, number(Tag.INTEGER, 1 << 40) + pdu(ID, [])[8:])), id="a long request-id"),
        pytest.param(reply(ID, [(OIDS[0], count(1) + count(2))]), id="two values in a varbind"),
        pytest.param(reply(ID, [(OIDS[0], b"")]), id="no value in a varbind"),
        pytest.param(reply(ID, [(OIDS[0], b"\x46\x7f\x01")]), id="a value longer than its varbind"),
    ],
)
def test_what_is_not_nested_exactly_is_malformed(raw: bytes) -> None:
    assert refusal(raw) == "malformed"


def test_a_name_that_comes_twice_is_refused_but_at_the_end_of_the_view() -> None:
    assert refusal(reply(ID, [(OIDS[1], count(1)), (OIDS[1], count(1))])) == "oid"
    end = element(Tag.END_OF_MIB_VIEW, b"")
    assert len(walk_message(reply(ID, [(OIDS[1], count(1)), (OIDS[1], end), (OIDS[1], end)])).pdu.varbinds) == 3


@pytest.mark.parametrize(
    "oid", [b"", b"\x2b\x80", b"\x2b\x80\x01", b"\x2b\x81", b"\x2b\x90\x80\x80\x80\x00", b"\x2b" + b"\xff" * 40]
)
def test_an_ill_formed_name_is_refused(oid: bytes) -> None:
    assert not well_formed(oid)
    assert refusal(reply(ID, [(oid, count(1))])) == "oid"


@given(st.lists(st.integers(0, 0xFFFFFFFF), max_size=20))
def test_every_name_that_we_encode_is_well_formed(tail: list[int]) -> None:
    assert well_formed(encode_oid((1, 3, *tail)))


@given(st.binary(max_size=80), st.integers(0, len(GOOD)))
def test_whatever_comes_is_walked_or_refused(rubbish: bytes, at: int) -> None:
    for raw in (rubbish, GOOD[:at] + rubbish, GOOD[:at] + rubbish + GOOD[at + len(rubbish) :]):
        with suppress(BadReply):
            walk_message(raw)
