"""Searches for reference cycles that do not hold the event loop.

Python searches all objects for garbage now and then, the more often the more are made. What thousands of devices are made of
lives as long as they are polled, and a search of all of it takes a second, at every quarter that is added.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping
from typing import Any

_LONGEST_S = 0.05
_WHOLE = 2  # the generation of a search of all


class KeptAside:
    """A callback of `gc`: what a long search has left alive is not searched again. It is freed when its last user is gone;
    only what is a cycle by then is not."""

    def __init__(self, longest_s: float = _LONGEST_S) -> None:
        self._longest_s = longest_s
        self._began_s = 0.0

    def __call__(self, phase: str, info: Mapping[str, Any]) -> None:
        if phase == "start":
            self._began_s = time.thread_time()
        elif info["generation"] == _WHOLE and time.thread_time() - self._began_s > self._longest_s:
            gc.freeze()


def keep_searches_short() -> None:
    """For the rest of this process."""
    gc.callbacks.append(KeptAside())
