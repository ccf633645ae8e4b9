"""Devices that restart, change their numbers or become others, at the worst moment."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest

from server.core.errors import NoAnswer
from server.core.model import DeviceState
from server.sources.snmp.batch.engine import BatchEngine
from server.sources.snmp.engine import Unsupported
from server.sources.snmp.poller import Poller
from server.sources.snmp.pysnmp_stack.polling import PysnmpEngine
from server.sources.snmp.settings import PollingDefaults
from tests.sources.snmp.catalogue import RECORDINGS
from tests.sources.snmp.conftest import V3, Agent
from tests.sources.snmp.recorder import Recorder, column, device, polling
from tests.sources.snmp.tables import IF_X as X
from tests.sources.snmp.tables import UP_TIME, table
from tests.support.hostile_agent import GET, GET_BULK, Heard, HostileAgent, hostile_agent, number, text

PUBLIC = {"version": "2c", "community": "public"}
LAST_CHANGE = (1, 3, 6, 1, 2, 1, 31, 1, 5, 0)
SPEEDS = (*X, 15)  # walked when the names were read and the counters were not


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Poller, "_until_tick_s", lambda _: 0.0)


def swap(agent: HostileAgent, up_time: int) -> None:
    """eth1 and eth2 have each other's ifIndex from now on."""
    agent.table |= {
        UP_TIME: number(0x43, up_time),
        (*X, 1, 1): text("eth2"),
        (*X, 1, 2): text("eth1"),
        (*X, 6, 1): number(0x46, 2 * 10**6),
        (*X, 6, 2): number(0x46, 10**6),
    }


async def never_one_for_the_other(recorder: Recorder) -> None:
    """Waits until the new numbers are known, and looks at all that was read."""
    await recorder.until(lambda: recorder.given and recorder.given[-1].table.rows[0].name == "eth2")
    await recorder.until(lambda: None not in column(recorder.given[-1], "in_octets"))
    for reading in recorder.given:
        for row, value in zip(reading.table.rows, column(reading, "in_octets"), strict=True):
            assert value in (None, {"eth1": 10**6, "eth2": 2 * 10**6}[row.name])


@pytest.mark.parametrize("up_time", [100, 200 * 8_640_000])
@pytest.mark.gen_test(timeout=90)
async def test_interfaces_that_were_looked_for_during_a_restart_are_looked_for_again(io_loop: object, up_time: int) -> None:
    ticks_after: list[Heard] = []

    def restarts_in_the_walk(heard: Heard) -> list[bytes]:
        swapped = agent.table[*X, 1, 1] == text("eth2")
        if heard.operation == GET_BULK and heard.oids[0] == SPEEDS and len(ticks_after) < 3:
            if not swapped:
                swap(agent, up_time)
            return []  # until the restart was seen by the ticks
        if swapped and heard.operation == GET and (*X, 6, 1) in heard.oids:
            ticks_after.append(heard)
        return [heard.reply()]

    async with (
        hostile_agent({**table(), LAST_CHANGE: number(0x43, 7)}) as agent,
        polling(device(agent.port, PUBLIC, slow_interval_s=0.25)) as (recorder, _),
    ):
        await recorder.more_readings(3)
        agent.mischief = restarts_in_the_walk
        agent.table[LAST_CHANGE] = number(0x43, 8)
        await never_one_for_the_other(recorder)


@pytest.mark.gen_test(timeout=90)
async def test_a_restart_during_the_first_look_is_seen_by_the_first_tick(io_loop: object) -> None:
    def restarts_in_the_walk(heard: Heard) -> list[bytes]:
        if heard.oids[0] == SPEEDS:
            agent.mischief = None
            swap(agent, 100)
        return [heard.reply()]

    async with hostile_agent(table()) as agent:
        agent.mischief = restarts_in_the_walk
        async with polling(device(agent.port, PUBLIC)) as (recorder, _):
            await never_one_for_the_other(recorder)


@pytest.mark.parametrize("community", ["public", "other"])
@pytest.mark.gen_test(timeout=90)
async def test_a_device_that_is_looked_for_elsewhere_begins_with_a_version_that_is_not_greater(
    io_loop: object, community: str
) -> None:
    async with hostile_agent(table(1)) as agent, hostile_agent(table(3)) as other:
        settings = device(agent.port, PUBLIC)
        async with polling(settings) as (recorder, source):
            await recorder.more_readings(1)
            source.reconfigure(PollingDefaults(), [device(other.port, {**PUBLIC, "community": community})])
            await recorder.until(lambda: len(recorder.given[-1].table.rows) == 3)
    versions = [reading.table.version for reading in recorder.given]
    begin = next(at for at, reading in enumerate(recorder.given) if len(reading.table.rows) == 3)
    assert versions[begin] <= versions[begin - 1]


