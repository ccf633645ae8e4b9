"""The fast path of version 3 against real agents: snmpsim and net-snmp's snmpd."""

from __future__ import annotations

import random
import select
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from server.core.errors import BadReply, NoAnswer
from server.demo.ports import Port
from server.demo.probe import wait_for_answer
from server.sources.snmp.batch.security import ReportReceived
from server.sources.snmp.batch.slots import Slots
from server.sources.snmp.batch.strict import walk_pdu
from server.sources.snmp.batch.template import SlotRequest, Template
from server.sources.snmp.batch.usm import UsmPeer, usm_peer
from server.sources.snmp.batch.usm_message import number, read_form
from server.sources.snmp.message import Operation, Response
from server.sources.snmp.mib import SYS_UP_TIME
from server.sources.snmp.pysnmp_stack.codec import Codecs, V3Codec
from server.sources.snmp.session import SocketSession
from server.sources.snmp.settings import SnmpV3
from server.sources.snmp.wire import Tag, encode_oid
from tests.sources.snmp.batch.usm_agent import response
from tests.sources.snmp.catalogue import RECORDINGS
from tests.sources.snmp.conftest import AUTH, AUTH_KEY, PRIVACY_KEY, Agent, v3_users
from tests.sources.snmp.pysnmp_stack.test_codec import ASK, session_of, up_time, v3

SNMPD = shutil.which("snmpd", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
MUTATIONS = 400
SYSTEM = tuple(encode_oid((1, 3, 6, 1, 2, 1, 1, column, 0)) for column in (1, 2, 4, 5, 6))


async def peer_of(agent: Agent | Snmpd, snmp: SnmpV3) -> UsmPeer:
    """After pysnmp's models asked the device once."""
    async with session_of(agent, snmp) as session:  # type: ignore[arg-type]
        assert await up_time(session) is not None
        return usm_peer(codec_of(session), snmp)


def codec_of(session: SocketSession) -> V3Codec:
    codec = session._codec
    assert isinstance(codec, V3Codec)
    return codec


def ask(port: int, peer: UsmPeer, request_id: int, oids: tuple[bytes, ...] = (SYS_UP_TIME,)) -> bytes:
    """The device's datagram."""
    slot = SlotRequest(("127.0.0.1", port), peer, Operation.GET, oids, (Tag.TIME_TICKS,) * len(oids))
    return exchange(port, peer.encode(Template.of(slot).with_id(request_id), request_id))


def exchange(port: int, datagram: bytes) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5.0)
        client.connect(("127.0.0.1", port))
        client.send(datagram)
        return client.recv(65535)


def check_answers(port: int, peer: UsmPeer) -> None:
    """Requests of several sizes, each form twice: unknown, then known."""
    for request_id, oids in enumerate(([SYS_UP_TIME], SYSTEM[:1], [SYS_UP_TIME, *SYSTEM], [SYS_UP_TIME, *SYSTEM]), 2**30):
        datagram = ask(port, peer, request_id, tuple(oids))
        pdu = walk_pdu(peer.open(datagram, request_id))
        assert (pdu.request_id, pdu.error_status) == (request_id, 0)
        assert [varbind.oid for varbind in pdu.varbinds] == list(oids)
        around = len(datagram) - sum(varbind.end - varbind.begin + len(varbind.oid) for varbind in pdu.varbinds)
        assert around <= peer.overhead + 8 * len(pdu.varbinds)


@pytest.mark.parametrize(("user", "auth", "privacy"), v3_users())
@pytest.mark.gen_test(timeout=90)
async def test_an_agent_answers_at_every_level_with_every_protocol(
    io_loop: object, agent: Agent, user: str, auth: str | None, privacy: str | None
) -> None:
    check_answers(agent.port, await peer_of(agent, v3(user, auth, privacy)))


