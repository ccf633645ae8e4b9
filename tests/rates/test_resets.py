from __future__ import annotations

import numpy as np
import pytest

from server.core.model import Severity
from server.rates.resets import leap_event, reset_events, restart_event
from tests.rates.build import table


@pytest.mark.parametrize(
    ("up_s", "words"),
    [(0.3, "0 s"), (12.4, "12 s"), (119, "119 s"), (150, "2 min"), (7_300, "2 hours"), (900_000, "10 days")],
)
def test_a_restart_says_how_long_the_device_has_been_up(up_s: float, words: str) -> None:
    event = restart_event("sw1", 5.0, up_s)
    assert event.text == f"restarted; it has been up for {words}"
    assert (event.kind, event.severity, event.device, event.row) == ("restarted", Severity.WARNING, "sw1", "")


def test_a_leap_of_the_clock_says_how_far_and_what_it_means() -> None:
    event = leap_event("sw1", 5.0, 190 * 86_400.0)
    assert event.text == "its clock jumped ahead by 190 days: another device or engine seems to answer at this address"
    assert (event.kind, event.severity, event.device, event.row) == ("clock_jumped", Severity.WARNING, "sw1", "")


def test_up_to_five_rows_have_an_event_each() -> None:
    events = reset_events("sw1", 5.0, table(8), np.array([True] * 5 + [False] * 3))
    assert [event.row for event in events] == ["a", "b", "c", "d", "e"]
    assert {event.kind for event in events} == {"counters_reset"}


def test_more_rows_are_one_event_with_their_number() -> None:
    (event,) = reset_events("sw1", 5.0, table(8), np.array([True] * 6 + [False] * 2))
    assert (event.row, event.device, event.kind) == ("", "sw1", "counters_reset")
    assert event.details == {"rows": 6}
    assert "6 rows" in event.text
