"""Interfaces that change without a word from the device are found by looking now and then."""

from __future__ import annotations

import pytest

from tests.sources.snmp.recorder import device, polling
from tests.sources.snmp.tables import IF_X, table
from tests.support.hostile_agent import GET_BULK, hostile_agent, text

PUBLIC = {"version": "2c", "community": "public"}


@pytest.mark.gen_test(timeout=60)
async def test_a_look_that_shows_nothing_new_is_short_and_a_new_alias_is_found(io_loop: object) -> None:
    settings = {"interval_s": 1.0, "slow_interval_s": 600, "rediscover_s": 10}
    async with hostile_agent(table(4)) as agent, polling(device(agent.port, PUBLIC, **settings)) as (recorder, _):
        await recorder.more_readings(2)
        whole = sum(heard.operation == GET_BULK for heard in agent.heard)
        agent.heard.clear()
        await recorder.until(lambda: any((*IF_X, 18) in heard.oids for heard in agent.heard), 20)
        await recorder.more_readings(2)
        walked = [heard for heard in agent.heard if heard.operation == GET_BULK and len(heard.oids) == 1]
        assert 3 <= len(walked) <= whole / 3
        assert len({id(reading.table) for reading in recorder.given}) == 1
        agent.table[*IF_X, 18, 2] = text("Cust: new {C-9}")
        await recorder.until(lambda: recorder.given[-1].table.rows[1].alias == "Cust: new {C-9}", 20)
