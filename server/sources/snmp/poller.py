"""The life of one device's poller: find its interfaces, have them polled, find them again when they may have changed."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import replace

from server.core.clock import loop_s
from server.core.errors import BadReply, SourceError
from server.core.log import logger
from server.core.ports import Emit, SelfMetrics
from server.sources.snmp.burst import Bursts
from server.sources.snmp.choice import Choice, Engines
from server.sources.snmp.discovery import Discovered
from server.sources.snmp.engine import Rounds, Schedule, Steering, Target, Unsupported, until_tick_s
from server.sources.snmp.errands import Errands
from server.sources.snmp.finder import Finder, remark
from server.sources.snmp.judge import Judge
from server.sources.snmp.link import Link
from server.sources.snmp.outcome import Outcome
from server.sources.snmp.plan import Plan
from server.sources.snmp.settings import DeviceSettings, PollingDefaults
from server.sources.snmp.trust import Trust
from server.sources.snmp.uptime import Uptime

_FIRST_PAUSE_S = 1.0
_MOST_PAUSE_S = 30.0
_MOST_CHECK_PAUSE_S = 4.0
_EMPTY_S = 60.0  # between discoveries of a device without interfaces
_log = logger("snmp")


class Poller:
    """Has one device polled until cancelled; exactly one Reading is emitted for each tick, once there is a Table.

    An `Owner` of the device's rounds. `bursts` outlive it.
    """

    def __init__(
        self,
        polled: tuple[DeviceSettings, PollingDefaults],
        engines: Engines,
        bursts: Bursts,
        emit: Emit,
        metrics: SelfMetrics,
    ) -> None:
        settings, polling = self._settings, self._polling = polled
        self._emit = emit
        self._bad: Callable[[str], None] = lambda check: metrics.bad_reply(settings.name, check)
        self._choice = Choice(polling.engine, engines)
        self._link = Link(settings, self._bad)
        self._finder = Finder(settings, polling, self._link, self._bad, engines.places)
        self._judge = Judge(settings, polling, emit, metrics)
        self._uptime, self._bursts = Uptime(), bursts
        # Of the newest table; rises as long as this poller lives, with its one address and set of credentials. A new poller
        # starts over: a version that is not greater tells the rates that these may be the counters of another device.
        self._version = 0
        self._errands, self._checks = Errands(settings.name), Errands(settings.name)
        self._rounds: Rounds | None = None
        self._broken: asyncio.Future[None] | None = None
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._found: Discovered | None = None
        self._plan: Plan | None = None
        self._trust = Trust()
        self._reason = False  # to look for interfaces; it stays until that was done
        self._troubles = (False, False)  # in the last tick: unsynchronised, silent
        self._judge.obstacle = None
        self._rediscover_due_s = 0.0

    async def run(self) -> None:
        """Ends by cancellation; what it opened is closed then."""
        try:
            while True:
                await self._run_until_lost()
                await self._end_rounds()
        finally:
            await self._errands.close()
            await self._checks.close()
            await self._end_rounds()
            await self._link.close()
            self._broken = self._judge.obstacle = None  # an error keeps alive whoever raised it

    async def _run_until_lost(self) -> None:
        """Returns where the device could not be polled any more after it was found: it has to be found again."""
        self._begin_anew()
        self._broken = asyncio.get_running_loop().create_future()
        await self._first_discovery()
        try:
            await self._broken
        except SourceError as error:
            self._judge.failed(error)

    async def _first_discovery(self) -> None:
        pause_s = _FIRST_PAUSE_S
        self._tell_engine()
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
                self._judge.failed(error)
                if self._reconsider():
                    self._tell_engine()
            await asyncio.sleep(pause_s)
            pause_s = min(_MOST_PAUSE_S, 2 * pause_s)

    def _reconsider(self) -> bool:
        judgement = self._judge.health.now
        return self._choice.reconsider(judgement.state, judgement.reason, loop_s())

    def _tell_engine(self) -> None:
        """The engine that was chosen is the one that polls, or none does."""
        name, why = self._choice.engine.name, self._choice.why
        if self._judge.announcer.engine(name, why):
            if self._found is not None:
                _log.warning("%s: polled by %s: %s", self._settings.name, name, why or "again")
            self._judge.tell()

    async def _adopt(self, found: Discovered) -> None:
        """Poll what was found from the next tick on. An equal table is kept, so that its version stays."""
        self._look_later(found)
        self._trust.read(found.last_change)
        self._reason = False
        if self._found is not None and self._found.same_as(found) and self._plan is not None:
            self._found = replace(self._found, glance=found.glance, names=found.names)
            # A device may say noSuchName for once, and a burst does not believe it since it restarted: neither must last.
            self._use(self._plan.whole() if self._plan.dropped else self._plan)
        else:
            self._version += 1
            self._found = found = replace(found, table=replace(found.table, version=self._version))
            self._judge.announcer.facts = found.table.facts
            self._judge.health.remark(remark(found))
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
        self._bursts.follow(plan)

    def _until_tick_s(self) -> float:
        return until_tick_s(self._settings.name, self._polling.interval_s, loop_s())

    async def _begin_rounds(self) -> None:
        """Have the plan polled, by another engine where this one cannot."""
        assert self._plan is not None
        polling, engine = self._polling, self._choice.engine
        target = Target(self._settings.name, self._link.peer, self._settings.snmp, self._link.session, self._bad, self._emit)
        first_s = loop_s() + self._until_tick_s()
        schedule = Schedule(first_s, polling.interval_s, polling.slow_interval_s, polling.requests_at_once)
        try:
            self._rounds = await engine.rounds(target, self._plan, schedule, self._steering(), self)
        except Unsupported as error:
            if not self._choice.refused(error):
                raise BadReply(str(error)) from None
            await self._change_engine()
            return
        self._tell_engine()
        self._bursts.begin(engine, target, self._plan, polling)

    async def _end_rounds(self) -> None:
        rounds, self._rounds = self._rounds, None
        await self._bursts.pause()
        if rounds is not None:
            await rounds.close()

    async def _change_engine(self) -> bool:
        """Go over to the engine that was chosen, or to the device's address of now; without a way there, all stays."""
        await self._link.open(self._choice.engine)
        await self._end_rounds()
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
            self._judge.health.heard(quiet.answered_s)
            self._uptime.restarted([quiet.chunk])
        if self._uptime.restarted(sorted(outcome.chunks, key=lambda chunk: chunk.received_ns)):
            self._trust.restarted()
            self._errands.at_once()
        if self._trust.saw(outcome.values.last_change):
            self._checks.at_once()
        if not self._trust.whole:
            self._bursts.distrust()
        outcome.trusted = self._trust.whole and self._found is not None and outcome.plan.table is self._found.table
        self._judge.announcer.interfaces(outcome)
        self._judge.tick(outcome, self._plan)
        self._learn(outcome)
        return self._steering()

    def broke(self, error: BaseException) -> None:
        """See `Owner`: whoever supervises this poller starts it again, but for a SourceError, which it mends itself."""
        if self._broken is not None and not self._broken.done():
            self._broken.set_exception(error)

    def _steering(self) -> Steering:
        at_rest = self._judge.settled and self._trust.whole and not (self._reason or self._errands.busy or self._checks.busy)
        whole = self._plan is not None and not self._plan.dropped
        return self._judge.steering(self._plan, self._rediscover_due_s if at_rest and whole else 0.0)

    def _learn(self, outcome: Outcome) -> None:
        """Change the plan, and look for other interfaces, where the tick showed that it must be."""
        if outcome.plan is self._plan and (plan := outcome.better_plan()) is not None:
            self._use(plan)
        now_s, silent = loop_s(), self._judge.silent
        self._reason = self._reason or outcome.missing or self._trust.moved
        before, self._troubles = self._troubles, (outcome.unsynchronised, silent)
        if any(now and not then for now, then in zip(self._troubles, before, strict=True)):
            self._errands.at_once()
        if self._trust.moved and self._checks.may_begin(now_s):
            self._checks.send(self._confirm, lambda: _MOST_CHECK_PAUSE_S, self.broke)
        if not self._errands.busy and self._reconsider():
            self._errands.send(self._change_engine, self._most_pause_s, self.broke)
        if not self._errands.may_begin(now_s):
            return
        dropped = self._plan is not None and bool(self._plan.dropped)
        if outcome.unsynchronised:
            self._errands.send(self._synchronise, self._most_pause_s, self.broke)
        elif self._reason or dropped or not self._trust.whole or silent:
            self._errands.send(lambda: self._rediscover(silent), self._most_pause_s, self.broke)
        elif now_s >= self._rediscover_due_s:
            self._errands.send(self._look, self._most_pause_s, self.broke)

    def _most_pause_s(self) -> float:
        return _MOST_PAUSE_S if self._judge.silent or not self._trust.whole else self._polling.rediscover_s

    async def _rediscover(self, silent: bool) -> bool:
        """Whether it found anything new."""
        before = self._version
        if not silent:
            await self._adopt(await self._finder.find_since_restart(lambda: self._trust.restarts))
        elif await self._link.leads_elsewhere():  # its name may lead elsewhere by now
            await self._change_engine()
        else:
            await self._synchronise()
        return self._version != before

    async def _look(self) -> bool:
        """Now and then, without a reason: a glance, and the whole where that shows anything new. Never in vain."""
        if self._found is not None and await self._finder.unchanged(self._found):
            self._look_later(self._found)
        else:
            await self._rediscover(silent=False)
        return True

    def _look_later(self, found: Discovered) -> None:
        self._rediscover_due_s = loop_s() + min(self._polling.rediscover_s, math.inf if found.table.rows else _EMPTY_S)

    async def _confirm(self) -> bool:
        """The interface table changed: whether its rows still are those that were found. Many devices say so for less."""
        found, change = self._found, self._trust.change
        assert found is not None
        if not await self._finder.still_named(found):
            self._errands.at_once()
            return False
        if self._found is found and self._plan is not None:
            self._trust.confirmed(change)
            self._use(self._plan)  # so that bursts believe it again
        return True

    async def _synchronise(self) -> bool:
        """What stands in the way is better told than in a tick, and that of version 3 is mended."""
        assert self._rounds is not None
        try:
            await self._rounds.synchronise()
        except SourceError as error:
            self._judge.obstacle = error
            raise
        return True
