"""The whole path: an agent's counters against what a WebSocket client is sent.

A simulated agent with one steady line, one lifelike line and one that refreshes its counters every 5 s; the real server
process at 1 s; one client that follows `docs/websocket.md`. Means over 10 s are held against the agent's own truth.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
from tornado.websocket import WebSocketClientConnection, websocket_connect

from bench.report import Figure
from server.core.clock import boot_ns
from server.demo.ports import Port
from tests.support.agents import AgentBuilder, CounterSpec, SimulatedAgent

STEADY_BPS = 2_345_678_901
WINDOW = 10
SETTLE_S = 40.0
_NS = 1_000_000_000


def run(long: bool = False) -> dict[str, Figure]:
    """Measure; `long` takes six windows instead of two."""
    lifelike = CounterSpec(mean_bps=3_000_000_000, speed_bps=10_000_000_000, seed=7)
    fast = AgentBuilder("fast").interface("steady", in_bps=STEADY_BPS, out_bps=STEADY_BPS)
    fast = fast.interface("lifelike", in_bps=lifelike, out_bps=lifelike)
    slow = AgentBuilder("slow", refresh_s=5).interface("steady", in_bps=STEADY_BPS, out_bps=STEADY_BPS)
    with SimulatedAgent(fast) as one, SimulatedAgent(slow) as other:
        return asyncio.run(_measure(one, other, windows=6 if long else 2))


async def _measure(fast: SimulatedAgent, slow: SimulatedAgent, windows: int) -> dict[str, Figure]:
    errors: dict[str, list[float]] = {"steady": [], "lifelike": [], "refresh every 5 s": []}
    delays_ms: list[float] = []
    spacing_s: list[float] = []
    async with _server({"fast": fast.port, "slow": slow.port}) as socket:
        await _subscribe(socket, 1, "fast", ["steady", "lifelike"])
        await _subscribe(socket, 2, "slow", ["steady"])
        await _until_settled(socket)
        rows: dict[int, list[dict[str, Any]]] = {1: [], 2: []}
        while min(len(found) for found in rows.values()) < WINDOW * windows + 1:
            message = await _next(socket)
            if message["type"] == "samples":
                delays_ms.append((time.time() - message["time"]) * 1000)
                rows[message["id"]].append(message)
    spacing_s = np.diff([message["time"] for message in rows[1]]).tolist()
    for start in range(0, WINDOW * windows, WINDOW):
        window = rows[1][start : start + WINDOW + 1]
        errors["steady"].append(_error(_mean(window, 0), STEADY_BPS))
        errors["lifelike"].append(_error(_mean(window, 1), _truth(fast, "lifelike", window)))
        errors["refresh every 5 s"].append(_error(_mean(rows[2][start : start + WINDOW + 1], 0), STEADY_BPS))
    figures = {
        f"mean of 10 s against the truth, {name}": Figure(max(found), "%", "<= 0.5") for name, found in errors.items()
    }
    figures["time between samples, median"] = Figure(float(np.median(spacing_s)), "s")
    figures["poll to message, median"] = Figure(float(np.median(delays_ms)), "ms")
    figures["poll to message, p99"] = Figure(float(np.percentile(delays_ms, 99)), "ms")
    return figures


def _mean(window: list[dict[str, Any]], row: int) -> float:
    """The mean rate of all but the first sample, each weighted by its own span."""
    values = [message["values"][0][row] for message in window[1:]]
    return float(np.average(values, weights=np.diff([message["time"] for message in window])))


def _truth(agent: SimulatedAgent, name: str, window: list[dict[str, Any]]) -> float:
    offset_ns = time.time_ns() - boot_ns()
    start, end = (round(window[place]["time"] * _NS) - offset_ns for place in (0, -1))
    return (agent.octets(name, "in", end) - agent.octets(name, "in", start)) * 8 * _NS / (end - start)


def _error(shown: float, truth: float) -> float:
    return abs(shown / truth - 1) * 100


async def _until_settled(socket: WebSocketClientConnection) -> None:
    """Rates of both devices, the slow one's marked as estimated; raises TimeoutError when they do not come."""
    seen: set[int] = set()
    async with asyncio.timeout(SETTLE_S):
        while seen != {1, 2}:
            message = await _next(socket)
            estimated = message["type"] == "samples" and message["quality"][0] & 16
            if message["type"] == "samples" and message["values"][0][0] is not None and (message["id"] == 1 or estimated):
                seen.add(message["id"])


async def _subscribe(socket: WebSocketClientConnection, identity: int, device: str, interfaces: list[str]) -> None:
    await socket.write_message(
        json.dumps({"type": "subscribe", "id": identity, "device": device, "interfaces": interfaces, "history_s": 0})
    )


async def _next(socket: WebSocketClientConnection) -> dict[str, Any]:
    text = await socket.read_message()
    if text is None:
        raise ConnectionError("the server closed the socket")
    message: dict[str, Any] = json.loads(text)
    if message["type"] == "error":
        raise ValueError(message["message"])
    return message


@asynccontextmanager
async def _server(ports: dict[str, int]) -> AsyncIterator[WebSocketClientConnection]:
    """The real server process on these agents, and one client."""
    with tempfile.TemporaryDirectory() as folder:
        http = Port.reserve()
        devices = [
            {"name": name, "address": "127.0.0.1", "port": port, "snmp": {"version": "2c", "community": "public"}}
            for name, port in ports.items()
        ]
        config = Path(folder) / "config.yaml"
        config.write_text(json.dumps({"server": {"port": http.number}, "devices": devices}))
        http.release()
        command = [sys.executable, "-m", "server", "--config", str(config)]
        process = await asyncio.create_subprocess_exec(*command, env=os.environ.copy(), stderr=subprocess.DEVNULL)
        try:
            socket = await _connect(http.number)
            yield socket
            socket.close()
        finally:
            process.terminate()
            await process.wait()


async def _connect(port: int) -> WebSocketClientConnection:
    async with asyncio.timeout(20):
        while True:
            try:
                return await websocket_connect(f"ws://127.0.0.1:{port}/ws")
            except OSError:
                await asyncio.sleep(0.1)
