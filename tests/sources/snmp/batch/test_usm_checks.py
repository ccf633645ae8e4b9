from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.core.clock import boot_ns
from server.core.errors import BadReply
from server.sources.snmp.batch.security import ReportReceived
from server.sources.snmp.batch.usm import UsmPeer
from server.sources.snmp.batch.usm_message import Form, number, read_form
from server.sources.snmp.engine import Unsupported
from tests.sources.snmp.batch.usm_agent import ENGINE_ID, Engine, credentials, report, response
from tests.support.hostile_agent import element

LEVELS: list[dict[str, Any]] = [
    {"auth": None, "privacy": None},
    {"auth": "SHA", "privacy": None},
    {"auth": "SHA256", "privacy": "AES"},
    {"auth": "SHA512", "privacy": "AES256"},
    {"auth": "MD5", "privacy": "DES"},
    {"auth": "SHA", "privacy": "3DES"},
]
AUTHENTIC = LEVELS[1:]
PRIVATE = LEVELS[2:]
BIG = 0x12345678  # a request-id of four octets


class Clock:
    """CLOCK_BOOTTIME of the peer, which a test moves."""

    def __init__(self) -> None:
        self.now_ns = boot_ns()

    def __call__(self) -> int:
        return self.now_ns

    def advance(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1e9)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("server.sources.snmp.batch.usm.boot_ns", clock)
    return clock


def engine(**level: Any) -> Engine:
    return Engine(credentials(**level))


def asked(peer: UsmPeer, request_id: int = BIG) -> tuple[bytes, Form]:
    datagram = peer.encode(response(request_id, tag=0xA0), request_id)
    return datagram, read_form(datagram)


def refusal(peer: UsmPeer, datagram: bytes, request_id: int = BIG) -> str:
    """The word; a Report counts as `report`."""
    try:
        peer.open(datagram, request_id)
    except BadReply as error:
        return str(error)
    except ReportReceived:
        return "report"
    return ""


@pytest.mark.parametrize("level", LEVELS, ids=str)
def test_an_answer_is_opened_the_first_time_and_when_its_form_is_known(level: dict[str, Any]) -> None:
    device = engine(**level)
    peer = device.peer()
    for ticks in (4711, 4712, 9_999_999):
        assert peer.open(device.message(BIG, response(BIG, ticks)), BIG) == response(BIG, ticks)


@pytest.mark.parametrize("level", LEVELS, ids=str)
@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"engine_id": ENGINE_ID + b"x"}, "security"),
        ({"user": b"monitoR"}, "security"),
        ({"context": b"other"}, "security"),
        ({"context_engine_id": ENGINE_ID.upper()}, "security"),
        ({"model": 2}, "security"),
        ({"max_size": 483}, "malformed"),
    ],
)
def test_an_answer_of_another_engine_user_context_or_model_is_refused(
    level: dict[str, Any], fields: dict[str, Any], word: str
) -> None:
    device = engine(**level)
    peer = device.peer()
    for _ in range(2):  # before and after the form of the right one is known
        assert refusal(peer, device.but(**fields).message(BIG, response(BIG))) == word
        assert refusal(peer, device.message(BIG, response(BIG))) == ""


@pytest.mark.parametrize("level", LEVELS, ids=str)
def test_nothing_may_follow_the_pdu(level: dict[str, Any]) -> None:
    context = element(4, ENGINE_ID) + element(4, b"")
    scoped = element(0x30, context + response(BIG) + element(5, b""))
    assert refusal(engine(**level).peer(), engine(**level).sealed(BIG, scoped)) == "malformed"


@pytest.mark.parametrize("level", LEVELS, ids=str)
def test_an_answer_to_another_request_is_refused(level: dict[str, Any]) -> None:
    device = engine(**level)
    peer = device.peer()
    for _ in range(2):  # before and after its form is known
        assert refusal(peer, device.message(BIG + 1, response(BIG))) == "request_id"
        assert refusal(peer, device.message(BIG, response(BIG))) == ""


@pytest.mark.parametrize("level", AUTHENTIC, ids=str)
def test_an_answer_signed_with_another_key_is_refused(level: dict[str, Any]) -> None:
    device = engine(**level)
    peer = device.peer()
    forger = engine(**level, auth_key="another-key")
    assert refusal(peer, forger.message(BIG, response(BIG))) == "security"
    assert refusal(peer, device.message(BIG, response(BIG))) == ""
    assert refusal(peer, forger.message(BIG, response(BIG))) == "security"


