from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.web import Application
from tornado.websocket import websocket_connect

from tests.sinks.live.raw_reader import RawReader
from tests.sinks.live.world import Browser, NewPage, Open, Page, World
from tests.support.frames import block, table
from tests.web.site import site


@pytest.fixture
def page(io_loop: IOLoop) -> Iterator[NewPage]:
    """Opens pages; without a world of its own each has two devices, r1 with one frame of rows a and b."""
    opened: list[Page] = []

    def new(world: World | None = None, **settings: Any) -> Page:
        if world is None:
            world = World(**settings)
            world.up("r1", "r2")
            world.publish(block(table("a", "b"), 0))
        opened.append(Page(world))
        return opened[-1]

    yield new
    for one in opened:
        io_loop.run_sync(one.end)


@pytest.fixture
def settings() -> dict[str, Any]:
    return {}


@pytest.fixture
def world(io_loop: IOLoop, settings: dict[str, Any]) -> World:
    world = World(**settings)
    world.up("r1", "r2")
    world.publish(block(table("a", "b"), 0, in_bps=[1.0, None]))
    return world


@pytest.fixture
def app(tmp_path: Path, world: World) -> Application:
    return site(tmp_path, world.sink.routes())


@pytest.fixture
def browse(io_loop: IOLoop, world: World, http_server: HTTPServer, http_port: int) -> Iterator[Open]:
    """Opens browsers; at the end they close, and the server is seen to let go of each."""
    opened: list[Browser] = []

    async def new(**headers: str) -> Browser:
        request = HTTPRequest(f"ws://127.0.0.1:{http_port}/ws", headers=headers)
        opened.append(Browser(await websocket_connect(request)))
        return opened[-1]

    async def close() -> None:
        for one in opened:
            one.close()
        while world.metrics.browsers_now:
            world.metrics.gone.clear()
            await world.metrics.gone.wait()

    yield new
    io_loop.run_sync(close, timeout=5)


@pytest.fixture
def raw(browse: Open, http_port: int) -> Iterator[Callable[[], RawReader]]:
    """Opens raw readers; `browse` sees that the server lets go of them."""
    opened: list[RawReader] = []

    def new() -> RawReader:
        opened.append(RawReader(http_port))
        return opened[-1]

    yield new
    for one in opened:
        one.close()
