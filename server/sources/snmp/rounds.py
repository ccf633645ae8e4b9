"""The ticks of one device, each a conversation over its session: for an engine that asks request by request."""

from __future__ import annotations

import numpy as np

from server.core.blocks import NO_STAMP, Readings
from server.core.clock import loop_s
from server.core.tasks import cancel, every, spawn
from server.sources.snmp.engine import Owner, Schedule, Steering, Target, Wait
from server.sources.snmp.outcome import Outcome
from server.sources.snmp.plan import Plan, Values
from server.sources.snmp.tick import Ticker


class AskingRounds:
    """Implements `Rounds`. State: the plan, its discontinuity stamps, when the slow columns are due, the steering."""

    def __init__(self, target: Target, plan: Plan, schedule: Schedule, steering: Steering, owner: Owner) -> None:
        self._target = target
        self._schedule = schedule
        self._steering = steering
        self._owner = owner
        self._ticker = Ticker(target.bad, schedule.at_once)
        self._plan = plan
        self._stamps = np.full(len(plan.table.rows), NO_STAMP)
        self._slow_due_s = 0.0
        self._task = spawn(f"snmp {target.device} ticks", self._run())

    def use(self, plan: Plan) -> None:
        """See `Rounds`."""
        if plan.table is not self._plan.table:
            self._stamps = np.full(len(plan.table.rows), NO_STAMP)
            self._slow_due_s = 0.0
        self._plan = plan

    async def synchronise(self) -> None:
        """See `Rounds`: every tick does that by itself."""

    async def close(self) -> None:
        """See `Rounds`."""
        await cancel(self._task)

    async def _run(self) -> None:
        try:
            await self._ticks()
        except Exception as error:
            self._owner.broke(error)

    async def _ticks(self) -> None:
        schedule, expected, taken = self._schedule, 0, 0
        async for tick in every(schedule.interval_s, schedule.first_s - loop_s()):
            if tick % self._steering.stride:
                continue
            skipped = max(0, tick - expected) // self._steering.stride if taken else 0
            outcome = await self._tick(schedule.first_s + tick * schedule.interval_s)
            outcome.skipped = skipped
            taken += 1
            self._steering = self._owner.ticked(outcome)
            self._target.emit.readings(Readings.of([outcome.reading()], burst=self._target.burst))
            expected = tick + self._steering.stride

    async def _tick(self, due_s: float) -> Outcome:
        now_s, plan, steering = loop_s(), self._plan, self._steering
        slow = now_s >= self._slow_due_s
        if slow:
            self._slow_due_s = now_s + self._schedule.slow_interval_s - self._schedule.interval_s / 2
        metrics = plan.fast_metrics + (plan.slow_metrics if slow else ())
        values = Values.empty(metrics, self._stamps)
        outcome = Outcome(plan, metrics, values, self._schedule.interval_s * steering.stride, slow, late_s=now_s - due_s)
        session = self._target.session
        wait = Wait(steering.tries, steering.budget_s / steering.tries, now_s + steering.budget_s)
        await self._ticker.run(session, outcome, wait, probe=steering.probe)
        outcome.late_reply_s, session.late_reply_s = session.late_reply_s, None
        return outcome
