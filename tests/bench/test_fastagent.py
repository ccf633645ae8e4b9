"""The agent of the benchmarks answers as agents do, and tells the truth that figures are compared with."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from bench.fastagent import COMMUNITY, FastAgent
from bench.peers.workload import BULKS, COUNTERS, GETS, ROWS, V3
from bench.toolchain import Missing
from server.core.clock import boot_ns
from server.core.errors import NoAnswer
from server.sources.snmp.discovery import Discovered, Wanted, discover
from server.sources.snmp.engine import Wait
from server.sources.snmp.message import Answer, ErrorStatus, Operation, Request
from server.sources.snmp.mib import SYS_UP_TIME
from server.sources.snmp.pysnmp_stack.codec import Codecs
from server.sources.snmp.session import SocketSession
from server.sources.snmp.settings import InterfaceFilter, SnmpV1V2, SnmpV3
from server.sources.snmp.walk import Limits
from server.sources.snmp.wire import Tag
from tests.support.loops import run_alone

DEVICE = 517
V2C = SnmpV1V2.model_validate({"version": "2c", "community": COMMUNITY})


@pytest.fixture(scope="module", autouse=True)
def _possible() -> None:
    try:
        with FastAgent(v3_alone=True):
            pass
    except Missing as reason:
        pytest.skip(f"missing: {reason}")


@pytest.fixture(scope="module")
def agent() -> Iterator[FastAgent]:
    with FastAgent() as running:
        yield running


async def _open(agent: FastAgent, credentials: SnmpV1V2 | SnmpV3) -> SocketSession:
    peer = (FastAgent.address(DEVICE), agent.port)
    return await SocketSession.open(peer, await Codecs().codec(credentials), lambda _: None)


def ask(agent: FastAgent, *requests: Request, credentials: SnmpV1V2 | SnmpV3 = V2C, tries: int = 4) -> list[Answer]:
    async def work() -> list[Answer]:
        session = await _open(agent, credentials)
        try:
            return [await session.ask(request, Wait(tries, 0.5, time.monotonic() + 10)) for request in requests]
        finally:
            await session.close()

    return run_alone(work())


def counters(answer: Answer) -> list[int | None]:
    return [varbind.number(Tag.COUNTER64) for varbind in answer.varbinds[1:]]


def test_counters_are_what_the_wrapper_says_they_are(agent: FastAgent) -> None:
    (answer,) = ask(agent, Request.of(Operation.GET, GETS[1]))
    suspended_ns = boot_ns() - time.monotonic_ns()
    # All counters of an answer are of one moment, which each of them tells to the microsecond.
    earliest_us, latest_us = ((at_ns - suspended_ns) // 1000 for at_ns in (answer.sent_ns, answer.received_ns))
    cells = [(index, way) for index in range(ROWS + 1, 2 * ROWS + 1) for way in ("in", "out")]
    for (index, way), value in zip(cells, counters(answer), strict=True):
        grown, rate = (value or 0) - agent.octets_at_start(DEVICE, index), agent.octets_per_s(DEVICE, index, way)
        earliest_us = max(earliest_us, agent.started_us + -(-grown * 1_000_000 // rate))
        latest_us = min(latest_us, agent.started_us + ((grown + 1) * 1_000_000 - 1) // rate)
    assert earliest_us <= latest_us + 1


def test_the_clock_of_a_device_runs_with_its_counters(agent: FastAgent) -> None:
    request = Request.of(Operation.GET, GETS[0])
    one, other = ask(agent, request, request)
    ticks = [answer.varbinds[0].number(Tag.TIME_TICKS) or 0 for answer in (one, other)]
    assert 0 <= ticks[1] - ticks[0] <= (other.received_ns - one.sent_ns) / 1e7 + 1


def test_getbulk_gives_the_same_objects_as_get(agent: FastAgent) -> None:
    for oids, asked in zip(GETS, BULKS, strict=True):
        (answer,) = ask(agent, Request.of(Operation.GET_BULK, asked, max_repetitions=ROWS // 2))
        given = [varbind.oid for varbind in answer.varbinds]
        assert given[0] == SYS_UP_TIME
        # `Request` has no non-repeaters: in each row the system group goes on, before the two columns.
        assert [oid for place, oid in enumerate(given) if place % 3] == list(oids[1 : ROWS + 1])


def test_version_3_answers_the_same_signed_and_encrypted(agent: FastAgent) -> None:
    (answer,) = ask(agent, Request.of(Operation.GET, GETS[0]), credentials=SnmpV3.model_validate(V3))
    assert len(counters(answer)) == COUNTERS // 2
    assert None not in counters(answer)


def test_an_agent_of_version_3_alone_answers_no_community() -> None:
    with FastAgent(v3_alone=True) as alone:
        with pytest.raises(NoAnswer):
            ask(alone, Request.of(Operation.GET, (SYS_UP_TIME,)), tries=1)
        (answer,) = ask(alone, Request.of(Operation.GET, (SYS_UP_TIME,)), credentials=SnmpV3.model_validate(V3))
    assert answer.varbinds[0].number(Tag.TIME_TICKS)


@pytest.mark.parametrize("stamped", [False, True])
def test_discovery_finds_every_interface(stamped: bool) -> None:
    async def work(agent: FastAgent) -> Discovered:
        session = await _open(agent, V2C)
        limits = Limits(Operation.GET_BULK, 4096, time.monotonic() + 30, 4, 0.5)
        try:
            return await discover(Wanted("x", InterfaceFilter(), 1.0), session, limits, lambda _: None)
        finally:
            await session.close()

    with FastAgent(interfaces=200, discontinuity=stamped) as agent:
        found = run_alone(work(agent))
    assert [row.name for row in found.table.rows] == [f"Gi1/0/{index}" for index in range(1, 201)]
    assert {row.speed_bps for row in found.table.rows} == {1_000_000_000}
    assert found.stamped.tolist() == [stamped] * 200


def test_an_answer_larger_than_the_agent_makes_is_too_big() -> None:
    with FastAgent(most_octets=484) as small:
        whole, part = ask(small, Request.of(Operation.GET, GETS[0]), Request.of(Operation.GET, GETS[0][:5]))
    assert (whole.error_status, whole.varbinds) == (ErrorStatus.TOO_BIG, ())
    assert (part.error_status, len(part.varbinds)) == (0, 5)


def test_the_agent_ends_with_the_process_that_started_it() -> None:
    script = "import os; from bench.fastagent import FastAgent as A; print(A().__enter__().pid, flush=True); os._exit(1)"
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, check=False)
    waiting = ["tail", f"--pid={int(done.stdout)}", "-f", "/dev/null"]
    assert subprocess.run(waiting, timeout=20, check=True).returncode == 0
