"""The writing end of one browser's session.

A browser that keeps up is written to at once. While it has not taken the last write nothing more is made for it: at most one
write is outstanding, and what is not yet encoded waits. State: the messages that are made and not written, the outstanding
write with the time it has. There is no task: the socket calls back.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import msgspec

from server.core.log import logger

Message = msgspec.Struct | msgspec.Raw
"""What a browser is told: a message, or its whole text where that was made before."""

JOINED_BYTES = 16 * 1024  # messages of one moment go in one write up to this size, and one message more

_log = logger("live")
_encoder = msgspec.json.Encoder()


class Socket(Protocol):
    """The browser's end, as a session uses it."""

    def send(self, messages: Sequence[bytes]) -> asyncio.Future[None] | None:
        """Write text messages at once. None when they are taken, otherwise what is done when they are, or fails when the
        socket is closed. Raises ConnectionError when it is closed already."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Close in order."""
        ...

    def abort(self) -> None:
        """Drop the connection at once: its reader does not read."""
        ...


class Writer:
    """Writes to one browser. `more` gives what there is to say, each time when the browser has taken the last."""

    def __init__(self, socket: Socket, stalled_s: float, more: Callable[[], Iterable[Message]]) -> None:
        self._socket = socket
        self._stalled_s = stalled_s
        self._more = more
        self._made: deque[Message] = deque()
        self._outstanding: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._ended = False

    @property
    def is_idle(self) -> bool:
        """Whether a message would be written at once."""
        return self._outstanding is None and not self._ended

    def flush(self) -> None:
        """Write all that there is to say, unless the browser has not taken the last."""
        self.write(self._more)

    def write(self, make: Callable[[], Iterable[Message]]) -> None:
        """Write what `make` gives; it is not asked while the browser has not taken the last.

        A fault of ours drops the connection, for nobody would write to it any more: the browser shall come back.
        """
        if self._outstanding is not None or self._ended:
            return
        try:
            self._made.extend(make())
            while self._made:
                outstanding = self._socket.send(self._joined())
                if outstanding is not None:
                    self._wait_for(outstanding)
                    return
        except ConnectionError:
            self.end()
        except Exception:
            _log.exception("live delivery to a browser failed; closed, it will come back")
            self.end()
            self._socket.abort()

    def _joined(self) -> list[bytes]:
        texts: list[bytes] = []
        size = 0
        while self._made and size < JOINED_BYTES:
            texts.append(_encoder.encode(self._made.popleft()))
            size += len(texts[-1])
        return texts

    def _wait_for(self, outstanding: asyncio.Future[None]) -> None:
        self._outstanding = outstanding
        self._timer = asyncio.get_running_loop().call_later(self._stalled_s, self._stalled)
        outstanding.add_done_callback(self._taken)

    def _taken(self, written: asyncio.Future[None]) -> None:
        failed = written.cancelled() or written.exception() is not None
        if self._ended:
            return
        if failed:
            self.end()
            return
        self._forget_outstanding()
        self.write(tuple)  # what was made before goes first
        self.flush()

    def _stalled(self) -> None:
        _log.info("a browser took nothing for %g s; closed", self._stalled_s)
        self.end()
        self._socket.abort()

    def end(self) -> None:
        """Write no more."""
        self._ended = True
        self._made.clear()
        self._forget_outstanding()

    def _forget_outstanding(self) -> None:
        self._outstanding = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
