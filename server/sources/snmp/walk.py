"""Reading a whole column of a table, from a device that may be broken or hostile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from server.core.errors import BadReply, NoAnswer
from server.sources.snmp.engine import Session, Wait
from server.sources.snmp.message import Answer, ErrorStatus, Operation, Request
from server.sources.snmp.mib import Column
from server.sources.snmp.wire import MISSING, VarBind, decode_index

_REPETITIONS = 24
_MOST_OCTETS = 4 * 2**20  # of one column's values
_LEAST_TRIES = 5  # of each request: a walk of hundreds fails when one of them fails


class AnswersLost(NoAnswer):
    """A device answered some requests of a discovery, and then one not at all."""

    def __init__(self) -> None:
        super().__init__("its interfaces could not be read: answers get lost")


@dataclass(frozen=True, slots=True)
class Limits:
    """`operation` is GET_NEXT for version 1. `most_rows` ends a walk, and so does `deadline_s` (event loop's clock).

    `tries` are those of the first request, which tells whether the device is there; the others have `_LEAST_TRIES` or more.
    """

    operation: Operation
    most_rows: int
    deadline_s: float
    tries: int
    try_s: float

    def first_wait(self) -> Wait:
        return Wait(self.tries, self.try_s, self.deadline_s)

    def wait(self) -> Wait:
        return Wait(max(_LEAST_TRIES, self.tries), self.try_s, self.deadline_s)


@dataclass(slots=True)
class Walked:
    """A column by ifIndex. `truncated`: there is more, but a limit was met."""

    values: dict[int, VarBind]
    truncated: bool = False


class Walker:
    """Walks columns of one device. `bad` is called with a word for each value or answer that failed a check."""

    def __init__(self, session: Session, limits: Limits, bad: Callable[[str], None]) -> None:
        self._session = session
        self._limits = limits
        self._bad = bad
        self._repetitions = _REPETITIONS

    async def column(self, column: Column) -> Walked:
        """All rows of `column` that have its type. Raises what `Session.ask` raises, and BadReply for a walk in circles."""
        walked = Walked({})
        cursor, last_index, octets = column.oid, -1, 0
        loop = asyncio.get_running_loop()
        while True:
            answer = await self._step(cursor)
            if answer.error_status == ErrorStatus.TOO_BIG and self._repetitions > 1:
                self._repetitions //= 2
                continue
            if answer.error_status or not answer.varbinds:
                return walked  # version 1 ends a walk with noSuchName; other errors mean that there is nothing for us here
            for varbind in answer.varbinds:
                index = _index(column, varbind)
                if index is None:
                    return walked
                if index <= last_index:
                    self._bad("order")
                    raise BadReply("the device walks its tables in circles: an object identifier does not increase")
                last_index, cursor = index, varbind.oid
                octets += len(varbind.content)
                if (
                    len(walked.values) >= self._limits.most_rows
                    or octets > _MOST_OCTETS
                    or loop.time() > self._limits.deadline_s
                ):
                    walked.truncated = True
                    return walked
                if varbind.tag == column.tag:
                    walked.values[index] = varbind
                else:
                    self._bad("type")

    async def _step(self, cursor: bytes) -> Answer:
        bulk = self._limits.operation is Operation.GET_BULK
        repetitions = self._repetitions if bulk else 0
        request = Request.of(self._limits.operation, (cursor,), repetitions)
        answer = await self._session.ask(request, self._limits.wait())
        if len(answer.varbinds) > max(1, repetitions):
            self._bad("count")
            raise BadReply("an answer holds more objects than were asked for")
        return answer


def _index(column: Column, varbind: VarBind) -> int | None:
    """The ifIndex of this object; None when it is beyond the column. A longer index than one number is none of IF-MIB."""
    if varbind.tag in MISSING or not varbind.oid.startswith(column.oid):
        return None
    try:
        tail = decode_index(varbind.oid[len(column.oid) :])
    except ValueError:
        return None
    return tail[0] if len(tail) == 1 else None
