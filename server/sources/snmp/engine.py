"""What polls a device: the Protocols that the batch engine (`batch`) and pysnmp's own polling (`pysnmp_stack`) fulfil."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from server.core.errors import LinewatchError
from server.core.ports import Emit
from server.sources.snmp.message import Answer, Request
from server.sources.snmp.outcome import Outcome
from server.sources.snmp.plan import Plan
from server.sources.snmp.settings import SnmpV1V2, SnmpV3

PHASE_S = 0.05
"""Devices are spread over their interval in steps of this: ticks that fall together are taken in together."""
Credentials = SnmpV1V2 | SnmpV3
Bad = Callable[[str], None]
"""Called with a word for each answer, or cell of one, that failed a check."""


class Unsupported(LinewatchError):
    """This engine cannot poll this device; the text says why."""


@dataclass(frozen=True, slots=True)
class Wait:
    """How long to wait for one answer: each of `tries` gets `try_s`, all end at `deadline_s` (event loop's clock)."""

    tries: int
    try_s: float
    deadline_s: float


class Session(Protocol):
    """The conversation with one device.

    `late_reply_s` is set when an answer comes after its request was given up, and is the caller's to clear.
    """

    late_reply_s: float | None

    @property
    def overhead(self) -> int:
        """Octets of an answer around its varbinds, at most."""
        ...

    async def ask(self, request: Request, wait: Wait) -> Answer:
        """The device's answer, whatever its error-status (but for a refused access). Ends by `wait.deadline_s`.

        Raises NoAnswer, AuthFailed, or BadReply when all that came was unusable.
        """
        ...

    async def close(self) -> None:
        """Returns when the socket is closed; who still waits for an answer gets none."""
        ...


def until_tick_s(device: str, interval_s: float, now_s: float) -> float:
    """Until the next of this device's ticks: at a grid in time that its name chooses, the same after a restart."""
    places = max(1, int(interval_s / PHASE_S))
    return (zlib.crc32(device.encode()) % places / places * interval_s - now_s) % interval_s


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a device's ticks come: at each `interval_s` of the event loop's clock, from `first_s` on, without drift.

    The slow columns are due every `slow_interval_s`. At most `at_once` requests are under way.
    """

    first_s: float
    interval_s: float
    slow_interval_s: float
    at_once: int


@dataclass(frozen=True, slots=True)
class Steering:
    """How the next ticks of a device go. Their owner says so after each tick that it is told of.

    A request is sent up to `tries` times, and answers are awaited for `budget_s` from the tick's beginning. `probe`: one
    request first, the others when it is answered. `stride`: only each so many-th tick of the schedule is taken. Until
    `quiet_until_s` (event loop's clock) a tick on which nothing is remarkable need not be told.
    """

    tries: int
    budget_s: float
    probe: bool = False
    stride: int = 1
    quiet_until_s: float = 0.0


class Owner(Protocol):
    """Who has a device polled, and is told what came of it. Its methods never wait."""

    def ticked(self, outcome: Outcome) -> Steering:
        """A tick is over; its Reading is emitted when this returns. Says in the outcome whether it is to be trusted."""
        ...

    def broke(self, error: BaseException) -> None:
        """The program itself failed at this device: its ticks have ended."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """A device that is to be polled: where it is, the session with it that is open, and where its Readings go."""

    device: str
    peer: tuple[str, int]
    credentials: Credentials
    session: Session
    bad: Bad
    emit: Emit
    burst: bool = False


class Rounds(Protocol):
    """The ticks of one device."""

    def use(self, plan: Plan) -> None:
        """Ask this from the next tick on; the slow columns are due in it."""
        ...

    async def synchronise(self) -> None:
        """Ask the device for a sign of life, and learn anew what its version of SNMP needs. Raises SourceError."""
        ...

    async def close(self) -> None:
        """No tick begins any more, and the owner is told nothing more."""
        ...


class PollEngine(Protocol):
    """Opens sessions, and polls in rounds. `name` is what a device's status shows.

    A tick that its owner need not be told of is emitted as it is: see `Steering`.
    """

    name: str
    most_varbinds: int  # of one PDU
    bulk: bool  # rows that follow each other may be asked by GETBULK

    async def open(self, peer: tuple[str, int], credentials: Credentials, bad: Bad) -> Session:
        """A session with the agent at this IP address and port. Raises NoAnswer when there is no way to that address."""
        ...

    async def rounds(self, target: Target, plan: Plan, schedule: Schedule, steering: Steering, owner: Owner) -> Rounds:
        """Poll from now on. Raises Unsupported, SourceError."""
        ...
