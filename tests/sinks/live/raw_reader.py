"""A WebSocket by hand, to do what no library does."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import struct
from typing import Any


class RawReader:
    """A TCP client that opens a WebSocket by hand and reads only when told to."""

    def __init__(self, port: int) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.setblocking(False)
        self._port = port
        self._loop = asyncio.get_running_loop()
        self._held = b""

    async def open(self) -> None:
        await self._loop.sock_connect(self._socket, ("127.0.0.1", self._port))
        key = base64.b64encode(os.urandom(16)).decode()
        words = "GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        words += f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        await self._loop.sock_sendall(self._socket, words.encode())
        while b"\r\n\r\n" not in self._held:
            self._held += await self._loop.sock_recv(self._socket, 4096)
        assert self._held.startswith(b"HTTP/1.1 101 ")
        self._held = self._held.split(b"\r\n\r\n", 1)[1]

    async def say(self, **words: Any) -> None:
        text = json.dumps(words).encode()
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(text))
        await self._loop.sock_sendall(self._socket, struct.pack("!BBH", 0x81, 0x80 | 126, len(text)) + mask + masked)

    async def _exactly(self, count: int) -> bytes:
        while len(self._held) < count:
            if not (more := await self._loop.sock_recv(self._socket, 65536)):
                raise EOFError
            self._held += more
        taken, self._held = self._held[:count], self._held[count:]
        return taken

    async def announce(self, length: int) -> None:
        """The head of a text frame of so many bytes, without the bytes."""
        await self._loop.sock_sendall(self._socket, struct.pack("!BBQ", 0x81, 0x80 | 127, length) + bytes(4))

    async def frame(self) -> tuple[int, bytes]:
        """The next frame: its first byte and body. Raises EOFError or ConnectionError at the end."""
        first, length = await self._exactly(2)
        if length == 126:
            (length,) = struct.unpack("!H", await self._exactly(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", await self._exactly(8))
        return first, await self._exactly(length)

    async def read(self) -> dict[str, Any]:
        """The next text message."""
        first, body = await self.frame()
        assert first == 0x81
        found: dict[str, Any] = json.loads(body)
        return {**found, "bytes": len(body)}

    async def read_all(self) -> None:
        while True:
            await self.read()

    def close(self) -> None:
        self._socket.close()
