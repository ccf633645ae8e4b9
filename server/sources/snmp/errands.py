"""What a poller does beside the ticks, one thing at a time: looks for interfaces, finds the device again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from server.core.errors import SourceError
from server.core.log import logger
from server.core.tasks import cancel, spawn

_FIRST_PAUSE_S = 1.0
_log = logger("snmp")


class Errands:
    """State: the errand that is under way, when the next may begin, and how long the pause after one is.

    An errand tells whether it found anything new. One that keeps finding nothing is sent less and less often.
    """

    def __init__(self, device: str, broke: Callable[[BaseException], None]) -> None:
        self._device = device
        self._broke = broke
        self._task: asyncio.Task[None] | None = None
        self._soonest_s = 0.0
        self._pause_s = _FIRST_PAUSE_S

    @property
    def busy(self) -> bool:
        """Whether one is under way."""
        return self._task is not None

    def may_begin(self, now_s: float) -> bool:
        """Whether the pause is over, and none is under way."""
        return self._task is None and now_s >= self._soonest_s

    def at_once(self) -> None:
        """The next need not wait."""
        self._soonest_s = 0.0

    def send(self, errand: Callable[[], Coroutine[Any, Any, bool]], most_pause_s: Callable[[], float]) -> None:
        """Begin; `most_pause_s` is asked at its end."""
        self._task = spawn(f"snmp {self._device} errand", self._run(errand, most_pause_s))

    async def _run(self, errand: Callable[[], Coroutine[Any, Any, bool]], most_pause_s: Callable[[], float]) -> None:
        new = False
        try:
            new = await errand()
        except SourceError as error:
            _log.debug("%s: %s", self._device, error)
        except Exception as error:
            self._broke(error)
        finally:
            self._task = None
            self._pause_s = _FIRST_PAUSE_S if new else min(most_pause_s(), 2 * self._pause_s)
            self._soonest_s = asyncio.get_running_loop().time() + self._pause_s

    async def close(self) -> None:
        """End the one that is under way."""
        if self._task is not None:
            await cancel(self._task)
