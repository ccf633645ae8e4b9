"""The batch engine as a source has it: real sockets, real agents. What both engines promise is in `test_poller*.py`."""

from __future__ import annotations

import time
from collections.abc import Callable
from unittest.mock import AsyncMock, patch

import numpy as np
import pytest

from server.core.blocks import NO_STAMP, Readings
from server.core.errors import NoAnswer
from server.core.model import DeviceState
from server.sources.snmp.batch.engine import BatchEngine
from server.sources.snmp.batch.ticks import Ticks
from server.sources.snmp.engine import Target
from server.sources.snmp.link import Link
from server.sources.snmp.outcome import Outcome
from server.sources.snmp.poller import Poller
from tests.sources.snmp.catalogue import RECORDINGS
from tests.sources.snmp.conftest import V3, Agent
from tests.sources.snmp.recorder import device, polling
from tests.sources.snmp.tables import IF, IF_X, UP_TIME, table
from tests.support.hostile_agent import RESPONSE, Heard, element, hostile_agent, number, oid_content

PUBLIC = {"version": "2c", "community": "public"}


def told_of() -> tuple[list[Outcome], Callable[[Poller, Outcome], object]]:
    """A list of the ticks of which pollers are told, and what notes them."""
    outcomes: list[Outcome] = []
    honest = Poller.ticked

    def ticked(poller: Poller, outcome: Outcome) -> object:
        outcomes.append(outcome)
        return honest(poller, outcome)

    return outcomes, ticked


@pytest.mark.gen_test(timeout=90)
async def test_a_device_that_is_well_is_polled_without_telling_anyone_and_what_happens_is_told(io_loop: object) -> None:
    outcomes, ticked = told_of()
    async with hostile_agent(table(8)) as agent:
        with patch.object(Poller, "ticked", ticked):
            async with polling(device(agent.port, PUBLIC, slow_interval_s=0.25)) as (recorder, _):
                await recorder.more_readings(12)
                known = len(outcomes)
                readings = await recorder.more_readings(8)
                assert len(outcomes) == known
                assert all(reading.valid[:2].all() and reading.chunks for reading in readings)
                agent.table[*IF, 8, 2] = number(0x02, 7)
                await recorder.until(lambda: recorder.events)
                assert outcomes[known].quiet is not None
                agent.mischief = lambda heard: []
                await recorder.until(lambda: not recorder.given[-1].valid.any())
                assert outcomes[-1].error is not None


@pytest.mark.gen_test(timeout=90)
async def test_devices_that_answer_at_one_time_are_one_block(io_loop: object) -> None:
    blocks: list[Readings] = []
    async with hostile_agent(table(4)) as agent:
        devices = [device(agent.port, PUBLIC, name=f"r{number}") for number in range(12)]
        with patch("zlib.crc32", return_value=2**31):  # one phase for all
            async with polling(*devices) as (recorder, _):
                take = recorder.readings
                recorder.readings = lambda block: (blocks.append(block), take(block))[1]  # type: ignore[method-assign]
                await recorder.until(lambda: any(len(block) >= 6 for block in blocks), 15)
    block = max(blocks, key=len)
    for place, of in enumerate(block.tables):
        reading = block.reading(place)
        assert reading.table is of
        assert reading.values[0].tolist() == [10**6 * index for index in range(1, 5)]
        assert reading.chunks[0].device_ticks == 500_000
        assert reading.chunks[0].sent_ns <= reading.chunks[0].received_ns


@pytest.mark.gen_test(timeout=90)
async def test_a_clock_that_falls_between_quiet_ticks_is_believed_no_more(io_loop: object) -> None:
    async with hostile_agent(table(4)) as agent, polling(device(agent.port, PUBLIC)) as (recorder, _):
        await recorder.more_readings(8)
        agent.table[UP_TIME] = number(0x43, 10)
        begin = len(recorder.given)
        await recorder.until(lambda: any(reading.chunks[0].device_ticks == 10 for reading in recorder.given[begin:]))
        first = next(reading for reading in recorder.given[begin:] if reading.chunks[0].device_ticks == 10)
        assert not first.valid.any()


