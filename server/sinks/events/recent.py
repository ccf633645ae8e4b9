"""The newest events, in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from server.core.model import Event
from server.hub import Item


class RecentEvents:
    """Implements `core.ports.EventReader`; a subscriber of the hub. Holds the newest `most` events."""

    def __init__(self, most: int = 500) -> None:
        self._events: deque[Event] = deque(maxlen=most)

    def offer(self, item: Item) -> None:
        if isinstance(item, Event):
            self._events.append(item)

    def recent(self, most: int) -> Sequence[Event]:
        return list(self._events)[max(0, len(self._events) - most) :]
