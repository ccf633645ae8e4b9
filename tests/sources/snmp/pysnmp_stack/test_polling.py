"""What is particular to pysnmp's own polling; what it shares with our engine is in `test_engines.py`."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
import weakref
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import patch

import pytest
from pysnmp.carrier.asyncio import dispatch
from pysnmp.error import PySnmpError

from server.core.errors import AuthFailed, BadReply, NoAnswer, SourceError
from server.sources.snmp.engine import Wait
from server.sources.snmp.message import Operation, Request
from server.sources.snmp.mib import SYS_UP_TIME
from server.sources.snmp.pysnmp_stack import stack as stack_module
from server.sources.snmp.pysnmp_stack.polling import _MOST_GIVEN_UP, PysnmpSession
from server.sources.snmp.pysnmp_stack.stack import Stack
from server.sources.snmp.settings import SnmpV1V2, SnmpV3
from server.sources.snmp.wire import encode_oid
from tests.sources.snmp.tables import IF_X, UP_TIME, table
from tests.support.hostile_agent import HostileAgent, hostile_agent, number

ASK = Request.of(Operation.GET, (SYS_UP_TIME,))
PUBLIC = SnmpV1V2.model_validate({"version": "2c", "community": "public"})
USER = SnmpV3.model_validate({"version": "3", "user": "u", "auth": {"protocol": "SHA", "key": "canary-key"}})


@asynccontextmanager
async def talking() -> AsyncIterator[tuple[HostileAgent, PysnmpSession, Counter[str]]]:
    bad: Counter[str] = Counter()
    async with hostile_agent(table()) as agent:
        session = await PysnmpSession.open(("127.0.0.1", agent.port), PUBLIC, lambda check: bad.update([check]))
        try:
            yield agent, session, bad
        finally:
            await session.close()


def within(seconds: float) -> Wait:
    return Wait(1, seconds, asyncio.get_running_loop().time() + seconds)


def remembered(session: PysnmpSession) -> int:
    """How many requests pysnmp still knows of."""
    assert session._stack is not None
    dispatcher = session._stack._engine.message_dispatcher
    return len(dispatcher._MsgAndPduDispatcher__cache._Cache__cacheRepository)


@pytest.mark.gen_test
async def test_one_value_out_of_range_costs_the_whole_answer_and_is_no_silence(io_loop: object) -> None:
    async with talking() as (agent, session, bad):
        agent.table[*IF_X, 6, 1] = (0x46, b"\xff")
        request = Request.of(Operation.GET, (SYS_UP_TIME, encode_oid((*IF_X, 6, 1))))
        with pytest.raises(BadReply, match="none of them can be read"):
            await session.ask(request, within(0.1))
        assert bad == {"malformed": 1}
        assert (await session.ask(ASK, within(1))).varbinds


@pytest.mark.gen_test
async def test_an_error_that_gets_out_of_pysnmp_is_a_bad_reply_and_not_logged(
    io_loop: object, caplog: pytest.LogCaptureFixture
) -> None:
    bad: Counter[str] = Counter()
    credentials = PUBLIC.model_copy(update={"version": "1"})
    async with hostile_agent(table()) as agent:
        agent.mischief = lambda heard: [heard.reply(index=-127)]
        session = await PysnmpSession.open(("127.0.0.1", agent.port), credentials, lambda check: bad.update([check]))
        with pytest.raises(BadReply):
            await session.ask(ASK, within(0.1))
        await session.close()
    assert (bad, caplog.records) == ({"malformed": 1}, [])


@pytest.mark.gen_test
async def test_what_was_given_up_is_forgotten_also_when_the_wall_clock_is_set_back(io_loop: object) -> None:
    wall = iter(range(10**9, 0, -3600))
    with patch.object(stack_module, "FORGET_S", 0.3), patch.object(dispatch, "time", lambda: next(wall)):
        async with talking() as (agent, session, _):
            agent.mischief = lambda heard: []
            with pytest.raises(NoAnswer):
                await session.ask(ASK, within(0.05))
            assert remembered(session) == 1
            async with asyncio.timeout(3):
                while remembered(session):
                    await asyncio.sleep(0.05)
            agent.mischief = None
            assert (await session.ask(ASK, within(1))).varbinds


@pytest.mark.gen_test
async def test_pysnmp_giving_up_before_us_is_not_the_end(io_loop: object) -> None:
    with patch.object(stack_module, "FORGET_S", 0.1):
        async with talking() as (agent, session, bad):
            agent.mischief = lambda heard: []
            with pytest.raises(NoAnswer, match="no answer"):
                await session.ask(ASK, within(1))
            assert not bad


@pytest.mark.gen_test
async def test_only_the_newest_of_the_requests_given_up_are_kept(io_loop: object) -> None:
    async with talking() as (agent, session, _):
        agent.mischief = lambda heard: []
        for _ in range(_MOST_GIVEN_UP + 6):
            with contextlib.suppress(NoAnswer):
                await session.ask(ASK, within(0.005))
        assert len(session._tries) == _MOST_GIVEN_UP
        assert session._tries[next(reversed(session._tries))].given_up


@pytest.mark.gen_test
async def test_datagrams_that_nobody_asked_for_are_not_decoded(io_loop: object) -> None:
    async with talking() as (agent, session, bad):
        assert (await session.ask(ASK, within(1))).varbinds
        with patch.object(Stack, "decode", side_effect=AssertionError):
            session.received(agent.heard[0].reply([(UP_TIME, number(0x43, 6))]))
        assert not bad


@pytest.mark.parametrize("credentials", [PUBLIC, USER])
@pytest.mark.gen_test
async def test_a_closed_session_leaves_neither_a_user_nor_an_engine_behind(
    io_loop: object, credentials: SnmpV1V2 | SnmpV3
) -> None:
    session = await PysnmpSession.open(("127.0.0.1", 9), credentials, lambda check: None)
    with contextlib.suppress(SourceError):
        await session.ask(ASK, within(0.02))
    assert session._stack is not None
    engine = session._stack._engine
    controller = engine.message_dispatcher.mib_instrum_controller
    assert _secrets(controller, engine)
    await session.close()
    await session.close()
    assert not _secrets(controller, engine)
    alive = weakref.ref(engine)
    del engine, controller, session
    gc.collect()
    assert alive() is None


def _secrets(controller: Any, engine: Any) -> list[str]:
    """Communities and keys in the engine's tables: SNMP-COMMUNITY-MIB and PYSNMP-USM-MIB."""
    found = []
    for table_oid in ((1, 3, 6, 1, 6, 3, 18, 1, 1, 1, 2), (1, 3, 6, 1, 4, 1, 20408, 3, 1, 1, 1, 3, 1, 1)):
        name, value = controller.read_next_variables((table_oid, None), snmpEngine=engine)[0]
        if tuple(name)[: len(table_oid)] == table_oid:
            found.append(value.prettyPrint())
    return found


