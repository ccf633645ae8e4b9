from __future__ import annotations

import pytest
from pydantic import ValidationError

from server.sinks.live.settings import LiveSettings


def test_the_caps_are_those_of_the_protocol() -> None:
    one = LiveSettings()
    assert (one.max_subscriptions, one.messages_per_s, one.stalled_s, one.history_s) == (500, 10, 20, 900)


@pytest.mark.parametrize(
    "given", [{"history_s": 59}, {"max_subscriptions": 0}, {"messages_per_s": 0}, {"stalled_s": 0.5}, {"unknown": 1}]
)
def test_a_cap_that_makes_no_sense_is_refused(given: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        LiveSettings(**given)
