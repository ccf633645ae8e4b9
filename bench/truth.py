"""Displayed bps against the known truth of agents, beside what a naive poller would display.

One server process polls all devices at 1 s, each through a network with its own faults; one WebSocket client takes what is
displayed. The truth of a plain sample is the mean load over the `span_s` before its `time`; that of an estimated one the
mean load over as long a span that ends with the newest refresh of the line's counters. Errors are in % of that truth, over
all lines with traffic and both directions. The naive poller asks the same agents through networks of the same dice, divides
each counter's growth by the time between two arrivals, and is held against the mean load between them. Samples of the first
80 s do not count. The agents and networks are one Python process: on a busy machine they add delays to those asked for.

The last device is net-snmp's snmpd; the truth of its line is the pace of a sender, one frame of 1,000 octets a millisecond.
"""

from __future__ import annotations

import asyncio
import math
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from bench.report import Figure
from bench.toolchain import Missing, install
from bench.truths.compare import Verdict, judge, judge_naive
from bench.truths.naive import Naive
from bench.truths.real import REAL, RealLine
from bench.truths.scenarios import SETTLE_S, Scenario, scenarios
from server.core.clock import boot_ns
from tests.support.fault_proxy import fault_proxy
from tests.support.live_server import LiveServer
from tests.support.shown import Shown, watch
from tests.support.truth_agent import truth_agent
from tests.support.truth_counters import NS, Line

MEASURE_S, LONG_MEASURE_S = 80.0, 600.0
_SEED = 20
_LOG_CHARACTERS = 2000


@dataclass(eq=False)
class Subject:
    """One device under test: its truth, and what was found of it."""

    scenario: Scenario
    lines: tuple[Line, ...]
    epoch_ns: int
    device: dict[str, Any]
    naive: Naive
    shown: list[Shown] = field(default_factory=list)

    def verdicts(self, from_ns: int) -> tuple[Verdict, Verdict]:
        """Linewatch's and the naive poller's, of samples after a moment of CLOCK_BOOTTIME."""
        shown = [message for message in self.shown if message.end_ns >= from_ns]
        naive = [sample for sample in self.naive.samples if sample.start_ns >= from_ns]
        return judge(shown, self.lines, self.epoch_ns), judge_naive(naive, self.lines, self.epoch_ns)


def run(long: bool = False) -> dict[str, Figure]:
    """Measure for 80 s; `long` for 10 minutes."""
    install(("snmpd", "iproute2"))
    verdicts, missing = asyncio.run(_measure(LONG_MEASURE_S if long else MEASURE_S))
    found: dict[str, Figure] = {}
    for scenario, ours, naive in verdicts:
        found |= figures(scenario, ours, naive)
    if missing:
        found[f"{REAL.title}: RMS"] = Figure(None, "%", missing=missing)
    shown, whole = [ours for _, ours, _ in verdicts], [ours for scenario, ours, _ in verdicts if scenario.gap is None]
    gaps, samples = sum(one.gaps for one in whole), sum(one.samples for one in whole)
    found["missing where nothing was lost or restarted"] = Figure(gaps / max(1, samples) * 100, "% of samples", "<= 0.5")
    found["zeros shown where traffic flowed"] = Figure(sum(one.zeros for one in shown), "samples", "<= 0")
    found["rates shown on idle lines"] = Figure(sum(one.ghosts for one in shown), "samples", "<= 0")
    return found


def figures(scenario: Scenario, ours: Verdict, naive: Verdict) -> dict[str, Figure]:
    """What is reported of one device."""
    found = {
        "RMS": Figure(_known(ours.rms), "%", scenario.rms),
        "worst": Figure(_known(ours.worst), "%", scenario.worst),
        "naive RMS": Figure(_known(naive.rms), "%"),
        "naive worst": Figure(_known(naive.worst), "%"),
    }
    if scenario.gap is not None:
        found["missing"] = Figure(ours.gaps / ours.samples * 100 if ours.samples else None, "% of samples")
        found["longest gap"] = Figure(ours.longest_gap, "samples", scenario.gap)
    return {f"{scenario.title}: {name}": figure for name, figure in found.items()}


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


async def _measure(measure_s: float) -> tuple[list[tuple[Scenario, Verdict, Verdict]], str]:
    """The verdicts, and why there is none of snmpd (empty: there is)."""
    missing = ""
    async with AsyncExitStack() as stack:
        subjects = [await _simulated(stack, scenario) for scenario in scenarios()]
        try:
            subjects.append(await _real(stack))
        except Missing as reason:
            missing = str(reason)
        from_ns = boot_ns() + round(SETTLE_S * NS)
        server = LiveServer([subject.device for subject in subjects])
        stack.push_async_callback(asyncio.to_thread, server.__exit__, None, None, None)
        await asyncio.to_thread(server.__enter__)
        try:
            shown = await watch(
                server.port, [subject.scenario.name for subject in subjects], from_ns + round(measure_s * NS)
            )
        except ConnectionError as error:
            raise ConnectionError(f"{error}; its log ends with: {server.log[-_LOG_CHARACTERS:]}") from error
    for subject in subjects:
        subject.shown = shown[subject.scenario.name]
    return [(subject.scenario, *subject.verdicts(from_ns)) for subject in subjects], missing


async def _simulated(stack: AsyncExitStack, scenario: Scenario) -> Subject:
    agent = await stack.enter_async_context(truth_agent(scenario.lines, restarts_s=scenario.restarts_s))
    faults = scenario.to_agent, scenario.to_poller
    ours, its = [await stack.enter_async_context(fault_proxy(agent.address, *faults, seed=_SEED)) for _ in range(2)]
    naive = Naive(scenario.lines, range(1, len(scenario.lines) + 1))
    await _poll(stack, naive, its.address)
    return Subject(scenario, scenario.lines, agent.epoch_ns, _device(scenario.name, ours.port), naive)


async def _real(stack: AsyncExitStack) -> Subject:
    """Raises Missing."""
    real = stack.enter_context(RealLine())
    naive = Naive(real.lines, real.indexes)
    await _poll(stack, naive, ("127.0.0.1", real.port))
    device = {
        **_device(REAL.name, real.port),
        "interfaces": {"include": [{"name": f"^{line.name}$"} for line in real.lines]},
    }
    return Subject(REAL, real.lines, boot_ns(), device, naive)


async def _poll(stack: AsyncExitStack, naive: Naive, address: tuple[Any, ...]) -> None:

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: naive, remote_addr=address[:2])
    stack.callback(transport.close)
    stack.callback(asyncio.create_task(naive.run()).cancel)


def _device(name: str, port: int) -> dict[str, Any]:
    return {"name": name, "address": "127.0.0.1", "port": port, "snmp": {"version": "2c", "community": "public"}}