def with_a_long_request_id(heard: Heard) -> list[bytes]:
    """BER allows an INTEGER of more octets than needed, and some libraries read it."""
    pairs = [element(0x30, element(0x06, oid_content(oid)) + element(*value)) for oid, value in heard.honest]
    numbers = element(0x02, heard.request_id.to_bytes(6, "big")) + bytes.fromhex("020100020100")
    pdu = element(RESPONSE, numbers + element(0x30, b"".join(pairs)))
    return [element(0x30, element(0x02, b"\x01") + element(0x04, heard.community) + pdu)]


@pytest.mark.gen_test(timeout=90)
async def test_auto_goes_over_to_pysnmp_for_a_device_that_the_batch_engine_cannot_read_and_says_why(io_loop: object) -> None:
    async with hostile_agent(table(4)) as agent, polling(device(agent.port, PUBLIC)) as (recorder, _):
        await recorder.more_readings(2)
        assert recorder.statuses[-1].engine == "batch"
        agent.mischief = with_a_long_request_id
        await recorder.until(lambda: recorder.statuses[-1].engine == "pysnmp", 15)
        assert "the batch engine cannot read it" in recorder.statuses[-1].engine_why
        await recorder.until(lambda: recorder.given[-1].valid.any() and recorder.statuses[-1].state is DeviceState.UP)


@pytest.mark.gen_test(timeout=90)
async def test_a_version_3_device_that_was_replaced_is_synchronised_with_again(io_loop: object, own_agent: Agent) -> None:
    async with polling(device(own_agent.port, V3, engine="batch", timeout_s=1.0)) as (recorder, _):
        await recorder.more_readings(4)
        assert recorder.given[-1].valid.any()
        own_agent.serve({"two": RECORDINGS["two"]})
        await recorder.until(lambda: not recorder.given[-1].valid.any())
        await recorder.until(lambda: recorder.given[-1].valid.any() and recorder.statuses, 20)
        assert recorder.statuses[-1].engine == "batch"


@pytest.mark.gen_test(timeout=90)
async def test_a_burst_asks_its_rows_alone_and_often_in_a_stream_of_its_own_until_it_ends(io_loop: object) -> None:
    bursts: list[Readings] = []
    async with hostile_agent(table(40)) as agent, polling(device(agent.port, PUBLIC, interval_s=1.0)) as (recorder, source):
        take = recorder.readings
        recorder.readings = lambda block: bursts.append(block) if block.burst else take(block)  # type: ignore[assignment, method-assign]
        await recorder.more_readings(2)
        end = source.burst("r1", frozenset({"eth3", "eth7"}), 0.1)
        before = len(recorder.given)
        await recorder.until(lambda: len(recorder.given) >= before + 3)
        readings = [block.reading(0) for block in bursts]
        assert {tuple(row.name for row in reading.table.rows) for reading in readings} == {("eth3", "eth7")}
        assert all(reading.values[0].tolist() == [3 * 10**6, 7 * 10**6] for reading in readings)
        sent_s = [reading.chunks[0].sent_ns / 1e9 for reading in readings]
        assert np.median(np.diff(sent_s)) == pytest.approx(0.1, abs=0.02)
        end()
        end()
        await recorder.more_readings(1)
        known = len(bursts)
        await recorder.more_readings(2)
        assert len(bursts) == known


@pytest.mark.gen_test(timeout=90)
async def test_a_burst_that_is_too_much_for_the_device_is_refused_with_words(io_loop: object) -> None:
    settings = {"interval_s": 1.0, "requests_per_s": 12}
    async with hostile_agent(table(80)) as agent, polling(device(agent.port, PUBLIC, **settings)) as (recorder, source):
        await recorder.more_readings(1)
        every = frozenset(f"eth{index}" for index in range(1, 81))
        with pytest.raises(ValueError, match="requests_per_s is 12"):
            source.burst("r1", every, 0.1)
        with pytest.raises(ValueError, match="no interface named 'eth99'"):
            source.burst("r1", frozenset({"eth99"}), 0.5)
        with pytest.raises(ValueError, match=r"from 0\.1 s to less than 1 s"):
            source.burst("r1", frozenset({"eth1"}), 0.05)
        with pytest.raises(ValueError, match="no device is named 'r9'"):
            source.burst("r9", frozenset({"eth1"}), 0.5)
        source.burst("r1", frozenset({"eth1"}), 0.5)()


