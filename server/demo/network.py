"""The simulated network of the demo: six devices of several kinds, with about 120 interfaces (their lines: `lines.py`)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from server.demo.behaviour import Behaviour
from server.demo.lines import LINES, LINKS, Line, Link
from server.demo.ports import LOOPBACK
from server.demo.recording import DOWN, ETHERNET, LAG, LOOPBACK_TYPE, UP, Agent, Interface
from server.demo.simulators import Access, V3User
from server.demo.traffic import CounterSpec

_GIGA = 1_000_000_000
_DAY_S = 86_400
_FIRST_INDEX = 501
_WRAPS_AFTER_S = 40
_CLEARED_EVERY_S = 330
_FLAPS_EVERY_S, _DOWN_FOR_S = 170, 25


@dataclass(frozen=True, slots=True)
class Device:
    """One simulated device, and how it is reached: `snmp` and `engine` are as in config.yaml."""

    name: str
    port: int
    description: str
    location: str
    user: V3User | None = None
    engine: str = ""
    behaviour: Behaviour = field(default_factory=Behaviour)
    refresh_s: float = 0.0
    high_capacity: bool = True
    renumbers: bool = False

    def agent(self) -> Agent:
        """What it simulates."""
        return Agent(
            name=self.name,
            interfaces=tuple(_interfaces(self)),
            description=self.description,
            location=self.location,
            behaviour=self.behaviour,
            refresh_s=self.refresh_s,
            renumbers=self.renumbers,
        )

    def access(self) -> Access:
        """A community, or a user and a context, of the device's name."""
        if self.user is None:
            return Access(communities=(self.name,))
        return Access(users=(self.user,), contexts=(self.name,))

    def config(self) -> dict[str, Any]:
        """Its entry in config.yaml."""
        entry: dict[str, Any] = {"name": self.name, "address": LOOPBACK, "port": self.port}
        if self.user is None:
            entry["snmp"] = {"version": "2c", "community": self.name}
        else:
            entry["snmp"] = {
                "version": "3",
                "user": self.user.name,
                "auth": {"protocol": self.user.auth_protocol, "key": self.user.auth_key},
                "privacy": {"protocol": self.user.privacy_protocol, "key": self.user.privacy_key},
                "context": self.name,
            }
        return {**entry, "engine": self.engine} if self.engine else entry


DEVICES = (
    Device(
        "fra1-pe1",
        16101,
        "Simulated edge router: 64-bit counters, one of which passes 2^64 in the first minute",
        "Frankfurt am Main, hall 3",
        behaviour=Behaviour(uptime_s=212.4 * _DAY_S),
    ),
    Device(
        "waw1-cr1",
        16102,
        "Simulated core router: SNMPv3",
        "Warszawa, room 2",
        user=V3User("linewatch", auth_key="amber-gate-4417", privacy_key="vistula-bank-9026"),
        engine="pysnmp",
        behaviour=Behaviour(uptime_s=88.1 * _DAY_S),
    ),
    Device(
        "ams2-pe1",
        16103,
        "Simulated edge router: SNMPv3, refreshes its counters every 5 s",
        "Amsterdam, row 12",
        user=V3User("linewatch", auth_key="tulip-lock-2380", privacy_key="canal-house-5512"),
        behaviour=Behaviour(uptime_s=301.7 * _DAY_S),
        refresh_s=5.0,
    ),
    Device(
        "lon1-sw1",
        16104,
        "Simulated switch: 32-bit counters only",
        "London, rack 7",
        behaviour=Behaviour(uptime_s=17.3 * _DAY_S),
        high_capacity=False,
    ),
    Device(
        "par2-pe1",
        16105,
        "Simulated edge router: does not answer for 3 s in every 50 s",
        "Paris, cage 4",
        engine="pysnmp",
        behaviour=Behaviour(silent_every_s=50.0, silent_s=3.0, uptime_s=64.9 * _DAY_S),
    ),
    Device(
        "zrh1-cr1",
        16106,
        "Simulated core router: reboots every 4 minutes, and every boot numbers its interfaces anew",
        "Zürich, floor 1",
        behaviour=Behaviour(reboot_every_s=240.0, boot_s=8.0),
        renumbers=True,
    ),
)


