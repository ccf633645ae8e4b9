from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from unittest.mock import patch

import pytest

from server.core.errors import AuthFailed, BadReply, NoAnswer, UnknownHost
from server.sources.snmp.message import Operation, Request
from server.sources.snmp.mib import SYS_UP_TIME
from server.sources.snmp.pysnmp_client import CommunityCodec
from server.sources.snmp.session import Session, Wait, resolve
from server.sources.snmp.settings import SnmpV1V2
from server.sources.snmp.wire import Tag
from tests.sources.snmp.tables import UP_TIME, table
from tests.support.hostile_agent import GET, HostileAgent, Mischief, hostile_agent, number

ASK = Request.of(Operation.GET, (SYS_UP_TIME,))


@asynccontextmanager
async def talking(mischief: Mischief | None = None) -> AsyncIterator[tuple[HostileAgent, Session, Counter[str]]]:
    bad: Counter[str] = Counter()
    codec = CommunityCodec(SnmpV1V2.model_validate({"version": "2c", "community": "public"}))
    async with hostile_agent(table()) as agent:
        agent.mischief = mischief
        session = await Session.open(("127.0.0.1", agent.port), codec, lambda check: bad.update([check]))
        try:
            yield agent, session, bad
        finally:
            await session.close()


def within(seconds: float, tries: int = 1) -> Wait:
    return Wait(tries, seconds / tries, asyncio.get_running_loop().time() + seconds)


async def ticks(session: Session, wait: Wait) -> int | None:
    return (await session.ask(ASK, wait)).varbinds[0].number(Tag.TIME_TICKS)


@pytest.mark.gen_test
async def test_an_honest_answer_is_taken_with_its_times(io_loop: object) -> None:
    async with talking() as (_, session, bad):
        answer = await session.ask(ASK, within(1))
        assert answer.varbinds[0].number(Tag.TIME_TICKS) == 500_000
        assert 0 < answer.received_ns - answer.sent_ns < 10**9
        assert not bad


FORGED = [(UP_TIME, number(0x43, 666))]


@pytest.mark.parametrize(
    ("mischief", "check"),
    [
        (lambda heard: [b"", b"\x30", b"\xff" * 1400], "malformed"),
        (lambda heard: [heard.reply()[:-5]], "malformed"),
        (lambda heard: [heard.reply() + b"\x00\x00"], "malformed"),
        (lambda heard: [b"\x30\x80" * 4000], "malformed"),
        (lambda heard: [b"x" * 8193], "size"),
        (lambda heard: [heard.reply(FORGED, version=0)], "version"),
        (lambda heard: [heard.reply(FORGED, community=b"hacker")], "community"),
        (lambda heard: [heard.reply(FORGED, operation=GET)], "pdu_type"),
        (lambda heard: [heard.reply(FORGED, request_id=(heard.request_id + 1) % 2**31)], "unpaired"),
    ],
)
@pytest.mark.gen_test
async def test_a_wrong_answer_is_counted_and_the_right_one_still_taken(
    io_loop: object, mischief: Mischief, check: str
) -> None:
    async with talking(lambda heard: [*mischief(heard), heard.reply()]) as (_, session, bad):
        assert await ticks(session, within(1)) == 500_000
        assert set(bad) == {check}


@pytest.mark.gen_test
async def test_nothing_but_unreadable_answers_is_a_bad_reply_and_not_silence(io_loop: object) -> None:
    async with talking(lambda heard: [heard.reply()[:-5]]) as (_, session, _bad):
        with pytest.raises(BadReply, match="none of them can be read"):
            await session.ask(ASK, within(0.1))


@pytest.mark.gen_test
async def test_a_silent_device_is_asked_as_often_as_allowed_within_the_deadline(io_loop: object) -> None:
    async with talking(lambda heard: []) as (agent, session, _):
        begin = time.monotonic()
        with pytest.raises(NoAnswer):
            await session.ask(ASK, within(0.3, tries=3))
        assert 0.25 < time.monotonic() - begin < 0.6
        assert len(agent.heard) == 3


@pytest.mark.gen_test
async def test_no_request_is_sent_after_the_deadline(io_loop: object) -> None:
    async with talking() as (agent, session, _):
        with pytest.raises(NoAnswer):
            await session.ask(ASK, within(-1))
        assert not agent.heard


@pytest.mark.gen_test
async def test_a_second_try_repairs_a_lost_datagram(io_loop: object) -> None:
    async with talking() as (agent, session, _):
        agent.mischief = lambda heard: [] if len(agent.heard) == 1 else [heard.reply()]
        assert await ticks(session, within(0.4, tries=2)) == 500_000


@pytest.mark.gen_test
async def test_a_duplicate_answer_changes_nothing(io_loop: object) -> None:
    async with talking(lambda heard: [heard.reply(), heard.reply(FORGED)]) as (_, session, bad):
        assert await ticks(session, within(1)) == 500_000
        assert await ticks(session, within(1)) == 500_000
        assert set(bad) <= {"unpaired"}


