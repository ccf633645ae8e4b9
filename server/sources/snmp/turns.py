"""Turns at reading the interfaces of a device: many devices that are read at once would hold the ticks of all the others."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from server.sources.snmp.engine import Session, Wait
from server.sources.snmp.message import Answer, Request

_HELD_S = 1.0


class Turn:
    """One device's share of the `places`. It is held for a moment only, and then queued for again: a device that answers
    slowly keeps no place while it is waited for.

    State: `_timer` gives the place back (None: it has none). `waited_s` is how long it waited for places in all.
    """

    def __init__(self, places: asyncio.Semaphore | None = None) -> None:
        """Without `places` there is nobody to share with."""
        self._places = places or asyncio.Semaphore()
        self._timer: asyncio.TimerHandle | None = None
        self._queueing = asyncio.Lock()
        self.waited_s = 0.0

    async def ask(self, session: Session, request: Request, wait: Wait) -> Answer:
        """See `Session.ask`. `wait.deadline_s` is put off by all the time that was waited for places."""
        await self._take()
        return await session.ask(request, replace(wait, deadline_s=wait.deadline_s + self.waited_s))

    async def _take(self) -> None:
        """Wait for a place, where it has none now."""
        loop = asyncio.get_running_loop()
        async with self._queueing:
            if self._timer is not None:
                return
            began_s = loop.time()
            await self._places.acquire()
            self.waited_s += loop.time() - began_s
            self._timer = loop.call_later(_HELD_S, self.end)

    def end(self) -> None:
        """Give the place back: all is read, or it was held for long enough."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
            self._places.release()
