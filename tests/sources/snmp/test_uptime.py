from __future__ import annotations

import numpy as np
import pytest

from server.core.model import Chunk
from server.sources.snmp.uptime import Uptime


def chunk(second: float, ticks: int | None) -> Chunk:
    at = int(second * 1e9)
    return Chunk(at - 10**6, at, ticks, (0,), np.zeros(1, np.uint32))


@pytest.mark.parametrize(
    ("ticks", "second", "restarted"),
    [
        (100_100, 1.0, False),
        (100, 1.0, True),
        (99_990, 1.0, False),
        (100_000, 6.0, False),
        (110_000, 600.0, True),
        (160_000, 600.0, False),
        (3_000, 40.0, True),
        (103_050, 1.0, False),
        (103_200, 1.0, True),
        (200 * 8_640_000, 1.0, True),
        (None, 1.0, False),
    ],
)
def test_a_restart_or_another_clock_is_told_from_a_loose_clock(ticks: int | None, second: float, restarted: bool) -> None:
    uptime = Uptime()
    assert not uptime.restarted([chunk(0.0, 100_000)])
    assert uptime.restarted([chunk(second, ticks)]) is restarted


def test_a_wrap_after_497_days_is_no_restart() -> None:
    uptime = Uptime()
    uptime.restarted([chunk(0.0, 2**32 - 50)])
    assert not uptime.restarted([chunk(1.0, 50)])


def test_a_second_restart_soon_after_the_first_is_seen() -> None:
    uptime = Uptime()
    uptime.restarted([chunk(0.0, 2_000)])
    assert uptime.restarted([chunk(15.0, 1_000)])


def test_a_restart_between_two_answers_of_one_tick_is_seen() -> None:
    uptime = Uptime()
    uptime.restarted([chunk(0.0, 100_000)])
    assert uptime.restarted([chunk(1.0, 100_100), chunk(1.2, 5)])
    assert not uptime.restarted([chunk(2.2, 105)])
