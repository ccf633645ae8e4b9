from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.errors import BadReply
from server.sources.snmp.engine import Wait
from server.sources.snmp.message import Operation, Request
from server.sources.snmp.mib import SYS_UP_TIME
from server.sources.snmp.pysnmp_stack.codec import Codecs, CommunityCodec, V3Codec
from server.sources.snmp.session import SocketSession
from server.sources.snmp.settings import SnmpV1V2, SnmpV3
from server.sources.snmp.wire import Tag
from tests.sources.snmp.conftest import AUTH_KEY, PRIVACY_KEY, Agent

ASK = Request.of(Operation.GET, (SYS_UP_TIME,))


def v3(user: str, auth: str | None, privacy: str | None, **more: Any) -> SnmpV3:
    keys: dict[str, Any] = {"auth_key": AUTH_KEY, "privacy_key": PRIVACY_KEY, **more}
    return SnmpV3.model_validate(
        {
            "version": "3",
            "user": user,
            "context": "two",
            "auth": {"protocol": auth, "key": keys["auth_key"]} if auth else None,
            "privacy": {"protocol": privacy, "key": keys["privacy_key"]} if privacy else None,
        }
    )


@asynccontextmanager
async def session_of(agent: Agent, snmp: SnmpV3 | SnmpV1V2, codecs: Codecs | None = None) -> AsyncIterator[SocketSession]:
    codec = await (codecs or Codecs()).codec(snmp)
    session = await SocketSession.open(("127.0.0.1", agent.port), codec, lambda check: None)
    try:
        yield session
    finally:
        await session.close()


async def up_time(session: SocketSession, wait_s: float = 5.0) -> int | None:
    answer = await session.ask(ASK, Wait(1, wait_s, asyncio.get_running_loop().time() + wait_s))
    return answer.varbinds[0].number(Tag.TIME_TICKS)


@pytest.mark.gen_test(timeout=90)
async def test_devices_with_equal_credentials_share_an_engine_that_goes_with_the_last(io_loop: object) -> None:
    codecs = Codecs()
    credentials = v3("auth-SHA", "SHA", None)
    first = await codecs.codec(credentials)
    second = await codecs.codec(credentials.model_copy(update={"context": "x"}))
    await asyncio.sleep(0)
    assert len(codecs._engines) == 1
    del first
    gc.collect()
    assert len(codecs._engines) == 1
    del second
    gc.collect()
    assert len(codecs._engines) == 0


@pytest.mark.gen_test(timeout=90)
async def test_a_device_with_a_new_engine_id_is_learnt_anew(agent: Agent) -> None:
    codecs = Codecs()
    credentials = v3("auth-SHA", "SHA", None)
    async with session_of(agent, credentials, codecs) as session:
        await up_time(session)
        codec = session._codec
        assert isinstance(codec, V3Codec)
        # As if another engine had answered here before.
        peers = codec._model._SnmpV3MessageProcessingModel__engineIdCache
        for peer in peers.values():
            peer["securityEngineId"] = peer["securityEngineId"].clone(b"\x80\x00\x00\x00\x05other")
        assert await up_time(session) is not None


@pytest.mark.gen_test(timeout=90)
async def test_a_device_is_asked_for_its_clock_again_when_it_was_forgotten(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.sources.snmp.pysnmp_stack.codec._EXPIRE_S", -1.0)
    async with session_of(agent, v3("priv-AES", "SHA256", "AES")) as session:
        await up_time(session)
        codec = session._codec
        assert isinstance(codec, V3Codec)
        for request_id in range(1, 305):
            codec.encode(ASK, request_id)
            codec.forget(request_id)
        assert not codec.knows_peer
        assert await up_time(session) is not None


def community_codec(version: str = "2c") -> CommunityCodec:
    return CommunityCodec(SnmpV1V2.model_validate({"version": version, "community": "public"}))


@given(st.binary(max_size=300))
def test_any_octets_are_a_bad_reply_of_version_2c(datagram: bytes) -> None:
    with pytest.raises(BadReply):
        community_codec().decode(datagram)


@pytest.mark.gen_test(timeout=90)
async def test_any_octets_are_a_bad_reply_of_version_3(agent: Agent) -> None:
    codec = await Codecs().codec(v3("auth-SHA", "SHA", None))
    good = codec.encode(ASK, 7)
    for datagram in [b"", b"\x30\x03\x02\x01\x03", good[:-1], good, *(os.urandom(60) for _ in range(50))]:
        with pytest.raises(BadReply):
            codec.decode(datagram)


@pytest.mark.gen_test(timeout=90)
async def test_a_changed_answer_of_version_3_is_refused(agent: Agent) -> None:
    seen: list[bytes] = []
    async with session_of(agent, v3("auth-SHA256", "SHA256", None)) as session:
        await up_time(session)
        receive = session.datagram_received
        session.datagram_received = lambda data, addr: (seen.append(data), receive(_flipped(data), addr))[0]  # type: ignore
        with pytest.raises(BadReply):
            await up_time(session, 0.3)
    assert seen


def _flipped(datagram: bytes) -> bytes:
    return datagram[:-1] + bytes((datagram[-1] ^ 1,))


@pytest.mark.parametrize("operation", list(Operation))
def test_a_request_is_not_taken_for_an_answer(operation: Operation) -> None:
    codec = community_codec()
    with pytest.raises(BadReply, match="pdu_type"):
        codec.decode(codec.encode(Request.of(operation, (SYS_UP_TIME,), 5), 3))
