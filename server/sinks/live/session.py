"""One browser: takes its messages, follows what it asks for, and writes when its socket is ready.

A slow browser loses the old, never the new: at most one message is being written, and for each device only the newest frame
waits. State: the subscriptions that wait to begin, the followers by subscription id, the outbox of answers, the allowance of
messages. All of it changes between awaits only; `pump` is the one task that writes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from server.core.log import logger
from server.core.ports import EventReader, HistoryReader, InventoryReader, SelfMetrics
from server.hub import LatestQueue, Pending
from server.sinks.live import shapes
from server.sinks.live.messages import ClientMessage, EventMessage, Failure, Resync, Subscribe, Unsubscribe
from server.sinks.live.settings import LiveSettings
from server.sinks.live.subscriptions import DeviceFollower, Message, Refused
from server.sinks.live.summary import SummaryBoard, SummaryFollower

MOST_BAD_MESSAGES = 5
RECENT_EVENTS = 50
MOST_SUMMARIES = 4
_BURST_S = 20  # a page may send this many seconds' worth of messages at once when it opens
_MOST_REASON_BYTES = 123  # RFC 6455, section 5.5: a control frame holds 125 bytes, two of them the code
POLICY_VIOLATION = 1008

_UNREADABLE = (ValueError, RecursionError)  # what msgspec raises: no message of ours; nested too deep
_log = logger("live")
_decoder = msgspec.json.Decoder(ClientMessage)
_encoder = msgspec.json.Encoder()


class Socket(Protocol):
    """The browser's end, as a session uses it."""

    async def send(self, message: bytes) -> None:
        """Write one text message; returns when the socket has taken it. Raises ConnectionError when it is closed."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Close in order."""
        ...

    def abort(self) -> None:
        """Drop the connection at once: its reader does not read."""
        ...


@dataclass(frozen=True, slots=True)
class Readers:
    """What sessions read."""

    inventory: InventoryReader
    history: HistoryReader
    events: EventReader
    board: SummaryBoard
    metrics: SelfMetrics


