"""The life of one device's poller: find its interfaces, ask every tick, find them again when they may have changed."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from server.core.blocks import Readings
from server.core.errors import AuthFailed, BadReply, NoAnswer, SourceError, UnknownHost
from server.core.log import logger
from server.core.model import Counts, DeviceState
from server.core.ports import Emit, SelfMetrics
from server.core.tasks import cancel, every, spawn
from server.sources.snmp.announcer import Announcer
from server.sources.snmp.discovery import Discovered, Wanted, discover
from server.sources.snmp.engine import Engine
from server.sources.snmp.health import Health
from server.sources.snmp.link import Link
from server.sources.snmp.message import Operation
from server.sources.snmp.plan import MOST_VARBINDS, Plan
from server.sources.snmp.settings import DeviceSettings, PollingDefaults
from server.sources.snmp.tick import Due, Outcome, Patience, Ticker
from server.sources.snmp.uptime import Uptime
from server.sources.snmp.walk import AnswersLost, Limits

_FIRST_PAUSE_S = 1.0
_MOST_PAUSE_S = 30.0
_DISCOVERY_S = 120.0  # 400 interfaces at 10 % loss take half a minute
_EMPTY_S = 60.0  # between discoveries of a device without interfaces
_log = logger("snmp")
_WORDS: dict[type[SourceError], str] = {
    NoAnswer: "no_answer",
    AnswersLost: "no_answer",
    AuthFailed: "auth_failed",
    BadReply: "bad_reply",
    UnknownHost: "unknown_host",
}


class Poller:
    """Polls one device until cancelled; emits exactly one Reading for each tick that it starts, once there is a Table."""

    def __init__(
        self, settings: DeviceSettings, polling: PollingDefaults, engine: Engine, emit: Emit, metrics: SelfMetrics
    ) -> None:
        self._settings = settings
        self._polling = polling
        self._emit = emit
        self._metrics = metrics
        self._bad: Callable[[str], None] = lambda check: metrics.bad_reply(settings.name, check)
        self._link = Link(settings, engine, self._bad)
        self._announcer = Announcer(settings, polling.interval_s, engine.name, emit)
        self._health = Health(polling.interval_s, _now_s())
        self._patience = Patience(polling)
        self._ticker = Ticker(self._bad)
        self._uptime = Uptime()
        # Of the newest table. It rises as long as this poller lives, which has one address and one set of credentials. A new
        # poller starts over: its first table has a version that is not greater than the last one's, and that tells the rates
        # that these may be the counters of another device.
        self._version = 0
        self._restarts = 0
        self._rediscovery: asyncio.Task[None] | None = None
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._found: Discovered | None = None
        self._plan: Plan | None = None
        self._stamps: Counts = np.zeros(0, np.uint64)
        self._trusted = True
        self._slow_due_s = 0.0
        self._last_change: int | None = None
        self._most_varbinds = MOST_VARBINDS
        self._rediscover_due_s = 0.0
        self._rediscover_soonest_s = 0.0
        self._pause_s = _FIRST_PAUSE_S

    async def run(self) -> None:
        """Ends by cancellation; what it opened is closed then."""
        self._begin_anew()
        self._announcer.health(self._health.now)
        try:
            await self._first_discovery()
            await self._poll()
        finally:
            if self._rediscovery is not None:
                await cancel(self._rediscovery)
                self._rediscovery = None
            await self._link.close()

    def _phase_s(self) -> float:
        """Until the next of this device's ticks: a grid in time that its name chooses, the same after a restart."""
        fraction = zlib.crc32(self._settings.name.encode()) / 2**32
        return (fraction * self._polling.interval_s - _now_s()) % self._polling.interval_s

    async def _first_discovery(self) -> None:
        pause_s = _FIRST_PAUSE_S
        await asyncio.sleep(min(self._phase_s(), 1.0))
        while True:
            try:
                await self._link.open()
                found = await self._discover()
                self._uptime.restarted([found.clock])  # so that the first tick shows a restart while it was read
                self._adopt(found)
                return
            except SourceError as error:
                await self._link.close()
                self._failed(error)
            await asyncio.sleep(pause_s)
            pause_s = min(_MOST_PAUSE_S, 2 * pause_s)

    async def _discover(self) -> Discovered:
        polling = self._polling
        operation = Operation.GET_NEXT if self._settings.snmp.version == "1" else Operation.GET_BULK
        deadline_s = _now_s() + _DISCOVERY_S
        limits = Limits(operation, polling.max_rows, deadline_s, polling.retries + 1, polling.timeout_s)
        wanted = Wanted(self._settings.name, polling.interfaces, polling.interval_s)
        return await discover(wanted, self._link.session, limits, self._bad)

    async def _discover_since_restart(self) -> Discovered:
        """What was read, or begun to be read, before a restart tells nothing of the ifIndexes after it."""
        while True:
            restarts = self._restarts
            found = await self._discover()
            if restarts == self._restarts:
                return found

    def _adopt(self, found: Discovered) -> None:
        """Poll what was found from the next tick on. An equal table is kept, so that its version stays."""
        empty = not found.table.rows
        self._rediscover_due_s = _now_s() + min(self._polling.rediscover_s, _EMPTY_S if empty else np.inf)
        self._trusted = True
        if self._found is not None and self._found.same_as(found):
            if self._plan is not None and self._plan.dropped:
                self._plan = self._plan.whole()  # a device may say noSuchName for once; that must not last
            return
        self._version += 1
        found = replace(found, table=replace(found.table, version=self._version))
        self._found = found
        self._stamps = np.zeros(len(found.table.rows), np.uint64)
        self._plan = Plan(found.table, found.stamped, self._link.session.overhead, self._most_varbinds)
        self._slow_due_s = 0.0
        self._announcer.facts = found.table.facts
        self._health.remark(_remark(found))
        _log.info("%s: %d of %d interfaces", self._settings.name, len(found.table.rows), found.found)

    async def _poll(self) -> None:
        phase_s = self._phase_s()
        start_s = _now_s() + phase_s
        expected = 0
        async for tick in every(self._polling.interval_s, phase_s):
            for _ in range(tick - expected):
                self._metrics.poll_failed(self._settings.name, "skipped")
            expected = tick + 1
            await self._tick(start_s + tick * self._polling.interval_s)

    async def _tick(self, due_s: float) -> None:
        plan, found, trusted = self._plan, self._found, self._trusted
        assert plan is not None
        assert found is not None
        now_s = _now_s()
        slow = now_s >= self._slow_due_s
        if slow:
            self._slow_due_s = now_s + self._polling.slow_interval_s - self._polling.interval_s / 2
        session = self._link.session
        silent = self._health.now.state is DeviceState.DOWN
        wait = self._patience.wait(now_s)
        outcome = await self._ticker.run(session, plan, self._stamps, wait, Due(slow, found.has_last_change, silent))
        chunks = sorted(outcome.chunks, key=lambda chunk: chunk.received_ns)
        if self._uptime.restarted(chunks):
            # Its ifIndexes may mean other interfaces now: nothing is believed until they were read again.
            self._restarts += 1
            self._trusted = trusted = False
            self._rediscover_soonest_s = 0.0
        reading = outcome.reading(self._polling.interval_s, bool(found.stamped.any()), trusted)
        self._emit.readings(Readings.of([reading]))
        self._announcer.interfaces(reading)
        self._judge(outcome, now_s - due_s)
        self._learn(outcome, slow)

    def _judge(self, outcome: Outcome, late_s: float) -> None:
        now_s = _now_s()
        session = self._link.session
        late_reply_s, session.late_reply_s = session.late_reply_s, None
        if outcome.chunks:
            self._patience.saw(outcome.reply_s)
            self._metrics.polls_answered([self._settings.name], np.array([outcome.reply_s]), np.array([max(0.0, late_s)]))
            self._health.answered(now_s, outcome.reply_s, outcome.complete or outcome.too_big)
            self._announcer.health(self._health.now)
        else:
            self._patience.saw(late_reply_s)
            self._failed(outcome.error or NoAnswer("no answer"))
            if late_reply_s is not None and late_reply_s > self._patience.full_s:
                self._health.late_answer(now_s, late_reply_s)
                self._announcer.health(self._health.now)

    def _failed(self, error: SourceError) -> None:
        self._metrics.poll_failed(self._settings.name, _WORDS.get(type(error), "bad_reply"))
        self._health.failed(_now_s(), error)
        self._announcer.health(self._health.now)

    def _learn(self, outcome: Outcome, slow: bool) -> None:
        """Change the plan, and look for other interfaces, where the tick showed that it must be."""
        if outcome.plan is self._plan:
            if outcome.too_big:
                self._plan = outcome.plan.halved()
                self._most_varbinds = self._plan.most_varbinds
            elif outcome.lacking is not None:
                self._plan = outcome.plan.without(outcome.lacking)
        if slow and outcome.last_change is not None:
            changed = self._last_change is not None and outcome.last_change != self._last_change
            self._last_change = outcome.last_change
            outcome.missing = outcome.missing or changed
        silent = self._health.now.state in (DeviceState.DOWN, DeviceState.AUTH_FAILED)
        dropped = self._plan is not None and bool(self._plan.dropped)
        wanted = outcome.missing or dropped or not self._trusted or silent or _now_s() >= self._rediscover_due_s
        if wanted and self._rediscovery is None and _now_s() >= self._rediscover_soonest_s:
            self._rediscovery = spawn(f"snmp {self._settings.name} rediscovery", self._rediscover(silent))

    async def _rediscover(self, silent: bool) -> None:
        """Beside the ticks. A device that keeps giving reasons for it is left alone for longer and longer."""
        before = self._found
        try:
            if silent:
                await self._link.open()  # its name may lead elsewhere by now
            else:
                self._adopt(await self._discover_since_restart())
        except SourceError as error:
            _log.debug("%s: interfaces not read again: %s", self._settings.name, error)
        finally:
            self._rediscovery = None
            same = self._found is before
            most_s = self._polling.rediscover_s if self._trusted and not silent else _MOST_PAUSE_S
            self._pause_s = min(most_s, 2 * self._pause_s) if same else _FIRST_PAUSE_S
            self._rediscover_soonest_s = _now_s() + self._pause_s


def _remark(found: Discovered) -> str:
    if found.table.rows:
        return ""
    if found.found:
        return f"none of its {found.found} interfaces passes the filter"
    return "the device lists no interfaces, or does not let these credentials see them"


def _now_s() -> float:
    return asyncio.get_running_loop().time()