@pytest.mark.gen_test(timeout=90)
async def test_the_request_table_polls_version_3_and_marks_a_report(io_loop: object, agent: Agent) -> None:
    snmp = v3("priv-AES", "SHA256", "AES")
    async with session_of(agent, snmp) as session:
        await up_time(session)
        learned = codec_of(session).learned()
        assert learned is not None
    peers = [UsmPeer(snmp, learned), UsmPeer(snmp, replace(learned, auth_key=bytes(32)))]
    bad: list[str] = []
    slots = Slots(lambda slot, word, count=1: bad.append(word))
    try:
        address = ("127.0.0.1", agent.port)
        all_slots = slots.add(
            [SlotRequest(address, peer, Operation.GET, (SYS_UP_TIME,), (Tag.TIME_TICKS,)) for peer in peers]
        )
        seen: list[int] = []
        while len(seen) < 3 or seen[-1] == seen[0]:  # unknown form first, then compared; until the clock has moved
            slots.send(all_slots)
            while slots.pending[all_slots].any():
                assert select.select(slots.filenos(), [], [], 5.0)[0]
                slots.receive()
            assert slots.valid[all_slots, 0].tolist() == [True, False]
            assert slots.reported[all_slots].tolist() == [False, True]
            seen.append(int(slots.values[all_slots[0], 0]))
        assert seen == sorted(seen)
    finally:
        slots.close()
    assert not bad


@pytest.mark.gen_test(timeout=90)
async def test_no_peer_is_made_of_a_device_that_has_not_answered(io_loop: object) -> None:
    snmp = v3("auth-SHA", "SHA", None)
    codec = await Codecs().codec(snmp)
    assert isinstance(codec, V3Codec)
    with pytest.raises(NoAnswer):
        usm_peer(codec, snmp)


@pytest.mark.gen_test(timeout=90)
async def test_a_wrong_key_is_answered_with_a_report(io_loop: object, agent: Agent) -> None:
    snmp = v3("auth-SHA", "SHA", None)
    async with session_of(agent, snmp) as session:
        await up_time(session)
        codec = codec_of(session)
        learned = codec.learned()
        assert learned is not None
        peer = UsmPeer(snmp, replace(learned, auth_key=bytes(20)))
    with pytest.raises(ReportReceived, match="usmStatsWrongDigests"):
        peer.open(ask(agent.port, peer, 2**30), 2**30)


@pytest.mark.gen_test(timeout=90)
async def test_a_replaced_agent_says_that_it_is_another_and_is_learnt_anew_through_pysnmp(
    io_loop: object, own_agent: Agent
) -> None:
    snmp = v3("priv-AES", "SHA256", "AES")
    async with session_of(own_agent, snmp) as session:
        await up_time(session)
        codec = codec_of(session)
        before = usm_peer(codec, snmp)
        own_agent.serve({"two": RECORDINGS["two"]})  # with an engine ID of its own
        with pytest.raises(ReportReceived):
            before.open(ask(own_agent.port, before, 2**30), 2**30)
        with pytest.raises(BadReply):  # pysnmp cannot read the new engine's Report, but learns that it is another
            await up_time(session, 0.5)
        await up_time(session)
        check_answers(own_agent.port, usm_peer(codec, snmp))


@pytest.mark.parametrize(("user", "auth", "privacy"), [("auth-SHA", "SHA", None), ("priv-AES", "SHA256", "AES")])
@pytest.mark.gen_test(timeout=60)
async def test_a_changed_answer_is_refused_here_and_by_pysnmp(
    io_loop: object, agent: Agent, user: str, auth: str, privacy: str | None
) -> None:
    snmp = v3(user, auth, privacy)
    async with session_of(agent, snmp) as session:
        await up_time(session)
        codec = codec_of(session)
        peer = usm_peer(codec, snmp)
        request = codec.encode(ASK, 77)
        message_id = number(request, read_form(request).message_id)
        answer = exchange(agent.port, request)
        for known in (False, True):
            chance = random.Random(3)
            for _ in range(MUTATIONS):
                changed = mutated(answer, chance)
                with pytest.raises((BadReply, ReportReceived)):
                    peer.open(changed, message_id)
                if not known:
                    with pytest.raises(BadReply):
                        codec.decode(changed)
            assert walk_pdu(peer.open(answer, message_id)).request_id == 77
        assert isinstance(codec.decode(answer), Response)


