"""One browser: takes its messages, follows what it asks for, and tells it at once, or when its socket is ready.

A slow browser loses the old, never the new: at most one write is outstanding, and for each stream only the newest frame
waits. State: the subscriptions that wait to begin, those that have begun, the outbox of answers. Nothing here waits: what
is published and what the socket calls back end in `flush`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from server.core.clock import loop_s
from server.core.model import DeviceStatus, Event, Frame
from server.core.ports import EventReader, HistoryReader, InventoryReader, PollControl, SelfMetrics
from server.hub import LatestQueue, Stream
from server.sinks.live import shapes
from server.sinks.live.allowance import Allowance
from server.sinks.live.bursts import BurstFollower
from server.sinks.live.fanout import Fanout
from server.sinks.live.followings import Follower, Followings
from server.sinks.live.messages import ClientMessage, EventMessage, Failure, Resync, Subscribe, Unsubscribe
from server.sinks.live.settings import LiveSettings
from server.sinks.live.subscriptions import DeviceFollower
from server.sinks.live.summary import SummaryBoard, SummaryFollower
from server.sinks.live.writer import Message, Socket, Writer

MOST_BAD_MESSAGES = 5
RECENT_EVENTS = 50
MOST_SUMMARIES = 4
_BURST_S = 20  # a page may send this many seconds' worth of messages at once when it opens
_MOST_REASON_BYTES = 123  # RFC 6455, section 5.5: a control frame holds 125 bytes, two of them the code
POLICY_VIOLATION = 1008

_UNREADABLE = (ValueError, RecursionError)  # what msgspec raises: no message of ours; nested too deep
_decoder = msgspec.json.Decoder(ClientMessage)


@dataclass(frozen=True, slots=True)
class Readers:
    """What sessions read, and whom they ask for bursts (None: there are none)."""

    inventory: InventoryReader
    history: HistoryReader
    events: EventReader
    board: SummaryBoard
    metrics: SelfMetrics
    control: PollControl | None = None


class Session:
    """One browser's subscriptions; a `fanout.Reader`."""

    def __init__(self, socket: Socket, readers: Readers, settings: LiveSettings, epoch: str, fanout: Fanout) -> None:
        self._socket = socket
        self._readers = readers
        self._settings = settings
        self._epoch = epoch
        self._fanout = fanout
        self._queue = LatestQueue()
        self._writer = Writer(socket, settings.stalled_s, self._messages)
        self._outbox: deque[Message] = deque()
        self._opening: dict[int, Subscribe] = {}  # asked for; the first messages are made when they can be sent
        self._turn: asyncio.Handle | None = None  # when the next of these begins
        self._devices = Followings(self, fanout, self._queue)
        self._summaries: dict[int, SummaryFollower] = {}
        self._events: set[int] = set()
        self._bad = 0
        # a page may bring back all it had
        self._allowance = Allowance(
            settings.messages_per_s, max(settings.messages_per_s * _BURST_S, settings.max_subscriptions)
        )

    # -- from the browser

    def receive(self, text: str | bytes) -> None:
        """Take one message of the browser. What is wrong with it is answered, five such close the socket."""
        if not self._allowance.take(loop_s()):
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

    def _complain(self, failure: Failure) -> None:
        self._bad += 1
        if self._bad >= MOST_BAD_MESSAGES:
            reason = failure.message.encode(errors="replace")[:_MOST_REASON_BYTES].decode(errors="ignore")
            self._socket.close(POLICY_VIOLATION, reason)
        self.say(failure)

    def _subscribe(self, asked: Subscribe) -> None:
        self._drop(asked.id)
        if asked.summary and len(self._summaries) + sum(one.summary for one in self._opening.values()) >= MOST_SUMMARIES:
            self.say(Failure(asked.id, "too_many_subscriptions", f"one page may hold {MOST_SUMMARIES} summaries"))
            return
        held = len(self._opening) + len(self._devices) + len(self._summaries) + len(self._events)
        if held >= self._settings.max_subscriptions:
            text = f"one page may hold {self._settings.max_subscriptions} subscriptions"
            self.say(Failure(asked.id, "too_many_subscriptions", text))
        else:
            self._opening[asked.id] = asked
            self._open_soon()

    def _open_soon(self) -> None:
        """One subscription begins in a turn of the loop: snapshots are large, and a page asks for many."""
        if self._turn is None:
            self._turn = asyncio.get_running_loop().call_soon(self._open)

    def _open(self) -> None:
        self._turn = None
        if not self._opening or not self._writer.is_idle:  # a slow browser could ask for many: `_messages` comes back here
            return
        asked = self._opening.pop(next(iter(self._opening)))
        self._writer.write(lambda: self._begin(asked))
        if self._opening:
            self._open_soon()

    def _begin(self, asked: Subscribe) -> Sequence[Message]:
        """Follow from now on; the first messages."""
        if asked.summary:
            self._summaries[asked.id] = follower = SummaryFollower(asked, self._readers.board)
            return [follower.begin()]
        if asked.events:
            self._events.add(asked.id)
            self._fanout.follow_events(self)
            recent = self._readers.events.recent(RECENT_EVENTS)
            return [EventMessage(asked.id, shapes.event_body(event)) for event in recent]
        return self._devices.begin(asked.id, self._follower(asked))

    def _follower(self, asked: Subscribe) -> Follower:
        readers, sets = self._readers, self._fanout.rows
        if asked.burst_s:
            return BurstFollower(asked, readers.inventory, readers.control, sets)
        history_s = min(max(asked.history_s, 0.0), self._settings.history_s)
        asked = msgspec.structs.replace(asked, history_s=history_s)
        return DeviceFollower(asked, self._epoch, readers.inventory, readers.history, sets)

    def _drop(self, identity: int) -> None:
        self._opening.pop(identity, None)
        self._summaries.pop(identity, None)
        if identity in self._events:
            self._events.discard(identity)
            if not self._events:
                self._fanout.leave_events(self)
        self._devices.drop(identity)

    def close(self) -> None:
        """The browser went: let go of all that it followed."""
        self._writer.end()
        if self._turn is not None:
            self._turn.cancel()
        self._devices.end()
        self._fanout.leave_events(self)

    # -- to the browser

    def say(self, message: Message) -> None:
        """Send this when the socket is ready."""
        self._outbox.append(message)
        self._writer.flush()

    def summary_is_new(self) -> None:
        """The board has a new second."""
        if self._summaries:
            for follower in self._summaries.values():
                follower.due = True
            self._writer.flush()

    def frame(self, stream: Stream, frame: Frame) -> None:
        self._queue.frame(stream, frame)

    def status(self, status: DeviceStatus) -> None:
        self._queue.status(status)

    def removed(self, device: str) -> None:
        self._queue.removed(device)

    def event(self, event: Event) -> None:
        self._queue.event(event)

    def flush(self) -> None:
        self._writer.flush()

    def _messages(self) -> list[Message]:
        """All that there is to say now."""
        messages: list[Message] = list(self._outbox)
        self._outbox.clear()
        if pending := self._queue.take():
            messages += self._devices.messages(pending)
            if missed := sum([missed for _, missed in pending.frames.values()]):
                self._readers.metrics.frames_dropped(missed)
            if pending.lost_events:
                messages += [Resync(identity, pending.lost_events) for identity in self._events]
            for event in pending.events:
                messages += [EventMessage(identity, shapes.event_body(event)) for identity in self._events]
        for follower in self._summaries.values():
            if follower.due:
                messages.append(follower.next())
        if self._opening:
            self._open_soon()
        return messages


class _Named(msgspec.Struct):
    id: int | None = None


def _identity(text: str | bytes) -> int | None:
    """The id of a message that is otherwise malformed, if it has one."""
    try:
        return msgspec.json.decode(text, type=_Named).id
    except _UNREADABLE:
        return None
