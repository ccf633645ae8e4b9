"""The WebSocket `/ws`, and the sink that owns its sessions."""

from __future__ import annotations

import asyncio
import secrets
import socket as sockets
from collections.abc import Sequence
from urllib.parse import urlsplit

from tornado.iostream import IOStream
from tornado.websocket import WebSocketHandler

from server import __version__
from server.core.clock import wall_s
from server.core.tasks import every
from server.hub import Hub
from server.sinks.live import text_frames
from server.sinks.live.fanout import Fanout
from server.sinks.live.messages import Heartbeat, Hello
from server.sinks.live.session import Readers, Session
from server.sinks.live.settings import LiveSettings
from server.sinks.live.writer import Socket
from server.web.routes import Route

PROTOCOL = 1
HEARTBEAT_S = 20
SEND_BUFFER_BYTES = 64 * 1024  # more would only hold old samples of a slow reader
GOING_AWAY = 1001


class LiveSink:
    """Gives each browser a session, and the second's beat to all. State: the sessions, by their sockets."""

    def __init__(self, hub: Hub, readers: Readers, settings: LiveSettings, interval_s: float) -> None:
        self._fanout = Fanout()
        hub.subscribe(self._fanout)
        self._readers = readers
        self._settings = settings
        self._sessions: dict[Socket, Session] = {}
        self.interval_s = interval_s
        self.epoch = secrets.token_hex(8)

    def open(self, socket: Socket) -> Session:
        """A browser came."""
        hello = Hello(PROTOCOL, self.epoch, wall_s(), self.interval_s, __version__)
        session = self._sessions[socket] = Session(socket, self._readers, self._settings, self.epoch, self._fanout)
        self._readers.metrics.browsers(+1)
        session.say(hello)
        return session

    def closed(self, socket: Socket) -> None:
        """A browser went."""
        if session := self._sessions.pop(socket, None):
            session.close()
            self._readers.metrics.browsers(-1)

    async def run(self) -> None:
        """Refresh the board each second and tell those who follow it; a heartbeat for all now and then."""
        async for tick in every(1.0):
            for _ in self._readers.board.refreshing(wall_s()):
                await asyncio.sleep(0)
            for session in list(self._sessions.values()):
                session.summary_is_new()
                await asyncio.sleep(0)  # one browser's summary in a turn of the loop, never all at once
                if tick % HEARTBEAT_S == HEARTBEAT_S - 1:
                    session.say(Heartbeat(wall_s()))

    def close(self) -> None:
        """Send every browser away; it will come back when the server does."""
        for socket in list(self._sessions):
            socket.close(GOING_AWAY, "the server stops")

    def routes(self) -> list[Route]:
        """What this part serves."""
        return [Route("/ws", LiveHandler, {"sink": self})]


class LiveHandler(WebSocketHandler):
    """One browser's socket; implements `writer.Socket`."""

    def initialize(self, sink: LiveSink) -> None:
        self._sink = sink
        self._session: Session | None = None

    def check_origin(self, origin: str) -> bool:
        """A page of another site may not open a socket. The Host itself is held against the allow-list by the router."""
        parts = urlsplit(origin)
        return parts.scheme in {"http", "https"} and parts.netloc.lower() == self.request.host.lower()

    def open(self, *args: str, **kwargs: str) -> None:  # noqa: ARG002 - Tornado's signature
        self.set_nodelay(True)
        if (stream := self._stream()) is not None:
            stream.socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF, SEND_BUFFER_BYTES)
        self._session = self._sink.open(self)

    def on_message(self, message: str | bytes) -> None:
        if self._session is not None:
            self._session.receive(message)

    def on_close(self) -> None:
        self._sink.closed(self)

    def send(self, messages: Sequence[bytes]) -> asyncio.Future[None] | None:
        stream = self._stream()
        if stream is None or self.ws_connection is None or self.ws_connection.is_closing():
            raise ConnectionError("the browser is gone")
        return text_frames.send(stream, messages)

    def abort(self) -> None:
        if (stream := self._stream()) is not None:
            stream.close()

    def _stream(self) -> IOStream | None:
        return self.ws_connection.stream if self.ws_connection is not None else None
