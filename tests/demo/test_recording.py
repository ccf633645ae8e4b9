from __future__ import annotations

import json

from server.demo.behaviour import Behaviour
from server.demo.recording import Agent, recording
from server.demo.traffic import CounterSpec
from tests.support.agents import AgentBuilder, steady


def lines(agent: Agent) -> dict[str, tuple[str, str]]:
    """Tag and value by OID."""
    return {oid: (tag, value) for oid, tag, value in (line.split("|", 2) for line in recording(agent).splitlines())}


def test_records_stand_in_the_order_of_their_oids() -> None:
    agent = AgentBuilder().interface("a", index=2).interface("b", index=10).interface("c", index=1).build()
    oids = [tuple(map(int, oid.split("."))) for oid in lines(agent)]
    assert oids == sorted(oids)
    assert len(oids) == len(recording(agent).splitlines())


def test_a_line_that_carries_nothing_has_plain_zeros() -> None:
    found = lines(AgentBuilder().interface("a").build())
    assert found["1.3.6.1.2.1.31.1.1.1.6.1"] == ("70", "0")


def test_a_speed_that_32_bits_do_not_hold_is_at_their_end_in_if_speed() -> None:
    found = lines(AgentBuilder().interface("a", speed_bps=100 * 10**9).build())
    assert found["1.3.6.1.2.1.2.2.1.5.1"] == ("66", str(2**32 - 1))
    assert found["1.3.6.1.2.1.31.1.1.1.15.1"] == ("66", "100000")


def test_both_widths_of_a_counter_come_from_one_spec() -> None:
    found = lines(AgentBuilder(refresh_s=3.0).interface("a", in_bps=steady(10**9, initial=2**63 + 5)).build())
    wide, narrow = (found[f"1.3.6.1.2.1.{oid}.1"] for oid in ("31.1.1.1.6", "2.2.1.10"))
    assert wide[0] == "70:linewatch"
    assert narrow[0] == "65:linewatch"
    specs = [CounterSpec(**json.loads(value)["counter"]) for _, value in (wide, narrow)]
    assert [(spec.bits, spec.initial, spec.refresh_s) for spec in specs] == [(64, 2**63 + 5, 3.0), (32, 5, 3.0)]


def test_packets_are_counted_from_octets() -> None:
    found = lines(AgentBuilder().interface("a", in_bps=10**9).build())
    unicast = json.loads(found["1.3.6.1.2.1.31.1.1.1.7.1"][1])["counter"]
    assert unicast["octets_each"] > 64


def test_every_record_of_an_agent_that_falls_silent_goes_through_the_module() -> None:
    agent = AgentBuilder(behaviour=Behaviour(silent_every_s=50.0, silent_s=3.0)).interface("a").build()
    assert all(tag.endswith(":linewatch") for tag, _ in lines(agent).values())


def test_an_agent_that_renumbers_has_each_row_once_for_each_of_two_boots() -> None:
    found = lines(AgentBuilder(renumbers=True).interface("a").build())
    names = {oid: json.loads(value) for oid, (_, value) in found.items() if ".31.1.1.1.1." in oid}
    assert [(value["value"], value["boots"]) for value in names.values()] == [("a", [0, 2]), ("a", [1, 2])]
    assert json.loads(found["1.3.6.1.2.1.2.2.1.1.41"][1])["value"] == 41


def test_columns_that_an_agent_lacks_are_not_in_its_recording() -> None:
    bare = lines(AgentBuilder(extended=False).interface("a").build())
    assert not any(oid.startswith("1.3.6.1.2.1.31.") for oid in bare)
    narrow = lines(AgentBuilder(discontinuity=False).interface("a", high_capacity=False).build())
    columns = {int(oid.split(".")[-2]) for oid in narrow if oid.startswith("1.3.6.1.2.1.31.1.1.1.")}
    assert columns == {1, 2, 3, 4, 5, 15, 17, 18}