@pytest.mark.gen_test(timeout=90)
async def test_a_device_whose_walk_loses_answers_is_late_and_says_so(io_loop: object) -> None:
    async with hostile_agent(table()) as agent:
        agent.mischief = lambda heard: [heard.reply()] if heard.operation == GET else []
        async with polling(device(agent.port, PUBLIC, timeout_s=0.05)) as (recorder, _):
            status = await recorder.state(DeviceState.LATE)
            assert status.reason == "its interfaces could not be read: answers get lost"
            agent.mischief = None
            await recorder.state(DeviceState.UP)
            assert recorder.failed["no_answer"] >= 1


@pytest.fixture
def long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after many looks that found nothing new."""
    monkeypatch.setattr("server.sources.snmp.errands._FIRST_PAUSE_S", 30.0)


@pytest.mark.usefixtures("long_pauses")
@pytest.mark.gen_test(timeout=90)
async def test_rows_that_change_places_without_a_restart_are_never_shown_as_each_other(io_loop: object) -> None:
    async with (
        hostile_agent({**table(), LAST_CHANGE: number(0x43, 7)}) as agent,
        polling(device(agent.port, PUBLIC, slow_interval_s=0.25)) as (recorder, _),
    ):
        await recorder.more_readings(3)
        looks = sum(heard.oids == [(*X, 18)] for heard in agent.heard)
        agent.table[LAST_CHANGE] = number(0x43, 8)
        await recorder.until(lambda: sum(heard.oids == [(*X, 18)] for heard in agent.heard) > looks)
        await recorder.more_readings(3)  # the look was in vain: the next one has to wait
        swap(agent, 500_000)
        agent.table[LAST_CHANGE] = number(0x43, 9)
        await never_one_for_the_other(recorder)


@pytest.mark.gen_test(timeout=90)
async def test_rows_that_change_places_during_the_first_look_are_never_shown_as_each_other(io_loop: object) -> None:
    def changes_in_the_walk(heard: Heard) -> list[bytes]:
        if heard.oids[0] == SPEEDS:
            agent.mischief = None
            swap(agent, 500_000)
            agent.table[LAST_CHANGE] = number(0x43, 8)
        return [heard.reply()]

    async with hostile_agent({**table(), LAST_CHANGE: number(0x43, 7)}) as agent:
        agent.mischief = changes_in_the_walk
        async with polling(device(agent.port, PUBLIC, slow_interval_s=0.25)) as (recorder, _):
            await never_one_for_the_other(recorder)


@pytest.mark.parametrize("engine", ["batch", "pysnmp"])
@pytest.mark.gen_test(timeout=90)
async def test_a_change_that_moved_no_row_is_believed_again_without_a_walk(io_loop: object, engine: str) -> None:
    async with (
        hostile_agent({**table(40), LAST_CHANGE: number(0x43, 7)}) as agent,
        polling(device(agent.port, PUBLIC, slow_interval_s=0.25, engine=engine)) as (recorder, _),
    ):
        await recorder.more_readings(3)
        walk = (*X, 18)
        agent.mischief = lambda heard: [] if walk in heard.oids else [heard.reply()]  # a look takes for ever
        for change in (8, 9):
            before = len(recorder.given)
            agent.table[LAST_CHANGE] = number(0x43, change)
            await recorder.until(lambda before=before: not all(reading.valid.any() for reading in recorder.given[before:]))  # type: ignore[misc]
            await recorder.until(lambda: bool(recorder.given[-1].valid[0].all()))


@pytest.mark.usefixtures("soon_down", "long_pauses")
@pytest.mark.gen_test(timeout=90)
async def test_a_version_3_device_that_was_silent_for_long_is_synchronised_with_as_soon_as_it_is_back(
    own_agent: Agent,
) -> None:
    async with polling(device(own_agent.port, V3, engine="batch")) as (recorder, _):
        await recorder.until(lambda: recorder.given and recorder.given[-1].valid.any())
        own_agent.stop()
        await recorder.state(DeviceState.DOWN)
        await recorder.more_readings(16)  # looking for it was in vain
        own_agent.serve({"two": RECORDINGS["two"]})
        await recorder.until(lambda: bool(recorder.given[-1].valid.any()), 15)


@pytest.mark.gen_test(timeout=90)
async def test_the_status_names_the_engine_that_polls_where_going_over_to_it_failed_at_first(io_loop: object) -> None:
    honest, failed = PysnmpEngine.open, list[str]()

    async def refused(*_: object) -> object:
        raise Unsupported("not with this one")

    async def opened(*given: Any) -> object:
        if not failed:
            failed.append("once")
            raise NoAnswer("no way")
        return await honest(*given)

    with patch.object(BatchEngine, "rounds", refused), patch.object(PysnmpEngine, "open", opened):
        async with hostile_agent(table()) as agent, polling(device(agent.port, PUBLIC)) as (recorder, _):
            await recorder.more_readings(1)
            assert failed
            assert (recorder.statuses[-1].engine, recorder.statuses[-1].engine_why) == ("pysnmp", "not with this one")
