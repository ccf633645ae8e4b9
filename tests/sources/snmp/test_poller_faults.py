from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np
import pytest

from server.core.model import DeviceState
from server.sources.snmp import mib
from server.sources.snmp.poller import Poller
from tests.sources.snmp.recorder import column, device, polling
from tests.sources.snmp.tables import IF, UP_TIME, table
from tests.sources.snmp.tables import IF_X as X
from tests.support.hostile_agent import GET, GET_BULK, Heard, HostileAgent, Oid, hostile_agent, number, text

FAST = len(mib.FAST_SOURCES)
FIRST = {(*X, 6, 0), (*X, 6, 1)}  # what asks for ifHCInOctets of the first row, by GETBULK or GET
ENGINES = pytest.mark.parametrize("engine", ["auto", "pysnmp"])


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ticks begin at once. How devices are spread over the interval is `test_source.py`'s."""
    monkeypatch.setattr(Poller, "_until_tick_s", lambda _: 0.0)


PUBLIC = {"version": "2c", "community": "public"}


@pytest.mark.gen_test(timeout=90)
async def test_a_device_that_answers_after_the_interval_is_late_and_still_read(
    io_loop: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.sources.snmp.health.WINDOW", 4)
    async with hostile_agent(table()) as agent, polling(device(agent.port, PUBLIC, timeout_s=1.0)) as (recorder, _):
        await recorder.more_readings(2)
        _delay(agent, 0.6)
        status = await recorder.state(DeviceState.LATE)
        await recorder.until(lambda: "answers after 0.6 s, polled every 0.25 s" in recorder.statuses[-1].reason)
        reading = (await recorder.more_readings(1))[0]
        assert reading.valid[0].all()
        assert recorder.failed["skipped"] > 0
        agent.mischief = None
        await recorder.state(DeviceState.UP)
        assert status.state is DeviceState.LATE


@ENGINES
@pytest.mark.gen_test(timeout=90)
async def test_a_device_that_answers_after_all_tries_is_told_how_late(io_loop: object, engine: str) -> None:
    settings = {"timeout_s": 0.1, "engine": engine}
    async with hostile_agent(table()) as agent, polling(device(agent.port, PUBLIC, **settings)) as (recorder, _):
        await recorder.more_readings(2)
        _delay(agent, 0.4)
        await recorder.until(lambda: "raise timeout_s" in recorder.statuses[-1].reason)
        assert "answers after 0.4 s" in recorder.statuses[-1].reason


def _delay(agent: HostileAgent, seconds: float) -> None:
    """From now on each answer leaves late."""
    loop = asyncio.get_running_loop()

    def late(heard: Heard) -> list[bytes]:
        loop.call_later(seconds, agent.send, heard.reply())
        return []

    agent.mischief = late


@pytest.mark.parametrize(
    ("value", "check"),
    [(text("nonsense"), "type"), ((0x46, b"\xff"), "type"), ((0x46, b""), "type"), (number(0x46, 2**64), "type")],
)
@pytest.mark.gen_test(timeout=90)
async def test_one_bad_value_spoils_its_cell_only(io_loop: object, value: tuple[int, bytes], check: str) -> None:
    async with hostile_agent(table(3)) as agent, polling(device(agent.port, PUBLIC)) as (recorder, _):
        await recorder.more_readings(1)
        agent.table[*X, 6, 2] = value
        await recorder.until(lambda: recorder.bad[check])
        reading = (await recorder.more_readings(1))[0]
        assert column(reading, "in_octets") == [10**6, None, 3 * 10**6]
        assert column(reading, "out_octets") == [10**7, 2 * 10**7, 3 * 10**7]
        assert recorder.statuses[-1].state is DeviceState.UP


def other_objects(heard: Heard) -> list[bytes]:
    return [heard.reply([((*oid[:-1], oid[-1] + 1), value) for oid, value in heard.honest])]


def truncated(heard: Heard) -> list[bytes]:
    return [heard.reply()[:-3]]


@pytest.mark.parametrize(
    ("mischief", "engine"),
    [
        (other_objects, "auto"),
        (other_objects, "pysnmp"),
        (lambda heard: [heard.reply(heard.honest[:-1])], "auto"),
        (lambda heard: [heard.reply(heard.honest[::-1])], "auto"),
        (truncated, "auto"),
        (truncated, "pysnmp"),
        (lambda heard: [heard.reply(error=5, index=9999)], "auto"),
    ],
)
@pytest.mark.gen_test(timeout=90)
async def test_answers_that_cannot_be_used_are_a_state_and_give_no_values(
    io_loop: object, mischief: Callable[[Heard], list[bytes]], engine: str
) -> None:
    async with hostile_agent(table()) as agent, polling(device(agent.port, PUBLIC, engine=engine)) as (recorder, _):
        await recorder.more_readings(1)
        agent.mischief = mischief
        status = await recorder.state(DeviceState.BAD_REPLIES)
        assert status.reason
        assert recorder.failed["bad_reply"] >= 3
        assert sum(recorder.bad.values()) >= 3
        assert not recorder.given[-1].valid.any()
        agent.mischief = None
        await recorder.state(DeviceState.UP)


@pytest.mark.gen_test(timeout=90)
async def test_a_partial_answer_leaves_the_other_cells_alone(io_loop: object) -> None:
    async with hostile_agent(table(80)) as agent, polling(device(agent.port, PUBLIC, interval_s=0.35)) as (recorder, _):
        await recorder.more_readings(1)
        agent.mischief = lambda heard: [] if FIRST & set(heard.oids) else [heard.reply()]
        await recorder.more_readings(1)
        reading = (await recorder.more_readings(1))[0]
        valid = reading.valid[0]
        assert not valid[0]
        assert valid[-1]
        assert valid.sum() > 20
        await recorder.state(DeviceState.LATE)
        assert "had no full answer" in recorder.statuses[-1].reason


@ENGINES
@pytest.mark.gen_test(timeout=90)
async def test_a_device_that_calls_answers_too_big_is_asked_in_smaller_ones_for_good(io_loop: object, engine: str) -> None:
    async with hostile_agent(table(20)) as agent:
        agent.mischief = lambda heard: [heard.reply([], error=1) if len(heard.honest) > 10 else heard.reply()]
        async with polling(device(agent.port, PUBLIC, engine=engine)) as (recorder, _):
            await recorder.until(lambda: recorder.given and recorder.given[-1].valid[:FAST].all())
            sent = len(agent.heard)
            await recorder.more_readings(2)
            assert max(len(heard.honest) for heard in agent.heard[sent:]) <= 10


@pytest.mark.gen_test(timeout=90)
async def test_an_interface_that_went_is_looked_for_and_dropped(io_loop: object) -> None:
    async with hostile_agent(table(3)) as agent, polling(device(agent.port, PUBLIC)) as (recorder, _):
        await recorder.more_readings(1)
        for oid in [oid for oid in agent.table if oid[-1] == 2 and oid[:7] != UP_TIME[:7]]:
            del agent.table[oid]
        await recorder.until(lambda: len(recorder.given[-1].table.rows) == 2)
        reading = recorder.given[-1]
        assert [row.name for row in reading.table.rows] == ["eth1", "eth3"]
        assert reading.table.version == 2


@ENGINES
@pytest.mark.gen_test(timeout=90)
async def test_version_1_drops_the_one_object_that_fails_the_whole_answer_until_it_is_back(
    io_loop: object, engine: str
) -> None:
    things = {oid: value for oid, value in table(3).items() if oid[:-2] != X or oid[-2] not in (6, 10)}
    for index in (1, 2, 3):
        things |= {(*IF, 10, index): number(0x41, index), (*IF, 16, index): number(0x41, index)}

    broken: list[Oid] = []  # walks show it, but it cannot be read

    def version_1(heard: Heard) -> list[bytes]:
        missing = [
            at
            for at, (oid, value) in enumerate(heard.honest, 1)
            if value[0] in (0x80, 0x81, 0x82) or (heard.operation == GET and oid in broken)
        ]
        asked = [(oid, (0x05, b"")) for oid in heard.oids]
        return [heard.reply(asked, error=2, index=missing[0]) if missing else heard.reply()]

    async with hostile_agent(things) as agent:
        agent.mischief = version_1
        async with polling(device(agent.port, {"version": "1", "community": "public"}, engine=engine)) as (recorder, _):
            await recorder.until(lambda: recorder.given and recorder.given[-1].valid[:FAST].all())
            broken.append((*IF, 10, 2))
            await recorder.until(lambda: column(recorder.given[-1], "in_octets") == [1, None, 3])
            broken.clear()
            await recorder.until(lambda: column(recorder.given[-1], "in_octets") == [1, 2, 3])
            assert recorder.given[-1].table is recorder.given[0].table


@pytest.mark.gen_test(timeout=90)
async def test_a_change_of_the_interface_table_is_followed_without_a_reboot(io_loop: object) -> None:
    last_change = (1, 3, 6, 1, 2, 1, 31, 1, 5, 0)
    async with (
        hostile_agent({**table(1), last_change: number(0x43, 7)}) as agent,
        polling(device(agent.port, PUBLIC, slow_interval_s=0.25)) as (recorder, _),
    ):
        await recorder.more_readings(3)
        version = recorder.given[-1].table.version
        agent.table |= {**table(2), last_change: number(0x43, 8)}
        await recorder.until(lambda: len(recorder.given[-1].table.rows) == 2)
        assert recorder.given[-1].table.version == version + 1


@pytest.mark.gen_test(timeout=90)
async def test_an_interface_that_goes_down_and_up_is_an_event_with_its_row(io_loop: object) -> None:
    async with hostile_agent(table(8)) as agent, polling(device(agent.port, PUBLIC, slow_interval_s=0.25)) as (recorder, _):
        await recorder.more_readings(2)
        agent.table[*IF, 8, 2] = number(0x02, 7)
        await recorder.until(lambda: recorder.events)
        assert (recorder.events[0].kind, recorder.events[0].row) == ("interface_down", "eth2")
        assert recorder.events[0].text == "lowerLayerDown"
        agent.table[*IF, 8, 2] = number(0x02, 1)
        await recorder.until(lambda: recorder.events[-1].kind == "interface_up")
        for index in range(1, 9):
            agent.table[*IF, 8, index] = number(0x02, 2)
        await recorder.until(lambda: recorder.events[-1].text == "8 interfaces went down")
        assert recorder.events[-1].details == {"rows": [f"eth{index}" for index in range(1, 9)]}


@pytest.mark.gen_test(timeout=90)
async def test_an_agent_that_answers_getbulk_out_of_order_is_asked_one_by_one(io_loop: object) -> None:
    def one_column_only(heard: Heard) -> list[bytes]:
        return [heard.reply(heard.honest[:1] if heard.operation == GET_BULK and len(heard.oids) > 1 else heard.honest)]

    async with hostile_agent(table(40)) as agent:
        agent.mischief = one_column_only
        async with polling(device(agent.port, PUBLIC)) as (recorder, _):
            await recorder.until(lambda: recorder.given and recorder.given[-1].valid[:2].all())
            agent.heard.clear()
            await recorder.more_readings(3)
            assert {heard.operation for heard in agent.heard} == {GET}
            assert recorder.statuses[-1].state is DeviceState.UP


@pytest.mark.gen_test(timeout=90)
async def test_a_missed_row_keeps_its_discontinuity_stamp(io_loop: object) -> None:
    stamps = {(*X, 19, index): number(0x43, 1000 + index) for index in range(1, 41)}
    async with (
        hostile_agent({**table(40), **stamps}) as agent,
        polling(device(agent.port, PUBLIC, interval_s=0.35)) as (recorder, _),
    ):
        await recorder.more_readings(1)
        agent.mischief = lambda heard: [] if FIRST & set(heard.oids) else [heard.reply()]
        await recorder.more_readings(1)
        reading = (await recorder.more_readings(1))[0]
        assert not reading.valid[0, 0]
        assert reading.discontinuity is not None
        assert reading.discontinuity.tolist() == [1000 + index for index in range(1, 41)]


@pytest.mark.gen_test(timeout=90)
async def test_texts_of_a_device_are_made_harmless(io_loop: object) -> None:
    async with hostile_agent(table(1)) as agent:
        agent.table[*X, 18, 1] = text("Core: \u202eevil\x00 {C-1}" + "x" * 400)
        agent.table[1, 3, 6, 1, 2, 1, 1, 5, 0] = text(b"\x1b[2Jname")
        async with polling(device(agent.port, PUBLIC)) as (recorder, _):
            reading = (await recorder.more_readings(1))[0]
            row = reading.table.rows[0]
            assert row.alias.startswith("Core: evil {C-1}x")
            assert len(row.alias) == 255
            assert dict(recorder.statuses[-1].facts)["sysName"] == "[2Jname"


@pytest.mark.gen_test(timeout=90)
async def test_a_tick_starts_in_time_whatever_the_device_does(io_loop: object) -> None:
    async with hostile_agent(table()) as agent, polling(device(agent.port, PUBLIC)) as (recorder, _):
        await recorder.more_readings(6)
        assert np.median(recorder.late_s) < 0.1
