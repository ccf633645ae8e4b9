from __future__ import annotations

import time

import pytest

from server.core import clock


def test_durations_are_measured_on_the_clock_that_counts_suspension(monkeypatch: pytest.MonkeyPatch) -> None:
    before = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    now = clock.boot_ns()
    assert before <= now <= time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    monkeypatch.setattr(time, "time", lambda: 12.5)
    assert clock.boot_ns() >= now


def test_wall_time_is_unix_time() -> None:
    before = time.time()
    assert before <= clock.wall_s() <= time.time()
