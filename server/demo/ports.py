"""UDP ports for simulated agents: found free, and kept for us until the agent is gone."""

from __future__ import annotations

import contextlib
import socket
from types import TracebackType

from server.core.errors import StartError

LOOPBACK = "127.0.0.1"
_TRIES = 100


class Port:
    """A UDP port that no other `Port` of this machine gets meanwhile.

    The agent's process must bind it, so it cannot be held here. The TCP port of the same number is held in its place:
    whoever reserves a port takes that one first, and the kernel gives it out once.
    """

    def __init__(self, held: socket.socket) -> None:
        self._held = held
        self.number: int = held.getsockname()[1]

    @classmethod
    def reserve(cls) -> Port:
        """A free port on loopback. Raises StartError when none is found."""
        for _ in range(_TRIES):
            held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            held.bind((LOOPBACK, 0))
            port = cls(held)
            if udp_is_free(LOOPBACK, port.number):
                return port
            port.release()
        raise StartError(f"no free UDP port on {LOOPBACK} in {_TRIES} tries")

    def __enter__(self) -> Port:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()

    def release(self) -> None:
        """Give the port back. Can be called twice."""
        self._held.close()


def udp_is_free(host: str, port: int) -> bool:
    """Whether a UDP socket can be bound there now."""
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
