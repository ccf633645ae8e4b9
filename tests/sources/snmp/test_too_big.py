"""Devices that call answers too big which cannot be made smaller."""

from __future__ import annotations

import numpy as np
import pytest

from server.core.model import DeviceState, Row, Table
from server.sources.snmp import mib
from server.sources.snmp.outcome import Outcome
from server.sources.snmp.plan import Plan, Shape, Values
from server.sources.snmp.poller import Poller
from tests.sources.snmp.recorder import device, polling
from tests.sources.snmp.tables import IF_X, table
from tests.support.hostile_agent import GET_NEXT, Heard, hostile_agent

PUBLIC = {"version": "2c", "community": "public"}
WORDS = "the device calls even an answer of two values too big"
ENGINES = pytest.mark.parametrize("engine", ["batch", "pysnmp"])


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Poller, "_until_tick_s", lambda _: 0.0)


def refused(most_varbinds: int) -> Outcome:
    rows = tuple(Row(f"eth{index}", index) for index in range(1, 21))
    bits = np.full((len(mib.METRICS), len(rows)), 64, np.uint8)
    plan = Plan(Table("r1", 1, rows, mib.METRICS, bits), np.zeros(len(rows), np.bool_), Shape(40, most_varbinds))
    return Outcome(plan, (0, 1), Values.empty((0, 1), np.zeros(len(rows), np.uint64)), 1.0, too_big=True)


def test_a_plan_is_halved_until_it_asks_for_two_values_at_once_and_then_stays() -> None:
    outcome, shapes = refused(48), []
    while (plan := outcome.better_plan()) is not None and len(shapes) < 10:
        shapes.append(plan.shape.most_varbinds)
        outcome = refused(shapes[-1])
    assert shapes == [24, 12, 6, 3]
    assert outcome.always_too_big
    assert outcome.plan.halved().shape == outcome.plan.shape, "there is nothing smaller"


@ENGINES
@pytest.mark.gen_test(timeout=90)
async def test_an_answer_that_is_always_too_big_is_told_and_the_others_are_read(io_loop: object, engine: str) -> None:
    first = (*IF_X, 6, 3)

    def one_too_big(heard: Heard) -> list[bytes]:
        asked = any(oid == first for oid, _ in heard.honest)
        return [heard.reply(error=1)] if asked and len(heard.honest) > 1 else [heard.reply()]

    async with hostile_agent(table(6)) as agent, polling(device(agent.port, PUBLIC, engine=engine)) as (recorder, _):
        await recorder.more_readings(2)
        agent.mischief = one_too_big
        await recorder.until(lambda: recorder.statuses[-1].reason == WORDS)
        assert recorder.statuses[-1].state is DeviceState.LATE
        reading = (await recorder.more_readings(1))[0]
        assert reading.valid[0].tolist() == [True, True, False, False, True, True]
        assert recorder.statuses[-1].interval_s == 0.25, "to be asked less often makes no answer smaller"


@ENGINES
@pytest.mark.gen_test(timeout=90)
async def test_a_device_that_calls_every_answer_too_big_is_not_called_down(io_loop: object, engine: str) -> None:
    async with hostile_agent(table(6)) as agent, polling(device(agent.port, PUBLIC, engine=engine)) as (recorder, _):
        await recorder.more_readings(2)
        agent.mischief = lambda heard: [heard.reply([], error=1) if heard.operation != GET_NEXT else heard.reply()]
        status = await recorder.state(DeviceState.BAD_REPLIES)
        assert status.reason == WORDS
        agent.mischief = None
        await recorder.state(DeviceState.UP)
