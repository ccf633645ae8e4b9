"""What the source reads against what the simulated counter truly was."""

from __future__ import annotations

import pytest

from server.core.clock import boot_ns
from tests.sources.snmp.recorder import column, device, polling
from tests.support.agents import AgentBuilder, SimulatedAgent, steady


@pytest.mark.gen_test(timeout=90)
async def test_each_value_is_the_counters_at_a_moment_between_asking_and_answer_also_across_2_64(io_loop: object) -> None:
    rate_bps = 8_000_000_000
    builder = AgentBuilder().interface("et-0/0/1", in_bps=steady(rate_bps, initial=2**64 - 35 * 10**8), out_bps=rate_bps)
    with SimulatedAgent(builder, epoch_ns=boot_ns()) as agent:
        snmp = {"version": "2c", "community": "public"}
        async with polling(device(agent.port, snmp)) as (recorder, _):
            await recorder.until(lambda: recorder.given and (column(recorder.given[-1], "in_octets")[0] or 2**64) < 2**63)
            await recorder.more_readings(2)
        seen = [reading for reading in recorder.given if reading.valid[:2].all()]
        assert len(seen) > 2
        assert (column(seen[0], "in_octets")[0] or 0) > 2**63 > (column(seen[-1], "in_octets")[0] or 2**64)
        for reading in seen:
            chunk = reading.chunks[0]
            for way in ("in", "out"):
                value = column(reading, f"{way}_octets")[0]
                assert value is not None
                earliest = agent.octets("et-0/0/1", way, chunk.sent_ns)
                latest = agent.octets("et-0/0/1", way, chunk.received_ns)
                assert (value - earliest) % 2**64 <= (latest - earliest) % 2**64
