from __future__ import annotations

import pytest

from server.core.errors import AuthFailed, BadReply, NoAnswer, UnknownHost
from server.core.model import DeviceState
from server.sources.snmp.health import BAD_IN_A_ROW, Health
from server.sources.snmp.walk import AnswersLost

SILENT = NoAnswer("no answer")


def up() -> Health:
    health = Health(1.0, 100.0)
    health.answered(101.0, 0.01, True)
    assert health.now.state is DeviceState.UP
    return health


def test_a_device_is_starting_until_it_was_asked() -> None:
    assert Health(1.0, 0.0).now.state is DeviceState.STARTING


def test_one_missed_tick_is_not_worth_a_word() -> None:
    health = up()
    health.failed(102.0, SILENT)
    assert health.now.state is DeviceState.UP


def test_two_gaps_in_ten_ticks_make_a_device_late_until_they_are_past() -> None:
    health = up()
    health.failed(102.0, SILENT)
    health.answered(103.0, 0.01, False)
    assert (health.now.state, health.now.reason) == (DeviceState.LATE, "2 of the last 3 polls had no full answer")
    for second in range(9):
        health.answered(104.0 + second, 0.01, True)
    assert health.now.state is DeviceState.UP


def test_missed_ticks_alone_make_a_device_late_before_it_is_down() -> None:
    health = up()
    health.failed(102.0, SILENT)
    health.failed(103.0, SILENT)
    assert health.now.state is DeviceState.LATE


def test_an_answer_after_the_interval_is_late() -> None:
    health = up()
    health.answered(104.0, 2.4, True)
    assert (health.now.state, health.now.reason) == (DeviceState.LATE, "answers after 2.4 s, polled every 1 s")


def test_an_answer_that_is_no_longer_awaited_is_late_and_no_silence() -> None:
    health = up()
    health.failed(105.0, SILENT)
    health.late_answer(105.0, 3.6)
    assert health.now.state is DeviceState.UP, "once may be what a stopped device held back"
    health.failed(106.0, SILENT)
    health.late_answer(106.0, 3.6)
    assert health.now.reason == "answers after 3.6 s, too late for its poll: raise timeout_s"
    health.failed(110.0, SILENT)
    assert health.now.state is not DeviceState.DOWN


def test_silence_for_five_seconds_is_down_and_told_again_when_it_doubled() -> None:
    health = up()
    reasons = []
    for second in range(102, 142):
        health.failed(float(second), SILENT)
        if health.now.state is DeviceState.DOWN and health.now.reason not in reasons:
            reasons.append(health.now.reason)
    assert [reason.split(":")[0] for reason in reasons] == [f"no answer for {s} s" for s in (5, 10, 20, 40)]
    assert reasons[0].endswith("the device is down, or a filter or a wrong community stops it")


def test_a_slowly_polled_device_is_down_after_three_intervals() -> None:
    health = Health(60.0, 0.0)
    health.answered(60.0, 0.01, True)
    health.failed(120.0, SILENT)
    health.failed(180.0, SILENT)
    assert health.now.state is DeviceState.LATE
    health.failed(240.0, SILENT)
    assert health.now.state is DeviceState.DOWN


def test_the_first_answer_after_a_silence_is_up_at_once() -> None:
    health = up()
    for second in range(102, 120):
        health.failed(float(second), SILENT)
    health.answered(120.0, 0.01, True)
    assert health.now.state is DeviceState.UP


def test_a_refusal_is_auth_failed_in_its_own_words() -> None:
    health = up()
    health.failed(102.0, AuthFailed("check snmp.user"))
    assert (health.now.state, health.now.reason) == (DeviceState.AUTH_FAILED, "check snmp.user")


def test_a_refused_device_that_falls_silent_is_down() -> None:
    health = Health(1.0, 0.0)
    health.failed(1.0, AuthFailed("check snmp.user"))
    health.failed(7.0, SILENT)
    assert health.now.state is DeviceState.DOWN


def test_an_unknown_host_or_a_missing_way_is_down_in_its_own_words() -> None:
    health = Health(1.0, 0.0)
    health.failed(1.0, UnknownHost("host name x is not known to DNS"))
    assert (health.now.state, health.now.reason) == (DeviceState.DOWN, "host name x is not known to DNS")
    health.failed(9.0, NoAnswer("cannot send to 192.0.2.1: Network is unreachable"))
    assert health.now.reason == "cannot send to 192.0.2.1: Network is unreachable"


def test_only_several_ticks_of_bad_replies_are_a_state() -> None:
    health = up()
    for second in range(BAD_IN_A_ROW):
        assert health.now.state is DeviceState.UP
        health.failed(102.0 + second, BadReply("other objects"))
    assert (health.now.state, health.now.reason) == (DeviceState.BAD_REPLIES, "other objects")


def test_a_device_that_never_answered_is_down_after_five_seconds_however_slowly_it_is_polled() -> None:
    health = Health(60.0, 100.0)
    health.failed(104.0, SILENT)
    assert health.now.state is DeviceState.STARTING
    health.failed(108.0, SILENT)
    assert health.now.state is DeviceState.DOWN
    assert health.now.reason.startswith("no answer for 5 s: ")


def test_a_device_whose_answers_get_lost_is_late_and_not_silent() -> None:
    health = Health(1.0, 0.0)
    health.failed(40.0, AnswersLost())
    health.failed(44.0, SILENT)
    assert (health.now.state, health.now.reason) == (
        DeviceState.LATE,
        "its interfaces could not be read: answers get lost",
    )
    health.failed(46.0, SILENT)
    assert health.now.state is DeviceState.DOWN


def test_what_failed_before_the_first_poll_is_not_held_against_it() -> None:
    health = Health(1.0, 0.0)
    for second in (3.0, 6.0):
        health.failed(second, AnswersLost())
    health.answered(7.0, 0.01, True)
    assert health.now.state is DeviceState.UP


@pytest.mark.parametrize("text", ["the device lists no interfaces", ""])
def test_a_remark_is_the_reason_while_the_device_is_up(text: str) -> None:
    health = up()
    health.remark(text)
    assert health.now.reason == text
    health.answered(102.0, 0.01, True)
    assert health.now.reason == text
