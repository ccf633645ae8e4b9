"""Named tasks and drift-free ticks on the IOLoop. Cancellation is the only way to stop a task."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any

from server.core.log import logger

RESTART_FIRST_S = 0.5
RESTART_MOST_S = 30.0
_HEALTHY_S = 60.0

_log = logger("tasks")


async def every(interval_s: float, phase_s: float = 0.0) -> AsyncIterator[int]:
    """Yield 0, 1, 2, ... at `phase_s`, `phase_s` + `interval_s`, ... from now, without drift.

    A tick whose time has passed while the body ran is skipped, its number with it: the numbers tell how many were missed.
    Kept on the asyncio loop's monotonic clock: `IOLoop.time` is the wall clock, and would stand still when that is set back.
    """
    loop = asyncio.get_running_loop()
    start = loop.time() + phase_s
    tick = 0
    while True:
        due = start + tick * interval_s
        if due > loop.time():
            woken: asyncio.Future[None] = loop.create_future()
            timer = loop.call_at(due, _wake, woken)
            try:
                await woken
            finally:
                timer.cancel()
        yield tick
        tick = max(tick + 1, math.ceil((loop.time() - start) / interval_s))


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def spawn(name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Start a task that has a name and whose failure is never silent."""
    task = asyncio.get_running_loop().create_task(work, name=name)
    task.add_done_callback(_report)
    return task


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("task %s failed", task.get_name(), exc_info=error)


async def supervise(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Run `work` for ever: when it fails, log it once and start it again with a growing pause. Ends by cancellation."""
    loop = asyncio.get_running_loop()
    pause_s = RESTART_FIRST_S
    while True:
        began = loop.time()
        try:
            await work()
            return
        except Exception:
            if loop.time() - began > _HEALTHY_S:
                pause_s = RESTART_FIRST_S
            _log.exception("%s failed; it starts again in %.1f s", name, pause_s)
        await asyncio.sleep(pause_s)
        pause_s = min(RESTART_MOST_S, pause_s * 2)


async def cancel(*tasks: asyncio.Task[None]) -> None:
    """Cancel and wait until each has ended."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