@pytest.mark.gen_test
async def test_an_engine_is_made_off_the_event_loop(io_loop: object) -> None:
    threads: list[threading.Thread] = []
    make = stack_module.SnmpEngine

    def made(**options: Any) -> Any:
        threads.append(threading.current_thread())
        return make(**options)

    with patch.object(stack_module, "SnmpEngine", made):
        async with talking():
            assert len(threads) == 1
            assert threads[0] is not threading.main_thread()


@pytest.mark.gen_test
async def test_a_stack_that_cannot_be_set_up_is_closed(io_loop: object) -> None:
    before = asyncio.all_tasks()
    configurator = stack_module.CommandGeneratorLcdConfigurator
    with patch.object(configurator, "configure", side_effect=ZeroDivisionError), pytest.raises(ZeroDivisionError):
        await PysnmpSession.open(("127.0.0.1", 9), PUBLIC, lambda check: None)
    assert asyncio.all_tasks() <= before


@pytest.mark.gen_test
async def test_a_device_that_makes_up_engine_ids_gets_new_stacks_less_and_less_often(io_loop: object) -> None:
    session = await PysnmpSession.open(("127.0.0.1", 9), USER, lambda check: None)
    opened = []
    open_one = Stack.open

    async def counted(*arguments: Any) -> Stack:
        opened.append(arguments)
        return await open_one(*arguments)

    with patch.object(Stack, "open", counted):
        session.engine_denied()
        await session._ready()
        assert not opened, "nothing was proven yet"
        for _ in range(4):
            session._proven = True
            session.engine_denied()
            await session._ready()
    await session.close()
    assert len(opened) == 1


@pytest.mark.parametrize(
    ("credentials", "name", "kind"),
    [
        (PUBLIC, "requestTimedOut", type(None)),
        (PUBLIC, "badResponse", BadReply),
        (USER, "emptyResponse", BadReply),
        (USER, "unknownUserName", AuthFailed),
        (USER, "somethingNew", AuthFailed),
    ],
)
def test_each_of_pysnmps_indications_has_an_error_of_ours(
    credentials: SnmpV1V2 | SnmpV3, name: str, kind: type[object]
) -> None:
    session = PysnmpSession(("127.0.0.1", 9), credentials, lambda check: None)
    assert isinstance(session._failure(name, "words"), kind)


@pytest.mark.parametrize("name", ["unknownEngineID", "unknownUserName"])
def test_a_proven_device_that_denies_its_engine_or_user_has_become_another_engine(name: str) -> None:
    session = PysnmpSession(("127.0.0.1", 9), USER, lambda check: None)
    session._proven = True
    assert isinstance(session._failure(name, "words"), NoAnswer)
    assert session._denied


@pytest.mark.gen_test
async def test_a_message_of_another_version_is_not_decoded(io_loop: object) -> None:
    async with talking() as (agent, session, _):
        assert (await session.ask(ASK, within(1))).varbinds
        other = await PysnmpSession.open(("127.0.0.1", agent.port), USER, lambda check: None)
        assert other._stack is not None
        assert set(other._stack._engine.message_processing_subsystems) == {3}
        assert other._stack.decode(agent.heard[0].reply()) == "malformed"
        await other.close()


@pytest.mark.gen_test
async def test_an_error_of_pysnmp_itself_is_no_crash(io_loop: object) -> None:
    async with talking() as (_, session, _bad):
        with (
            patch.object(stack_module, "get_cmd", side_effect=PySnmpError("broken")),
            pytest.raises(NoAnswer, match="pysnmp cannot send: broken"),
        ):
            await session.ask(ASK, within(1))
