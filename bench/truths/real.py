"""net-snmp's snmpd on a line of the kernel whose load is known."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from types import TracebackType

from bench.toolchain import Missing
from bench.truths.scenarios import Scenario
from tests.support.real_snmpd import RealSnmpd, snmpd
from tests.support.steady_line import SteadyLine, why_not
from tests.support.truth_counters import Line, Steady

REAL = Scenario("snmpd", "net-snmp's snmpd, every 3 s", (), rms="<= 0.5", worst="<= 2")


class RealLine:
    """Sender and receiver of one steady line, and the agent that shows them. Entering raises Missing."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.lines: tuple[Line, ...] = ()
        self.indexes: tuple[int, ...] = ()
        self.port = 0

    def __enter__(self) -> RealLine:
        reason = "snmpd" if snmpd() is None else why_not()
        if reason:
            raise Missing(reason)
        with ExitStack() as stack:
            line, agent = stack.enter_context(SteadyLine()), stack.enter_context(RealSnmpd())
            load, none = Steady(line.bps), Steady(0)
            self.lines = Line(line.sender, none, load), Line(line.receiver, load, none)
            self.indexes = tuple(socket.if_nametoindex(one.name) for one in self.lines)
            self.port = agent.port
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()
