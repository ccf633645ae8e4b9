"""pysnmp's own asynchronous polling as an engine: `get_cmd`, `next_cmd` and `bulk_cmd` of its high-level API.

Each device has an `SnmpEngine` of its own (40 ms in a thread, 0.9 MB), so that no credentials, clocks or answers mix. What
pysnmp leaves open is closed around it: a connected socket, deadlines and tries of our own, a limit of size and a guard
against floods, errors that its callbacks let out, and a clock that does not step.

What `session.py` keeps and this cannot:

- A value out of its type's range, or of a type that SNMP does not have, costs the whole answer, not its cell only: pysnmp
  refuses to decode the PDU. A device whose answers are all like that shows as `bad_replies`.
- A tick of 20 interfaces costs 6 ms of CPU (version 3: 7 ms), three to four times as much as with our own sockets.
- Each try is a request of its own. An answer to any of them is taken, but one that comes more than 60 s after its
  request is not known for late.
- What an answer lacks is told less exactly: a wrong version is `malformed`. An error-index beyond the varbinds is made the
  last of them.
- A device that sends broken version 3 messages is sent pysnmp's reports about them.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from pysnmp.error import PySnmpError
from pysnmp.proto.error import StatusInformation

from server.core.clock import boot_ns
from server.core.errors import AuthFailed, BadReply, NoAnswer, SourceError
from server.sources.snmp.engine import Owner, Schedule, Steering, Target, Wait
from server.sources.snmp.guard import Guard
from server.sources.snmp.message import Answer, Request
from server.sources.snmp.plan import MOST_VARBINDS, Plan
from server.sources.snmp.pysnmp_stack.objects import given
from server.sources.snmp.pysnmp_stack.security import anew_pause_s, name_of, overhead, words
from server.sources.snmp.pysnmp_stack.stack import Result, Stack
from server.sources.snmp.refusals import SILENT_REFUSAL, UNREADABLE, check_access, nothing_listens
from server.sources.snmp.rounds import AskingRounds
from server.sources.snmp.settings import SnmpV1V2, SnmpV3

_MOST_GIVEN_UP = 64  # requests without an answer that a late answer is still known to belong to
_REFUSED_ENGINE = ("unknownEngineID", "unknownUserName", "unknownSecurityName")


@dataclass(slots=True, eq=False)
class _Try:
    """One request of pysnmp's; `request_id` 0 until it was sent. `in_full`: sent with what version 3 has to learn first."""

    request_id: int = 0
    sent_ns: int = field(default_factory=boot_ns)
    received_ns: int = 0
    in_full: bool = False
    given_up: bool = False


