"""One tick of one device over its session: ask all that is due, a few PDUs at a time, and take in what comes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import numpy as np

from server.core.errors import AuthFailed, BadReply, NoAnswer, SourceError
from server.core.model import Chunk
from server.sources.snmp.engine import Bad, Session, Wait
from server.sources.snmp.message import Answer, ErrorStatus
from server.sources.snmp.outcome import Outcome
from server.sources.snmp.plan import Ask
from server.sources.snmp.wire import MISSING, Tag, VarBind


class Ticker:
    """Asks a device what a plan says. `bad` is called with a word for each answer or cell that failed a check."""

    def __init__(self, bad: Bad, at_once: int) -> None:
        self._bad = bad
        self._at_once = at_once

    async def run(self, session: Session, outcome: Outcome, wait: Wait, *, probe: bool) -> None:
        """One tick, into `outcome`; ends by `wait.deadline_s` and raises nothing of the device's doing.

        `probe` sends one PDU first and the others only when it is answered: for a silent device.
        """
        plan = outcome.plan
        asks = iter(plan.fast + (plan.slow if outcome.slow else ()))
        if probe:
            await self._one(session, next(asks), wait, outcome)
            if not outcome.chunks:
                return
        await asyncio.gather(*(self._work(session, asks, wait, outcome) for _ in range(self._at_once)))

    async def _work(self, session: Session, asks: Iterator[Ask], wait: Wait, outcome: Outcome) -> None:
        for ask in asks:
            if isinstance(outcome.error, AuthFailed):
                return
            await self._one(session, ask, wait, outcome)

    async def _one(self, session: Session, ask: Ask, wait: Wait, outcome: Outcome) -> None:
        try:
            answer = await session.ask(ask.request, wait)
            self._take(ask, answer, outcome)
        except SourceError as error:
            outcome.complete = outcome.complete and ask not in outcome.plan.fast
            outcome.note(error)

    def _take(self, ask: Ask, answer: Answer, outcome: Outcome) -> None:
        if answer.error_status == ErrorStatus.TOO_BIG:
            outcome.too_big = True
            raise NoAnswer("the device calls the answer too big")
        if answer.error_status == ErrorStatus.NO_SUCH_NAME and 2 <= answer.error_index <= len(ask.cells) + 1:
            outcome.lacking = ask.cells[answer.error_index - 2].oid
            outcome.missing = outcome.missing or ask in outcome.plan.fast
            raise NoAnswer("the device lacks an object")
        if answer.error_status:
            self._bad("error_status")
            raise BadReply(f"the device answers with error-status {answer.error_status}")
        self._check_oids(ask, answer.varbinds)
        ticks = answer.varbinds[0].number(Tag.TIME_TICKS)
        if ticks is None:
            self._bad("type")
        for cell, varbind in zip(ask.cells, answer.varbinds[1:], strict=True):
            if varbind.tag in MISSING:
                outcome.missing = outcome.missing or ask in outcome.plan.fast
            elif not outcome.values.put(cell, varbind):
                self._bad("type")
        columns = tuple(outcome.values.position[metric] for metric in ask.metrics)
        rows = ask.rows if columns else np.zeros(0, np.uint32)
        outcome.chunks.append(Chunk(answer.sent_ns, answer.received_ns, ticks, columns, rows))

    def _check_oids(self, ask: Ask, varbinds: tuple[VarBind, ...]) -> None:
        if tuple(varbind.oid for varbind in varbinds) != ask.oids:
            self._bad("oid")
            raise BadReply("an answer holds other objects than were asked for")
