from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from server.core.errors import BadReply
from server.sources.snmp import mib
from server.sources.snmp.message import Operation
from server.sources.snmp.pysnmp_stack.codec import CommunityCodec
from server.sources.snmp.session import SocketSession
from server.sources.snmp.settings import SnmpV1V2
from server.sources.snmp.walk import Cut, Limits, Walker
from tests.sources.snmp.tables import IF_X, table
from tests.support.hostile_agent import Heard, HostileAgent, Oid, Value, hostile_agent, number, text

NAMES: Oid = (*IF_X, 1)


@asynccontextmanager
async def walking(
    things: dict[Oid, Value], most_rows: int = 1000, operation: Operation = Operation.GET_BULK, seconds: float = 5.0
) -> AsyncIterator[tuple[HostileAgent, Walker, Counter[str]]]:
    bad: Counter[str] = Counter()

    def count(check: str) -> None:
        bad[check] += 1

    codec = CommunityCodec(SnmpV1V2.model_validate({"version": "2c", "community": "public"}))
    async with hostile_agent(things) as agent:
        session = await SocketSession.open(("127.0.0.1", agent.port), codec, count)
        limits = Limits(operation, most_rows, asyncio.get_running_loop().time() + seconds, 1, 0.3)
        try:
            yield agent, Walker(session, limits, count), bad
        finally:
            await session.close()


@pytest.mark.parametrize("operation", [Operation.GET_BULK, Operation.GET_NEXT])
@pytest.mark.gen_test
async def test_a_column_is_walked_to_its_end_and_no_further(io_loop: object, operation: Operation) -> None:
    async with walking(table(60), operation=operation) as (_, walker, bad):
        walked = await walker.column(mib.IF_NAME)
        assert [bytes(value.content) for value in walked.values.values()] == [b"eth%d" % n for n in range(1, 61)]
        assert walked.cut is None
        assert not bad


@pytest.mark.gen_test
async def test_a_column_at_the_end_of_the_mib_ends(io_loop: object) -> None:
    async with walking({(*NAMES, 7): text("a")}) as (_, walker, _bad):
        assert list((await walker.column(mib.IF_NAME)).values) == [7]
        assert not (await walker.column(mib.IF_ALIAS)).values


@pytest.mark.gen_test
async def test_an_endless_walk_ends_at_the_limit_of_rows(io_loop: object) -> None:
    async with walking({}, most_rows=100) as (agent, walker, _):

        def endless(heard: object) -> list[bytes]:
            last = agent.heard[-1]
            begin = last.oids[0][-1] + 1 if len(last.oids[0]) > len(NAMES) else 1
            return [last.reply([((*NAMES, begin + step), text("x")) for step in range(24)])]

        agent.mischief = endless
        walked = await walker.column(mib.IF_NAME)
        assert (len(walked.values), walked.cut) == (100, Cut.ROWS)


@pytest.mark.gen_test
async def test_a_walk_ends_at_its_deadline(io_loop: object) -> None:
    def late(heard: Heard) -> list[bytes]:
        if len(agent.heard) == 2:
            walker._limits = replace(walker._limits, deadline_s=asyncio.get_running_loop().time() - 1)
        return [heard.reply()]

    async with walking(table(50)) as (agent, walker, _bad):
        agent.mischief = late
        walked = await walker.column(mib.IF_NAME)
        assert walked.cut is Cut.TIME
        assert len(walked.values) == 24


@pytest.mark.gen_test
async def test_a_walk_in_circles_is_a_bad_reply(io_loop: object) -> None:
    async with walking({}) as (agent, walker, bad):
        agent.mischief = lambda heard: [heard.reply([((*NAMES, 5), text("x")), ((*NAMES, 5), text("x"))])]
        with pytest.raises(BadReply, match="in circles"):
            await walker.column(mib.IF_NAME)
        assert bad["order"] == 1


@pytest.mark.gen_test
async def test_more_objects_than_asked_for_are_a_bad_reply(io_loop: object) -> None:
    async with walking({}) as (agent, walker, bad):
        agent.mischief = lambda heard: [heard.reply([((*NAMES, index), text("x")) for index in range(1, 40)])]
        with pytest.raises(BadReply, match="more objects"):
            await walker.column(mib.IF_NAME)
        assert bad["count"] == 1


