from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from server.core.errors import BadReply, NoAnswer
from server.core.model import Row
from server.sources.snmp import mib
from server.sources.snmp.discovery import Discovered, Wanted, discover
from server.sources.snmp.message import Operation
from server.sources.snmp.pysnmp_stack.codec import Codecs
from server.sources.snmp.session import SocketSession
from server.sources.snmp.settings import InterfaceFilter
from server.sources.snmp.walk import AnswersLost, Limits
from tests.sources.snmp.catalogue import ALIAS
from tests.sources.snmp.conftest import Agent
from tests.sources.snmp.recorder import device
from tests.sources.snmp.tables import IF_X, table
from tests.support.hostile_agent import GET, Heard, Mischief, Oid, hostile_agent

BITS = {metric.name: position for position, metric in enumerate(mib.METRICS)}


async def find(
    agent: Agent, community: str, rules: dict[str, Any] | None = None, version: str = "2c", rows: int = 100
) -> Discovered:
    settings = device(agent.port, {"version": version, "community": community})
    bad: Counter[str] = Counter()
    codec = await Codecs().codec(settings.snmp)
    session = await SocketSession.open(("127.0.0.1", agent.port), codec, lambda check: bad.update([check]))
    operation = Operation.GET_NEXT if version == "1" else Operation.GET_BULK
    limits = Limits(operation, rows, asyncio.get_running_loop().time() + 20, 2, 1.0)
    wanted = Wanted("r1", InterfaceFilter.model_validate(rules or {}), 1.0)
    try:
        found = await discover(wanted, session, limits, lambda check: bad.update([check]))
    finally:
        await session.close()
    assert not bad
    return found


@pytest.mark.gen_test(timeout=90)
async def test_every_fact_of_an_interface_is_found(agent: Agent) -> None:
    found = await find(agent, "facts")
    assert found.table.rows == (
        Row("et-0/0/2", 517, ALIAS, "Port et-0/0/2", "ethernetCsmacd", "core", "C-1042", 100_000_000_000),
    )
    assert dict(found.table.facts) == {
        "sysName": "router.example",
        "sysDescr": "A simulated router",
        "sysLocation": "Rack 7",
    }
    assert found.table.note == ""
    assert found.stamped.tolist() == [True]
    assert found.has_last_change
    bits = found.table.counter_bits[:, 0].tolist()
    assert bits == [64, 64, 0, 0, 32, 32, 32, 32, 64, 64, 64, 64, 64, 64]


@pytest.mark.gen_test(timeout=90)
async def test_a_missing_64_bit_counter_falls_back_in_its_row_only_and_zero_does_not(agent: Agent) -> None:
    found = await find(agent, "mixed")
    assert found.table.counter_bits[BITS["in_octets"]].tolist() == [64, 32, 0]
    assert found.table.counter_bits[BITS["out_octets"]].tolist() == [64, 64, 64]
    assert found.table.counter_bits[BITS["in_multicast_packets"]].tolist() == [64, 32, 64]
    assert found.stamped.tolist() == [True, True, False]
    assert found.table.note.startswith("1 of 3 interfaces have 32-bit counters only")


@pytest.mark.gen_test(timeout=90)
async def test_a_device_without_if_x_table_works_with_32_bits_and_says_so(agent: Agent) -> None:
    found = await find(agent, "narrow")
    assert [(row.name, row.speed_bps) for row in found.table.rows] == [("Port ignored", 10**9), ("Port x", 0)]
    assert found.table.counter_bits[BITS["in_octets"]].tolist() == [32, 32]
    assert found.table.note.startswith("no ifXTable: 32-bit counters; above 34,360 Mb/s")
    assert not found.stamped.any()


@pytest.mark.gen_test(timeout=90)
async def test_version_1_gives_names_and_32_bit_counters(agent: Agent) -> None:
    found = await find(agent, "two", version="1")
    assert [row.name for row in found.table.rows] == ["eth0", "eth1"]
    assert found.table.counter_bits[BITS["in_octets"]].tolist() == [32, 32]
    assert not found.has_last_change


@pytest.mark.gen_test(timeout=90)
async def test_names_fall_back_and_equal_ones_are_told_apart(agent: Agent) -> None:
    rows = (await find(agent, "names")).table.rows
    names = [row.name for row in rows]
    assert names[:2] == ["Descr", "if2"]
    assert names[3] == "twin#4"
    assert len(set(names)) == 5
    assert [row.ambiguous for row in rows] == [False, False, True, True, True]