class Session:
    """One browser's subscriptions."""

    def __init__(self, socket: Socket, readers: Readers, settings: LiveSettings, epoch: str, first: Message) -> None:
        self._socket = socket
        self._readers = readers
        self._settings = settings
        self._epoch = epoch
        self._outbox: deque[Message] = deque([first])
        self._opening: dict[int, Subscribe] = {}  # asked for; the first messages are made when they can be sent
        self._devices: dict[int, DeviceFollower] = {}
        self._summaries: dict[int, SummaryFollower] = {}
        self._events: set[int] = set()
        self._followed: dict[str, int] = {}  # subscriptions by device
        self.queue = LatestQueue(self._followed.__contains__, lambda: bool(self._events))
        self.queue.wake()
        self._bad = 0
        self._burst = max(settings.messages_per_s * _BURST_S, settings.max_subscriptions)  # a page may bring back all it had
        self._allowance = self._burst
        self._allowance_at: float | None = None

    # -- from the browser

    def receive(self, text: str | bytes) -> None:
        """Take one message of the browser. What is wrong with it is answered, five such close the socket."""
        if not self._allowed():
            self._complain(
                Failure(None, "too_many_messages", f"more than {self._settings.messages_per_s:g} messages a second")
            )
            return
        try:
            message = _decoder.decode(text)
        except _UNREADABLE as error:
            self._complain(Failure(_identity(text), "malformed", str(error)))
            return
        match message:
            case Unsubscribe():
                self._drop(message.id)
            case Subscribe():
                self._subscribe(message)
        self.queue.wake()

    def _allowed(self) -> bool:
        now = asyncio.get_running_loop().time()
        if self._allowance_at is not None:
            earned = (now - self._allowance_at) * self._settings.messages_per_s
            self._allowance = min(self._burst, self._allowance + earned)
        self._allowance_at = now
        if self._allowance < 1:
            return False
        self._allowance -= 1
        return True

    def _complain(self, failure: Failure) -> None:
        self._bad += 1
        if self._bad >= MOST_BAD_MESSAGES:
            reason = failure.message.encode(errors="replace")[:_MOST_REASON_BYTES].decode(errors="ignore")
            self._socket.close(POLICY_VIOLATION, reason)
        self._outbox.append(failure)
        self.queue.wake()

    def _subscribe(self, asked: Subscribe) -> None:
        self._drop(asked.id)
        if asked.summary and len(self._summaries) + sum(one.summary for one in self._opening.values()) >= MOST_SUMMARIES:
            text = f"one page may hold {MOST_SUMMARIES} summaries"
            self._outbox.append(Failure(asked.id, "too_many_subscriptions", text))
            return
        held = len(self._opening) + len(self._devices) + len(self._summaries) + len(self._events)
        if held >= self._settings.max_subscriptions:
            text = f"one page may hold {self._settings.max_subscriptions} subscriptions"
            self._outbox.append(Failure(asked.id, "too_many_subscriptions", text))
        else:
            self._opening[asked.id] = asked

    def _begin(self, asked: Subscribe) -> Sequence[Message]:
        """Follow from now on; the first messages."""
        if asked.summary:
            self._summaries[asked.id] = follower = SummaryFollower(asked, self._readers.board)
            return [follower.begin()]
        if asked.events:
            self._events.add(asked.id)
            recent = self._readers.events.recent(RECENT_EVENTS)
            return [EventMessage(asked.id, shapes.event_body(event)) for event in recent]
        history_s = min(max(asked.history_s, 0.0), self._settings.history_s)
        asked = msgspec.structs.replace(asked, history_s=history_s)
        one = DeviceFollower(asked, self._epoch, self._readers.inventory, self._readers.history)
        try:
            first = one.begin()
        except Refused as refused:
            return [refused.failure]
        self._devices[asked.id] = one
        self._followed[asked.device] = self._followed.get(asked.device, 0) + 1
        return first

    def _drop(self, identity: int) -> None:
        self._opening.pop(identity, None)
        self._summaries.pop(identity, None)
        self._events.discard(identity)
        if one := self._devices.pop(identity, None):
            self._followed[one.device] -= 1
            if not self._followed[one.device]:
                del self._followed[one.device]
                self.queue.forget(one.device)

    # -- to the browser

    def say(self, message: Message) -> None:
        """Send this when the socket is ready."""
        self._outbox.append(message)
        self.queue.wake()

    def summary_is_new(self) -> None:
        """The board has a new second."""
        if self._summaries:
            for follower in self._summaries.values():
                follower.due = True
            self.queue.wake()

    async def pump(self) -> None:
        """Write for ever. A browser that takes nothing for `stalled_s` is cut."""
        try:
            while True:
                pending = await self.queue.take()
                await self._write(self._messages(pending))
                if self._opening:  # one at a time: snapshots are large, and a slow browser could ask for many
                    await self._write(self._begin(self._opening.pop(next(iter(self._opening)))))
                    self.queue.wake()
        except TimeoutError:
            _log.info("a browser took nothing for %g s; closed", self._settings.stalled_s)
            self._socket.abort()
        except ConnectionError:
            pass
        except Exception:
            self._socket.abort()  # nobody writes to it any more: the browser shall come back
            raise

    async def _write(self, messages: Sequence[Message]) -> None:
        for message in messages:
            async with asyncio.timeout(self._settings.stalled_s):
                await self._socket.send(_encoder.encode(message))

    def _messages(self, pending: Pending) -> list[Message]:
        messages: list[Message] = list(self._outbox)
        self._outbox.clear()
        if missed := sum(missed for _, missed in pending.frames.values()):
            self._readers.metrics.frames_dropped(missed)
        for identity, one in list(self._devices.items()):
            try:
                messages += self._of_device(identity, one, pending)
            except Refused as refused:
                self._drop(identity)
                messages.append(refused.failure)
        if pending.lost_events:
            messages += [Resync(identity, pending.lost_events) for identity in self._events]
        for event in pending.events:
            messages += [EventMessage(identity, shapes.event_body(event)) for identity in self._events]
        for follower in self._summaries.values():
            if follower.due:
                messages.append(follower.next())
        return messages

    def _of_device(self, identity: int, one: DeviceFollower, pending: Pending) -> list[Message]:
        messages: list[Message] = []
        if one.device in pending.removed:
            raise Refused(Failure(identity, "unknown_device", f"{one.device} was removed from the configuration"))
        if one.device in pending.statuses:
            messages += one.status()
        if found := pending.frames.get(one.device):
            messages += one.frame(*found)
        return messages


class _Named(msgspec.Struct):
    id: int | None = None


def _identity(text: str | bytes) -> int | None:
    """The id of a message that is otherwise malformed, if it has one."""
    try:
        return msgspec.json.decode(text, type=_Named).id
    except _UNREADABLE:
        return None