@pytest.mark.gen_test
async def test_a_value_of_the_wrong_type_is_left_out_and_counted(io_loop: object) -> None:
    things = {(*NAMES, 1): text("a"), (*NAMES, 2): number(0x02, 5), (*NAMES, 3): text("c")}
    async with walking(things) as (_, walker, bad):
        assert list((await walker.column(mib.IF_NAME)).values) == [1, 3]
        assert bad == {"type": 1}


@pytest.mark.gen_test
async def test_an_index_of_two_numbers_ends_the_column(io_loop: object) -> None:
    async with walking({(*NAMES, 1): text("a"), (*NAMES, 2, 9): text("b")}) as (_, walker, _bad):
        assert list((await walker.column(mib.IF_NAME)).values) == [1]


@pytest.mark.gen_test
async def test_an_index_above_32_bits_ends_the_column(io_loop: object) -> None:
    async with walking({(*NAMES, 2**32): text("a")}) as (_, walker, _bad):
        assert not (await walker.column(mib.IF_NAME)).values


@pytest.mark.gen_test
async def test_too_big_is_asked_again_in_smaller_pieces(io_loop: object) -> None:
    async with walking(table(30)) as (agent, walker, _):
        agent.mischief = lambda heard: [heard.reply([], error=1) if len(heard.honest) > 6 else heard.reply()]
        assert len((await walker.column(mib.IF_NAME)).values) == 30


@pytest.mark.gen_test
async def test_huge_texts_in_one_answer_do_not_pass(io_loop: object) -> None:
    async with walking({(*NAMES, 1): text("x" * 30_000)}) as (_, walker, bad):
        with pytest.raises(BadReply):
            await walker.column(mib.IF_NAME)
        assert set(bad) == {"size"}


@pytest.mark.gen_test
async def test_a_column_that_is_too_large_is_cut(io_loop: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.sources.snmp.walk._MOST_OCTETS", 100)
    async with walking(table(50)) as (_, walker, _bad):
        walked = await walker.column(mib.IF_NAME)
        assert walked.cut is Cut.SIZE
        assert 0 < len(walked.values) < 50


def error(status: int, *, once: bool, begin: int = 25) -> Callable[[Heard], list[bytes]]:
    """Answers the request for what follows row `begin` with an error, or only the first such request."""
    errors: list[Heard] = []

    def mischief(heard: Heard) -> list[bytes]:
        if heard.oids[0][len(NAMES) :] >= (begin,) and not (once and errors):
            errors.append(heard)
            return [heard.reply([], error=status, index=1)]
        return [heard.reply()]

    return mischief


@pytest.mark.gen_test
async def test_no_such_name_ends_a_walk_with_what_it_had(io_loop: object) -> None:
    async with walking(table(30), operation=Operation.GET_NEXT) as (agent, walker, bad):
        agent.mischief = error(2, once=False)
        assert len((await walker.column(mib.IF_NAME)).values) == 25
        assert not bad


@pytest.mark.parametrize("status", [1, 5, 13])
@pytest.mark.gen_test
async def test_another_error_in_the_middle_of_a_walk_is_asked_over_again(io_loop: object, status: int) -> None:
    async with walking(table(60)) as (agent, walker, bad):
        agent.mischief = error(status, once=True, begin=20)
        assert len((await walker.column(mib.IF_NAME)).values) == 60
        assert not bad


@pytest.mark.parametrize("status", [1, 5])
@pytest.mark.gen_test
async def test_an_error_that_stays_breaks_the_walk_off_and_is_no_end_of_the_column(io_loop: object, status: int) -> None:
    async with walking(table(60)) as (agent, walker, bad):
        agent.mischief = error(status, once=False, begin=20)
        walked = await walker.column(mib.IF_NAME)
        assert walked.cut is Cut.ERROR
        assert 0 < len(walked.values) < 60
        assert bad == {"error_status": 1}


@pytest.mark.gen_test
async def test_an_answer_without_objects_is_no_end_of_the_column(io_loop: object) -> None:
    async with walking(table(60)) as (agent, walker, _):
        agent.mischief = error(0, once=False, begin=20)
        assert (await walker.column(mib.IF_NAME)).cut is Cut.ERROR


@pytest.mark.parametrize("status", [2, 5])
@pytest.mark.gen_test
async def test_a_column_that_begins_with_an_error_is_empty(io_loop: object, status: int) -> None:
    async with walking(table(3)) as (agent, walker, _):
        agent.mischief = lambda heard: [heard.reply([], error=status, index=1)]
        assert not (await walker.column(mib.IF_NAME)).values
