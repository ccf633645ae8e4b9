from __future__ import annotations

from server.demo.behaviour import Behaviour, boot_at, is_silent, uptime_ticks
from server.demo.traffic import NS

REBOOTING = Behaviour(reboot_every_s=240.0, boot_s=8.0, uptime_s=100.0)


def test_uptime_counts_hundredths_of_a_second_and_begins_anew_with_each_boot() -> None:
    seconds = (0, 1.239, 239.99, 240, 241.5, 480)
    assert [uptime_ticks(REBOOTING, round(second * NS)) for second in seconds] == [10_000, 10_123, 33_999, 0, 150, 0]
    assert [boot_at(REBOOTING, round(second * NS)) for second in seconds] == [0, 0, 0, 1, 1, 2]


def test_uptime_wraps_after_497_days() -> None:
    nearly = Behaviour(uptime_s=(2**32 - 1) / 100)
    assert [uptime_ticks(nearly, milliseconds * 1_000_000) for milliseconds in (0, 10)] == [2**32 - 1, 0]


def test_an_agent_is_silent_while_it_boots_but_not_before_its_first_reboot() -> None:
    seconds = (0, 5, 239, 240, 247, 248, 480, 488)
    assert [is_silent(REBOOTING, second * NS) for second in seconds] == [False, False, False, True, True, False, True, False]


def test_an_agent_is_silent_at_the_end_of_each_period() -> None:
    silent = Behaviour(silent_every_s=50.0, silent_s=3.0)
    seconds = (0, 46, 47, 49, 50, 97, 100)
    assert [is_silent(silent, second * NS) for second in seconds] == [False, False, True, True, False, True, False]


def test_an_agent_without_traits_always_answers() -> None:
    assert not any(is_silent(Behaviour(), second * NS) for second in range(1000))
    assert Behaviour().plain
    assert not REBOOTING.plain
