"""How long a tick waits, and how often it comes: for devices that answer slowly or in part, or are large."""

from __future__ import annotations

import math
from collections import deque

from server.sources.snmp.plan import Plan
from server.sources.snmp.settings import PollingDefaults

_MOST_STRIDE = 4
_MOST_SPACING_S = 30.0
_WINDOW = 10
_SHARE = 0.9  # of the interval that a tick may wait: the next one must start in time
_QUICK_AGAIN = 3  # quick ticks until a slow device is no longer waited for


class Patience:
    """How long a tick waits: `_SHARE` of the interval, or the whole timeout while the device is seen to answer later."""

    def __init__(self, polling: PollingDefaults) -> None:
        self._tries = polling.retries + 1
        self.full_s = polling.timeout_s * self._tries
        self._quick_s = min(self.full_s, _SHARE * polling.interval_s)
        self._patient_for = 0

    @property
    def tries(self) -> int:
        """How often a request is sent."""
        return self._tries

    @property
    def budget_s(self) -> float:
        """How long the next tick may take."""
        return self.full_s if self._patient_for else self._quick_s

    def saw(self, reply_s: float | None) -> None:
        """A tick's slowest answer; None when nothing came."""
        if reply_s is not None and reply_s > self._quick_s:
            self._patient_for = _QUICK_AGAIN
        elif self._patient_for:
            self._patient_for -= 1


class BackOff:
    """Asks a struggling device less often: only each `stride`-th tick is taken.

    A device struggles when at least half of its last ticks were not answered in full. Each ten full ticks halve the stride.
    """

    def __init__(self, interval_s: float) -> None:
        self.stride = 1
        self._most = max(1, min(_MOST_STRIDE, int(_MOST_SPACING_S / interval_s)))
        self._window: deque[bool] = deque(maxlen=_WINDOW)

    def saw(self, complete: bool) -> None:
        """A tick of a device that answers was answered in full, or not."""
        self._window.append(complete)
        if len(self._window) < _WINDOW:
            return
        if self._window.count(False) * 2 >= _WINDOW and self.stride < self._most:
            self.stride = min(self._most, self.stride * 2)
            self._window.clear()
        elif all(self._window) and self.stride > 1:
            self.stride //= 2
            self._window.clear()


def budget_stride(plan: Plan | None, polling: PollingDefaults) -> int:
    """Only each so many-th tick, so that a device gets no more than `requests_per_s` requests a second."""
    if plan is None:
        return 1
    slow_per_s = min(len(plan.slow) / polling.slow_interval_s, polling.requests_per_s / 2)
    return max(1, math.ceil(len(plan.fast) / polling.interval_s / (polling.requests_per_s - slow_per_s)))