@pytest.mark.gen_test(timeout=90)
async def test_the_filter_looks_at_what_the_device_says(agent: Agent) -> None:
    rules = {"include": [{"name": "^et-"}, {"type": "softwareLoopback"}], "exclude": [{"status": "down"}]}
    found = await find(agent, "filter", rules)
    assert [row.name for row in found.table.rows] == ["et-0/0/1", "lo0"]
    assert found.found == 3
    assert [row.name for row in (await find(agent, "filter", {"include": [{"alias": "Core"}]})).table.rows] == ["et-0/0/1"]


@pytest.mark.gen_test(timeout=90)
async def test_more_rows_than_allowed_are_left_out_with_a_note(agent: Agent) -> None:
    found = await find(agent, "many", rows=30)
    assert [row.index for row in found.table.rows] == list(range(1, 31))
    assert found.table.note == "truncated at 30 interfaces"


@pytest.mark.gen_test(timeout=90)
async def test_a_column_that_is_cut_for_its_size_is_noted_as_that(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.sources.snmp.walk._MOST_OCTETS", 50)
    assert (await find(agent, "many")).table.note.endswith("cut short: a column of its tables is too large")


def breaks_off(column: Oid) -> Mischief:
    """Answers what follows the first rows of this column with genErr."""

    def mischief(heard: Heard) -> list[bytes]:
        asked = heard.oids[0]
        broken = asked[: len(column)] == column and asked[len(column) :] > (3,)
        return [heard.reply([], error=5, index=1) if broken else heard.reply()]

    return mischief


@pytest.mark.gen_test
async def test_a_column_that_breaks_off_is_noted_and_one_that_tells_which_row_is_which_is_none_to_go_without(
    io_loop: object,
) -> None:
    async with reading(breaks_off((*IF_X, 15)), 60) as find:
        found = await find()
        assert found.found == 60
        assert "breaks off in the middle of a column" in found.table.note
    for column in ((*IF_X, 1), (*IF_X, 6)):
        async with reading(breaks_off(column), 60) as find:
            with pytest.raises(BadReply, match="in the middle of a table"):
                await find()


@asynccontextmanager
async def reading(mischief: Mischief, rows: int) -> AsyncIterator[Callable[[], Awaitable[Discovered]]]:
    """Discovers a hostile agent's interfaces; 2 tries of 50 ms for the first request."""
    codec = await Codecs().codec(device(1, {"version": "2c", "community": "public"}).snmp)
    async with hostile_agent(table(rows)) as agent:
        agent.mischief = mischief
        session = await SocketSession.open(("127.0.0.1", agent.port), codec, lambda _: None)
        limits = Limits(Operation.GET_BULK, 1000, asyncio.get_running_loop().time() + 15, 2, 0.05)
        try:
            yield lambda: discover(Wanted("r1", InterfaceFilter(), 1.0), session, limits, lambda _: None)
        finally:
            await session.close()


@pytest.mark.gen_test(timeout=90)
async def test_a_walk_survives_several_lost_answers_in_a_row(io_loop: object) -> None:
    asked: Counter[Oid] = Counter()

    def lossy(heard: Heard) -> list[bytes]:
        asked[heard.oids[0]] += 1
        lost = len(asked) % 10 == 5 and asked[heard.oids[0]] <= 3
        return [] if lost else [heard.reply()]

    async with reading(lossy, 100) as found:
        assert len((await found()).table.rows) == 100
    assert max(asked.values()) >= 3, "some were lost"


@pytest.mark.gen_test(timeout=90)
async def test_a_discovery_that_loses_answers_is_told_from_a_silent_device(io_loop: object) -> None:
    async with reading(lambda heard: [heard.reply()] if heard.operation == GET else [], 2) as found:
        with pytest.raises(AnswersLost, match="its interfaces could not be read: answers get lost"):
            await found()
    async with reading(lambda _: [], 2) as found:
        with pytest.raises(NoAnswer, match="no answer"):
            await found()


@pytest.mark.gen_test(timeout=90)
async def test_a_second_discovery_is_the_same_until_something_changed(agent: Agent) -> None:
    first = await find(agent, "two")
    assert first.same_as(await find(agent, "two"))
    assert not first.same_as(await find(agent, "two", {"include": [{"name": "eth0"}]}))
    assert not first.same_as(await find(agent, "two", version="1"))


@pytest.mark.gen_test(timeout=90)
async def test_a_device_may_have_no_interfaces(agent: Agent) -> None:
    found = await find(agent, "none")
    assert found.table.rows == ()
    assert found.table.counter_bits.shape == (len(mib.METRICS), 0)
