"""The hub offers each published item to each subscriber, in order, and never waits.

State: the set of subscribers, changed only by `subscribe` and `unsubscribe`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from server.core.blocks import Frames
from server.core.log import logger
from server.core.model import DeviceStatus, Event

_log = logger("hub")


@dataclass(frozen=True, slots=True)
class Removed:
    """The device is configured no more."""

    device: str


Item = Frames | DeviceStatus | Event | Removed


class Subscriber(Protocol):
    """Takes what is published. `offer` returns at once: it stores or queues, it does no work that could wait."""

    def offer(self, item: Item) -> None: ...


class Hub:
    """One process's publish and subscribe. What keeps state (inventory, history) subscribes before those who read it,
    so that a reader never sees an item that the state does not hold yet."""

    def __init__(self) -> None:
        self._subscribers: dict[Subscriber, bool] = {}  # value: it has failed before, and that was logged

    def subscribe(self, subscriber: Subscriber) -> None:
        """Offer everything from now on to `subscriber`, after those who subscribed before it."""
        self._subscribers.setdefault(subscriber, False)

    def unsubscribe(self, subscriber: Subscriber) -> None:
        self._subscribers.pop(subscriber, None)

    def publish(self, item: Item) -> None:
        """Offer to all. A subscriber that raises is logged once and harms no other."""
        for subscriber in tuple(self._subscribers):
            if subscriber not in self._subscribers:  # one before it unsubscribed it
                continue
            try:
                subscriber.offer(item)
            except Exception:
                if not self._subscribers.get(subscriber, True):  # it may have unsubscribed, then failed
                    self._subscribers[subscriber] = True
                    _log.exception("%s failed on a %s; the others go on", type(subscriber).__name__, type(item).__name__)
