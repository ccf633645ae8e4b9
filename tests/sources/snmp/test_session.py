from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from unittest.mock import patch

import pytest

from server.core.errors import BadReply, NoAnswer, UnknownHost
from server.sources.snmp.engine import Wait
from server.sources.snmp.message import Operation, Request
from server.sources.snmp.mib import SYS_UP_TIME
from server.sources.snmp.pysnmp_stack.codec import CommunityCodec
from server.sources.snmp.session import SocketSession, resolve
from server.sources.snmp.settings import SnmpV1V2
from server.sources.snmp.wire import Tag
from tests.sources.snmp.tables import UP_TIME, table
from tests.support.hostile_agent import GET, HostileAgent, Mischief, hostile_agent, number

ASK = Request.of(Operation.GET, (SYS_UP_TIME,))


@asynccontextmanager
async def talking(mischief: Mischief | None = None) -> AsyncIterator[tuple[HostileAgent, SocketSession, Counter[str]]]:
    bad: Counter[str] = Counter()
    codec = CommunityCodec(SnmpV1V2.model_validate({"version": "2c", "community": "public"}))
    async with hostile_agent(table()) as agent:
        agent.mischief = mischief
        session = await SocketSession.open(("127.0.0.1", agent.port), codec, lambda check: bad.update([check]))
        try:
            yield agent, session, bad
        finally:
            await session.close()


def within(seconds: float, tries: int = 1) -> Wait:
    return Wait(tries, seconds / tries, asyncio.get_running_loop().time() + seconds)


async def ticks(session: SocketSession, wait: Wait) -> int | None:
    return (await session.ask(ASK, wait)).varbinds[0].number(Tag.TIME_TICKS)


FORGED = [(UP_TIME, number(0x43, 666))]


@pytest.mark.parametrize(
    ("mischief", "check"),
    [
        (lambda heard: [b"", b"\x30", b"\xff" * 1400], "malformed"),
        (lambda heard: [heard.reply()[:-5]], "malformed"),
        (lambda heard: [heard.reply() + b"\x00\x00"], "malformed"),
        (lambda heard: [b"\x30\x80" * 2000], "malformed"),
        (lambda heard: [b"x" * 4097], "size"),
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
        assert await ticks(session, within(5)) == 500_000
        assert set(bad) == {check}


@pytest.mark.gen_test
async def test_datagrams_that_nobody_asked_for_cost_nothing(io_loop: object) -> None:
    async with talking() as (agent, session, bad):
        assert await ticks(session, within(5)) == 500_000
        session.datagram_received(agent.heard[0].reply(FORGED), ("127.0.0.1", 1))
        assert not bad


@pytest.mark.gen_test
async def test_a_flood_is_dropped_before_it_is_decoded(io_loop: object) -> None:
    async with talking(lambda heard: [heard.reply(), *[b"\x30\x00"] * 200]) as (agent, session, bad):
        decode, decoded = session._codec.decode, Counter[str]()

        def counted(datagram: bytes) -> object:
            decoded["datagrams"] += 1
            return decode(datagram)

        with patch.object(session._codec, "decode", counted):
            while bad["flood"] <= 50:
                with contextlib.suppress(BadReply, NoAnswer):
                    await ticks(session, within(0.1))
        assert decoded["datagrams"] <= 16 + 2 * len(agent.heard)


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
