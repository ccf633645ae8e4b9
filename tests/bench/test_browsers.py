"""A browser of the benchmark reads what a real WebSocket server sends, and misses no fault in it."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application
from tornado.websocket import WebSocketHandler

from bench.browsers import WATCHED_DEVICES, WATCHED_INTERFACES, Browser, Everyone, Seen
from bench.fastagent import FastAgent

LATE_S = 0.25


class Scripted(WebSocketHandler):
    """Answers a subscription with true rates of that device, but for `fault`: (value, factor) of its first cell."""

    fault: tuple[int, float | None] = (-1, None)  # the subscription that it is done to

    def on_message(self, message: str | bytes) -> None:
        asked: dict[str, Any] = json.loads(message)
        device = int(asked["device"].removeprefix("device"))
        indexes = [int(name.rpartition("/")[2]) for name in asked["interfaces"]]
        values: list[list[float | None]] = [
            [8.0 * FastAgent.octets_per_s(device, index, way) for index in indexes] for way in ("in", "out")
        ]
        subscription, factor = self.fault
        if asked["id"] == subscription:
            values[0][0] = None if factor is None else (values[0][0] or 0) * factor
        self.ping(b"are you there")
        quality = [0] * (WATCHED_INTERFACES - 1) + [16 * (asked["id"] == subscription)]
        told = {"type": "samples", "id": asked["id"], "time": time.time() - LATE_S, "values": values, "quality": quality}
        self.write_message(json.dumps({"type": "hello", "epoch": "x" * 200}))
        self.write_message(json.dumps(told))

    def on_pong(self, data: bytes) -> None:
        self.settings["pongs"].append(data)


async def watch(handler: type[Scripted], pongs: list[bytes]) -> Seen:
    """What one browser saw when each of its subscriptions has been answered once."""
    socket, port = bind_unused_port()
    server = HTTPServer(Application([("/ws", handler)], pongs=pongs))
    server.add_socket(socket)
    everyone = Everyone(Seen(), WATCHED_DEVICES, asyncio.Event())
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_connection(lambda: Browser(everyone, port, 3, 100), "127.0.0.1", port)
    async with asyncio.timeout(10):
        while min(len(everyone.seen.delays_ms), len(pongs)) < WATCHED_DEVICES and not everyone.failed:
            await asyncio.sleep(0.01)
    assert everyone.failed == ""
    transport.close()
    server.stop()
    await server.close_all_connections()
    return everyone.seen


@pytest.mark.gen_test
async def test_true_rates_have_no_error_and_their_delay_is_told() -> None:
    pongs: list[bytes] = []
    seen = await watch(Scripted, pongs)
    found = seen.result()
    assert (found["messages"], found["nulls"], found["flagged"], found["worst_percent"]) == (WATCHED_DEVICES, 0, 0, 0.0)
    assert found["p50_ms"] >= LATE_S * 1000
    assert pongs == [b"are you there"] * WATCHED_DEVICES


@pytest.mark.gen_test
async def test_a_wrong_rate_is_seen() -> None:
    class Wrong(Scripted):
        fault = (1, 1.05)

    found = (await watch(Wrong, [])).result()
    assert found["worst_percent"] == pytest.approx(5.0)
    assert (found["nulls"], found["flagged"]) == (0, 1)


@pytest.mark.gen_test
async def test_a_value_that_is_not_there_is_counted_and_has_no_error() -> None:
    class Gap(Scripted):
        fault = (1, None)

    found = (await watch(Gap, [])).result()
    assert (found["nulls"], found["worst_percent"]) == (1, 0.0)
