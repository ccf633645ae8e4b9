"""One tick of one device: ask all that is due, a few PDUs at a time, and take in what comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from server.core.clock import wall_s
from server.core.errors import AuthFailed, BadReply, NoAnswer, SourceError
from server.core.model import Chunk, Counts, Reading
from server.sources.snmp.engine import Session, Wait
from server.sources.snmp.message import Answer, ErrorStatus, Operation, Request
from server.sources.snmp.mib import IF_TABLE_LAST_CHANGE, SYS_UP_TIME
from server.sources.snmp.plan import Ask, Plan, Values
from server.sources.snmp.settings import PollingDefaults
from server.sources.snmp.wire import MISSING, Tag, VarBind

_AT_ONCE = 4  # PDUs of one device under way
_SHARE = 0.9  # of the interval that a tick may wait: the next one must start in time
_QUICK_AGAIN = 3  # quick ticks until a slow device is no longer waited for


class Patience:
    """How long a tick waits: `_SHARE` of the interval, or the whole timeout while the device is seen to answer later."""

    def __init__(self, polling: PollingDefaults) -> None:
        self._tries = polling.retries + 1
        self.full_s = polling.timeout_s * self._tries
        self._quick_s = min(self.full_s, _SHARE * polling.interval_s)
        self._patient_for = 0

    def wait(self, now_s: float) -> Wait:
        budget_s = self.full_s if self._patient_for else self._quick_s
        return Wait(self._tries, budget_s / self._tries, now_s + budget_s)

    def saw(self, reply_s: float | None) -> None:
        """A tick's slowest answer; None when nothing came."""
        if reply_s is not None and reply_s > self._quick_s:
            self._patient_for = _QUICK_AGAIN
        elif self._patient_for:
            self._patient_for -= 1


@dataclass(frozen=True, slots=True)
class Due:
    """What a tick asks for: `slow` adds the slow columns, `last_change` ifTableLastChange to them.

    `probe` sends one PDU first and the others only when it is answered: for a silent device.
    """

    slow: bool = False
    last_change: bool = False
    probe: bool = False


@dataclass(slots=True, eq=False)
class Outcome:
    """What a tick brought. `error` is the gravest of its failures; None when every PDU was answered well.

    `complete`: every PDU of the fast columns was answered. `missing`: the device no longer has an object of a fast column.
    `too_big`: it refused a PDU for its size. `lacking`: the object that version 1 refused. `last_change` is
    ifTableLastChange where it was asked and came.
    """

    plan: Plan
    metrics: tuple[int, ...]
    values: Values
    chunks: list[Chunk] = field(default_factory=list)
    error: SourceError | None = None
    complete: bool = True
    missing: bool = False
    too_big: bool = False
    lacking: bytes | None = None
    last_change: int | None = None

    @property
    def reply_s(self) -> float:
        return max((chunk.received_ns - chunk.sent_ns for chunk in self.chunks), default=0) / 1e9

    def note(self, error: SourceError) -> None:
        if self.error is None or _GRAVITY.index(type(error)) > _GRAVITY.index(type(self.error)):
            self.error = error

    def reading(self, interval_s: float, stamped: bool, trusted: bool) -> Reading:
        """`trusted` False leaves every cell invalid: the rows may be others than the table says."""
        if not trusted:
            self.values.valid[:] = False
        stamps = self.values.discontinuity.copy() if stamped else None
        chunks = tuple(sorted(self.chunks, key=lambda chunk: chunk.sent_ns))
        values = self.values.values, self.values.valid
        return Reading(self.plan.table, chunks, wall_s(), self.metrics, *values, interval_s, stamps)


_GRAVITY: list[type[SourceError]] = [NoAnswer, BadReply, AuthFailed]


class Ticker:
    """Asks a device what a plan says. `bad` is called with a word for each answer or cell that failed a check."""

    def __init__(self, bad: Callable[[str], None]) -> None:
        self._bad = bad

    async def run(self, session: Session, plan: Plan, stamps: Counts, wait: Wait, due: Due) -> Outcome:
        """One tick; ends by `wait.deadline_s` and raises nothing of the device's doing.

        `stamps` (rows,) keeps the newest discontinuity times.
        """
        metrics = plan.fast_metrics + (plan.slow_metrics if due.slow else ())
        outcome = Outcome(plan, metrics, Values.empty(metrics, stamps))
        asks = iter(plan.fast + (plan.slow if due.slow else ()))
        if due.probe:
            await self._one(session, next(asks), wait, outcome)
            if not outcome.chunks:
                return outcome
        workers = [self._work(session, asks, wait, outcome) for _ in range(_AT_ONCE)]
        await asyncio.gather(
            *workers, *([self._ask_last_change(session, wait, outcome)] if due.slow and due.last_change else [])
        )
        return outcome

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

    async def _ask_last_change(self, session: Session, wait: Wait, outcome: Outcome) -> None:
        request = Request.of(Operation.GET, (IF_TABLE_LAST_CHANGE,))
        try:
            answer = await session.ask(request, wait)
        except SourceError as error:
            outcome.note(error)
            return
        if not answer.error_status and len(answer.varbinds) == 1 and answer.varbinds[0].oid == IF_TABLE_LAST_CHANGE:
            outcome.last_change = answer.varbinds[0].number(Tag.TIME_TICKS)

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
        asked = (SYS_UP_TIME, *(cell.oid for cell in ask.cells))
        if tuple(varbind.oid for varbind in varbinds) != asked:
            self._bad("oid")
            raise BadReply("an answer holds other objects than were asked for")
