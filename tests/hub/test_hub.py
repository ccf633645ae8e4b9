from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

import pytest

from server.hub import Hub, Item
from tests.support.frames import block, event, table


class Listener:
    """Keeps what it was offered; `then` is done on each item."""

    def __init__(self, then: Callable[[], None] = lambda: None) -> None:
        self.heard: list[Item] = []
        self._then = then

    def offer(self, item: Item) -> None:
        self.heard.append(item)
        self._then()


def fail() -> None:
    raise RuntimeError("broken on purpose")


def test_everyone_is_offered_every_item_in_the_order_of_publishing() -> None:
    hub, first, second = Hub(), Listener(), Listener()
    hub.subscribe(first)
    hub.subscribe(second)
    items: list[Item] = [block(table("xe-0"), 1), event(), block(table("xe-0"), 2)]
    for item in items:
        hub.publish(item)
    assert first.heard == second.heard == items


def test_subscribers_are_offered_an_item_in_the_order_in_which_they_came() -> None:
    hub, order = Hub(), list[str]()
    for name in ("state", "reader", "last"):
        hub.subscribe(Listener(partial(order.append, name)))
    hub.publish(event())
    assert order == ["state", "reader", "last"]


def test_subscribing_twice_is_subscribing_once() -> None:
    hub, listener = Hub(), Listener()
    hub.subscribe(listener)
    hub.subscribe(listener)
    hub.publish(event())
    assert len(listener.heard) == 1


def test_a_subscriber_that_raises_harms_no_other_and_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    hub, before, broken, after = Hub(), Listener(), Listener(fail), Listener()
    for listener in (before, broken, after):
        hub.subscribe(listener)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            hub.publish(event())
    assert [len(one.heard) for one in (before, broken, after)] == [3, 3, 3]
    assert [record.getMessage() for record in caplog.records] == ["Listener failed on a Event; the others go on"]
    assert caplog.records[0].exc_info


def test_each_broken_subscriber_is_logged_for_itself(caplog: pytest.LogCaptureFixture) -> None:
    hub = Hub()
    hub.subscribe(Listener(fail))
    hub.subscribe(Listener(fail))
    with caplog.at_level(logging.ERROR):
        hub.publish(event())
        hub.publish(event())
    assert len(caplog.records) == 2


def test_who_has_unsubscribed_is_offered_nothing_more() -> None:
    hub, listener = Hub(), Listener()
    hub.subscribe(listener)
    hub.unsubscribe(listener)
    hub.unsubscribe(listener)
    hub.publish(event())
    assert listener.heard == []


def test_unsubscribing_another_while_it_is_published_takes_effect_at_once() -> None:
    hub, gone, last = Hub(), Listener(), Listener()
    hub.subscribe(Listener(lambda: hub.unsubscribe(gone)))
    hub.subscribe(gone)
    hub.subscribe(last)
    hub.publish(event())
    assert gone.heard == []
    assert len(last.heard) == 1


def test_one_that_unsubscribes_itself_skips_no_other() -> None:
    hub, others = Hub(), [Listener(), Listener()]
    leaving = Listener(lambda: hub.unsubscribe(leaving))
    for listener in (leaving, *others):
        hub.subscribe(listener)
    hub.publish(event())
    hub.publish(event())
    assert [len(one.heard) for one in (leaving, *others)] == [1, 2, 2]


def test_one_that_unsubscribes_itself_and_then_fails_stays_away(caplog: pytest.LogCaptureFixture) -> None:
    def leave_and_fail() -> None:
        hub.unsubscribe(leaving)
        fail()

    hub = Hub()
    leaving = Listener(leave_and_fail)
    hub.subscribe(leaving)
    hub.publish(event())
    hub.publish(event())
    assert len(leaving.heard) == 1


def test_one_that_subscribes_while_it_is_published_hears_from_the_next_item_on() -> None:
    hub, late = Hub(), Listener()
    hub.subscribe(Listener(lambda: hub.subscribe(late)))
    hub.publish(event("first"))
    hub.publish(second := event("second"))
    assert late.heard == [second]
