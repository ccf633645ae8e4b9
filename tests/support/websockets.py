"""WebSocket clients that leave nothing open."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from tornado.websocket import WebSocketClientConnection

_CLOSE_S = 2.0


async def shut(socket: WebSocketClientConnection) -> None:
    """Close it, and see its connection end, unless that was seen before."""
    socket.close()
    with suppress(TimeoutError):
        async with asyncio.timeout(_CLOSE_S):
            while await socket.read_message() is not None:
                pass