@pytest.mark.parametrize("level", PRIVATE, ids=str)
def test_an_answer_encrypted_with_another_key_is_refused(level: dict[str, Any]) -> None:
    other = engine(**level, privacy_key="another-key")
    assert refusal(engine(**level).peer(), other.message(BIG, response(BIG))) == "malformed"


@pytest.mark.parametrize("level", LEVELS, ids=str)
@pytest.mark.parametrize("other", [0, 1, 2, 3])
def test_no_answer_is_taken_at_another_level_of_security(level: dict[str, Any], other: int) -> None:
    device = engine(**level)
    own = (level["auth"] is not None) + 2 * (level["privacy"] is not None)
    sender = Engine(credentials(), level=other)  # as able as can be
    if other in (0, own) or (other == 1 and level["auth"]):
        sender = device.but(level=other)
    peer = device.peer()
    assert bool(refusal(peer, sender.message(BIG, response(BIG)))) == (other != own)


@pytest.mark.parametrize("level", AUTHENTIC, ids=str)
def test_each_flipped_bit_is_refused_also_when_the_form_is_known(level: dict[str, Any]) -> None:
    device = engine(**level)
    peer = device.peer()
    peer.open(device.message(BIG, response(BIG)), BIG)
    good = device.message(BIG, response(BIG))
    for at in range(len(good)):
        changed = bytearray(good)
        changed[at] ^= 1 << at % 8
        assert refusal(peer, bytes(changed)), f"octet {at}"
    assert refusal(peer, good) == ""


@pytest.mark.parametrize("level", AUTHENTIC, ids=str)
def test_after_a_restart_of_the_device_its_answers_are_taken_and_older_ones_are_not(
    level: dict[str, Any], clock: Clock
) -> None:
    device = engine(**level)
    peer = device.peer()
    assert asked(peer)[1].boots == device.boots
    restarted = device.but(boots=device.boots + 1, time_s=device.time_s + 3)
    assert refusal(peer, restarted.message(BIG, response(BIG))) == ""
    form = asked(peer)[1]
    assert form.boots == restarted.boots
    assert refusal(peer, device.message(BIG, response(BIG))) == "security"


def test_an_answer_may_be_150_s_older_than_the_clock_of_the_device_and_no_more(clock: Clock) -> None:
    device = engine()
    peer = device.peer()
    clock.now_ns = boot_ns()
    clock.advance(1)
    for behind_s, word in ((149, ""), (148, ""), (152, "security"), (10_000, "security")):
        late = device.but(time_s=device.time_s - behind_s)
        assert refusal(peer, late.message(BIG, response(BIG))) == word


def test_the_clock_of_the_device_is_followed_forward_alone(clock: Clock) -> None:
    device = engine()
    peer = device.peer()
    peer.open(device.but(time_s=device.time_s + 5000).message(BIG, response(BIG)), BIG)
    datagram, form = asked(peer)
    assert number(datagram, form.time) == device.time_s + 5000
    assert refusal(peer, device.message(BIG, response(BIG))) == "security"
    datagram, form = asked(peer)
    assert number(datagram, form.time) == device.time_s + 5000


def test_requests_bear_the_time_of_the_device_as_it_passes(clock: Clock) -> None:
    device = engine().but(time_s=100)
    peer = device.peer()
    for passed_s in (0, 27, 28, 40_000, 10_000_000):
        clock.now_ns = peer._started_ns + (100 + passed_s) * 1_000_000_000
        datagram, form = asked(peer)
        assert number(datagram, form.time) == 100 + passed_s
        assert datagram[form.time][:2] not in {b"\0", b"\0\0"}, "in as few octets as it takes"
        assert device.decrypted(datagram[form.data], 7, 100 + passed_s, datagram[form.salt])[:1] == b"\x30"


def test_a_device_whose_boots_have_reached_their_end_is_not_served() -> None:
    with pytest.raises(Unsupported, match="snmpEngineBoots"):
        engine().but(boots=2**31 - 1).peer()
    peer = engine().peer()
    assert refusal(peer, engine().but(boots=2**31 - 1).message(BIG, response(BIG))) == "security"


def test_what_the_machine_refuses_is_told_when_the_peer_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    learned = engine(auth="MD5", privacy=None).learned()

    def refused(name: str) -> None:
        raise ValueError("disabled for FIPS")

    monkeypatch.setattr(hashlib, "new", refused)
    with pytest.raises(Unsupported, match="md5 is not available here"):
        UsmPeer(credentials("MD5", None), learned)


