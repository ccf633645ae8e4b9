"""Time. Durations are measured on CLOCK_BOOTTIME: CLOCK_MONOTONIC stops while a machine is suspended, and the first rate
after it would be a spike."""

from __future__ import annotations

import asyncio
import time

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def boot_ns() -> int:
    """Nanoseconds since boot, suspension included; never steps."""
    return time.clock_gettime_ns(_CLOCK)


def loop_s() -> float:
    """Seconds on the clock of the running event loop, which timers and deadlines are on; never steps."""
    return asyncio.get_running_loop().time()


def wall_s() -> float:
    """Unix time, for display only: it may step."""
    return time.time()
