"""What polls a device: the Protocols that both engines fulfil, ours (`session.py`) and pysnmp's own (`pysnmp_stack`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from server.sources.snmp.message import Answer, Request
from server.sources.snmp.settings import SnmpV1V2, SnmpV3


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


class Engine(Protocol):
    """Opens sessions. `name` is what a device's status shows."""

    name: str

    async def open(self, peer: tuple[str, int], credentials: SnmpV1V2 | SnmpV3, bad: Callable[[str], None]) -> Session:
        """A session with the agent at this IP address and port; `bad` is called with a word for each answer that failed a
        check. Raises NoAnswer when there is no way to that address."""
        ...
