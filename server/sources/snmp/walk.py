"""Reading a whole column of a table, from a device that may be broken or hostile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from server.core.clock import loop_s
from server.core.errors import BadReply, NoAnswer
from server.sources.snmp.engine import Session, Wait
from server.sources.snmp.message import Answer, ErrorStatus, Operation, Request
from server.sources.snmp.mib import Column
from server.sources.snmp.turns import Turn
from server.sources.snmp.wire import MISSING, VarBind, decode_index

_REPETITIONS = 24
_MOST_OCTETS = 4 * 2**20  # of one column's values
_LEAST_TRIES = 5  # of each request: a walk of hundreds fails when one of them fails
_ERROR_TRIES = 3  # of a request that is answered with an error


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


class Cut(Enum):
    """What ended a walk before its column did: a limit, or an error of the device."""

    ROWS = "rows"
    TIME = "time"
    SIZE = "size"
    ERROR = "error"


@dataclass(slots=True)
class Walked:
    """A column by ifIndex. `cut`: there may be more, but this ended the walk."""

    values: dict[int, VarBind]
    cut: Cut | None = None


class Walker:
    """Reads objects and columns of one device. `bad` is called with a word for each value or answer that failed a check.

    What it waits for its `turn` does not count against the deadline.
    """

    def __init__(self, session: Session, limits: Limits, bad: Callable[[str], None], turn: Turn | None = None) -> None:
        self._session = session
        self._limits = limits
        self._bad = bad
        self._turn = turn or Turn()
        self._repetitions = _REPETITIONS

    async def get(self, oid: bytes) -> VarBind | None:
        """One object; None where the device answers with an error. Raises what `Session.ask` raises, and BadReply."""
        answer = await self._turn.ask(self._session, Request.of(Operation.GET, (oid,)), self._limits.wait())
        if answer.error_status:
            return None
        if len(answer.varbinds) != 1 or answer.varbinds[0].oid != oid:
            raise BadReply("an answer holds other objects than were asked for")
        return answer.varbinds[0]

    async def column(self, column: Column) -> Walked:
        """All rows of `column` that have its type. Raises what `Session.ask` raises, and BadReply for a walk in circles."""
        walked = Walked({})
        cursor, last_index, octets = column.oid, -1, 0
        while True:
            answer = await self._step(cursor)
            if answer.error_status == ErrorStatus.NO_SUCH_NAME:
                return walked  # so version 1 ends a walk
            if _is_error(answer):
                if cursor != column.oid:  # some devices have nothing but an error where others have nothing
                    self._bad("error_status")
                    walked.cut = Cut.ERROR
                return walked
            for varbind in answer.varbinds:
                index = _index(column, varbind)
                if index is None:
                    return walked
                if index <= last_index:
                    self._bad("order")
                    raise BadReply("the device walks its tables in circles: an object identifier does not increase")
                last_index, cursor = index, varbind.oid
                octets += len(varbind.content)
                if (cut := self._cut(len(walked.values), octets)) is not None:
                    walked.cut = cut
                    return walked
                if varbind.tag == column.tag:
                    walked.values[index] = varbind
                else:
                    self._bad("type")

    def _cut(self, rows: int, octets: int) -> Cut | None:
        """The limit that is met."""
        if rows >= self._limits.most_rows:
            return Cut.ROWS
        if octets > _MOST_OCTETS:
            return Cut.SIZE
        deadline_s = self._limits.deadline_s + self._turn.waited_s
        return Cut.TIME if loop_s() > deadline_s else None

    async def _step(self, cursor: bytes) -> Answer:
        """What follows `cursor`; an error only where the device has said so several times."""
        tries = _ERROR_TRIES
        while True:
            answer = await self._ask(cursor)
            if answer.error_status == ErrorStatus.TOO_BIG and self._repetitions > 1:
                self._repetitions //= 2
                continue
            tries -= 1
            if not _is_error(answer) or answer.error_status == ErrorStatus.NO_SUCH_NAME or not tries:
                return answer

    async def _ask(self, cursor: bytes) -> Answer:
        bulk = self._limits.operation is Operation.GET_BULK
        repetitions = self._repetitions if bulk else 0
        request = Request.of(self._limits.operation, (cursor,), repetitions)
        answer = await self._turn.ask(self._session, request, self._limits.wait())
        if len(answer.varbinds) > max(1, repetitions):
            self._bad("count")
            raise BadReply("an answer holds more objects than were asked for")
        return answer


def _is_error(answer: Answer) -> bool:
    return answer.error_status != 0 or not answer.varbinds


def _index(column: Column, varbind: VarBind) -> int | None:
    """The ifIndex of this object; None when it is beyond the column. A longer index than one number is none of IF-MIB."""
    if varbind.tag in MISSING or not varbind.oid.startswith(column.oid):
        return None
    try:
        tail = decode_index(varbind.oid[len(column.oid) :])
    except ValueError:
        return None
    return tail[0] if len(tail) == 1 else None
