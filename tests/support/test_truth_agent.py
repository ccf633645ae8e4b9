from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from tests.demo.asking import DISCONTINUITY, IN_OCTETS, NAME, UPTIME, Answer, Asker
from tests.support.loops import run_alone
from tests.support.truth_agent import TruthAgent, truth_agent
from tests.support.truth_counters import NS, Bursty, Every, Line, Steady

LOADS = (Line("busy", Steady(8_000_000_000), Bursty(1_000, 9_000_000_000)), Line("idle", Steady(0), Steady(0)))


def asked(lines: tuple[Line, ...], *oids: str, restarts_s: tuple[float, ...] = ()) -> tuple[Answer, TruthAgent]:
    """What pysnmp reads of these lines."""

    async def work() -> tuple[Answer, TruthAgent]:
        async with truth_agent(lines, restarts_s=restarts_s) as agent:
            answer = await asyncio.to_thread(Asker(agent.address[1]).get, *oids)
            assert answer is not None
            return answer, agent

    return run_alone(work())


def test_an_answer_holds_the_values_of_a_moment_between_question_and_reply() -> None:
    answer, agent = asked(LOADS, UPTIME, f"{IN_OCTETS}.1", f"{IN_OCTETS}.2", f"{IN_OCTETS}.3")
    sent_ns, received_ns = answer.sent_ns - agent.epoch_ns, answer.received_ns - agent.epoch_ns
    assert sent_ns // 10_000_000 <= int(answer.values[UPTIME]) <= received_ns // 10_000_000
    octets = int(answer.values[f"{IN_OCTETS}.1"])
    assert sent_ns <= octets <= received_ns, "8 Gb/s are an octet each nanosecond"
    assert int(answer.values[f"{IN_OCTETS}.2"]) == 0
    assert answer.values[f"{IN_OCTETS}.3"] is None


def test_a_walk_finds_each_line_and_ends() -> None:
    async def work() -> dict[str, str]:
        async with truth_agent((*LOADS, Line("old", Steady(1), Steady(1), counter_bits=32))) as agent:
            asker = Asker(agent.address[1])
            assert len(await asyncio.to_thread(asker.walk, "1.3.6.1.2.1.2.2.1.10")) == 3
            assert await asyncio.to_thread(asker.walk, "1.3.6.1.3") == {}
            return {index: str(name) for index, name in (await asyncio.to_thread(asker.walk, NAME)).items()}

    assert set(run_alone(work()).values()) == {"busy", "idle"}, "a line of 32 bits is not in ifXTable"


def test_a_restart_begins_the_clock_and_all_counters_anew() -> None:
    answer, agent = asked(LOADS, UPTIME, f"{IN_OCTETS}.1", restarts_s=(1e-9,))
    assert agent.began_ns(0) == 0
    assert agent.began_ns(answer.sent_ns - agent.epoch_ns) == 1
    line = Line("one", Steady(8 * NS), Steady(0), initial=500)
    assert [line.counted("in", 3 * NS, began) for began in (0, NS, 3 * NS)] == [500 + 3 * NS, 2 * NS, 0]


def test_a_line_that_begins_anew_says_when() -> None:
    line = Line("one", Steady(8 * NS), Steady(0), initial=500, anew_s=(0.0, 2.0))
    assert [line.counted("in", at_ns) for at_ns in (NS, 2 * NS, 3 * NS)] == [500 + NS, 0, NS]
    soon = Line("one", Steady(8), Steady(8), anew_s=(1e-9,))
    answer, _ = asked((soon,), f"{DISCONTINUITY}.1")
    assert int(answer.values[f"{DISCONTINUITY}.1"]) == 0


@pytest.mark.parametrize("bits", [32, 64])
def test_counters_wrap(bits: int) -> None:
    line = Line("one", Steady(0), Steady(0), counter_bits=bits, initial=2**bits + 7)
    oid = f"{IN_OCTETS}.1" if bits == 64 else "1.3.6.1.2.1.2.2.1.10.1"
    answer, _ = asked((line,), oid)
    assert int(answer.values[oid]) == 7


def test_refreshed_counters_stand_still_between_refreshes() -> None:
    line = Line("one", Steady(8 * NS), Steady(0), refresh=Every(3.0, phase_s=1.0))
    assert [line.counted("in", round(at_s * NS)) / NS for at_s in (0.5, 1.0, 3.9, 4.0, 6.9, 7.1)] == [0, 1, 1, 4, 4, 7]


def test_refreshes_with_jitter_keep_their_mean() -> None:
    every, moments = Every(5.0, jitter=0.02), set[int]()
    for tenth in range(6000):
        moments.add(every.as_of_ns(tenth * NS // 10))
    spacings_s = [(after - before) / NS for before, after in pairwise(sorted(moments - {0}))]
    assert sum(spacings_s) / len(spacings_s) == pytest.approx(5.0, rel=0.001)
    assert 4.8 <= min(spacings_s) < 4.95 < 5.05 < max(spacings_s) <= 5.2


def test_bursts_never_lose_an_octet_and_keep_their_bounds() -> None:
    line = Line("one", Bursty(1_000_000, 900_000_000, seed=4), Steady(0))
    octets = [line.passed("in", tenth * NS // 10) for tenth in range(3000)]
    loads_bps = [(after - before) * 80 for before, after in pairwise(octets)]
    assert min(loads_bps) >= 1_000_000 - 100
    assert max(loads_bps) <= 900_000_000 + 100
    assert max(loads_bps) > 20 * min(loads_bps)
    assert line.bps("in", 0, 2999 * NS // 10) == pytest.approx(sum(loads_bps) / len(loads_bps))
