"""Bursts: chosen rows of a device, asked more often than the rest for as long as somebody looks."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from server.core.clock import loop_s
from server.core.errors import LinewatchError
from server.core.log import logger
from server.core.model import Table
from server.core.tasks import cancel, spawn
from server.sources.snmp.engine import PollEngine, Rounds, Schedule, Steering, Target
from server.sources.snmp.outcome import Outcome
from server.sources.snmp.plan import Plan, Shape
from server.sources.snmp.settings import PollingDefaults
from server.sources.snmp.uptime import Uptime

LEAST_BURST_S = 0.1
_log = logger("snmp")
_SHARE = 0.9  # of the interval that a tick may wait
_AGAIN_S = 5.0  # after a burst could not be begun
_Wishes = dict[int, tuple[frozenset[str], float]]  # rows and interval


@dataclass(frozen=True, slots=True)
class _Context:
    """How the device is polled now."""

    engine: PollEngine
    target: Target
    plan: Plan
    polling: PollingDefaults


class Bursts:
    """All bursts of one device: one stream with the rows of all who asked, at the shortest interval asked for. They outlive
    the device's poller: a new configuration does not end them.

    State: who wants what (`_wanted`), how the device is polled (`_context`, None: not at the moment), and the stream.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._wanted: _Wishes = {}
        self._numbers = itertools.count()
        self._versions = itertools.count(1)
        self._context: _Context | None = None
        self._stream: _Stream | None = None
        self._changing = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def ask(self, rows: frozenset[str], interval_s: float) -> Callable[[], None]:
        """See `core.ports.PollControl.burst`."""
        context = self._context
        if context is None:
            raise ValueError(f"{self._device} is not being polled")
        most_s = context.polling.interval_s
        if not LEAST_BURST_S <= interval_s < most_s:
            raise ValueError(f"a burst of {self._device} takes from {LEAST_BURST_S:g} s to less than {most_s:g} s")
        known = {row.name for row in context.plan.table.rows}
        if missing := sorted(rows - known):
            raise ValueError(f"{self._device} has no interface named {missing[0]!r}")
        number = next(self._numbers)
        needed = self._needed_per_s(context, {**self._wanted, number: (rows, interval_s)})
        if needed > (most := context.polling.requests_per_s):
            raise ValueError(
                f"that needs {needed:.0f} requests a second to {self._device}, and requests_per_s is {most:g}: "
                "ask for fewer interfaces or a longer interval"
            )
        self._wanted[number] = (rows, interval_s)
        self._change()
        return lambda: self._end(number)

    def _end(self, number: int) -> None:
        if self._wanted.pop(number, None) is not None:
            self._change()

    def _needed_per_s(self, context: _Context, wanted: _Wishes) -> float:
        plan, polling = context.plan, context.polling
        rows, interval_s = _union(wanted)
        asks = len(self._plan(plan, rows, version=0).fast)
        return len(plan.fast) / polling.interval_s + len(plan.slow) / polling.slow_interval_s + asks / interval_s

    def begin(self, engine: PollEngine, target: Target, plan: Plan, polling: PollingDefaults) -> None:
        """The device is polled like this now."""
        self._context = _Context(engine, replace(target, burst=True), plan, polling)
        self._change()

    def follow(self, plan: Plan) -> None:
        """It is asked something else now: other rows, maybe."""
        if self._context is not None:
            self._context = replace(self._context, plan=plan)
            self._change()

    def distrust(self) -> None:
        """Its rows may be others than the table says, until it is asked something else."""
        if self._stream is not None:
            self._stream.trusted = False

    async def pause(self) -> None:
        """The device is not polled at the moment, or not as before."""
        self._context = None
        await self._apply()

    async def close(self) -> None:
        """End all bursts: the device is polled no more."""
        self._wanted.clear()
        await self.pause()
        await cancel(*self._tasks)

    def _change(self) -> None:
        if self._wanted or self._stream is not None:
            task = spawn(f"snmp {self._device} bursts", self._begin_stream())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _begin_stream(self) -> None:
        while True:
            if await self._apply():
                return
            await asyncio.sleep(_AGAIN_S)

    async def _apply(self) -> bool:
        """Have polled what is wanted now; False where the device could not be asked for it."""
        async with self._changing:
            stream, self._stream = self._stream, None
            if stream is not None:
                await stream.close()
            context = self._context
            if context is None or not self._wanted:
                return True
            if self._needed_per_s(context, self._wanted) > context.polling.requests_per_s:
                _log.warning("%s: its bursts rest: they would need more than requests_per_s", self._device)
                return True
            rows, interval_s = _union(self._wanted)
            plan = self._plan(context.plan, rows, next(self._versions))
            if plan.table.rows:
                stream = _Stream(interval_s)
                try:
                    await stream.begin(context, plan, interval_s)
                except LinewatchError as error:
                    _log.warning("%s: its bursts cannot be polled now: %s", self._device, error)
                    return False
                self._stream = stream
            return True

    @staticmethod
    def _plan(whole: Plan, names: frozenset[str], version: int) -> Plan:
        places = [place for place, row in enumerate(whole.table.rows) if row.name in names]
        table = whole.table
        part = Table(
            device=table.device,
            version=version,
            rows=tuple(table.rows[place] for place in places),
            metrics=table.metrics,
            counter_bits=table.counter_bits[:, places],
            facts=table.facts,
            note=table.note,
        )
        shape: Shape = replace(whole.shape, slow=False, last_change=False)
        return Plan(part, np.array(whole.stamped[places], np.bool_), shape)


class _Stream:
    """The rounds of one burst; their `Owner`."""

    def __init__(self, interval_s: float) -> None:
        self.trusted = True
        self._uptime = Uptime()
        self._steering = Steering(1, _SHARE * interval_s, quiet_until_s=math.inf)
        self._rounds: Rounds | None = None

    async def begin(self, context: _Context, plan: Plan, interval_s: float) -> None:
        at_once = context.polling.requests_at_once
        schedule = Schedule(loop_s(), interval_s, math.inf, at_once)
        self._rounds = await context.engine.rounds(context.target, plan, schedule, self._steering, self)

    async def close(self) -> None:
        rounds, self._rounds = self._rounds, None
        if rounds is not None:
            await rounds.close()

    def ticked(self, outcome: Outcome) -> Steering:
        """A burst judges no device: what it finds wrong, the ordinary ticks find too."""
        if outcome.quiet is not None:
            self._uptime.restarted([outcome.quiet.chunk])
        if self._uptime.restarted(sorted(outcome.chunks, key=lambda chunk: chunk.received_ns)) or outcome.missing:
            self.trusted = False
        outcome.trusted = self.trusted
        return self._steering if self.trusted else replace(self._steering, quiet_until_s=0.0)

    def broke(self, error: BaseException) -> None:
        """Whoever asks for the burst again starts it again."""
        _log.error("a burst failed", exc_info=error)


def _union(wanted: _Wishes) -> tuple[frozenset[str], float]:
    rows = frozenset().union(*(names for names, _ in wanted.values()))
    return rows, min((interval_s for _, interval_s in wanted.values()), default=math.inf)
