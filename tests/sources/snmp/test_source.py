from __future__ import annotations

import gc
import weakref
from typing import Any
from unittest.mock import patch

import pytest

from server.core.model import DeviceState
from server.sources.snmp.engine import Steering
from server.sources.snmp.outcome import Outcome
from server.sources.snmp.poller import Poller
from server.sources.snmp.settings import PollingDefaults
from tests.sources.snmp.conftest import Agent
from tests.sources.snmp.recorder import Recorder, device, polling


def tables(recorder: Recorder, name: str) -> list[int]:
    return [id(reading.table) for reading in recorder.given if reading.table.device == name]


@pytest.mark.gen_test(timeout=90)
async def test_a_new_configuration_adds_changes_and_removes_devices_and_leaves_the_others_alone(agent: Agent) -> None:
    first, second = device(agent.port, name="r1"), device(agent.port, name="r2")
    async with polling(first, second) as (recorder, source):
        await recorder.until(lambda: tables(recorder, "r1") and tables(recorder, "r2"))
        kept = tables(recorder, "r1")[0]
        source.reconfigure(PollingDefaults(), [first, device(agent.port, name="r3")])
        await recorder.until(lambda: recorder.gone == ["r2"] and tables(recorder, "r3"))
        last_of_r2 = len(tables(recorder, "r2"))
        slower = device(agent.port, name="r3", interval_s=0.5)
        source.reconfigure(PollingDefaults(), [first, slower])
        await recorder.until(
            lambda: any(reading.interval_s == 0.5 and reading.table.device == "r3" for reading in recorder.given)
        )
        assert recorder.gone == ["r2"], "a changed device is not forgotten"
        assert len(tables(recorder, "r2")) == last_of_r2
        assert set(tables(recorder, "r1")) == {kept}
        starts = [status for status in recorder.statuses if status.state is DeviceState.STARTING]
        assert [status.device for status in starts] == ["r1", "r2", "r3", "r3"]


@pytest.mark.gen_test(timeout=90)
async def test_a_default_that_a_device_overrides_does_not_disturb_it(agent: Agent) -> None:
    own, inherits = device(agent.port, name="r1"), device(agent.port, name="r2", interval_s=None)
    async with polling(own, inherits) as (recorder, source):
        await recorder.until(lambda: tables(recorder, "r1") and tables(recorder, "r2"))
        defaults = PollingDefaults(interval_s=0.5)
        source.reconfigure(defaults, [own.model_copy(update={"retries": defaults.retries}), inherits])
        await recorder.until(lambda: len(set(tables(recorder, "r2"))) == 2)
        assert len(set(tables(recorder, "r1"))) == 1


@pytest.mark.gen_test(timeout=90)
async def test_a_crash_in_one_poller_is_mended_and_does_not_touch_the_others(
    agent: Agent, caplog: pytest.LogCaptureFixture
) -> None:
    honest = Poller.ticked
    crashes: list[str] = []

    def ticked(poller: Poller, outcome: Outcome) -> Steering:
        if poller._settings.name == "r1" and not crashes:
            crashes.append("r1")
            raise ZeroDivisionError
        return honest(poller, outcome)

    with patch.object(Poller, "ticked", ticked):
        async with polling(device(agent.port, name="r1"), device(agent.port, name="r2")) as (recorder, _):
            await recorder.until(lambda: crashes and len(tables(recorder, "r1")) >= 2)
            assert len(set(tables(recorder, "r2"))) == 1
    assert "snmp r1 failed; it starts again" in caplog.text


@pytest.mark.gen_test(timeout=90)
async def test_devices_are_spread_over_the_interval(agent: Agent) -> None:
    devices = [device(agent.port, name=f"r{number}", interval_s=0.5) for number in range(8)]
    async with polling(*devices) as (recorder, _):
        await recorder.until(lambda: len({reading.table.device for reading in recorder.given}) == 8)
        begin = len(recorder.given)
        await recorder.more_readings(10)
    sent = {reading.table.device: reading.chunks[0].sent_ns / 1e9 % 0.5 for reading in recorder.given[begin:]}
    assert len({int(at * 20) for at in sent.values()}) >= 4


@pytest.mark.gen_test(timeout=90)
async def test_a_poller_that_a_new_configuration_ends_is_freed_at_once(agent: Agent) -> None:
    pollers: list[weakref.ref[Poller]] = []
    honest = Poller.__init__

    def init(poller: Poller, *given: Any) -> None:
        pollers.append(weakref.ref(poller))
        honest(poller, *given)

    with patch.object(Poller, "__init__", init):
        async with polling(device(agent.port)) as (recorder, source):
            await recorder.more_readings(2)
            gc.collect()
            gc.disable()
            try:
                source.reconfigure(PollingDefaults(), [device(agent.port, interval_s=0.5)])
                await recorder.until(lambda: recorder.given[-1].interval_s == 0.5)
                assert [poller() is not None for poller in pollers] == [False, True]
            finally:
                gc.enable()
