"""The life of one device's poller: find its interfaces, have them polled, find them again when they may have changed."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from server.core.errors import BadReply, NoAnswer, SourceError
from server.core.log import logger
from server.core.model import DeviceState
from server.core.ports import Emit, SelfMetrics
from server.sources.snmp.announcer import Announcer
from server.sources.snmp.burst import Bursts
from server.sources.snmp.choice import Choice, Engines
from server.sources.snmp.discovery import Discovered
from server.sources.snmp.engine import Rounds, Schedule, Steering, Target, Unsupported, until_tick_s
from server.sources.snmp.errands import Errands
from server.sources.snmp.finder import Finder, remark
from server.sources.snmp.health import Health
from server.sources.snmp.link import Link
from server.sources.snmp.outcome import Outcome
from server.sources.snmp.patience import BackOff, Patience, budget_stride
from server.sources.snmp.plan import Plan
from server.sources.snmp.refusals import word_for
from server.sources.snmp.settings import DeviceSettings, PollingDefaults
from server.sources.snmp.uptime import Uptime

_FIRST_PAUSE_S = 1.0
_MOST_PAUSE_S = 30.0
_EMPTY_S = 60.0  # between discoveries of a device without interfaces
_SILENT = (DeviceState.DOWN, DeviceState.AUTH_FAILED)
_log = logger("snmp")


class Poller:
    """Has one device polled until cancelled; exactly one Reading is emitted for each tick, once there is a Table.

    An `Owner` of the device's rounds.
    """

    def __init__(
        self, settings: DeviceSettings, polling: PollingDefaults, engines: Engines, emit: Emit, metrics: SelfMetrics
    ) -> None:
        self._settings = settings
        self._polling = polling
        self._emit, self._metrics = emit, metrics
        self._bad: Callable[[str], None] = lambda check: metrics.bad_reply(settings.name, check)
        self._choice = Choice(polling.engine, engines)
        self._link = Link(settings, self._bad)
        self._finder = Finder(settings, polling, self._link, self._bad, engines.turn)
        self._announcer = Announcer(settings, polling.interval_s, emit)
        self._health = Health(polling.interval_s, _now_s())
        self._patience, self._back_off = Patience(polling), BackOff(polling.interval_s)
        self._uptime, self.bursts = Uptime(), Bursts(settings.name, polling)
        # Of the newest table; rises as long as this poller lives, with its one address and set of credentials. A new poller
        # starts over: a version that is not greater tells the rates that these may be the counters of another device.
        self._version = self._restarts = 0
        self._errands = Errands(settings.name, self.broke)
        self._rounds: Rounds | None = None
        self._broken: asyncio.Future[None] | None = None
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._found: Discovered | None = None
        self._plan: Plan | None = None
        self._trusted = True
        self._obstacle: SourceError | None = None
        self._last_change: int | None = None
        self._rediscover_due_s = 0.0

    async def run(self) -> None:
        """Ends by cancellation; what it opened is closed then."""
        self._announcer.engine(self._choice.engine.name, self._choice.why)
        self._announcer.health(self._health.now)
        try:
            while True:
                await self._run_until_lost()
                await self._end_rounds()
        finally:
            await self._errands.close()
            await self.bursts.close()
            await self._end_rounds()
            await self._link.close()

    async def _run_until_lost(self) -> None:
        """Returns where the device could not be polled any more after it was found: it has to be found again."""
        self._begin_anew()
        self._broken = asyncio.get_running_loop().create_future()
        await self._first_discovery()
        try:
            await self._broken
        except SourceError as error:
            self._failed(error)

    async def _first_discovery(self) -> None:
        pause_s = _FIRST_PAUSE_S
        await asyncio.sleep(min(self._until_tick_s(), 1.0))
        while True:
            try:
                await self._link.open(self._choice.engine)
                found = await self._finder.find()
                self._uptime.restarted([found.clock])  # so that the first tick shows a restart while it was read
                await self._adopt(found)
                return
            except SourceError as error:
                await self._link.close()
                self._failed(error)
                if self._choice.reconsider(self._health.now.state, self._health.now.reason, _now_s()):
                    self._announcer.engine(self._choice.engine.name, self._choice.why)
            await asyncio.sleep(pause_s)
            pause_s = min(_MOST_PAUSE_S, 2 * pause_s)

    async def _adopt(self, found: Discovered) -> None:
        """Poll what was found from the next tick on. An equal table is kept, so that its version stays."""
        self._look_later(found)
        self._trusted = True
        if self._found is not None and self._found.same_as(found) and self._plan is not None:
            self._found = replace(self._found, glance=found.glance)
            # A device may say noSuchName for once, and a burst does not believe it since it restarted: neither must last.
            self._use(self._plan.whole() if self._plan.dropped else self._plan)
        else:
            self._version += 1
            self._found = found = replace(found, table=replace(found.table, version=self._version))
            self._announcer.facts = found.table.facts
            self._health.remark(remark(found))
            _log.info("%s: %d of %d interfaces", self._settings.name, len(found.table.rows), found.found)
            self._use(self._new_plan(found))
        if self._rounds is None:
            await self._begin_rounds()

    def _new_plan(self, found: Discovered) -> Plan:
        shape = self._choice.shape(self._link.session, self._plan, bulk=self._settings.snmp.version != "1")
        return Plan(found.table, found.stamped, replace(shape, last_change=found.has_last_change))

    def _use(self, plan: Plan) -> None:
        """Ask this from the next tick on."""
        if self._rounds is not None and plan is not self._plan:
            self._rounds.use(plan)
        self._plan = plan
        self.bursts.follow(plan)

    def _until_tick_s(self) -> float:
        return until_tick_s(self._settings.name, self._polling.interval_s, _now_s())

    async def _begin_rounds(self) -> None:
        """Have the plan polled, by another engine where this one cannot."""
        assert self._plan is not None
        polling, engine = self._polling, self._choice.engine
        target = Target(self._settings.name, self._link.peer, self._settings.snmp, self._link.session, self._bad, self._emit)
        first_s = _now_s() + self._until_tick_s()
        schedule = Schedule(first_s, polling.interval_s, polling.slow_interval_s, polling.requests_at_once)
        try:
            self._rounds = await engine.rounds(target, self._plan, schedule, self._steering(), self)
        except Unsupported as error:
            if not self._choice.refused(error):
                raise BadReply(str(error)) from None
            await self._change_engine()
            return
        self.bursts.begin(engine, target, self._plan)

    async def _end_rounds(self) -> None:
        rounds, self._rounds = self._rounds, None
        await self.bursts.pause()
        if rounds is not None:
            await rounds.close()

    async def _change_engine(self) -> bool:
        """Go over to the engine that was chosen, or to the device's address of now; without a way there, all stays."""
        await self._link.open(self._choice.engine)
        await self._end_rounds()
        if self._announcer.engine(self._choice.engine.name, self._choice.why):
            _log.warning("%s: polled by %s: %s", self._settings.name, self._choice.engine.name, self._choice.why or "again")
            self._announcer.health(self._health.now)
        assert self._found is not None
        self._plan = self._new_plan(self._found)
        try:
            await self._begin_rounds()
        except SourceError as error:
            self.broke(error)  # there are no ticks now that would bring it back
            raise
        return True

    def ticked(self, outcome: Outcome) -> Steering:
        """A tick is over: believe it or not, judge the device by it, and learn from it."""
        if (quiet := outcome.quiet) is not None:
            self._health.heard(quiet.answered_s)
            self._uptime.restarted([quiet.chunk])
        outcome.trusted = self._trusted and self._found is not None and outcome.plan.table is self._found.table
        if self._uptime.restarted(sorted(outcome.chunks, key=lambda chunk: chunk.received_ns)):
            # Its ifIndexes may mean other interfaces now: nothing is believed until they were read again.
            self._restarts += 1
            self._trusted = outcome.trusted = False
            self._errands.at_once()
            self.bursts.distrust()
        self._announcer.interfaces(outcome)
        self._judge(outcome)
        self._learn(outcome)
        return self._steering()

    def broke(self, error: BaseException) -> None:
        """See `Owner`: whoever supervises this poller starts it again, but for a SourceError, which it mends itself."""
        if self._broken is not None and not self._broken.done():
            self._broken.set_exception(error)

    def _steering(self) -> Steering:
        settled = self._health.settled and self._trusted and self._back_off.stride == 1 and not self._errands.busy
        plan = self._plan
        return Steering(
            self._patience.tries,
            self._patience.budget_s,
            probe=self._health.now.state is DeviceState.DOWN,
            stride=max(self._back_off.stride, budget_stride(plan, self._polling)),
            quiet_until_s=self._rediscover_due_s if settled and plan is not None and not plan.dropped else 0.0,
        )

    def _judge(self, outcome: Outcome) -> None:
        name = self._settings.name
        if outcome.skipped:
            self._metrics.poll_failed(name, "skipped", outcome.skipped)
        if outcome.chunks:
            self._obstacle = None
            self._patience.saw(outcome.reply_s)
            self._back_off.saw(outcome.complete or outcome.too_big)
            self._metrics.polls_answered([name], np.array([outcome.reply_s]), np.array([max(0.0, outcome.late_s)]))
            self._health.answered(_now_s(), outcome.reply_s, outcome.complete or outcome.too_big)
        else:
            self._patience.saw(outcome.late_reply_s)
            self._failed(self._obstacle or outcome.error or NoAnswer("no answer"))
            if outcome.late_reply_s is not None and outcome.late_reply_s > self._patience.full_s:
                self._health.late_answer(_now_s(), outcome.late_reply_s)
        self._announcer.interval_s = self._polling.interval_s * self._steering().stride
        self._announcer.health(self._health.now)

    def _failed(self, error: SourceError) -> None:
        self._metrics.poll_failed(self._settings.name, word_for(error))
        self._health.failed(_now_s(), error)
        self._announcer.health(self._health.now)

    def _learn(self, outcome: Outcome) -> None:
        """Change the plan, and look for other interfaces, where the tick showed that it must be."""
        if outcome.plan is self._plan and (plan := outcome.better_plan()) is not None:
            self._use(plan)
        if (last_change := outcome.values.last_change) is not None:
            outcome.missing = outcome.missing or self._last_change not in (None, last_change)
            self._last_change = last_change
        now_s = _now_s()
        silent = self._health.now.state in _SILENT
        if not self._errands.busy and self._choice.reconsider(self._health.now.state, self._health.now.reason, now_s):
            self._errands.send(self._change_engine, self._most_pause_s)
        if not self._errands.may_begin(now_s):
            return
        dropped = self._plan is not None and bool(self._plan.dropped)
        if outcome.unsynchronised:
            self._errands.send(self._synchronise, self._most_pause_s)
        elif outcome.missing or dropped or not self._trusted or silent:
            self._errands.send(lambda: self._rediscover(silent), self._most_pause_s)
        elif now_s >= self._rediscover_due_s:
            self._errands.send(self._look, self._most_pause_s)

    def _most_pause_s(self) -> float:
        return self._polling.rediscover_s if self._trusted and self._health.now.state not in _SILENT else _MOST_PAUSE_S

    async def _rediscover(self, silent: bool) -> bool:
        """Whether it found anything new."""
        before = self._version
        if not silent:
            await self._adopt(await self._finder.find_since_restart(lambda: self._restarts))
        elif await self._link.leads_elsewhere():  # its name may lead elsewhere by now
            await self._change_engine()
        else:
            await self._synchronise()
        return self._version != before

    async def _look(self) -> bool:
        """Now and then, without a reason: a glance, and the whole where that shows anything new."""
        if self._found is not None and await self._finder.unchanged(self._found):
            self._look_later(self._found)
            return False
        return await self._rediscover(silent=False)

    def _look_later(self, found: Discovered) -> None:
        self._rediscover_due_s = _now_s() + min(self._polling.rediscover_s, math.inf if found.table.rows else _EMPTY_S)

    async def _synchronise(self) -> bool:
        """What stands in the way is better told than in a tick, and that of version 3 is mended."""
        assert self._rounds is not None
        try:
            await self._rounds.synchronise()
        except SourceError as error:
            self._obstacle = error
            raise
        return True


def _now_s() -> float:
    return asyncio.get_running_loop().time()
