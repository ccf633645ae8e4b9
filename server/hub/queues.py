"""How a reader that wants only the newest waits for published items. Bounded: a slow reader costs no memory."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from server.core.blocks import Frames
from server.core.model import DeviceStatus, Event, Frame
from server.hub.hub import Item, Removed


@dataclass(slots=True)
class Pending:
    """What a reader that wants only the newest finds when it comes.

    `frames` holds the newest frame of each device and how many older ones it replaced unread. `lost_events` counts events
    that were dropped because more than `events` can hold came in between.
    """

    frames: dict[str, tuple[Frame, int]] = field(default_factory=dict)
    statuses: dict[str, DeviceStatus] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    events: deque[Event] = field(default_factory=deque)
    lost_events: int = 0

    def __bool__(self) -> bool:
        return bool(self.frames or self.statuses or self.removed or self.events or self.lost_events)


class LatestQueue:
    """Drop to latest: a slow reader loses the old, never the new. Holds one frame per device at most.

    `wants` says which devices the reader follows; all others cost nothing.
    """

    def __init__(self, wants: Callable[[str], bool], wants_events: Callable[[], bool], most_events: int = 256) -> None:
        self._wants = wants
        self._wants_events = wants_events
        self._most_events = most_events
        self._pending = Pending()
        self._arrived = asyncio.Event()

    def offer(self, item: Item) -> None:
        pending = self._pending
        match item:
            case Frames():
                if not self._take(item):
                    return
            case DeviceStatus() if self._wants(item.device):
                pending.statuses[item.device] = item
                pending.removed.discard(item.device)
            case Removed() if self._wants(item.device):
                pending.frames.pop(item.device, None)
                pending.statuses.pop(item.device, None)
                pending.removed.add(item.device)
            case Event() if self._wants_events():
                if len(pending.events) >= self._most_events:
                    pending.events.popleft()
                    pending.lost_events += 1
                pending.events.append(item)
            case _:
                return
        self._arrived.set()

    def _take(self, frames: Frames) -> bool:
        wanted = [place for place, table in enumerate(frames.tables) if self._wants(table.device)]
        for place in wanted:
            device = frames.tables[place].device
            replaced = self._pending.frames.get(device)
            self._pending.frames[device] = (frames.frame(place), replaced[1] + 1 if replaced else 0)
        return bool(wanted)

    def wake(self) -> None:
        """Let the reader look, though nothing new was published."""
        self._arrived.set()

    async def take(self) -> Pending:
        """Wait until something is there (or `wake`), and take it all; may be empty after `wake`."""
        await self._arrived.wait()
        self._arrived.clear()
        taken, self._pending = self._pending, Pending()
        return taken

    def forget(self, device: str) -> None:
        """Drop what waits for a device that is followed no more: who follows it anew must not be told of it."""
        self._pending.frames.pop(device, None)
        self._pending.statuses.pop(device, None)
        self._pending.removed.discard(device)
