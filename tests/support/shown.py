"""What Linewatch shows: every `samples` message of a WebSocket client that follows `docs/websocket.md`."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any

from tornado.websocket import WebSocketClientConnection, websocket_connect

from server.core.clock import boot_ns
from tests.support.truth_counters import NS
from tests.support.websockets import shut

_STEP_NS = 5_000_000


@dataclass(frozen=True, slots=True)
class Shown:
    """One `samples` message. `end_ns` is its time (CLOCK_BOOTTIME); `values` by way ("in", "out") and line, None a gap."""

    end_ns: int
    span_s: float
    lines: tuple[str, ...]
    values: dict[str, list[float | None]]
    quality: list[int]


async def watch(port: int, devices: list[str], until_ns: int) -> dict[str, list[Shown]]:
    """All that is shown of these devices until a moment of CLOCK_BOOTTIME. Raises ConnectionError, ValueError."""
    socket = await websocket_connect(f"ws://127.0.0.1:{port}/ws")
    offset_ns = time.time_ns() - boot_ns()
    try:
        found = await _collect(socket, devices, offset_ns, until_ns)
    finally:
        await shut(socket)
    if abs(time.time_ns() - boot_ns() - offset_ns) > _STEP_NS:
        raise ValueError("the wall clock was set meanwhile: messages cannot be placed in time")
    return found


async def _collect(
    socket: WebSocketClientConnection, devices: list[str], offset_ns: int, until_ns: int
) -> dict[str, list[Shown]]:
    for identity, device in enumerate(devices):
        await socket.write_message(json.dumps({"type": "subscribe", "id": identity, "device": device, "interfaces": "*"}))
    names: dict[int, tuple[str, ...]] = {}
    found: dict[str, list[Shown]] = {device: [] for device in devices}
    while (left_s := (until_ns - boot_ns()) / NS) > 0:
        try:
            async with asyncio.timeout(left_s):
                text = await socket.read_message()
        except TimeoutError:
            break
        if text is None:
            raise ConnectionError("the server closed the socket")
        message: dict[str, Any] = json.loads(text)
        match message["type"]:
            case "error":
                raise ValueError(message["message"])
            case "snapshot":
                names[message["id"]] = tuple(line["name"] for line in message["interfaces"])
            case "samples":
                found[devices[message["id"]]].append(_shown(message, names[message["id"]], offset_ns))
    return found


def _shown(message: dict[str, Any], names: tuple[str, ...], offset_ns: int) -> Shown:
    values = dict(zip(("in", "out"), message["values"], strict=True))
    return Shown(round(message["time"] * NS) - offset_ns, message["span_s"], names, values, message["quality"])
