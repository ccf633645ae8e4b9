"""What waits for a reader that wants only the newest. Bounded: a slow reader costs no memory."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from server.core.model import DeviceStatus, Event, Frame

Stream = tuple[str, bool]
"""A device, and whether its bursts are meant (True) or its ordinary ticks."""


@dataclass(slots=True)
class Pending:
    """What a reader that wants only the newest finds when it comes.

    `frames` holds the newest frame of each stream and how many older ones it replaced unread. `lost_events` counts events
    that were dropped because more than the queue can hold came in between.
    """

    frames: dict[Stream, tuple[Frame, int]] = field(default_factory=dict)
    statuses: dict[str, DeviceStatus] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    events: deque[Event] = field(default_factory=deque)
    lost_events: int = 0

    def __bool__(self) -> bool:
        return bool(self.frames or self.statuses or self.removed or self.events or self.lost_events)


class LatestQueue:
    """Drop to latest: a slow reader loses the old, never the new. Holds one frame per stream at most."""

    def __init__(self, most_events: int = 256) -> None:
        self._most_events = most_events
        self._pending = Pending()

    def frame(self, stream: Stream, frame: Frame) -> None:
        """It replaces the one before, which is counted as missed if nobody took it."""
        replaced = self._pending.frames.get(stream)
        self._pending.frames[stream] = (frame, replaced[1] + 1 if replaced else 0)

    def status(self, status: DeviceStatus) -> None:
        self._pending.statuses[status.device] = status
        self._pending.removed.discard(status.device)

    def removed(self, device: str) -> None:
        self._pending.frames.pop((device, False), None)
        self._pending.frames.pop((device, True), None)
        self._pending.statuses.pop(device, None)
        self._pending.removed.add(device)

    def event(self, event: Event) -> None:
        """In order; beyond `most_events` the oldest are lost, and counted."""
        pending = self._pending
        if len(pending.events) >= self._most_events:
            pending.events.popleft()
            pending.lost_events += 1
        pending.events.append(event)

    def take(self) -> Pending:
        """All that waits, which waits no more; may be empty."""
        taken, self._pending = self._pending, Pending()
        return taken

    def forget(self, stream: Stream) -> None:
        """Drop the frame of a stream that is followed no more: who follows it anew must not be told of it."""
        self._pending.frames.pop(stream, None)

    def forget_device(self, device: str) -> None:
        """Drop what else waits for a device of which no stream is followed any more."""
        self._pending.statuses.pop(device, None)
        self._pending.removed.discard(device)
