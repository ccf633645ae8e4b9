"""Many browsers in one process: `PORT AGENT_PORT BROWSERS DEVICES`, each watching 10 interfaces on each of 5 devices.

Real WebSocket connections with no more behind them than it takes to read each message, see when it came, and compare its
rates with the agent's truth. Which devices and interfaces a browser watches is chosen at random (seeded): hardly two watch
the same. Says `ready` when each subscription has brought a rate; measures from a line `begin` to a line `end` on standard
input; then writes one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import sys
import time
from base64 import b64encode
from dataclasses import dataclass, field
from functools import partial

import msgspec
import numpy as np
from numpy.typing import NDArray

from bench.fastagent import FastAgent

WATCHED_DEVICES, WATCHED_INTERFACES, INTERFACES = 5, 10, 48
READY_S = 120.0
_CONNECT_AT_ONCE = 20
_TEXT, _CLOSE, _PING, _PONG = 0x1, 0x8, 0x9, 0xA
_Values = list[list[float | None]]


class _Message(msgspec.Struct):
    """What is read of each kind of message; `values` of `samples` alone is read further."""

    type: str
    id: int | None = None
    time: float = 0.0
    values: msgspec.Raw = msgspec.Raw()
    quality: list[int] = []
    message: str = ""


@dataclass
class Seen:
    """What came since `begin`. `errors` (rows,) of each message, relative: 0.01 is 1 %."""

    delays_ms: list[float] = field(default_factory=list)
    errors: list[NDArray[np.float64]] = field(default_factory=list)
    nulls: int = 0
    flagged: int = 0
    missed: int = 0

    def result(self) -> dict[str, float]:
        """What is printed. Delays are in ms, errors in percent."""
        delays = np.array(self.delays_ms or [np.nan])
        errors = np.concatenate(self.errors) * 100 if self.errors else np.array([np.nan])
        return {
            "messages": len(self.delays_ms),
            "p50_ms": float(np.percentile(delays, 50)),
            "p99_ms": float(np.percentile(delays, 99)),
            "max_ms": float(delays.max()),
            "rms_percent": float(np.sqrt(np.mean(errors**2))),
            "worst_percent": float(np.abs(errors).max()),
            "nulls": self.nulls,
            "flagged": self.flagged,
            "missed": self.missed,
        }


@dataclass
class Everyone:
    """What the browsers share: what they saw, and how many subscriptions have brought no rate yet."""

    seen: Seen
    waiting: int
    ready: asyncio.Event
    failed: str = ""

    def fail(self, why: str) -> None:
        self.failed = self.failed or why
        self.ready.set()


class Browser(asyncio.Protocol):
    """One browser (RFC 6455, client side; the server's frames are whole and never masked)."""

    def __init__(self, everyone: Everyone, port: int, seed: int, devices: int) -> None:
        self._everyone = everyone
        self._port = port
        chosen = random.Random(seed)
        self._watched = [
            (device, sorted(chosen.sample(range(1, INTERFACES + 1), WATCHED_INTERFACES)))
            for device in chosen.sample(range(1, devices + 1), WATCHED_DEVICES)
        ]
        self._truth = [
            8.0 * np.array([[FastAgent.octets_per_s(device, index, way) for index in indexes] for way in ("in", "out")])
            for device, indexes in self._watched
        ]
        self._waiting = set(range(len(self._watched)))
        self._buffer = bytearray()
        self._greeted = False
        self._messages = msgspec.json.Decoder(_Message)
        self._values = msgspec.json.Decoder(_Values)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        key = b64encode(secrets.token_bytes(16)).decode()
        head = f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        transport.write(f"{head}Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        came_s = time.time()
        self._buffer += data
        if not self._greeted and not self._greet():
            return
        while (frame := self._frame()) is not None:
            opcode, payload = frame
            if opcode == _TEXT:
                self._read(payload, came_s)
            elif opcode == _PING:
                self._send(_PONG, payload)
            elif opcode == _CLOSE:
                self._everyone.fail(f"the server closed a socket: {payload[2:].decode()}")

    def connection_lost(self, exc: Exception | None) -> None:
        self._everyone.fail(f"a connection was lost: {exc}")

    def _greet(self) -> bool:
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return False
        if not head.startswith(b"HTTP/1.1 101"):
            self._everyone.fail(head.partition(b"\r\n")[0].decode())
            return False
        self._buffer, self._greeted = rest, True
        for place, (device, indexes) in enumerate(self._watched):
            names = [f"Gi1/0/{index}" for index in indexes]
            asked = {"type": "subscribe", "id": place, "device": name(device), "interfaces": names, "history_s": 0}
            self._send(_TEXT, json.dumps(asked).encode())
        return True

    def _frame(self) -> tuple[int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        size, at = buffer[1], 2
        if size >= 126:
            at = 4 if size == 126 else 10
            if len(buffer) < at:
                return None
            size = int.from_bytes(buffer[2:at], "big")
        if len(buffer) < at + size:
            return None
        opcode, payload = buffer[0] & 0x0F, bytes(buffer[at : at + size])
        del buffer[: at + size]
        return opcode, payload

    def _send(self, opcode: int, payload: bytes) -> None:
        size = len(payload)
        head = bytes((0x80 | opcode, 0x80 | size)) if size < 126 else bytes((0x80 | opcode, 0xFE)) + size.to_bytes(2, "big")
        self._transport.write(head + bytes(4) + payload)  # a mask of zeros changes nothing

    def _read(self, payload: bytes, came_s: float) -> None:
        message, seen = self._messages.decode(payload), self._everyone.seen
        if message.type == "error":
            self._everyone.fail(message.message)
        elif message.type == "resync":
            seen.missed += 1
        if message.type != "samples" or message.id is None:
            return
        seen.delays_ms.append((came_s - message.time) * 1000)
        values = np.array(self._values.decode(message.values), np.float64)  # null becomes NaN
        known = ~np.isnan(values)
        seen.nulls += int(np.count_nonzero(~known))
        seen.flagged += sum(map(bool, message.quality))
        seen.errors.append((values / self._truth[message.id] - 1)[known])
        if known.all() and message.id in self._waiting:
            self._waiting.discard(message.id)
            self._everyone.waiting -= 1
            if not self._everyone.waiting:
                self._everyone.ready.set()


def name(device: int) -> str:
    """Of a device, in the configuration of the benchmark."""
    return f"device{device}"


async def main(port: int, browsers: int, devices: int) -> None:
    """Connect, wait, measure, print."""
    loop = asyncio.get_running_loop()
    everyone = Everyone(Seen(), browsers * WATCHED_DEVICES, asyncio.Event())
    for begin in range(0, browsers, _CONNECT_AT_ONCE):
        some = range(begin, min(browsers, begin + _CONNECT_AT_ONCE))
        makers = [partial(Browser, everyone, port, seed, devices) for seed in some]
        await asyncio.gather(*(loop.create_connection(make, "127.0.0.1", port) for make in makers))
    try:
        async with asyncio.timeout(READY_S):
            await everyone.ready.wait()
    except TimeoutError:
        everyone.fail(f"{everyone.waiting} subscriptions of {browsers * WATCHED_DEVICES} brought no rate in {READY_S:g} s")
    print("ready" if not everyone.failed else everyone.failed, flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    everyone.seen = Seen()
    await asyncio.to_thread(sys.stdin.readline)
    print(json.dumps({**everyone.seen.result(), "failed": everyone.failed}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:4])))
