"""The real server process: what it costs to poll N devices at 1 s for B browsers, and how long a rate takes to the browser.

The agent of the benchmarks with 48 interfaces a device; the default configuration, slow columns every 10 s included; real
WebSocket connections in a process of their own, each watching 10 interfaces on each of 5 devices chosen at random. The
server, the agent and the browsers share this machine: idle and stolen time are told. CPU is user and system time of the
server, in percent of one core. The goals were set on a machine whose C limit (see `polling`) is 19.9 M varbinds/CPU-s: that
of this one is measured before each stage, and the CPU is told once more as if it were as fast. The delay is from the
answer's arrival (a message's `time`) to its last octet in the browsers' process. With --long the window is 300 s, in which
each device is rediscovered once.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bench.browsers import name
from bench.fastagent import COMMUNITY, FastAgent
from bench.measure import measure as measured
from bench.polling import c_limit
from bench.processes import Load, cpu_s, rss_mib
from bench.report import Figure
from bench.toolchain import Missing, install
from server.demo.ports import Port

STAGES = ((100, 10), (1_000, 200), (5_200, 200))
WINDOW_S, LONG_WINDOW_S = 20.5, 300.5  # not a whole number: each device is due at least 20 times, wherever its phase is
SETTLE_S = 15.0  # after the last device is up
_START_S, _START_A_DEVICE_S = 60.0, 0.15
_END_S = 20.0
_LOOK_S, _LOOK_A_DEVICE_S = 5.0, 0.004
_LEAST_IDLE = 5.0
_GOAL_C_LIMIT = 19_900.0  # k varbinds/CPU-s
_LIMIT_ROUNDS = 3
_PERCENT = 100
_POLLS = re.compile(r'^linewatch_polls_total\{device="([^"]+)",result="([^"]+)"\} (\S+)$', re.MULTILINE)
_UP = re.compile(r"^linewatch_device_up\{.*\} 1\.0$", re.MULTILINE)
_LIMITS = {
    (1_000, "CPU"): "<= 10",
    (5_200, "CPU"): "<= 30",
    (1_000, "answer to message, p99"): "<= 50",
}


@dataclass(frozen=True, slots=True)
class Stage:
    """What one pair of (devices, browsers) came to. `cpu` in percent of one core, `c_limit` in k varbinds/CPU-s."""

    devices: int
    browsers: int
    cpu: float
    c_limit: float
    agent_cpu: float
    rss_mib: float
    missed: int
    failed: int
    due: int
    start_s: float
    idle: float
    stolen: float
    seen: dict[str, float]

    def figures(self) -> Iterator[tuple[str, Figure]]:
        """Named by what was measured; limits are those of the goals."""
        found = {
            "CPU": Figure(self.cpu, "% of one core"),
            "CPU, as if the C limit were 19.9 M": Figure(self.cpu * self.c_limit / _GOAL_C_LIMIT, "% of one core"),
            "C limit here": Figure(self.c_limit, "k varbinds/CPU-s"),
            "memory": Figure(self.rss_mib, "MiB"),
            "ticks missed": Figure(self.missed / self.due * _PERCENT, f"% of {self.due:,}"),
            "polls failed": Figure(self.failed, "polls"),
            "answer to message, p50": Figure(self.seen["p50_ms"], "ms"),
            "answer to message, p99": Figure(self.seen["p99_ms"], "ms"),
            "answer to message, longest": Figure(self.seen["max_ms"], "ms"),
            "messages": Figure(self.seen["messages"], "in the window"),
            "rate against the truth, RMS": Figure(self.seen["rms_percent"], "%"),
            "rate against the truth, worst": Figure(self.seen["worst_percent"], "%"),
            "values without a sample": Figure(self.seen["nulls"], "values"),
            "rows with a quality flag": Figure(self.seen["flagged"], "rows"),
            "first start to last device up": Figure(self.start_s, "s"),
            "machine idle": Figure(self.idle, "%"),
            "machine stolen": Figure(self.stolen, "%"),
            "CPU of the agent": Figure(self.agent_cpu, "% of one core"),
        }
        for what, figure in found.items():
            limit = _LIMITS.get((self.devices, what))
            yield _title(self.devices, self.browsers, what), Figure(figure.value, figure.unit, limit)


def run(long: bool = False) -> dict[str, Figure]:
    """Measure; `long` takes windows of 5 minutes instead of 20 s."""
    install(("gcc", "libc6-dev"))
    window_s = LONG_WINDOW_S if long else WINDOW_S
    figures: dict[str, Figure] = {}
    stages: dict[int, Stage] = {}
    for devices, browsers in STAGES:
        try:
            stages[devices] = stage = measure(devices, browsers, window_s)
        except Missing as reason:
            for what in ("CPU", "answer to message, p99"):
                limit = _LIMITS.get((devices, what))
                figures[_title(devices, browsers, what)] = Figure(None, "", limit, missing=str(reason))
            continue
        figures |= dict(stage.figures())
    return figures | dict(growth(stages))


def growth(stages: dict[int, Stage]) -> Iterator[tuple[str, Figure]]:
    """What each device more costs, with the same browsers."""
    (few, _), (many, _) = STAGES[1:]
    if few in stages and many in stages:
        one, other = stages[few], stages[many]
        more = many - few
        cost_us = (other.cpu - one.cpu) / _PERCENT / more * 1e6
        yield f"each device more, {few:,} to {many:,}", Figure(cost_us, "µs of CPU a second")
        yield f"each device more, {few:,} to {many:,}, memory", Figure((other.rss_mib - one.rss_mib) * 1024 / more, "KiB")


def _title(devices: int, browsers: int, what: str) -> str:
    return f"{devices:,} devices, {browsers} browsers: {what}"


def measure(devices: int, browsers: int, window_s: float) -> Stage:
    """One stage. Raises Missing when the server does not get that far."""
    with FastAgent() as agent:
        limit = measured([c_limit(agent.port)], _LIMIT_ROUNDS).popitem()[1].figure()
        if limit.value is None:
            raise Missing(f"the C limit: {limit.missing}")
        return _measure(agent, devices, browsers, window_s, limit.value)


def _measure(agent: FastAgent, devices: int, browsers: int, window_s: float, limit: float) -> Stage:
    with _server(agent.port, devices) as server, tempfile.TemporaryFile("w+") as words:
        start_s = server.wait_until_up(devices)
        command = [sys.executable, "-m", "bench.browsers", str(server.port), str(browsers), str(devices)]
        viewers = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=words, text=True)
        try:
            assert viewers.stdin is not None
            assert viewers.stdout is not None
            _expect_ready(viewers.stdout, words)
            time.sleep(SETTLE_S)
            polls_before, scraped_s = server.polls(), time.monotonic()
            time.sleep(1.0)  # what the scrape cost is over
            _say(viewers, "begin")
            load, begin_s = Load.now(), time.monotonic()
            used_s, agent_s = cpu_s(server.pid), agent.cpu_s
            time.sleep(window_s - 1.0)
            used_s, agent_s, took_s = cpu_s(server.pid) - used_s, agent.cpu_s - agent_s, time.monotonic() - begin_s
            idle, stolen = Load.now().since(load)
            if idle < _LEAST_IDLE:
                print(f"the machine was too busy: idle {idle:.1f} %; do not trust these figures", file=sys.stderr)
            _say(viewers, "end")
            seen = json.loads(viewers.stdout.readline())
            if seen.pop("failed"):
                raise Missing("the browsers lost their connections")
            whole_s = int(time.monotonic() - scraped_s)
            more = server.polls()
            more.subtract(polls_before)
            answered = [more[name(device), "answered"] for device in range(1, devices + 1)]
            return Stage(
                devices=devices,
                browsers=browsers,
                cpu=used_s / took_s * _PERCENT,
                c_limit=limit,
                agent_cpu=agent_s / took_s * _PERCENT,
                rss_mib=rss_mib(server.pid),
                missed=sum(max(0, whole_s - count) for count in answered),
                failed=sum(more.values()) - sum(answered),
                due=whole_s * devices,
                start_s=start_s,
                idle=idle,
                stolen=stolen,
                seen=seen,
            )
        finally:
            viewers.terminate()
            viewers.communicate()


def _expect_ready(out: IO[str], words: IO[str]) -> None:
    line = out.readline().strip()
    if line != "ready":
        words.seek(0)
        raise Missing(f"the browsers: {line or words.read().strip()[-200:]}")


def _say(viewers: subprocess.Popen[str], word: str) -> None:
    assert viewers.stdin is not None
    viewers.stdin.write(word + "\n")
    viewers.stdin.flush()


@dataclass(frozen=True, slots=True)
class Server:
    """The server under test, and its log."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait_until_up(self, devices: int) -> float:
        """Seconds until the last device was up. Raises Missing when they are not up in time."""
        begin_s = time.monotonic()
        most_s = _START_S + devices * _START_A_DEVICE_S
        up = 0
        while time.monotonic() - begin_s < most_s:
            time.sleep(max(_LOOK_S, devices * _LOOK_A_DEVICE_S))  # a look costs the server time as well
            if self.process.poll() is not None:
                raise Missing(f"the server ended: {self.log.read_text().strip()[-300:]}")
            up = len(_UP.findall(self._metrics()))
            print(f"{up:,} of {devices:,} devices up after {time.monotonic() - begin_s:.0f} s", file=sys.stderr)
            if up >= devices:
                return time.monotonic() - begin_s
        raise Missing(f"{up:,} of {devices:,} devices were up after {most_s:.0f} s")

    def polls(self) -> Counter[tuple[str, str]]:
        """Polls so far by device and result."""
        return Counter({(device, result): int(float(count)) for device, result, count in _POLLS.findall(self._metrics())})

    def _metrics(self) -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=30) as answer:
                text: str = answer.read().decode()
        except OSError:
            return ""
        return text


@contextmanager
def _server(agent_port: int, devices: int) -> Iterator[Server]:
    """`python -m server` with this many devices and nothing else in its configuration."""
    with tempfile.TemporaryDirectory() as folder:
        http = Port.reserve()
        config, log = Path(folder) / "config.yaml", Path(folder) / "log"
        snmp = {"version": "2c", "community": COMMUNITY}
        listed = [
            {"name": name(device), "address": FastAgent.address(device), "port": agent_port, "snmp": snmp}
            for device in range(1, devices + 1)
        ]
        config.write_text(json.dumps({"server": {"port": http.number}, "devices": listed}))
        http.release()
        command = [sys.executable, "-m", "server", "--config", str(config)]
        with log.open("wb") as out:
            process = subprocess.Popen(command, env=os.environ.copy(), stdout=out, stderr=out)
        try:
            yield Server(process, http.number, log)
        finally:
            process.terminate()
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