def mutated(answer: bytes, chance: random.Random) -> bytes:
    changed = bytearray(answer)
    while changed == answer:
        at = chance.randrange(len(changed))
        match chance.randrange(4):
            case 0:
                changed[at] ^= 1 << chance.randrange(8)
            case 1:
                changed[at : at + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
            case 2:
                del changed[at:]
            case _:
                changed += chance.randbytes(2)
    return bytes(changed)


class Snmpd:
    """net-snmp's agent, with the users of `v3_users` whose protocols it has."""

    def __init__(self, folder: Path, port: Port) -> None:
        self.port = port.number
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        users = [("plain", None, None), *((f"auth-{auth}", auth, None) for auth in AUTH)]
        self.users = [*users, ("priv-DES", "SHA256", "DES"), ("priv-AES", "SHA256", "AES")]
        lines = [f"agentaddress udp:127.0.0.1:{self.port}", "rocommunity public 127.0.0.1"]
        for user, auth, privacy in self.users:
            name = auth[:3] + "-" + auth[3:] if auth is not None and len(auth) > 3 and auth != "MD5" else auth
            keys = f" {name} {AUTH_KEY}" if auth is not None else ""
            keys += f" {privacy} {PRIVACY_KEY}" if privacy is not None else ""
            lines += [f"createUser {user}{keys}", f"rouser {user} {'priv' if privacy else 'auth' if auth else 'noauth'}"]
        (folder / "own.conf").write_text("\n".join(lines) + "\n")

    def start(self) -> None:
        """Again: with snmpEngineBoots one higher."""
        kept = self._folder / "kept"
        kept.mkdir(exist_ok=True)
        command = [str(SNMPD), "-f", "-Lf", str(self._folder / "log"), "-c", str(self._folder / "own.conf")]
        self._process = subprocess.Popen(
            [*command, "-p", str(self._folder / "pid")],
            env={"SNMP_PERSISTENT_DIR": str(kept), "SNMPCONFPATH": str(kept), "PATH": "/usr/bin:/bin"},
        )
        process = self._process
        assert wait_for_answer("127.0.0.1", self.port, 10.0, lambda: process.poll() is None)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None


@pytest.fixture(scope="module")
def snmpd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snmpd]:
    port = Port.reserve()
    agent = Snmpd(tmp_path_factory.mktemp("snmpd"), port)
    try:
        agent.start()
        yield agent
    finally:
        agent.stop()
        port.release()


needs_snmpd = pytest.mark.skipif(SNMPD is None, reason="net-snmp's snmpd is not installed here; .ci/run installs it")


def bare(snmp: SnmpV3) -> SnmpV3:
    return snmp.model_copy(update={"context": ""})


@needs_snmpd
@pytest.mark.gen_test(timeout=60)
async def test_snmpd_answers_at_every_level_that_it_offers(io_loop: object, snmpd: Snmpd) -> None:
    for user, auth, privacy in snmpd.users:
        check_answers(snmpd.port, await peer_of(snmpd, bare(v3(user, auth, privacy))))


@needs_snmpd
@pytest.mark.gen_test(timeout=60)
async def test_after_a_restart_of_snmpd_the_first_request_is_reported_and_those_after_a_new_learning_are_answered(
    io_loop: object, snmpd: Snmpd
) -> None:
    snmp = bare(v3("priv-AES", "SHA256", "AES"))
    async with session_of(snmpd, snmp) as session:  # type: ignore[arg-type]
        await up_time(session)
        codec = codec_of(session)
        before = usm_peer(codec, snmp)
        snmpd.stop()
        snmpd.start()
        with pytest.raises(ReportReceived, match="usmStatsNotInTimeWindows"):
            before.open(ask(snmpd.port, before, 2**30), 2**30)
        await up_time(session)
        after = usm_peer(codec, snmp)
        check_answers(snmpd.port, after)
        assert boots(after) == boots(before) + 1


def boots(peer: UsmPeer) -> int:
    return read_form(peer.encode(response(1, tag=0xA0), 1)).boots