class PysnmpSession:
    """Asks one device; a `Session`.

    Mutable state, changed between awaits only: `_stack` (None: to be made), `_opening` (what makes it: that may take longer
    than a tick, so it outlives who waits for it), `_starting` (the try that pysnmp is about to send), `_tries` (by
    request-id: those under way, and the newest that were given up), `_arrived_ns` (of the datagram that is being decoded),
    `_bad_answers` and `_refused` (counts), `_proven` (the device answered since the stack was made), `_denied` (it has
    become another SNMP engine), `_anew_ns` and `_times` (when, and how often, the stack was made anew).
    """

    def __init__(self, peer: tuple[str, int], credentials: SnmpV1V2 | SnmpV3, bad: Callable[[str], None]) -> None:
        self.late_reply_s: float | None = None
        self.overhead = overhead(credentials)
        self._peer = peer
        self._credentials = credentials
        self._bad = bad
        self._guard = Guard()
        self._stack: Stack | None = None
        self._opening: asyncio.Task[Stack] | None = None
        self._closed = False
        self._starting = _Try()
        self._tries: dict[int, _Try] = {}
        self._bad_answers = 0
        self._refused = 0
        self._proven = False
        self._denied = False
        self._anew_ns = 0
        self._times = 0
        self._arrived_ns = 0

    @classmethod
    async def open(cls, peer: tuple[str, int], credentials: SnmpV1V2 | SnmpV3, bad: Callable[[str], None]) -> PysnmpSession:
        """Raises NoAnswer when there is no way to that address."""
        session = cls(peer, credentials, bad)
        try:
            await session._ready()
        except BaseException:
            await session.close()
            raise
        return session

    async def close(self) -> None:
        """Returns when the socket is closed; who still waits for an answer gets none."""
        self._closed = True
        if self._opening is not None:
            await asyncio.wait((self._opening,))
        stack, self._stack = self._stack, None
        if stack is not None:
            await stack.close()

    async def ask(self, request: Request, wait: Wait) -> Answer:
        """The device's answer, whatever its error-status (but for a refused access). Ends by `wait.deadline_s`.

        Raises NoAnswer, AuthFailed, or BadReply when all that came was unusable.
        """
        loop = asyncio.get_running_loop()
        if loop.time() >= wait.deadline_s:
            raise NoAnswer("no answer")
        try:
            async with asyncio.timeout_at(wait.deadline_s):
                stack = await self._ready()
        except TimeoutError:
            raise NoAnswer("no answer") from None
        bad_before, refused_before = self._bad_answers, self._refused
        tries: list[_Try] = []
        tasks: set[asyncio.Task[Answer | SourceError | None]] = set()
        try:
            for _ in range(wait.tries):
                left_s = min(wait.try_s, wait.deadline_s - loop.time())
                if left_s <= 0:
                    break
                tries.append(_Try())
                tasks.add(loop.create_task(self._one(stack, request, tries[-1]), name=f"snmp request to {self._peer[0]}"))
                done, _ = await asyncio.wait(tasks, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
                tasks -= done
                for outcome in (task.result() for task in done):
                    if isinstance(outcome, SourceError):
                        raise outcome
                    if outcome is not None:
                        return outcome
        finally:
            await _cancel(tasks)
        if self._bad_answers > bad_before:
            raise BadReply(UNREADABLE)
        if self._refused > refused_before:
            raise nothing_listens(self._peer[1])
        least_ns = wait.try_s / 2 * 1e9
        if not self._proven and any(one.in_full and boot_ns() - one.sent_ns > least_ns for one in tries):
            raise AuthFailed(SILENT_REFUSAL)
        raise NoAnswer("no answer")

    async def _ready(self) -> Stack:
        """The stack; a new one where there is none, or where the device has become another SNMP engine."""
        if self._closed:
            raise NoAnswer("no answer")
        if self._opening is None:
            if self._stack is not None and not self._given_up():
                return self._stack
            self._opening = asyncio.create_task(self._made_anew(), name=f"pysnmp for {self._peer[0]}")
            self._opening.add_done_callback(self._opened)
        return await asyncio.shield(self._opening)

    def _given_up(self) -> bool:
        """Give the stack up where the device has become another SNMP engine, unless it was made a moment ago."""
        denied, self._denied = self._denied, False
        if not denied or boot_ns() - self._anew_ns < anew_pause_s(self._times) * 1e9:
            return False
        self._times, self._anew_ns = self._times + 1, boot_ns()
        return True

    async def _made_anew(self) -> Stack:
        stack, self._stack = self._stack, None
        if stack is not None:
            await stack.close()
        self._proven = False
        self._tries.clear()
        self._stack = await Stack.open(self._peer, self._credentials, self)
        return self._stack

    def _opened(self, opening: asyncio.Task[Stack]) -> None:
        self._opening = None
        if not opening.cancelled():
            opening.exception()  # who waited for it has it; nobody may have

    async def _one(self, stack: Stack, request: Request, one: _Try) -> Answer | SourceError | None:
        """One try; None when pysnmp gave it up."""
        # pysnmp runs without a pause from here to the sending, where `sent` learns the request-id.
        self._starting = one
        try:
            return self._answer(await stack.command(request), one)
        except StatusInformation as error:
            return AuthFailed(words(error.get("errorIndication")))
        except PySnmpError as error:
            return NoAnswer(f"pysnmp cannot send: {str(error)[:120]}")
        except SourceError as error:
            return error
        finally:
            self._end(one)

    def _answer(self, result: Result, one: _Try) -> Answer | SourceError | None:
        indication, status, index, varbinds = result
        if indication is not None:
            return self._failure(name_of(indication), words(indication))
        self._proven = True
        check_access(int(status))
        try:
            return Answer(one.sent_ns, one.received_ns, int(status), int(index), given(varbinds))
        except ValueError:
            return BadReply(UNREADABLE)

    def _failure(self, name: str, text: str) -> SourceError | None:
        if name == "requestTimedOut":
            return None
        if isinstance(self._credentials, SnmpV1V2) or name in ("badResponse", "emptyResponse"):
            return BadReply("the device answers with something else than was asked for")
        if name in _REFUSED_ENGINE and self._proven:
            self._denied = True
            return NoAnswer("no answer")
        return AuthFailed(text)

    def _end(self, one: _Try) -> None:
        """Its answer came, or will be late."""
        if one.received_ns or not one.request_id:
            self._tries.pop(one.request_id, None)
            return
        one.given_up = True
        given_up = [key for key, other in self._tries.items() if other.given_up]
        for key in itertools.islice(given_up, max(0, len(given_up) - _MOST_GIVEN_UP)):
            del self._tries[key]

    # Listener

    def sent(self, request_id: int) -> None:
        self._guard.sent()
        one = self._tries.get(request_id)
        if one is None:
            one = self._tries[request_id] = self._starting
            one.request_id = request_id
        one.sent_ns = boot_ns()
        one.in_full = isinstance(self._credentials, SnmpV3) and self._stack is not None and self._stack.knows_peer

    def received(self, datagram: bytes) -> None:
        if not self._tries or self._stack is None:
            return  # nothing was asked: not worth the cost of decoding
        self._arrived_ns = boot_ns()
        check = self._guard.refusal(datagram) or self._stack.decode(datagram)
        if check:
            # What pairs with nothing is a duplicate, or forged: it changes nothing.
            self._bad_answers += check != "unpaired"
            self._bad(check)

    def answered(self, request_id: int) -> bool:
        one = self._tries.get(request_id)
        if one is None:
            return False
        one.received_ns = self._arrived_ns
        if one.given_up:
            del self._tries[request_id]
            self.late_reply_s = (one.received_ns - one.sent_ns) / 1e9
        return True

    def refused(self) -> None:
        self._refused += 1

    def engine_denied(self) -> None:
        self._denied = self._denied or self._proven


async def _cancel(tasks: set[asyncio.Task[Answer | SourceError | None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


class PysnmpEngine:
    """pysnmp from end to end."""

    name = "pysnmp"
    most_varbinds = MOST_VARBINDS
    bulk = False

    async def open(self, peer: tuple[str, int], credentials: SnmpV1V2 | SnmpV3, bad: Callable[[str], None]) -> PysnmpSession:
        return await PysnmpSession.open(peer, credentials, bad)

    async def rounds(self, target: Target, plan: Plan, schedule: Schedule, steering: Steering, owner: Owner) -> AskingRounds:
        return AskingRounds(target, plan, schedule, steering, owner)
