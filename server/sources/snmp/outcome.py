"""What one tick of one device brought, whichever engine asked."""

from __future__ import annotations

from dataclasses import dataclass, field

from server.core.clock import boot_ns, wall_s
from server.core.errors import AuthFailed, BadReply, NoAnswer, SourceError
from server.core.model import Chunk, Reading
from server.sources.snmp.plan import Plan, Values

_LEAST_VARBINDS = 3  # of one PDU: sysUpTime and two values
_GRAVITY: list[type[SourceError]] = [NoAnswer, BadReply, AuthFailed]


@dataclass(frozen=True, slots=True)
class Quiet:
    """The ticks before this one of which nothing had to be told: the newest answer, and when the last of them ended.

    `answered_s` is on the event loop's clock.
    """

    chunk: Chunk
    answered_s: float


@dataclass(slots=True, eq=False)
class Outcome:
    """What a tick brought. `error` is the gravest of its failures; None when every PDU was answered well.

    `complete`: every PDU of the fast columns was answered. `missing`: the device no longer has an object of a fast column.
    `too_big`: it refused a PDU for its size. `disordered`: it answered GETBULK with other objects. `lacking`: the object
    that version 1 refused. `slow`: the slow columns were due. `late_s`: how long after its time the tick began.
    `late_reply_s`: how old an answer was that came after its request had been given up. `skipped` ticks before it were left
    out. `quiet`: the ticks since the last that was told. `unsynchronised`: the device wants that first (`Rounds`).
    `trusted`: the rows are those that the table says, and the owner says whether they are.
    """

    plan: Plan
    metrics: tuple[int, ...]
    values: Values
    interval_s: float
    slow: bool = False
    chunks: list[Chunk] = field(default_factory=list)
    error: SourceError | None = None
    complete: bool = True
    missing: bool = False
    too_big: bool = False
    disordered: bool = False
    lacking: bytes | None = None
    late_s: float = 0.0
    late_reply_s: float | None = None
    skipped: int = 0
    quiet: Quiet | None = None
    unsynchronised: bool = False
    trusted: bool = True

    @property
    def reply_s(self) -> float:
        """How long the slowest answer took; 0 without one."""
        return max((chunk.received_ns - chunk.sent_ns for chunk in self.chunks), default=0) / 1e9

    def note(self, error: SourceError) -> None:
        """Keep the gravest."""
        if self.error is None or _GRAVITY.index(type(error)) > _GRAVITY.index(type(self.error)):
            self.error = error

    @property
    def always_too_big(self) -> bool:
        """It refused a PDU for its size that cannot be made smaller."""
        return self.too_big and self.plan.shape.most_varbinds <= _LEAST_VARBINDS

    def better_plan(self) -> Plan | None:
        """What the device can answer, where it has shown that it cannot answer this."""
        if self.too_big and not self.always_too_big:
            return self.plan.halved()
        if self.disordered:
            return self.plan.one_by_one()
        return self.plan.without(self.lacking) if self.lacking is not None else None

    def reading(self) -> Reading:
        """Every cell is invalid where it is not `trusted`."""
        if not self.trusted:
            self.values.valid[:] = False
        stamps = self.values.discontinuity.copy() if self.plan.stamped.any() else None
        chunks = tuple(sorted(self.chunks, key=lambda chunk: chunk.sent_ns))
        values = self.values.values, self.values.valid
        return Reading(self.plan.table, chunks, self._wall_s(), self.metrics, *values, self.interval_s, stamps)

    def _wall_s(self) -> float:
        """When the last answer came; now, without one."""
        if not self.chunks:
            return wall_s()
        return wall_s() - (boot_ns() - max(chunk.received_ns for chunk in self.chunks)) / 1e9
