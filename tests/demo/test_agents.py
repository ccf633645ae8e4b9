"""Each trait of a simulated agent, seen over real SNMP."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from server.core.clock import boot_ns
from server.demo.traffic import NS
from tests.demo.asking import DISCONTINUITY, IN_OCTETS, NAME, OPER_STATUS, OUT_OCTETS, UPTIME, Answer, Asker
from tests.support.agents import AgentBuilder, Behaviour, CounterSpec, SimulatedAgent, V3User, steady

MOST_64 = 1 << 64


def ago(seconds: float) -> int:
    return boot_ns() - round(seconds * NS)


def assert_true(agent: SimulatedAgent, name: str, direction: str, value: int, answer: Answer) -> None:
    """`value` is what the counter showed at a moment between request and answer."""
    lowest = agent.octets(name, direction, answer.sent_ns)
    highest = agent.octets(name, direction, answer.received_ns)
    assert (value - lowest) % MOST_64 <= (highest - lowest) % MOST_64


def answers_until(
    asker: Asker, done: Callable[[Answer | None], bool], *oids: str, within_s: float = 60.0
) -> list[Answer | None]:
    """What came, up to the first answer that is `done`."""
    give_up_ns = boot_ns() + round(within_s * NS)
    answers: list[Answer | None] = []
    while not answers or not done(answers[-1]):
        assert boot_ns() < give_up_ns, f"not seen in {within_s:g} s: {answers[-3:]}"
        answers.append(asker.get(*oids))
    return answers


@pytest.fixture(scope="module")
def plain() -> Iterator[SimulatedAgent]:
    builder = (
        AgentBuilder("sw1", location="", refresh_s=0.0)
        .interface(
            "et-0/0/1", in_bps=2_000_000_000, out_bps=CounterSpec(10**9, 10**10, seed=4), alias="Core: Zürich [10G] {1}"
        )
        .interface("et-0/0/2", in_bps=steady(10**12, initial=MOST_64 - 10), alias="", index=7)
        .interface("et-0/0/3", in_bps=8_000, high_capacity=False)
        .interface("et-0/0/4", in_bps=steady(10**9, refresh_s=3600.0))
        .interface("et-0/0/5", in_bps=steady(10**9, restart_every_s=5.0))
    )
    user = V3User("reader", auth_key="auth-key-1", privacy_key="privacy-key-1")
    with SimulatedAgent(
        builder, communities=("public", "other"), users=(user,), contexts=("inside",), epoch_ns=ago(8)
    ) as agent:
        yield agent


def test_counters_over_snmp_are_the_truth(plain: SimulatedAgent) -> None:
    for _ in range(5):
        answer = Asker(plain.port).get(f"{IN_OCTETS}.1", f"{OUT_OCTETS}.1")
        assert answer is not None
        assert_true(plain, "et-0/0/1", "in", answer.values[f"{IN_OCTETS}.1"], answer)
        assert_true(plain, "et-0/0/1", "out", answer.values[f"{OUT_OCTETS}.1"], answer)


def test_uptime_counts_from_the_epoch(plain: SimulatedAgent) -> None:
    answer = Asker(plain.port).get(UPTIME)
    assert answer is not None
    lowest, highest = ((moment - plain.epoch_ns) // 10_000_000 for moment in (answer.sent_ns, answer.received_ns))
    assert lowest <= answer.values[UPTIME] <= highest


def test_a_64_bit_counter_passes_its_end_exactly(plain: SimulatedAgent) -> None:
    answer = Asker(plain.port).get(f"{IN_OCTETS}.7")
    assert answer is not None
    assert answer.values[f"{IN_OCTETS}.7"] < MOST_64 // 2
    assert_true(plain, "et-0/0/2", "in", answer.values[f"{IN_OCTETS}.7"], answer)


def test_a_walk_finds_each_row_once_and_text_that_is_not_ascii(plain: SimulatedAgent) -> None:
    asker = Asker(plain.port)
    assert asker.walk(NAME) == {"1": "et-0/0/1", "7": "et-0/0/2", "8": "et-0/0/3", "9": "et-0/0/4", "10": "et-0/0/5"}
    aliases = asker.walk("1.3.6.1.2.1.31.1.1.1.18")
    assert aliases["1"] == "Core: Zürich [10G] {1}"
    assert aliases["7"] == ""


def test_a_row_without_64_bit_counters_has_32_bit_ones(plain: SimulatedAgent) -> None:
    answer = Asker(plain.port).get(f"{IN_OCTETS}.8", "1.3.6.1.2.1.2.2.1.10.8")
    assert answer is not None
    assert answer.values[f"{IN_OCTETS}.8"] is None
    assert answer.values["1.3.6.1.2.1.2.2.1.10.8"] >= 8_000


def test_between_refreshes_a_counter_stands_still(plain: SimulatedAgent) -> None:
    first, second = (Asker(plain.port).get(f"{IN_OCTETS}.9", f"{IN_OCTETS}.1") for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.values[f"{IN_OCTETS}.9"] == second.values[f"{IN_OCTETS}.9"] == 0
    assert first.values[f"{IN_OCTETS}.1"] < second.values[f"{IN_OCTETS}.1"]


def test_cleared_counters_change_the_discontinuity_time(plain: SimulatedAgent) -> None:
    answer = Asker(plain.port).get(f"{DISCONTINUITY}.10", f"{DISCONTINUITY}.1", UPTIME, f"{IN_OCTETS}.10")
    assert answer is not None
    stamp = answer.values[f"{DISCONTINUITY}.10"]
    assert stamp >= 500
    assert stamp % 500 == 0
    assert 0 <= answer.values[UPTIME] - stamp <= 501
    assert answer.values[f"{IN_OCTETS}.10"] <= 5.1 * 10**9 / 8
    assert answer.values[f"{DISCONTINUITY}.1"] == 0


def test_each_community_and_the_v3_user_read_the_same_values(plain: SimulatedAgent) -> None:
    v3 = Asker(plain.port, v3=("reader", "auth-key-1", "privacy-key-1"), context="inside")
    for asker in (Asker(plain.port), Asker(plain.port, community="other"), v3):
        answer = asker.get(f"{NAME}.1", f"{IN_OCTETS}.1")
        assert answer is not None
        assert answer.values[f"{NAME}.1"] == "et-0/0/1"
        assert_true(plain, "et-0/0/1", "in", answer.values[f"{IN_OCTETS}.1"], answer)


def test_who_has_not_the_credentials_gets_nothing(plain: SimulatedAgent) -> None:
    assert Asker(plain.port, community="wrong", timeout_s=0.3).get(UPTIME) is None
    with pytest.raises(PermissionError, match=r"(?i)digest"):
        Asker(plain.port, v3=("reader", "auth-key-2", "privacy-key-1"), context="inside").get(UPTIME)
    with pytest.raises(PermissionError, match=r"(?i)unknown"):
        Asker(plain.port, v3=("nobody", "auth-key-1", "privacy-key-1"), context="inside").get(UPTIME)


def test_an_agent_without_communities_speaks_v3_alone() -> None:
    builder = AgentBuilder().interface("et-0/0/1", in_bps=8_000)
    user = V3User("reader", auth_key="auth-key-1", privacy_key="privacy-key-1")
    with SimulatedAgent(builder, communities=(), users=(user,), contexts=("inside",)) as agent:
        assert Asker(agent.port, community="inside", timeout_s=0.3).get(UPTIME) is None
        assert Asker(agent.port, v3=("reader", "auth-key-1", "privacy-key-1"), context="inside").get(UPTIME) is not None


def test_a_silent_agent_does_not_answer_and_then_goes_on() -> None:
    # On a busy machine one question takes seconds: the silence outlasts it.
    builder = AgentBuilder(behaviour=Behaviour(silent_every_s=30.0, silent_s=6.0)).interface("et-0/0/1", in_bps=8_000)
    with SimulatedAgent(builder, epoch_ns=ago(16)) as agent:
        asker = Asker(agent.port, timeout_s=1.0)
        assert asker.get(f"{NAME}.1") is not None
        answers_until(asker, lambda answer: answer is None, f"{NAME}.1")
        assert boot_ns() >= agent.epoch_ns + 24 * NS
        answers_until(asker, lambda answer: answer is not None, f"{NAME}.1")
        assert boot_ns() >= agent.epoch_ns + 30 * NS
        assert "Traceback" not in agent.simulator._stderr.read_text()  # dropped in order, not by a crash


def test_a_reboot_is_silent_and_begins_anew_with_other_indexes() -> None:
    traits = {"behaviour": Behaviour(reboot_every_s=30.0, boot_s=6.0), "renumbers": True}
    builder = AgentBuilder("zrh1", **traits).interface("et-0/0/1", in_bps=8_000_000).interface("et-0/0/2")
    with SimulatedAgent(builder, epoch_ns=ago(14)) as agent:
        asker = Asker(agent.port, timeout_s=1.0)
        assert asker.walk(NAME) == {"1": "et-0/0/1", "2": "et-0/0/2"}
        *before, _ = answers_until(asker, lambda answer: answer is None, UPTIME, f"{IN_OCTETS}.1", f"{IN_OCTETS}.41")
        assert before
        assert before[-1] is not None
        assert before[-1].values[UPTIME] > 1_400
        assert before[-1].values[f"{IN_OCTETS}.1"] > 14_000_000
        assert before[-1].values[f"{IN_OCTETS}.41"] is None
        after = answers_until(asker, lambda answer: answer is not None, UPTIME, f"{IN_OCTETS}.1", f"{IN_OCTETS}.41")[-1]
        assert after is not None
        assert 600 <= after.values[UPTIME] < 1_500
        assert after.values[f"{IN_OCTETS}.1"] is None
        assert_true(agent, "et-0/0/1", "in", after.values[f"{IN_OCTETS}.41"], after)
        assert asker.walk(NAME) == {"41": "et-0/0/1", "42": "et-0/0/2"}


def test_a_line_that_is_down_says_so_and_its_counter_stands_still() -> None:
    spec = steady(8_000_000, outage_every_s=3600.0, outage_s=3000.0)
    builder = AgentBuilder().interface("et-0/0/1", in_bps=spec)
    with SimulatedAgent(builder, epoch_ns=ago(1000)) as agent:
        answers = [Asker(agent.port).get(f"{OPER_STATUS}.1", f"{IN_OCTETS}.1") for _ in range(2)]
        assert [answer and list(answer.values.values()) for answer in answers] == [[2, 300_000_000], [2, 300_000_000]]


def test_an_agent_can_pause_and_go_on() -> None:
    with SimulatedAgent(AgentBuilder().interface("et-0/0/1")) as agent:
        asker = Asker(agent.port, timeout_s=0.3)
        agent.pause()
        assert asker.get(UPTIME) is None
        agent.resume()
        answers_until(asker, lambda answer: answer is not None, UPTIME)


def test_another_agent_takes_over_the_port() -> None:
    with SimulatedAgent(AgentBuilder().interface("et-0/0/1", index=1)) as agent:
        port, first = agent.port, agent.simulator.pid
        agent.replace(AgentBuilder().interface("et-0/0/1", index=9))
        assert agent.port == port
        assert agent.simulator.pid != first
        assert Asker(port).walk(NAME) == {"9": "et-0/0/1"}


def test_an_agent_without_if_x_table_has_only_if_table() -> None:
    with SimulatedAgent(AgentBuilder(extended=False).interface("et-0/0/1", in_bps=8_000)) as agent:
        assert Asker(agent.port).walk("1.3.6.1.2.1.31") == {}
        assert Asker(agent.port).walk("1.3.6.1.2.1.2.2.1.2") == {"1": "et-0/0/1 of sim1"}
