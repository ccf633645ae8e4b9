"""What a poller does beside the ticks, one thing at a time: looks for interfaces, finds the device again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from server.core.clock import loop_s
from server.core.errors import SourceError
from server.core.log import logger
from server.core.tasks import cancel, spawn

_FIRST_PAUSE_S = 1.0
_log = logger("snmp")


class Errands:
    """State: the errand that is under way, when the next may begin, how long the pause after one is, and whether the next
    need not wait for its end (`_hurry`).

    An errand tells whether it was worth while. One that keeps being sent in vain is sent less and less often.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._task: asyncio.Task[None] | None = None
        self._soonest_s = 0.0
        self._pause_s = _FIRST_PAUSE_S
        self._hurry = False

    @property
    def busy(self) -> bool:
        """Whether one is under way."""
        return self._task is not None

    def may_begin(self, now_s: float) -> bool:
        """Whether the pause is over, and none is under way."""
        return self._task is None and now_s >= self._soonest_s

    def at_once(self) -> None:
        """There is a new reason: the next need not wait, nor the one after it for long."""
        self._soonest_s, self._pause_s, self._hurry = 0.0, _FIRST_PAUSE_S, True

    def send(
        self,
        errand: Callable[[], Coroutine[Any, Any, bool]],
        most_pause_s: Callable[[], float],
        broke: Callable[[BaseException], None],
    ) -> None:
        """Begin; `most_pause_s` is asked at its end, `broke` is told of a fault of the program."""
        self._hurry = False
        self._task = spawn(f"snmp {self._device} errand", self._run(errand, most_pause_s, broke))

    async def _run(
        self,
        errand: Callable[[], Coroutine[Any, Any, bool]],
        most_pause_s: Callable[[], float],
        broke: Callable[[BaseException], None],
    ) -> None:
        worth = False
        try:
            worth = await errand()
        except SourceError as error:
            _log.debug("%s: %s", self._device, error)
        except Exception as error:
            broke(error)
        finally:
            self._task = None
            self._pause_s = _FIRST_PAUSE_S if worth or self._hurry else min(most_pause_s(), 2 * self._pause_s)
            self._soonest_s = 0.0 if self._hurry else loop_s() + self._pause_s

    async def close(self) -> None:
        """End the one that is under way."""
        if self._task is not None:
            await cancel(self._task)
