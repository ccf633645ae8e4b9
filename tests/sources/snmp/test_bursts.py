"""Bursts outlive what happens to their device."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from server.core.blocks import Readings
from server.core.errors import NoAnswer
from server.sources.snmp.batch.engine import BatchEngine
from server.sources.snmp.engine import Target
from server.sources.snmp.settings import PollingDefaults
from tests.sources.snmp.recorder import Recorder, device, polling
from tests.sources.snmp.tables import table
from tests.support.hostile_agent import hostile_agent

PUBLIC = {"version": "2c", "community": "public"}


def bursts_of(recorder: Recorder) -> list[Readings]:
    """Bursts apart from the ordinary readings, from now on."""
    bursts: list[Readings] = []
    take = recorder.readings

    def readings(block: Readings) -> None:
        if block.burst:
            bursts.append(block)
            recorder._news.set()
        else:
            take(block)

    recorder.readings = readings  # type: ignore[method-assign]
    return bursts


@pytest.mark.gen_test(timeout=90)
async def test_a_burst_goes_on_when_its_device_is_configured_anew_and_ends_when_it_is_removed(io_loop: object) -> None:
    async with hostile_agent(table(4)) as agent, polling(device(agent.port, PUBLIC, interval_s=0.5)) as (recorder, source):
        bursts = bursts_of(recorder)
        await recorder.more_readings(1)
        end = source.burst("r1", frozenset({"eth1"}), 0.1)
        source.burst("r1", frozenset({"eth3"}), 0.2)
        await recorder.until(lambda: bursts and len(bursts[-1].tables[0].rows) == 2)
        anew = device(agent.port, PUBLIC, interval_s=0.75)
        source.reconfigure(PollingDefaults(), [anew])
        await recorder.until(lambda: recorder.given[-1].interval_s == 0.75)
        known = len(bursts)
        await recorder.until(lambda: len(bursts) > known + 2)
        assert [row.name for row in bursts[-1].tables[0].rows] == ["eth1", "eth3"]
        end()
        await recorder.until(lambda: [row.name for row in bursts[-1].tables[0].rows] == ["eth3"])
        source.reconfigure(PollingDefaults(), [])
        await recorder.until(lambda: recorder.gone == ["r1"])
        source.reconfigure(PollingDefaults(), [anew])
        known = len(bursts)
        await recorder.more_readings(3)
        assert len(bursts) == known


@pytest.mark.gen_test(timeout=90)
async def test_a_burst_rests_while_a_new_configuration_leaves_no_room_for_it(io_loop: object) -> None:
    async with hostile_agent(table(4)) as agent, polling(device(agent.port, PUBLIC, interval_s=0.5)) as (recorder, source):
        bursts = bursts_of(recorder)
        await recorder.more_readings(1)
        source.burst("r1", frozenset({"eth1"}), 0.1)
        await recorder.until(lambda: bursts)
        source.reconfigure(PollingDefaults(), [device(agent.port, PUBLIC, interval_s=0.75, requests_per_s=5)])
        await recorder.until(lambda: recorder.given[-1].interval_s == 0.75)
        known = len(bursts)
        await recorder.more_readings(2)
        assert len(bursts) == known
        source.reconfigure(PollingDefaults(), [device(agent.port, PUBLIC, interval_s=0.5)])
        await recorder.until(lambda: len(bursts) > known)


@pytest.mark.gen_test(timeout=90)
async def test_a_burst_that_cannot_begin_is_tried_again(io_loop: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.sources.snmp.burst._AGAIN_S", 0.05)
    honest, failed = BatchEngine.rounds, list[str]()

    async def rounds(engine: BatchEngine, target: Target, *more: object) -> object:
        if target.burst and len(failed) < 2:
            failed.append(target.device)
            raise NoAnswer("no way")
        return await honest(engine, target, *more)  # type: ignore[arg-type]

    with patch.object(BatchEngine, "rounds", rounds):
        async with (
            hostile_agent(table()) as agent,
            polling(device(agent.port, PUBLIC, interval_s=0.5)) as (recorder, source),
        ):
            bursts = bursts_of(recorder)
            await recorder.more_readings(1)
            source.burst("r1", frozenset({"eth1"}), 0.1)
            await recorder.until(lambda: bursts)
            assert len(failed) == 2
