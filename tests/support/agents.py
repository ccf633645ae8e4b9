"""Simulated SNMP agents for tests: a real snmpsim process with a recording of your own, and the truth about its counters.

builder = AgentBuilder("sw1").interface("et-0/0/1", in_bps=2_000_000_000)
with SimulatedAgent(builder, communities=("public",)) as agent:
    ...  # poll 127.0.0.1:agent.port
    agent.octets("et-0/0/1", "in", at_ns=boot_ns())
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from server.core.clock import boot_ns
from server.demo.behaviour import Behaviour
from server.demo.ports import LOOPBACK, Port
from server.demo.recording import Agent, Interface
from server.demo.simulators import Access, Simulator, V3User
from server.demo.traffic import CounterSpec, octets_at

__all__ = ["AgentBuilder", "Behaviour", "CounterSpec", "Interface", "SimulatedAgent", "V3User", "octets_at", "steady"]


def steady(mean_bps: int, **more: Any) -> CounterSpec:
    """A counter that grows at exactly `mean_bps`; `more` are fields of CounterSpec (`initial`, `restart_every_s`, ...)."""
    return CounterSpec(mean_bps=mean_bps, speed_bps=max(mean_bps, 1_000_000_000_000), steady=True, **more)


class AgentBuilder:
    """An agent, put together by calls that can be chained. `traits` are fields of `recording.Agent`.

    Give `behaviour=Behaviour(reboot_every_s=..., boot_s=..., silent_every_s=..., silent_s=...)` for reboots and silence,
    `refresh_s=3` for a slow cadence, `extended=False` for no ifXTable, `renumbers=True` for other ifIndexes after a reboot.
    """

    def __init__(self, name: str = "sim1", **traits: Any) -> None:
        self._agent = Agent(name, (), **traits)

    def interface(
        self,
        name: str,
        *,
        index: int | None = None,
        in_bps: int | CounterSpec = 0,
        out_bps: int | CounterSpec = 0,
        **facts: Any,
    ) -> AgentBuilder:
        """Add a row; `index` is the next free one unless given. Rates are steady unless a CounterSpec; `facts` are fields of
        `recording.Interface` (`alias`, `speed_bps`, `kind`, `admin_status`, `oper_status`, `high_capacity`, ...)."""
        rows = self._agent.interfaces
        row = Interface(
            index=index if index is not None else max((row.index for row in rows), default=0) + 1,
            name=name,
            inbound=in_bps if isinstance(in_bps, CounterSpec) else steady(in_bps),
            outbound=out_bps if isinstance(out_bps, CounterSpec) else steady(out_bps),
            **facts,
        )
        self._agent = replace(self._agent, interfaces=(*rows, row))
        return self

    def build(self) -> Agent:
        return self._agent


class SimulatedAgent:
    """A simulated agent on a free loopback port, as a context. It answers when the context is entered.

    Each of `communities` and `contexts` reads the same values; without communities only SNMPv3 is spoken. `epoch_ns` is the
    CLOCK_BOOTTIME moment at which counters and reboots begin: give it in the past to meet a trait sooner.
    """

    def __init__(
        self,
        what: AgentBuilder | Agent,
        *,
        communities: tuple[str, ...] = ("public",),
        users: tuple[V3User, ...] = (),
        contexts: tuple[str, ...] = (),
        epoch_ns: int | None = None,
    ) -> None:
        self.epoch_ns = boot_ns() if epoch_ns is None else epoch_ns
        self._access = Access(communities, users, contexts)
        self._agent = _built(what)
        self._port: Port | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._simulator: Simulator | None = None

    def __enter__(self) -> SimulatedAgent:
        self._port = Port.reserve()
        self._folder = tempfile.TemporaryDirectory(prefix="linewatch-agent-")
        self._simulator = Simulator(
            self._agent, self._access, (LOOPBACK, self._port.number), self.epoch_ns, Path(self._folder.name)
        )
        try:
            self._simulator.start()
            self._simulator.wait_ready()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the process and give the port back."""
        if self._simulator:
            self._simulator.stop()
        if self._folder:
            self._folder.cleanup()
        if self._port:
            self._port.release()

    @property
    def agent(self) -> Agent:
        """What it simulates now."""
        return self._agent

    @property
    def port(self) -> int:
        assert self._port is not None, "the agent is not started"
        return self._port.number

    @property
    def simulator(self) -> Simulator:
        assert self._simulator is not None, "the agent is not started"
        return self._simulator

    def octets(self, name: str, direction: str, at_ns: int) -> int:
        """The truth: what the octet counter (`in` or `out`) of interface `name` shows at `at_ns` of CLOCK_BOOTTIME."""
        return octets_at(self._agent.counter(name, direction), at_ns - self.epoch_ns)

    def pause(self) -> None:
        """No answers until `resume`; what was asked meanwhile is answered then."""
        self.simulator.pause()

    def resume(self) -> None:
        self.simulator.resume()

    def stop(self) -> None:
        """End the process for good: the port is refused, as of a host without an agent. `replace` starts another."""
        self.simulator.stop()

    def replace(self, what: AgentBuilder | Agent) -> None:
        """Another agent on the same port with the same credentials and epoch: renumbered, say. It answers on return."""
        self._agent = _built(what)
        self.simulator.replace(self._agent)


def _built(what: AgentBuilder | Agent) -> Agent:
    return what.build() if isinstance(what, AgentBuilder) else what
