"""A bad network between a poller and an agent: a UDP proxy on loopback that delays, loses, doubles and reorders datagrams.

Seeded: the same datagrams in the same order meet the same fate. Delays come on top of what the event loop takes.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

Address = tuple[Any, ...]  # host and port; IPv6 has two numbers more

_MOST_OCTETS = 65_536
_OVERTAKEN_S = 0.02  # what a datagram waits beyond its delay to be overtaken: more than two of one burst are apart


@dataclass(frozen=True, slots=True)
class Faults:
    """What befalls datagrams of one direction. The shares (0 to 1) are independent of each other.

    Each is delayed by 0 to `delay_s`, uniformly; `spikes` of them by up to `spike_s` more. `lost` do not arrive, `doubled`
    arrive twice, each with a delay of its own, and `overtaken` wait 20 ms longer, so that a later one may pass them.
    """

    delay_s: float = 0.0
    spikes: float = 0.0
    spike_s: float = 0.3
    lost: float = 0.0
    doubled: float = 0.0
    overtaken: float = 0.0


NONE = Faults()


@dataclass(slots=True)
class Counts:
    """Of one direction: datagrams that came, and what became of them. `passed` counts each copy of a doubled one."""

    came: int = 0
    passed: int = 0
    lost: int = 0
    doubled: int = 0
    overtaken: int = 0
    spiked: int = 0  # later than delay and overtaking can explain


@dataclass(slots=True)
class Direction:
    """One way through the proxy: its faults, what happened so far, and the dice."""

    faults: Faults
    dice: random.Random
    counts: Counts = field(default_factory=Counts)

    def fate(self) -> list[float]:
        """The delays in seconds after which a datagram goes on: none, one or two."""
        faults, counts = self.faults, self.counts
        # All dice are thrown for each datagram, so that the fate of one does not change what the next ones throw.
        lost, doubled, overtaken = (self.dice.random() for _ in range(3))
        delays_s = [self._delay_s() for _ in range(2)]
        counts.came += 1
        if lost < faults.lost:
            counts.lost += 1
            return []
        if overtaken < faults.overtaken:
            counts.overtaken += 1
            delays_s[0] += _OVERTAKEN_S
        if doubled >= faults.doubled:
            del delays_s[1]
        counts.doubled += len(delays_s) - 1
        counts.spiked += sum(delay_s > faults.delay_s + _OVERTAKEN_S for delay_s in delays_s)
        return delays_s

    def _delay_s(self) -> float:
        share, spike, more = (self.dice.random() for _ in range(3))
        return share * self.faults.delay_s + (more * self.faults.spike_s if spike < self.faults.spikes else 0.0)


class FaultProxy(asyncio.DatagramProtocol):
    """Listens for pollers, and has a socket of its own towards the agent for each of them, as a NAT router has.

    `to_agent` and `to_poller` can be given other `faults` at any time.
    """

    def __init__(self, agent: Address, to_agent: Faults, to_poller: Faults, seed: int) -> None:
        self.to_agent = Direction(to_agent, random.Random(f"{seed} to agent"))
        self.to_poller = Direction(to_poller, random.Random(f"{seed} to poller"))
        self._agent = agent
        self._upstreams: dict[Address, socket.socket] = {}
        self.transport: asyncio.DatagramTransport

    @property
    def address(self) -> Address:
        """Where pollers send to."""
        name: Address = self.transport.get_extra_info("sockname")
        return name

    @property
    def port(self) -> int:
        port: int = self.address[1]
        return port

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Address) -> None:
        upstream = self._upstreams.get(addr)
        if upstream is None:
            upstream = self._upstreams[addr] = self._connected(addr)
        for delay_s in self.to_agent.fate():
            _later(delay_s, self._up, upstream, data)

    def close(self) -> None:
        """What is still under way is lost."""
        self.transport.close()
        for upstream in self._upstreams.values():
            asyncio.get_running_loop().remove_reader(upstream)
            upstream.close()
        self._upstreams.clear()

    def _connected(self, poller: Address) -> socket.socket:
        """A socket towards the agent, whose answers are for this poller."""
        upstream = socket.socket(self.transport.get_extra_info("socket").family, socket.SOCK_DGRAM)
        upstream.setblocking(False)
        upstream.connect(self._agent)
        asyncio.get_running_loop().add_reader(upstream, self._answered, upstream, poller)
        return upstream

    def _answered(self, upstream: socket.socket, poller: Address) -> None:
        with contextlib.suppress(OSError):  # ConnectionRefusedError: nobody listens there now
            data = upstream.recv(_MOST_OCTETS)
            for delay_s in self.to_poller.fate():
                _later(delay_s, self._down, data, poller)

    def _up(self, upstream: socket.socket, data: bytes) -> None:
        if upstream.fileno() < 0:
            return
        self.to_agent.counts.passed += 1
        with contextlib.suppress(OSError):
            upstream.send(data)

    def _down(self, data: bytes, poller: Address) -> None:
        if not self.transport.is_closing():
            self.to_poller.counts.passed += 1
            self.transport.sendto(data, poller)


def _later(delay_s: float, call: Callable[..., None], *arguments: Any) -> None:
    if delay_s:
        asyncio.get_running_loop().call_later(delay_s, call, *arguments)
    else:
        call(*arguments)


@asynccontextmanager
async def fault_proxy(
    agent: Address, to_agent: Faults = NONE, to_poller: Faults = NONE, *, seed: int = 0
) -> AsyncIterator[FaultProxy]:
    """A proxy in front of `agent`, on a free port of the same address."""
    loop = asyncio.get_running_loop()
    _, proxy = await loop.create_datagram_endpoint(
        lambda: FaultProxy(agent, to_agent, to_poller, seed), local_addr=(agent[0], 0)
    )
    try:
        yield proxy
    finally:
        proxy.close()
        await asyncio.sleep(0)  # transports close at the next turn of the loop
