from __future__ import annotations

import asyncio
import math

import pytest

from bench.truth import figures
from bench.truths.compare import Verdict, judge, judge_naive
from bench.truths.naive import Naive, NaiveSample
from bench.truths.scenarios import Scenario, scenarios
from server.core.model import Quality
from tests.support.fault_proxy import Faults, fault_proxy
from tests.support.loops import run_alone
from tests.support.shown import Shown
from tests.support.truth_agent import truth_agent
from tests.support.truth_counters import NS, Bursty, Every, Line, Steady

EPOCH_NS = 7 * NS
LINE = Line("one", Steady(8_000), Steady(0))


def shown(
    end_s: float, bps: float | None, *, quality: Quality = Quality.PLAIN, span_s: float = 1.0, idle: float = 0.0
) -> Shown:
    """A message about `one`, and another line that nobody asked for."""
    values: dict[str, list[float | None]] = {"in": [bps, 5.0], "out": [None if bps is None else idle, 5.0]}
    return Shown(EPOCH_NS + round(end_s * NS), span_s, ("one", "other"), values, [quality, 0])


def test_errors_are_in_percent_of_the_truth() -> None:
    verdict = judge([shown(10, 8_000.0), shown(11, 8_080.0), shown(12, 7_840.0)], [LINE], EPOCH_NS)
    assert verdict.errors == pytest.approx([0, 1, -2])
    assert verdict.worst == pytest.approx(2)
    assert verdict.rms == pytest.approx(math.sqrt(5 / 3))
    assert (verdict.samples, verdict.zeros, verdict.ghosts, verdict.gaps) == (6, 0, 0, 0)


def test_a_plain_sample_is_held_against_the_span_before_its_time() -> None:
    line = Line("one", Bursty(1_000, 1_000_000_000, seed=3), Steady(0))
    truth_bps = line.bps("in", 18 * NS, 20 * NS)
    assert truth_bps != pytest.approx(line.bps("in", 19 * NS, 20 * NS), rel=0.01)
    assert judge([shown(20, truth_bps, span_s=2)], [line], EPOCH_NS).errors == pytest.approx([0])


def test_an_estimated_sample_is_held_against_the_span_before_the_refresh() -> None:
    line = Line("one", Bursty(1_000, 1_000_000_000, seed=3), Steady(0), refresh=Every(3.0))
    truth_bps = line.bps("in", 15 * NS, 18 * NS)
    message = shown(20, truth_bps, quality=Quality.ESTIMATED | Quality.LATE, span_s=3)
    assert judge([message], [line], EPOCH_NS).errors == pytest.approx([0])


def test_zeros_ghosts_and_gaps_are_counted_and_are_no_errors_of_another_kind() -> None:
    messages = [shown(10, 0.0), shown(11, 8_000.0, idle=3.0), *(shown(at_s, None) for at_s in (12, 13)), shown(14, 8_000.0)]
    verdict = judge([*messages, shown(15, None)], [LINE], EPOCH_NS)
    assert (verdict.zeros, verdict.ghosts, verdict.gaps, verdict.longest_gap) == (1, 1, 6, 2)
    assert verdict.errors == pytest.approx([-100, 0, 0])


def test_a_device_of_which_nothing_is_shown_holds_no_limit() -> None:
    found = figures(Scenario("one", "one", (LINE,), rms="<= 0.5"), Verdict(), Verdict())
    assert not found["one: RMS"].holds


def test_a_naive_sample_is_held_against_the_time_between_two_arrivals() -> None:
    samples = [
        NaiveSample(0, "in", EPOCH_NS, EPOCH_NS + NS, 8_000.0),
        NaiveSample(0, "in", EPOCH_NS, EPOCH_NS + NS, 4_000.0),
    ]
    assert judge_naive(samples, (LINE,), EPOCH_NS).errors == pytest.approx([0, -50])


@pytest.mark.parametrize("bits", [32, 64])
def test_the_naive_poller_reads_all_counters_once(bits: int) -> None:
    """Through a network that doubles each question."""
    lines = (Line("idle", Steady(0), Steady(0)), Line("one", Steady(8 * NS), Steady(0), counter_bits=bits, initial=2**31))

    async def work() -> tuple[list[NaiveSample], int]:
        loop, naive = asyncio.get_running_loop(), Naive(lines, (1, 2))
        async with truth_agent(lines) as agent, fault_proxy(agent.address, Faults(doubled=1.0)) as proxy:
            transport, _ = await loop.create_datagram_endpoint(lambda: naive, remote_addr=proxy.address)
            task = asyncio.create_task(naive.run())
            async with asyncio.timeout(20):
                while not naive.samples:
                    await asyncio.sleep(0.05)
            task.cancel()
            transport.close()
            return naive.samples, agent.epoch_ns

    samples, epoch_ns = run_alone(work())
    assert [(one.line, one.way) for one in samples] == [(0, "in"), (0, "out"), (1, "in"), (1, "out")]
    assert [one.bps for one in samples if (one.line, one.way) != (1, "in")] == [0, 0, 0]
    assert 0 < samples[2].bps * (samples[2].end_ns - samples[2].start_ns) / 8 / NS <= samples[2].end_ns - epoch_ns


@pytest.mark.parametrize("bits", [32, 64])
def test_the_naive_poller_takes_a_fall_for_a_wrap(bits: int) -> None:
    naive = Naive((Line("one", Steady(0), Steady(0), counter_bits=bits),), (1,))
    naive.compare((0, [1000, 7]), (2 * NS, [0, 7]))
    assert [one.bps for one in naive.samples] == pytest.approx([(2**bits - 1000) * 4, 0])


def test_each_scenario_has_a_name_of_its_own_and_known_counters() -> None:
    found = scenarios()
    assert len({one.name for one in found}) == len({one.title for one in found}) == len(found)
    for scenario in found:
        assert len({line.name for line in scenario.lines}) == len(scenario.lines)