@pytest.mark.gen_test
async def test_a_late_answer_is_not_taken_for_another_but_its_age_is_known(io_loop: object) -> None:
    async with talking(lambda heard: []) as (agent, session, bad):
        with pytest.raises(NoAnswer):
            await session.ask(ASK, within(0.05))
        late = agent.heard[0].reply(FORGED)
        agent.mischief = lambda heard: [late, heard.reply()]
        assert await ticks(session, within(1)) == 500_000
        assert session.late_reply_s is not None
        assert session.late_reply_s >= 0.05
        assert not bad


@pytest.mark.gen_test
async def test_an_error_index_out_of_range_does_not_hang(io_loop: object) -> None:
    async with talking(lambda heard: [heard.reply(error=5, index=9999)]) as (_, session, _bad):
        answer = await session.ask(ASK, within(1))
        assert (answer.error_status, answer.error_index) == (5, 9999)


@pytest.mark.parametrize("status", [6, 16])
@pytest.mark.gen_test
async def test_a_refused_access_is_a_matter_of_credentials(io_loop: object, status: int) -> None:
    async with talking(lambda heard: [heard.reply(error=status, index=1)]) as (_, session, _bad):
        with pytest.raises(AuthFailed, match="check there what they may read"):
            await session.ask(ASK, within(1))


@pytest.mark.gen_test
async def test_an_answer_from_another_port_is_not_seen(io_loop: object) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as spoofer:
        async with talking() as (agent, session, bad):

            def spoof(heard: object) -> list[bytes]:
                peer = session._transport
                assert peer is not None
                spoofer.sendto(agent.heard[-1].reply(FORGED), peer.get_extra_info("sockname"))
                return [agent.heard[-1].reply()]

            agent.mischief = spoof
            for _ in range(20):
                assert await ticks(session, within(1)) == 500_000
            assert not bad


@pytest.mark.gen_test
async def test_a_port_where_nothing_listens_is_silence(io_loop: object) -> None:
    codec = CommunityCodec(SnmpV1V2.model_validate({"version": "2c", "community": "public"}))
    async with hostile_agent({}) as agent:
        port = agent.port
    session = await Session.open(("127.0.0.1", port), codec, lambda check: None)
    try:
        with pytest.raises(NoAnswer):
            await session.ask(ASK, within(0.2, tries=2))
    finally:
        await session.close()


@pytest.mark.gen_test
async def test_datagrams_that_nobody_asked_for_cost_nothing(io_loop: object) -> None:
    async with talking() as (agent, session, bad):
        assert await ticks(session, within(1)) == 500_000
        session.datagram_received(agent.heard[0].reply(FORGED), ("127.0.0.1", 1))
        assert not bad


@pytest.mark.gen_test
async def test_a_flood_is_dropped_before_it_is_decoded(io_loop: object) -> None:
    async with talking(lambda heard: [heard.reply(), *[b"\x30\x00"] * 200]) as (_, session, bad):
        decode, decoded = session._codec.decode, Counter[str]()

        def counted(datagram: bytes) -> object:
            decoded["datagrams"] += 1
            return decode(datagram)

        with patch.object(session._codec, "decode", counted):
            for _ in range(5):
                with contextlib.suppress(BadReply, NoAnswer):
                    await ticks(session, within(0.1))
            session._pending[1] = (asyncio.get_running_loop().create_future(), 0)
            await asyncio.sleep(0.05)
        assert bad["flood"] > 50
        assert decoded["datagrams"] <= 16 + 2 * 5


@pytest.mark.gen_test
async def test_an_address_without_a_way_is_told(io_loop: object) -> None:
    codec = CommunityCodec(SnmpV1V2.model_validate({"version": "2c", "community": "public"}))
    with pytest.raises(NoAnswer, match=r"cannot send to 255.255.255.255: Permission denied"):
        await Session.open(("255.255.255.255", 161), codec, lambda check: None)


@pytest.mark.gen_test
async def test_an_address_needs_no_dns_and_a_name_is_resolved(io_loop: object) -> None:
    assert await resolve("2001:db8::1", 161, 1.0) == ("2001:db8::1", 161)
    assert await resolve("localhost", 161, 5.0) in {("127.0.0.1", 161), ("::1", 161)}


@pytest.mark.gen_test
async def test_an_unknown_host_name_is_told_by_name(io_loop: object) -> None:
    with pytest.raises(UnknownHost, match=r"host name fra1-pe9.invalid is not known to DNS"):
        await resolve("fra1-pe9.invalid", 161, 5.0)
    with pytest.raises(UnknownHost, match="is not known to DNS"):
        await resolve("x" * 70 + ".invalid", 161, 5.0)


@pytest.mark.gen_test
async def test_a_dns_that_does_not_answer_is_told(io_loop: object) -> None:
    async def never(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    with patch.object(asyncio.get_running_loop(), "getaddrinfo", never), pytest.raises(UnknownHost, match="DNS did not"):
        await resolve("fra1-pe9.invalid", 161, 0.05)
