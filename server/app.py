"""The composition root: builds every part, runs them, and closes them in reverse order.

State: the running configuration, changed whole or not at all by `reload`.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable
from typing import Any

from server.config import Config
from server.core.errors import ConfigError
from server.core.log import logger
from server.core.model import DeviceState
from server.core.tasks import cancel, spawn, supervise
from server.hub import Hub
from server.pipeline import Pipeline
from server.sinks.events.recent import RecentEvents
from server.sinks.history.ring import RingHistory
from server.sinks.inventory import handlers as inventory_handlers
from server.sinks.inventory.inventory import Inventory
from server.sinks.live.handler import LiveSink
from server.sinks.live.session import Readers
from server.sinks.live.summary import SummaryBoard
from server.sinks.metrics.own import OwnMetrics
from server.sources.snmp.source import SnmpSource
from server.web import application
from server.web.assets import StaticFiles, asset
from server.web.openapi import OpenApiHandler, document
from server.web.pages import PageHandler, Pages
from server.web.routes import Operation, Route

_FIXED = ("server", "log", "live")  # what only a restart can change
_FIRST_LOOK_S = 15.0

_log = logger("app")


class App:
    """One running Linewatch."""

    def __init__(self, config: Config, load: Callable[[], Config], *, shipped: bool = False) -> None:
        """`load` reads the configuration anew; `shipped`: it is the one that came with the program."""
        self._config = config
        self._shipped = shipped
        self._load = load
        self.hub = Hub()
        self.inventory = Inventory()
        self.history = RingHistory(config.live.history_s)
        self.metrics = OwnMetrics()
        self._events = RecentEvents()
        self._board = SummaryBoard()
        # those that keep state come before those who read it
        for subscriber in (self.inventory, self.history, self._events, self._board, self.metrics):
            self.hub.subscribe(subscriber)
        self._source = SnmpSource(config.polling, config.devices, Pipeline(self.hub), self.metrics)
        readers = Readers(self.inventory, self.history, self._events, self._board, self.metrics, self._source)
        self._live = LiveSink(self.hub, readers, config.live, config.polling.interval_s)
        self._stopping = asyncio.Event()
        self._reloading = asyncio.Lock()

    async def run(self) -> None:
        """Serve until `stop`. Raises StartError when the port cannot be had or files are missing."""
        with contextlib.ExitStack() as closing:
            settings = self._config.server
            files = StaticFiles(asset("static"), settings.url_prefix)
            pages = Pages(str(asset("templates")), files, settings.url_prefix)
            web = application.build(settings, self.routes(pages), files, pages)
            server = application.serve(web, settings)
            closing.callback(server.stop)
            closing.callback(self._live.close)
            tasks = [
                spawn("sink live", supervise("live delivery", self._live.run)),
                spawn("sink metrics", supervise("the loop's own clock", self.metrics.run)),
                spawn("source snmp", supervise("SNMP polling", self._source.run)),
                spawn("first look", self._say_if_nothing_answers()),
            ]
            _log.info("serving %s, devices: %d", settings.address, len(self._config.devices))
            try:
                await self._stopping.wait()
            finally:
                _log.info("stopping")
                await cancel(*reversed(tasks))

    def stop(self) -> None:
        """End `run`."""
        self._stopping.set()

    def handle_signals(self) -> None:
        """SIGTERM and SIGINT end the program in order, SIGHUP reads the configuration anew."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        loop.add_signal_handler(signal.SIGHUP, lambda: spawn("reload", self.reload()))

    async def reload(self) -> None:
        """Read the configuration anew, off the loop, and go over to it, whole or not at all. One reload after the other."""
        async with self._reloading:
            await self._reload()

    async def _reload(self) -> None:
        try:
            new = await asyncio.to_thread(self._load)
            self._refuse_fixed(new)
        except ConfigError as error:
            for problem in error.problems:
                _log.error("reload: %s", problem)
            _log.error("reload: nothing was changed; the configuration from before goes on")
            return
        self._source.reconfigure(new.polling, new.devices)
        self._live.interval_s = new.polling.interval_s
        self._config = new
        _log.info("reload: done, devices: %d", len(new.devices))

    def _refuse_fixed(self, new: Config) -> None:
        changed = [key for key in _FIXED if getattr(new, key) != getattr(self._config, key)]
        if changed:
            raise ConfigError([f"{key} can only be changed by a restart" for key in changed])

    async def _say_if_nothing_answers(self) -> None:
        await asyncio.sleep(_FIRST_LOOK_S)
        views = self.inventory.devices()
        if views and not any(view.status.state in {DeviceState.UP, DeviceState.LATE} for view in views):
            hint = (
                "; the shipped config.yaml names a simulated network, which ./linewatch demo starts" if self._shipped else ""
            )
            _log.warning("no device answers yet%s", hint)

    def routes(self, pages: Pages) -> list[Route]:
        """Everything that is served, besides static files."""
        return [
            *api_routes(self.inventory, self.metrics, self._config.server.url_prefix),
            *self._live.routes(),
            Route("/", PageHandler, {"pages": pages, "page": "overview"}),
            Route("/device/{device}", PageHandler, {"pages": pages, "page": "device"}),
            Route("/wall", PageHandler, {"pages": pages, "page": "wall"}),
            Route("/sources", PageHandler, {"pages": pages, "page": "sources"}),
        ]


def api_routes(inventory: Inventory, metrics: OwnMetrics, prefix: str) -> list[Route]:
    """What the OpenAPI document describes, the document itself included."""
    api = [*inventory_handlers.routes(inventory), *metrics.routes()]
    described = Operation("This document.", "application/json")
    api.append(Route("/api/v1/openapi.json", OpenApiHandler, {"routes": api, "prefix": prefix}, described))
    return api


def api_document() -> dict[str, Any]:
    """The OpenAPI document, for the reference in `docs/`."""
    return document(api_routes(Inventory(), OwnMetrics(), ""), "")