@pytest.mark.parametrize("level", LEVELS, ids=str)
def test_a_report_that_nobody_signed_is_told_and_changes_nothing(level: dict[str, Any]) -> None:
    device = engine(**level)
    peer = device.peer()
    for forger in (device.but(level=0, boots=99, time_s=5), device.but(level=0, engine_id=ENGINE_ID + b"new", user=b"")):
        with pytest.raises(ReportReceived, match="usmStatsNotInTimeWindows"):
            peer.open(forger.message(BIG, report()), BIG)
    assert asked(peer)[1].boots == device.boots
    assert refusal(peer, device.message(BIG, response(BIG))) == ""


@pytest.mark.parametrize("level", AUTHENTIC, ids=str)
def test_a_report_that_claims_a_signature_needs_a_right_one(level: dict[str, Any]) -> None:
    device = engine(**level)
    peer = device.peer()
    clear = device.but(level=1, time_s=1)  # the device's clock went back; it tells without encryption
    good = clear.message(BIG, report())
    assert refusal(peer, good) == ("report" if level["privacy"] else "security")
    assert refusal(peer, good[:-1] + bytes((good[-1] ^ 1,))) == "security"
    assert refusal(peer, device.message(BIG, report())) == "report"


def test_a_report_is_told_by_the_name_of_what_it_counts() -> None:
    device = engine().but(level=0)
    for oid, name in (
        ((1, 3, 6, 1, 6, 3, 15, 1, 1, 4, 0), "usmStatsUnknownEngineIDs"),
        ((1, 3, 6, 1, 6, 3, 12, 1, 5, 0), "snmpUnknownContexts"),
        ((1, 3, 6, 1, 4, 1, 9, 9), "a Report of another kind"),
    ):
        with pytest.raises(ReportReceived, match=f"^{name}$"):
            engine().peer().open(device.message(BIG, report(oid)), BIG)


def test_a_request_is_not_taken_for_an_answer() -> None:
    device = engine()
    assert refusal(device.peer(), device.message(BIG, response(BIG, tag=0xA0))) == "pdu_type"


@pytest.mark.parametrize("privacy", ["DES", "3DES"])
def test_a_block_cipher_may_pad_up_to_a_block_and_no_more(privacy: str) -> None:
    device = engine(auth="SHA", privacy=privacy)
    peer = device.peer()
    for ticks in (0, 1 << 8, 1 << 16, 1 << 24):  # pysnmp's cipher pads by 1 to 8 octets
        assert refusal(peer, device.message(BIG, response(BIG, ticks))) == ""
        assert refusal(peer, device.but(padding=bytes(8)).message(BIG, response(BIG, ticks))) == "malformed"


def test_a_stream_cipher_pads_nothing() -> None:
    device = engine()
    assert refusal(device.peer(), device.but(padding=b"\0").message(BIG, response(BIG))) == "malformed"


@pytest.mark.parametrize("level", PRIVATE, ids=str)
def test_every_message_has_another_salt_and_reads_by_the_reference_cipher(level: dict[str, Any]) -> None:
    device = engine(**level)
    peer = device.peer()
    salts = set()
    for request_id in (1, 0x7F, 0x80, 0x8000, 0x800000, BIG, 2**31 - 1):
        for octets in (1, 2, 3, 7, 8, 15, 16, 17, 100, 500, 1200):
            pdu = b"\xa0\x82" + octets.to_bytes(2, "big") + bytes(octets)
            datagram = peer.encode(pdu, request_id)
            form = read_form(datagram)
            salts.add(datagram[form.salt])
            assert number(datagram, form.message_id) == request_id
            plain = device.decrypted(datagram[form.data], form.boots, number(datagram, form.time), datagram[form.salt])
            assert pdu in plain
            assert len(datagram) <= octets + 4 + peer.overhead
    assert len(salts) == 7 * 11


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_any_octets_are_a_bad_reply(datagram: bytes) -> None:
    assert refusal(PEER, datagram) not in {"", "report"}


@settings(max_examples=300)
@given(st.data())
def test_whatever_an_authentic_device_encrypts_raises_nothing_but_a_bad_reply(data: st.DataObject) -> None:
    whole = bytearray(b"\x30" + bytes((4 + len(ENGINE_ID) + len(response(BIG)),)) + b"\x04" + bytes((len(ENGINE_ID),)))
    whole += ENGINE_ID + b"\x04\x00" + response(BIG)
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    assert refusal(PEER, DEVICE.sealed(BIG, bytes(whole))) in {"", "malformed", "security", "pdu_type", "report"}


DEVICE = Engine(credentials())
PEER = DEVICE.peer()
