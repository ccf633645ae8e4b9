from __future__ import annotations

import asyncio
from typing import Any

import pytest

from server.core.model import DeviceState
from server.sources.snmp import mib
from server.sources.snmp.engine import Wait
from server.sources.snmp.message import Answer, Operation, Request
from server.sources.snmp.settings import PollingDefaults
from server.sources.snmp.turns import Turn
from tests.sources.snmp.recorder import device, polling
from tests.sources.snmp.tables import table
from tests.support.hostile_agent import GET, Heard, hostile_agent

PUBLIC = {"version": "2c", "community": "public"}
UP_TIME = Request.of(Operation.GET, (mib.SYS_UP_TIME,))
ANSWER = Answer(1, 2, 0, 0, ())


class _Asked:
    """A session that keeps the deadlines that it was given."""

    def __init__(self) -> None:
        self.deadlines_s: list[float] = []

    async def ask(self, request: Request, wait: Wait) -> Answer:
        self.deadlines_s.append(wait.deadline_s)
        return ANSWER


@pytest.mark.gen_test
async def test_what_is_waited_for_a_place_does_not_count_against_the_deadline(io_loop: object) -> None:
    places, session = asyncio.Semaphore(0), _Asked()
    turn, wait = Turn(places), Wait(1, 1.0, 1000.0)
    asking: Any = asyncio.ensure_future(turn.ask(session, UP_TIME, wait))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    assert not session.deadlines_s
    begin_s = asyncio.get_running_loop().time()
    asyncio.get_running_loop().call_later(0.05, places.release)
    await asking
    most_s = asyncio.get_running_loop().time() - begin_s
    assert 0.04 < turn.waited_s <= most_s + 0.01
    assert session.deadlines_s == [1000.0 + turn.waited_s]
    turn.end()


@pytest.mark.gen_test
async def test_a_place_is_taken_once_and_given_back_once(io_loop: object) -> None:
    places, session = asyncio.Semaphore(1), _Asked()
    turn, wait = Turn(places), Wait(1, 1.0, 1000.0)
    await asyncio.gather(*(turn.ask(session, UP_TIME, wait) for _ in range(3)))  # type: ignore[arg-type]
    assert places.locked()
    turn.end()
    turn.end()
    await places.acquire()
    assert places.locked()


@pytest.mark.gen_test(timeout=60)
async def test_devices_that_answer_slowly_do_not_keep_others_from_being_read(
    io_loop: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.sources.snmp.choice._READ_AT_ONCE", 1)
    monkeypatch.setattr("server.sources.snmp.turns._HELD_S", 0.1)
    waiting: list[Heard] = []

    def tar_pit(heard: Heard) -> list[bytes]:
        if heard.operation == GET:
            return [heard.reply()]
        waiting.append(heard)
        asyncio.get_running_loop().call_later(0.4, sick.send, heard.reply(heard.honest[:1]))
        return []

    async with hostile_agent(table(400)) as sick, hostile_agent(table()) as well:
        sick.mischief = tar_pit
        tar_pits = [device(sick.port, PUBLIC, name=f"slow{number}", timeout_s=1.0) for number in range(3)]
        async with polling(*tar_pits) as (recorder, source):
            await recorder.until(lambda: len(recorder.statuses) >= 3)
            while len({heard.request_id for heard in waiting}) < 2:
                await asyncio.sleep(0.05)  # until one of them holds the only place
            source.reconfigure(PollingDefaults(), [*tar_pits, device(well.port, PUBLIC, name="well")])
            await recorder.until(
                lambda: any(status.device == "well" and status.state is DeviceState.UP for status in recorder.statuses), 20
            )
