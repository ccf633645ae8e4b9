"""Interleaved rounds of pollers: each a process that prints one line of JSON, which is checked before it counts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench.fastagent import FastAgent
from bench.peers.workload import INTERFACES, VARBINDS
from bench.report import Figure
from bench.toolchain import Missing

_TIMEOUT_S = 300.0
_LEAST_READ = 0.99  # of what was asked for; below that a poller won time by reading less
_MOST_AGE_S = 6 * 3600  # of the agent: how far its counters can have grown


@dataclass(frozen=True, slots=True)
class Poller:
    """`program` gives the command to which port, devices, ticks and mode are added, or raises Missing.

    `port` is the agent's. `varbinds` is what it should read in one device-tick.
    """

    name: str
    program: Callable[[], list[str]]
    port: int
    devices: int
    ticks: int
    mode: str = ""
    varbinds: int = VARBINDS


@dataclass(frozen=True, slots=True)
class Result:
    """What a poller printed: varbinds and their mean counter (octets), failed requests, and CPU seconds."""

    varbinds: int
    bad: int
    cpu_s: float
    mean_octets: float

    @classmethod
    def parse(cls, text: str) -> Result:
        """Raises ValueError for anything but one line of that shape."""
        try:
            found = json.loads(text)
            result = cls(int(found["vb"]), int(found["bad"]), float(found["cpu"]), float(found["mean"]))
        except (TypeError, KeyError, ValueError) as error:
            raise ValueError(f"no result of a poller: {text[:80]!r}") from error
        if result.cpu_s <= 0:
            raise ValueError("a poller that used no time")
        return result

    def check(self, poller: Poller) -> None:
        """Raises Missing when it did not read what it should have: its speed would say nothing."""
        wanted = poller.devices * poller.ticks * poller.varbinds
        if not _LEAST_READ * wanted <= self.varbinds <= wanted:
            raise Missing(f"read {self.varbinds:,} of {wanted:,} varbinds, {self.bad:,} requests failed")
        least, most = true_means(poller.devices)
        if not least <= self.mean_octets <= most:
            raise Missing(f"its counters have a mean of {self.mean_octets:.6g}, not {least:.6g}")


def true_means(devices: int) -> tuple[float, float]:
    """Bounds of the mean of all octet counters of the agent's first `devices` devices."""
    cells = [(device, index) for device in range(1, devices + 1) for index in range(1, INTERFACES + 1)]
    start = sum(FastAgent.octets_at_start(*cell) for cell in cells) / len(cells)
    fastest = max(FastAgent.octets_per_s(*cell, way) for cell in cells for way in ("in", "out"))
    return start * (1 - 1e-9), start + fastest * _MOST_AGE_S


@dataclass
class Rate:
    """Varbinds per CPU-second of one poller, a value a round; or why there is none."""

    values: list[float] = field(default_factory=list)
    missing: str = ""

    def figure(self) -> Figure:
        """In thousands."""
        unit = "k varbinds/CPU-s"
        if self.missing:
            return Figure(None, unit, missing=self.missing)
        return Figure.median_of([value / 1000 for value in self.values], unit)

    def over(self, other: Rate, unit: str, limit: str | None, scale: float = 1.0) -> Figure:
        """This rate over another, round by round."""
        if self.missing or other.missing:
            return Figure(None, unit, limit, missing=self.missing or other.missing)
        pairs = zip(self.values, other.values, strict=True)
        return Figure.median_of([scale * mine / its for mine, its in pairs], unit, limit)


def measure(pollers: Sequence[Poller], rounds: int) -> dict[str, Rate]:
    """All of them, one after the other, `rounds` times. One that is missing or fails says so and is left out after that."""
    rates = {poller.name: Rate() for poller in pollers}
    commands: dict[str, list[str]] = {}
    for poller in pollers:
        try:
            commands[poller.name] = poller.program()
        except Missing as reason:
            rates[poller.name].missing = str(reason)
    for turn in range(rounds):
        for poller in pollers:
            rate = rates[poller.name]
            if rate.missing:
                continue
            try:
                result = _one(commands[poller.name], poller)
            except Missing as reason:
                rate.missing = str(reason)
                continue
            rate.values.append(result.varbinds / result.cpu_s)
            print(f"round {turn + 1}: {poller.name:34} {rate.values[-1] / 1000:12,.1f} k varbinds/CPU-s", file=sys.stderr)
    return rates


def _one(command: list[str], poller: Poller) -> Result:
    arguments = [*command, str(poller.port), str(poller.devices), str(poller.ticks), *[poller.mode] * bool(poller.mode)]
    # A session of its own: what the poller starts is ended with it, whatever happens here.
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        out, words = process.communicate(timeout=_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise Missing(f"not done in {_TIMEOUT_S:g} s") from None
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    if process.returncode:
        lines = words.strip().splitlines() or [f"exit status {process.returncode}"]
        raise Missing(f"it failed: {lines[-1][:160]}")
    try:
        result = Result.parse(out)
    except ValueError as error:
        raise Missing(str(error)) from None
    result.check(poller)
    return result
