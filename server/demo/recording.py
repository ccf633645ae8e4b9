"""Simulated agents as data, and their recordings: the `.snmprec` text that snmpsim serves.

A recording holds the system group (RFC 3418), ifTable and ifXTable (RFC 2863). Each line is `OID|TAG|VALUE`; values that
change are made by `variation/linewatch.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from server.demo.behaviour import Behaviour
from server.demo.traffic import CounterSpec

ETHERNET, LOOPBACK_TYPE, LAG = 6, 24, 161  # IANAifType
UP, DOWN = 1, 2
_INTEGER, _TEXT, _OID, _COUNTER32, _GAUGE, _TICKS, _COUNTER64 = "2", "4", "6", "65", "66", "67", "70"
_SYSTEM = (1, 3, 6, 1, 2, 1, 1)
_INTERFACES = (1, 3, 6, 1, 2, 1, 2)
_IF_ENTRY = (*_INTERFACES, 2, 1)
_IF_MIB_OBJECTS = (1, 3, 6, 1, 2, 1, 31, 1)
_IFX_ENTRY = (*_IF_MIB_OBJECTS, 1, 1)
_MOST_32 = (1 << 32) - 1
_RENUMBER_BY = 40
# ucast, multicast, broadcast: octets of traffic for each packet of the kind
_PACKETS = (740, 6_000_000, 90_000_000)


@dataclass(frozen=True, slots=True)
class Interface:
    """One row of ifTable and ifXTable.

    `inbound` and `outbound` None is a line that carries nothing. `high_capacity` False: the row has no 64-bit counters.
    `in_errors` and `in_discards` count what their spec says an octet.
    """

    index: int
    name: str
    alias: str = ""
    speed_bps: int = 1_000_000_000
    inbound: CounterSpec | None = None
    outbound: CounterSpec | None = None
    kind: int = ETHERNET
    admin_status: int = UP
    oper_status: int = UP
    high_capacity: bool = True
    in_errors: CounterSpec | None = None
    in_discards: CounterSpec | None = None


@dataclass(frozen=True, slots=True)
class Agent:
    """One simulated device.

    `refresh_s` is its cadence: all counters stand still between refreshes. `extended` False: it has no ifXTable.
    `renumbers`: after each second boot its rows have other ifIndexes. `discontinuity` False: no ifCounterDiscontinuityTime.
    """

    name: str
    interfaces: tuple[Interface, ...]
    description: str = "Simulated router"
    location: str = ""
    behaviour: Behaviour = field(default_factory=Behaviour)
    refresh_s: float = 0.0
    extended: bool = True
    discontinuity: bool = True
    renumbers: bool = False

    def counter(self, name: str, direction: str) -> CounterSpec:
        """The octet counter, `in` or `out`, of the interface `name` as this agent shows it: the truth for tests."""
        row = next(row for row in self.interfaces if row.name == name)
        return self.as_shown(row.inbound if direction == "in" else row.outbound)

    def as_shown(self, spec: CounterSpec | None) -> CounterSpec:
        """`spec` with the cadence and the reboots of this agent."""
        spec = spec or CounterSpec(0, 0)
        every_s = spec.restart_every_s or self.behaviour.reboot_every_s
        return replace(spec, refresh_s=spec.refresh_s or self.refresh_s, restart_every_s=every_s)


@dataclass(frozen=True, slots=True)
class Record:
    """One line of a recording. `value` a dict is for the variation module."""

    oid: tuple[int, ...]
    tag: str
    value: int | str | dict[str, Any]

    def line(self, agent: Agent) -> str:
        value = self.value
        if not isinstance(value, dict) and (not agent.behaviour.plain or (isinstance(value, str) and not value.isascii())):
            value = {"value": value}  # so that the module can stay silent, and encode what is not ASCII
        oid = ".".join(map(str, self.oid))
        if isinstance(value, dict):
            return f"{oid}|{self.tag}:linewatch|{json.dumps(value, separators=(',', ':'))}"
        return f"{oid}|{self.tag}|{value}"


def recording(agent: Agent) -> str:
    """The whole `.snmprec` text, in the order of the OIDs."""
    records = [*_system(agent), *_rows(agent)]
    return "".join(f"{record.line(agent)}\n" for record in sorted(records, key=lambda record: record.oid))


def _system(agent: Agent) -> Iterator[Record]:
    yield Record((*_SYSTEM, 1, 0), _TEXT, agent.description)
    yield Record((*_SYSTEM, 2, 0), _OID, "1.3.6.1.4.1.8072.3.2.255")
    yield Record((*_SYSTEM, 3, 0), _TICKS, {"uptime": True})
    yield Record((*_SYSTEM, 4, 0), _TEXT, "noc@example.net")
    yield Record((*_SYSTEM, 5, 0), _TEXT, agent.name)
    yield Record((*_SYSTEM, 6, 0), _TEXT, agent.location)
    yield Record((*_INTERFACES, 1, 0), _INTEGER, len(agent.interfaces))
    if agent.extended:
        yield Record((*_IF_MIB_OBJECTS, 5, 0), _TICKS, 0)  # ifTableLastChange


def _rows(agent: Agent) -> Iterator[Record]:
    for row in agent.interfaces:
        if not agent.renumbers:
            yield from _row(agent, row)
            continue
        for boot in (0, 1):
            shifted = replace(row, index=row.index + boot * _RENUMBER_BY)
            for record in _row(agent, shifted):
                value = record.value if isinstance(record.value, dict) else {"value": record.value}
                yield replace(record, value={**value, "boots": [boot, 2]})


def _row(agent: Agent, row: Interface) -> Iterator[Record]:
    """ifEntry and ifXEntry of one interface."""
    inbound, outbound = agent.as_shown(row.inbound), agent.as_shown(row.outbound)
    oper: int | dict[str, Any] = row.oper_status
    if inbound.outage_s:
        oper = {"status": [inbound.outage_every_s, inbound.outage_s]}
    entry: list[tuple[int, str, int | str | dict[str, Any]]] = [
        (1, _INTEGER, row.index),
        (2, _TEXT, f"{row.name} of {agent.name}"),
        (3, _INTEGER, row.kind),
        (4, _INTEGER, 65_536 if row.kind == LOOPBACK_TYPE else 9_192),
        (5, _GAUGE, min(row.speed_bps, _MOST_32)),
        (7, _INTEGER, row.admin_status),
        (8, _INTEGER, oper),
        (9, _TICKS, 0),
        (10, _COUNTER32, _counter(inbound, 32)),
        (11, _COUNTER32, _counter(inbound, 32, _PACKETS[0])),
        (13, _COUNTER32, _counter(agent.as_shown(row.in_discards), 32)),
        (14, _COUNTER32, _counter(agent.as_shown(row.in_errors), 32)),
        (16, _COUNTER32, _counter(outbound, 32)),
        (17, _COUNTER32, _counter(outbound, 32, _PACKETS[0])),
        (19, _COUNTER32, 0),
        (20, _COUNTER32, 0),
    ]
    yield from (Record((*_IF_ENTRY, column, row.index), tag, value) for column, tag, value in entry)
    if not agent.extended:
        return
    entry = [
        (1, _TEXT, row.name),
        (15, _GAUGE, row.speed_bps // 1_000_000),
        (17, _INTEGER, 1 if row.kind == ETHERNET else 2),
        (18, _TEXT, row.alias),
    ]
    for first32, first64, spec in ((2, 7, inbound), (4, 11, outbound)):
        entry += [(first32 + i, _COUNTER32, _counter(spec, 32, each)) for i, each in enumerate(_PACKETS[1:])]
        if row.high_capacity:
            entry += [(first64 + i, _COUNTER64, _counter(spec, 64, each)) for i, each in enumerate(_PACKETS)]
    if row.high_capacity:
        entry += [(6, _COUNTER64, _counter(inbound, 64)), (10, _COUNTER64, _counter(outbound, 64))]
    if agent.discontinuity:
        cleared_s = (row.inbound or inbound).restart_every_s
        stamp: int | dict[str, Any] = {"cleared": cleared_s} if row.inbound and row.inbound.restart_every_s else 0
        entry.append((19, _TICKS, stamp))
    yield from (Record((*_IFX_ENTRY, column, row.index), tag, value) for column, tag, value in entry)


def _counter(spec: CounterSpec, bits: int, octets_each: int = 1) -> int | dict[str, Any]:
    """A record of this counter in so many bits; packets are counted from its octets and begin at 0."""
    if not spec.mean_bps and not spec.initial:
        return 0
    initial = spec.initial % (1 << bits) if octets_each == 1 else 0
    spec = replace(spec, bits=bits, initial=initial, octets_each=octets_each)
    default = asdict(CounterSpec(0, 0))
    given = {key: value for key, value in asdict(spec).items() if value != default[key] or key in {"mean_bps", "speed_bps"}}
    return {"counter": given}