def _interfaces(device: Device) -> Iterator[Interface]:
    links = [link for link in LINKS if device.name in {link.a, link.b}]
    for index, link in enumerate(links, _FIRST_INDEX):
        yield _link_end(device, link, index)
    for index, line in enumerate(LINES[device.name], _FIRST_INDEX + len(links)):
        yield _line(device, line, index)


def _link_end(device: Device, link: Link, index: int) -> Interface:
    """One end of a core link: what one end sends is, to the octet, what the other receives."""
    speed_bps = link.speed_g * _GIGA
    there, back = (_traffic(f"{link.circuit} {way}", speed_bps, link.load[way], "calm" * link.calm) for way in (0, 1))
    at_a = device.name == link.a
    far_end = f"{link.b} {link.b_port}" if at_a else f"{link.a} {link.a_port}"
    return Interface(
        index=index,
        name=link.a_port if at_a else link.b_port,
        alias=f"Core: {far_end} [{link.speed_g}G] {{{link.circuit}}}",
        speed_bps=speed_bps,
        inbound=back if at_a else there,
        outbound=there if at_a else back,
        high_capacity=device.high_capacity,
    )


def _line(device: Device, line: Line, index: int) -> Interface:
    speed_bps = line.speed_g * _GIGA
    # the members of a bundle carry equal shares of it, so all of them change as it does
    of = f"{device.name} {'ae0' if line.trait == 'lag' or 'ae0 member' in line.alias else line.port}"
    return Interface(
        index=index,
        name=line.port,
        alias=line.alias,
        speed_bps=speed_bps,
        inbound=_traffic(f"{of} in", speed_bps, line.load[0], line.trait),
        outbound=_traffic(f"{of} out", speed_bps, line.load[1], line.trait),
        kind={"lag": LAG, "loopback": LOOPBACK_TYPE}.get(line.trait, ETHERNET),
        admin_status=DOWN if line.trait == "off" else UP,
        oper_status=DOWN if line.trait in {"off", "down", "empty"} else UP,
        high_capacity=device.high_capacity,
        in_errors=_steady(3) if line.trait == "errors" else None,
        in_discards=_steady(11) if line.trait == "discards" else None,
    )


def _steady(bps: int) -> CounterSpec:
    """A counter of errors: one count for each 8 bits."""
    return CounterSpec(mean_bps=bps, speed_bps=bps, steady=True)


def _traffic(of: str, speed_bps: int, load: float, trait: str) -> CounterSpec:
    """The counter of one direction; `of` names it, and the same name has the same traffic everywhere."""
    seed = zlib.crc32(of.encode())
    mean_bps = round(speed_bps * load)
    more: dict[str, Any] = {}
    if trait == "calm":
        more = {"day": 0.05, "swell": 0.05, "jitter": 0.03}
    elif trait == "bursts":
        more = {"burst_bps": speed_bps // 8, "burst_s": 5, "burst_every_s": 45, "day": 0.2, "swell": 0.15, "jitter": 0.2}
    elif trait == "flaps":
        more = {"outage_every_s": _FLAPS_EVERY_S, "outage_s": _DOWN_FOR_S}
    elif trait == "clears":
        more = {"restart_every_s": _CLEARED_EVERY_S}
    since_s = seed % (30 * _DAY_S)
    initial = (1 << 64) - mean_bps // 8 * _WRAPS_AFTER_S if trait == "wraps" else mean_bps // 8 * since_s
    return CounterSpec(mean_bps=mean_bps, speed_bps=speed_bps, seed=seed, initial=initial, **more)