@pytest.mark.gen_test(timeout=90)
async def test_a_device_whose_budget_is_small_is_polled_less_often_and_its_status_says_so(io_loop: object) -> None:
    settings = {"requests_per_s": 6, "slow_interval_s": 60}
    async with hostile_agent(table(80)) as agent, polling(device(agent.port, PUBLIC, **settings)) as (recorder, _):
        await recorder.until(lambda: recorder.statuses and recorder.statuses[-1].interval_s > 0.25)
        slower_s = recorder.statuses[-1].interval_s
        readings = await recorder.more_readings(4)
        spacing = np.diff([reading.chunks[0].sent_ns / 1e9 for reading in readings[1:]])
        assert np.median(spacing) == pytest.approx(slower_s, abs=0.03)
        assert readings[-1].interval_s == pytest.approx(slower_s)


@pytest.mark.gen_test(timeout=90)
async def test_values_beyond_32_bits_and_missing_rows_come_through_many_ticks(io_loop: object) -> None:
    async with hostile_agent(table(3)) as agent:
        agent.table[*IF_X, 6, 1] = number(0x46, 2**64 - 1)
        agent.mischief = lambda heard: [heard.reply()]
        async with polling(device(agent.port, PUBLIC)) as (recorder, _):
            await recorder.more_readings(3)
            assert recorder.given[-1].values[0].tolist() == [2**64 - 1, 2 * 10**6, 3 * 10**6]
            del agent.table[*IF_X, 10, 2]
            await recorder.until(lambda: not recorder.given[-1].valid[1, 1])
            assert recorder.given[-1].valid[0].all()


@pytest.mark.gen_test(timeout=90)
async def test_a_burst_is_believed_again_after_a_reboot_that_changed_no_interface(io_loop: object) -> None:
    bursts: list[Readings] = []
    async with hostile_agent(table(4)) as agent, polling(device(agent.port, PUBLIC, interval_s=0.5)) as (recorder, source):
        take = recorder.readings
        recorder.readings = lambda block: bursts.append(block) if block.burst else take(block)  # type: ignore[assignment, method-assign]
        await recorder.more_readings(2)
        end = source.burst("r1", frozenset({"eth3"}), 0.1)
        await recorder.until(lambda: bursts and bursts[-1].valid.all())
        agent.table[UP_TIME] = number(0x43, 10)
        await recorder.until(lambda: not bursts[-1].valid.any())
        await recorder.until(lambda: bool(bursts[-1].valid.all()), 20)
        end()


@pytest.mark.usefixtures("soon_down")
@pytest.mark.gen_test(timeout=90)
async def test_a_device_whose_rounds_cannot_be_begun_again_is_found_again(io_loop: object) -> None:
    honest, failed = BatchEngine.rounds, list[str]()

    async def rounds(engine: BatchEngine, target: Target, *more: object) -> object:
        if agent.mischief is not None:
            failed.append(target.device)
            raise NoAnswer("no way")
        return await honest(engine, target, *more)  # type: ignore[arg-type]

    async with hostile_agent(table(4)) as agent, polling(device(agent.port, PUBLIC)) as (recorder, _):
        await recorder.more_readings(3)
        with (
            patch.object(Link, "leads_elsewhere", AsyncMock(return_value=True)),
            patch.object(BatchEngine, "rounds", rounds),
        ):
            agent.mischief = lambda heard: []
            await recorder.until(lambda: failed, 20)
            agent.mischief = None
            await recorder.more_readings(3, 30)
        assert recorder.given[-1].valid.any()


