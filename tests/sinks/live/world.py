"""What a live session needs around it, put together as the program does; and browsers to look at it with."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any, Protocol

from tornado.websocket import WebSocketClientConnection

from server.core.model import DeviceState, Frame
from server.core.ports import PollControl
from server.hub import Hub, Item
from server.sinks.events.recent import RecentEvents
from server.sinks.history.ring import RingHistory
from server.sinks.inventory.inventory import Inventory
from server.sinks.live.handler import LiveSink
from server.sinks.live.session import Readers
from server.sinks.live.settings import LiveSettings
from server.sinks.live.summary import SummaryBoard
from server.sinks.metrics.own import OwnMetrics
from tests.support.frames import blocked, status

EPOCH = "0123456789abcdef"


class WatchedMetrics(OwnMetrics):
    """The program's own metrics, with what the tests look at, and an event each time a browser goes."""

    def __init__(self) -> None:
        super().__init__()
        self.browsers_now = 0
        self.dropped = 0
        self.gone = asyncio.Event()

    def browsers(self, change: int) -> None:
        super().browsers(change)
        self.browsers_now += change
        if change < 0:
            self.gone.set()

    def frames_dropped(self, count: int) -> None:
        super().frames_dropped(count)
        self.dropped += count


class World:
    """A hub with the sinks that keep state before those that read it. `settings` replaces some without checking them."""

    def __init__(self, control: PollControl | None = None, **settings: Any) -> None:
        self.hub = Hub()
        self.inventory = Inventory()
        self.history = RingHistory()
        self.events = RecentEvents()
        self.board = SummaryBoard()
        self.metrics = WatchedMetrics()
        for subscriber in (self.inventory, self.history, self.events, self.board, self.metrics):
            self.hub.subscribe(subscriber)
        self.readers = Readers(self.inventory, self.history, self.events, self.board, self.metrics, control)
        self.settings = LiveSettings().model_copy(update=settings)
        self.sink = LiveSink(self.hub, self.readers, self.settings, 1.0)

    def publish(self, *items: Item | Frame) -> None:
        """Publish these, a frame as a block of one device."""
        for item in items:
            self.hub.publish(blocked(item))

    def up(self, *devices: str) -> None:
        """Devices that answer, without a frame yet."""
        for device in devices:
            self.publish(status(device, DeviceState.UP))


class Paper:
    """A socket that writes down what is sent; `ready` cleared is a browser that does not read."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.raw: list[bytes] = []
        self.writes = 0
        self.closed: tuple[int, str] | None = None
        self.aborted = asyncio.Event()
        self.ready = asyncio.Event()
        self.ready.set()
        self.broken = False
        self._taking: asyncio.Task[None] | None = None

    def send(self, messages: Sequence[bytes]) -> asyncio.Future[None] | None:
        assert self._taking is None or self._taking.done(), "at most one write is outstanding"
        if self.broken:
            raise ConnectionError("gone")
        if self.ready.is_set():
            self._take(messages)
            return None
        self._taking = asyncio.ensure_future(self._take_when_ready(messages))
        return self._taking

    async def _take_when_ready(self, messages: Sequence[bytes]) -> None:
        await self.ready.wait()
        if self.broken:
            raise ConnectionError("gone")
        self._take(messages)

    def _take(self, messages: Sequence[bytes]) -> None:
        self.writes += 1
        self.raw += messages
        self.sent += [json.loads(message) for message in messages]

    def close(self, code: int, reason: str) -> None:
        self.closed = code, reason

    def abort(self) -> None:
        self.aborted.set()

    def end(self) -> None:
        if self._taking is not None:
            self._taking.cancel()

    def take(self, kind: str | None = None) -> list[dict[str, Any]]:
        """What was sent since the last look, or those of one type."""
        taken, self.sent = self.sent, []
        return [one for one in taken if kind is None or one["type"] == kind]


class Page:
    """One session on paper, and the words of a browser."""

    def __init__(self, world: World, epoch: str = EPOCH) -> None:
        self.world = world
        self.paper = Paper()
        world.sink.epoch = epoch
        self.session = world.sink.open(self.paper)

    def say(self, kind: str, **words: Any) -> None:
        self.session.receive(json.dumps({"type": kind, **words}))

    async def written(self) -> None:
        """Let the session write all that it has."""
        turns_without = 0
        while turns_without < 5:
            before = len(self.paper.raw)
            await asyncio.sleep(0)
            turns_without = turns_without + 1 if len(self.paper.raw) == before else 0

    async def settle(self) -> list[dict[str, Any]]:
        """What the session has sent since the last look, without the hello."""
        await self.written()
        return [one for one in self.paper.take() if one["type"] != "hello"]

    async def ask(self, **words: Any) -> list[dict[str, Any]]:
        """Subscribe, and what came of it."""
        self.say("subscribe", **words)
        return await self.settle()

    async def end(self) -> None:
        """Close the page."""
        self.world.sink.closed(self.paper)
        self.paper.end()


class Open(Protocol):
    """The fixture `browse`."""

    async def __call__(self, **headers: str) -> Browser: ...


class NewPage(Protocol):
    """The fixture `page`."""

    def __call__(self, world: World | None = None, **settings: Any) -> Page: ...


class Browser:
    """A real WebSocket."""

    def __init__(self, connection: WebSocketClientConnection) -> None:
        self._connection = connection
        self.texts: list[str] = []

    async def say(self, kind: str, **words: Any) -> None:
        await self.raw(json.dumps({"type": kind, **words}))

    async def raw(self, message: str | bytes) -> None:
        await self._connection.write_message(message, binary=isinstance(message, bytes))

    async def read(self) -> dict[str, Any] | None:
        """The next message; None when the socket was closed."""
        text = await self._connection.read_message()
        if text is None:
            return None
        assert isinstance(text, str)
        self.texts.append(text)
        found: dict[str, Any] = json.loads(text)
        return found

    async def next(self, kind: str) -> dict[str, Any]:
        """The next message of one type; others are passed over."""
        while (message := await self.read()) is not None:
            if message["type"] == kind:
                return message
        raise AssertionError(f"closed ({self.close_code}) before a {kind} came")

    async def until_closed(self) -> tuple[int | None, str | None]:
        while await self.read() is not None:
            pass
        return self.close_code, self._connection.close_reason

    @property
    def close_code(self) -> int | None:
        return self._connection.close_code

    def close(self) -> None:
        self._connection.close()


def seqs(messages: list[dict[str, Any]], identity: int = 1) -> list[tuple[str, int]]:
    """What a subscription was given: its kind and seq (or how many were missed)."""
    told = [one for one in messages if one.get("id") == identity]
    return [(one["type"], one.get("seq", one.get("missed", -1))) for one in told if one["type"] != "device"]
