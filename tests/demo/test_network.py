from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from server.demo.launcher import default_config, network
from server.demo.lines import LINKS, Link
from server.demo.network import DEVICES, Device
from server.demo.ports import LOOPBACK, Port
from server.demo.recording import DOWN, LAG, Agent
from server.demo.traffic import NS, grown_at, octets_at
from tests.demo.asking import IN_OCTETS, OUT_OCTETS, Asker

AGENTS = {device.name: device.agent() for device in DEVICES}
ROWS = [row for agent in AGENTS.values() for row in agent.interfaces]
ALIAS = re.compile(r"(Core|Peering|Transit|Cust|Mgmt): [^\[\]{}()]+( \[\d+G\])?( \([^)]+\))?( \{[A-Z0-9-]+\})?")


def device(name: str) -> Device:
    return next(device for device in DEVICES if device.name == name)


def test_config_yaml_lists_exactly_these_devices() -> None:
    assert yaml.safe_load(default_config().read_text(encoding="utf-8"))["devices"] == [each.config() for each in DEVICES]


def test_the_network_has_six_devices_and_about_120_interfaces_of_1g_to_100g() -> None:
    assert len(AGENTS) == 6
    assert 115 <= len(ROWS) <= 125
    assert {row.speed_bps // 10**9 for row in ROWS} == {0, 1, 10, 20, 40, 100}


def test_names_and_indexes_are_unique_and_aliases_have_one_form() -> None:
    for agent in AGENTS.values():
        assert (
            len({row.name for row in agent.interfaces})
            == len({row.index for row in agent.interfaces})
            == len(agent.interfaces)
        )
    assert [row.alias for row in ROWS if row.alias and not ALIAS.fullmatch(row.alias)] == []
    assert {row.alias.split(":")[0] for row in ROWS if row.alias} == {"Core", "Peering", "Transit", "Cust", "Mgmt"}


def test_every_trait_is_on_some_device() -> None:
    assert [each.name for each in DEVICES if each.user] == ["waw1-cr1", "ams2-pe1"]
    assert len({each.user.auth_key for each in DEVICES if each.user}) == 2
    assert [(each.engine, bool(each.user)) for each in DEVICES if each.engine] == [("pysnmp", True), ("pysnmp", False)]
    assert [each.name for each in DEVICES if not each.high_capacity] == ["lon1-sw1"]
    assert {row.speed_bps for row in AGENTS["lon1-sw1"].interfaces} <= {0, 10**9}
    assert AGENTS["ams2-pe1"].refresh_s == 5.0
    assert device("par2-pe1").behaviour.silent_s
    assert device("zrh1-cr1").behaviour.reboot_every_s == 240.0
    assert [row.name for row in ROWS if row.inbound and row.inbound.outage_s] == ["xe-1/0/4"]
    assert sum(row.in_errors is not None for row in ROWS) == 2
    assert sum(row.admin_status == DOWN for row in ROWS) >= 3
    assert sum(row.oper_status == DOWN and not row.alias for row in ROWS) >= 5
    assert sum(row.kind == LAG for row in ROWS) == 1


def test_one_64_bit_counter_passes_its_end_in_the_first_minute() -> None:
    spec = AGENTS["fra1-pe1"].counter("et-0/1/0", "in")
    at_start, after_a_minute = (octets_at(spec, second * NS) for second in (0, 60))
    assert at_start > after_a_minute


def sent_and_received(link: Link, way: int, at_ns: int) -> tuple[int, int]:
    """Growth since the epoch of what one end of a link sent and the other received."""
    ends = [(AGENTS[link.a], link.a_port), (AGENTS[link.b], link.b_port)]
    (sender, out_port), (receiver, in_port) = ends if way == 0 else reversed(ends)
    return grown_at(sender.counter(out_port, "out"), at_ns), grown_at(receiver.counter(in_port, "in"), at_ns)


@pytest.mark.parametrize("link", LINKS, ids=lambda link: link.circuit)
def test_what_one_end_of_a_link_sends_the_other_receives(link: Link) -> None:
    for second in (5, 60, 235):  # when those that refresh slowly have just done so, and before the first reboot
        for way in (0, 1):
            sent, received = sent_and_received(link, way, second * NS)
            assert sent == received > 0
    far_ends = {
        AGENTS[link.a].name: (link.a_port, link.b, link.b_port),
        AGENTS[link.b].name: (link.b_port, link.a, link.a_port),
    }
    for name, (port, far, far_port) in far_ends.items():
        row = next(row for row in AGENTS[name].interfaces if row.name == port)
        assert row.alias == f"Core: {far} {far_port} [{link.speed_g}G] {{{link.circuit}}}"


def test_the_members_of_a_bundle_sum_up_to_it() -> None:
    agent = AGENTS["waw1-cr1"]
    for second in (10, 100, 1000):
        bundle, first, other = (grown_at(agent.counter(port, "in"), second * NS) for port in ("ae0", "xe-1/0/0", "xe-1/0/1"))
        assert abs(bundle - first - other) <= 8


def text_index(agent: Agent, port: str) -> int:
    return next(row.index for row in agent.interfaces if row.name == port)


def test_both_ends_of_a_link_agree_over_snmp(tmp_path: Path) -> None:
    with ExitStack() as stack:
        ports = {name: stack.enter_context(Port.reserve()) for name in ("fra1-pe1", "waw1-cr1")}
        stack.enter_context(network({name: port.number for name, port in ports.items()}, LOOPBACK, tmp_path))
        user = device("waw1-cr1").user
        assert user is not None
        fra1 = Asker(ports["fra1-pe1"].number, community="fra1-pe1")
        waw1 = Asker(ports["waw1-cr1"].number, v3=(user.name, str(user.auth_key), str(user.privacy_key)), context="waw1-cr1")
        sent = f"{OUT_OCTETS}.{text_index(AGENTS['fra1-pe1'], 'et-0/0/2')}"
        received = f"{IN_OCTETS}.{text_index(AGENTS['waw1-cr1'], 'et-0/0/1')}"
        before, there, after = fra1.get(sent), waw1.get(received), fra1.get(sent)
        assert before is not None
        assert there is not None
        assert after is not None
        assert before.values[sent] < there.values[received] < after.values[sent]


def test_no_line_is_ever_above_its_speed() -> None:
    for agent in AGENTS.values():
        for row in agent.interfaces:
            for direction in ("in", "out"):
                spec = agent.counter(row.name, direction)
                assert spec.most_bps() <= row.speed_bps
