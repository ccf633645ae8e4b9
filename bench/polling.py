"""Varbinds per CPU-second of pollers, all on the same agent, in one interleaved run.

A device-tick is 48 interfaces x (ifHCInOctets, ifHCOutOctets) and sysUpTime, in 2 PDUs that fit an Ethernet frame. Each
poller is a process of its own and turns each value into a number; user and system time of that process count, start-up and
a first tick do not. 200 devices (pysnmp: 16), one round after the other: A B C, A B C, ... Ratios are those within a round.
The agent (`bench/native`) stands on the same machine. The C limit does nothing but send, receive, check and decode.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import peers
from bench.fastagent import FastAgent
from bench.measure import Poller, Rate, measure
from bench.report import Figure
from bench.toolchain import NATIVE, Missing, compiled, compiled_go, install, program, python_with

PACKAGES = (
    "gcc",
    "libc6-dev",
    "libssl-dev",
    "libsnmp-dev",
    "golang-go",
    "golang-github-gosnmp-gosnmp-dev",
    "prometheus-snmp-exporter",
)
ROUNDS, LONG_ROUNDS = 5, 15
DEVICES, PYSNMP_DEVICES = 200, 16
_PEERS = Path(peers.__file__).parent
_EXPORTED = 97  # varbinds of a device-tick that shows sysUpTime once

_Program = Callable[[], list[str]]
_V3 = "v3 authPriv"
LIMIT, BATCH, PYSNMP, GOSNMP, LIBSNMP, GUFO = "C limit", "batch engine", "pysnmp engine", "gosnmp", "libsnmp", "gufo_snmp"
EXPORTER = "prometheus-snmp-exporter"


def run(long: bool = False) -> dict[str, Figure]:
    """Measure; `long` takes 15 rounds instead of 5."""
    install(PACKAGES)
    with FastAgent() as agent, _v3_agent() as v3_agent:
        compared = [*pollers(agent.port), *v3_pollers(v3_agent.port if v3_agent is not None else None)]
        rates = measure(compared, LONG_ROUNDS if long else ROUNDS)
    figures = {name: rate.figure() for name, rate in rates.items()}
    return figures | dict(ratios(rates))


def pollers(port: int) -> Iterator[Poller]:
    """Those that speak version 2c. `ticks` make about a second of work each."""
    libsnmp = _c("libsnmp", _PEERS / "libsnmp.c", "-lnetsnmp")
    yield c_limit(port)
    for mode, name in (("get", "GET"), ("bulk", "GETBULK")):
        yield Poller(f"{BATCH}, {name}", _ours("batch"), port, DEVICES, 250, mode)
    yield Poller(f"{PYSNMP}, GET", _ours("pysnmp_engine"), port, PYSNMP_DEVICES, 4, "get")
    for mode, name, ticks in (("get", "GET", 50), ("bulk", "GETBULK", 80)):
        yield Poller(f"{GOSNMP}, {name}", _gosnmp, port, DEVICES, ticks, mode)
        yield Poller(f"{LIBSNMP}, {name}", libsnmp, port, DEVICES, 2 * ticks, mode)
    yield Poller(f"{GUFO}, GET", _gufo, port, DEVICES, 40, "get")
    yield Poller(f"{EXPORTER}, GETBULK", _exporter, port, DEVICES, 3, varbinds=_EXPORTED)


def c_limit(port: int) -> Poller:
    """What no poller can be faster than."""
    return Poller(f"{LIMIT}, GET", _c("limit", NATIVE / "limit.c"), port, DEVICES, 500)


def v3_pollers(port: int | None) -> Iterator[Poller]:
    """Those that speak version 3 (SHA-256, AES-128) with GET; `port` None: there is no agent for them."""
    for name, make, devices, ticks in (
        (BATCH, _ours("batch"), DEVICES, 100),
        (PYSNMP, _ours("pysnmp_engine"), PYSNMP_DEVICES, 4),
        (GOSNMP, _gosnmp, DEVICES, 40),
        (LIBSNMP, _c("libsnmp", _PEERS / "libsnmp.c", "-lnetsnmp"), DEVICES, 40),
        (GUFO, _gufo, DEVICES, 40),
    ):
        yield Poller(f"{name}, {_V3}", make if port is not None else _without_ssl, port or 0, devices, ticks, "v3")


def ratios(rates: dict[str, Rate]) -> Iterator[tuple[str, Figure]]:
    """How many times faster, round by round; the goals of the batch engine among them."""
    limits = {f"{GOSNMP}, GET": ">= 8", f"{GOSNMP}, {_V3}": ">= 2"}
    batch = rates[f"{BATCH}, GET"]
    yield f"{BATCH} of {LIMIT}, GET", batch.over(rates[f"{LIMIT}, GET"], "%", ">= 45", scale=100)
    for mode in ("GET", "GETBULK", _V3):
        ours = rates[f"{BATCH}, {mode}"]
        for name in (GOSNMP, LIBSNMP, GUFO, EXPORTER, PYSNMP):
            other = f"{name}, {mode}"
            if other in rates:
                yield f"{BATCH} over {other}", ours.over(rates[other], "x", limits.get(other))


@contextmanager
def _v3_agent() -> Iterator[FastAgent | None]:
    """An agent that answers nothing but version 3, so that no one passes for it with less; None where it cannot be built."""
    try:
        agent = FastAgent(v3_alone=True)
    except Missing:
        yield None
        return
    with agent:
        yield agent


def _c(name: str, source: Path, *options: str) -> _Program:
    return lambda: [str(compiled(name, [source], options))]


def _ours(module: str) -> _Program:
    return lambda: [sys.executable, "-m", f"{peers.__name__}.{module}"]


def _gosnmp() -> list[str]:
    return [str(compiled_go("gosnmp", _PEERS / "gosnmp.go"))]


def _gufo() -> list[str]:
    return [str(python_with("gufo_snmp")), str(_PEERS / "gufo_asyncio.py")]


def _exporter() -> list[str]:
    program(EXPORTER)
    return _ours("exporter")()


def _without_ssl() -> list[str]:
    raise Missing("libssl-dev, for the agent's version 3")
