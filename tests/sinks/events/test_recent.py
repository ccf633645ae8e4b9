from __future__ import annotations

from server.sinks.events.recent import RecentEvents
from tests.support.frames import block, event, status, table


def test_it_gives_the_newest_events_oldest_first() -> None:
    events = RecentEvents(most=3)
    for number in range(5):
        events.offer(event(str(number)))
    assert [one.text for one in events.recent(10)] == ["2", "3", "4"]
    assert [one.text for one in events.recent(2)] == ["3", "4"]
    assert events.recent(0) == []


def test_frames_and_states_are_no_events() -> None:
    events = RecentEvents()
    events.offer(block(table("a")))
    events.offer(status())
    assert events.recent(10) == []