@pytest.mark.gen_test(timeout=90)
async def test_a_tick_that_was_answered_is_put_out_before_the_next_one_begins_however_late_the_loop_is(agent: Agent) -> None:
    honest, asked = Ticks.begin, list[int]()

    def begin(ticks: Ticks, now_ns: int, adopt: Callable[..., None]) -> None:
        before = ticks.lanes.began.copy()
        honest(ticks, now_ns, adopt)
        if (ticks.lanes.began != before).any():
            asked.append(now_ns)
            # Something else holds the loop: the answer comes meanwhile, and the next tick is due.
            time.sleep(0.3 + 0.01 * (len(asked) % 2))

    async with polling(device(agent.port)) as (recorder, _):
        await recorder.more_readings(2)
        with patch.object(Ticks, "begin", begin):
            readings = await recorder.more_readings(12)
    assert len(asked) >= 12
    assert all(reading.valid.all() for reading in readings)
    assert (np.diff([reading.chunks[0].sent_ns for reading in readings]) > 0).all(), "none is told twice"


@pytest.mark.gen_test(timeout=90)
async def test_a_device_that_waits_for_room_because_others_are_silent_does_not_look_silent(own_agent: Agent) -> None:
    outcomes, ticked = told_of()
    own_agent.stop()
    async with hostile_agent(table(4)) as others:
        devices = [device(others.port, PUBLIC, name=f"r{number}", interval_s=0.5) for number in range(40)]
        good = device(own_agent.port, name="good", interval_s=0.5)
        with patch("server.sources.snmp.batch.ticks._MOST_WAITING", 1), patch("zlib.crc32", return_value=0):
            async with polling(*devices, good) as (recorder, _):
                await recorder.until(lambda: len({reading.table.device for reading in recorder.given}) == 40)
                own_agent.serve({"two": RECORDINGS["two"]})  # the last one to be found is the last one to be sent
                await recorder.until(lambda: any(reading.table.device == "good" for reading in recorder.given), 60)
                others.mischief = lambda heard: []
                with patch.object(Poller, "ticked", ticked):
                    readings = await recorder.more_readings(240, 60)
    good_s = [reading.wall_s for reading in readings if reading.table.device == "good" and reading.valid[:2].all()]
    assert len(good_s) > (good_s[-1] - good_s[0]) / 0.5 * 0.8, "nor is it asked less often"
    assert sum(outcome.error is not None for outcome in outcomes) > 20
    assert not any(outcome.error for outcome in outcomes if outcome.plan.table.device == "good")


@pytest.mark.gen_test(timeout=90)
async def test_a_tick_that_was_left_out_is_counted_and_nobody_is_told(agent: Agent) -> None:
    outcomes, ticked = told_of()
    async with polling(device(agent.port)) as (recorder, _):
        with patch.object(Poller, "ticked", ticked):
            await recorder.until(lambda: recorder.given and len(outcomes) < len(recorder.given))
            known = len(outcomes)
            time.sleep(1.0)
            await recorder.until(lambda: recorder.failed["skipped"] >= 2)
            await recorder.more_readings(2)
    assert len(outcomes) == known


@pytest.mark.parametrize("engine", ["batch", "pysnmp"])
@pytest.mark.gen_test(timeout=90)
async def test_a_discontinuity_time_that_was_not_heard_yet_is_told_as_such(io_loop: object, engine: str) -> None:
    rows = {(*IF_X, 19, index): number(0x43, 1234) for index in range(1, 5)}
    async with hostile_agent(table(4) | rows) as agent:
        in_octets = (*IF_X, 6, 1)

        def withhold(heard: Heard) -> list[bytes]:
            given = [oid for oid, _ in heard.honest]
            return [] if given[0] == UP_TIME and in_octets in given else [heard.reply()]

        agent.mischief = withhold
        async with polling(device(agent.port, PUBLIC, slow_interval_s=0.25, engine=engine)) as (recorder, _):
            await recorder.until(lambda: any(reading.chunks for reading in recorder.given))
            agent.mischief = None
            await recorder.until(lambda: bool(recorder.given[-1].valid[0].any()))
    for reading in recorder.given:
        assert reading.discontinuity is not None
        assert (reading.discontinuity == (1234 if reading.valid[0].any() else NO_STAMP)).all()
