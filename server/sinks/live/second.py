"""What all followers of the summary share of one second, encoded once: totals, device lines, movers, and each shown row."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field

import msgspec

from server.sinks.live import attention
from server.sinks.live.attention import Rank
from server.sinks.live.board import Survey, status_name, survey
from server.sinks.live.fleet import Fleet
from server.sinks.live.lines import written
from server.sinks.live.messages import SummaryRow
from server.sinks.live.movers import movers
from server.sinks.live.roster import Member
from server.sinks.live.selection import WHOLE_DEVICE
from server.sinks.live.shapes import numbers, optional
from server.sinks.live.sums import sums

_encoder = msgspec.json.Encoder()

Place = tuple[int, int]  # the number of a device, and a row of the survey or WHOLE_DEVICE


@dataclass(frozen=True, slots=True, eq=False)
class Second:
    """One survey and its messages' shared parts. `bodies` are the rows that somebody has asked for, without sparks."""

    survey: Survey
    totals: msgspec.Raw
    devices: msgspec.Raw
    movers: msgspec.Raw
    members: dict[int, Member]
    bodies: dict[Place, tuple[SummaryRow, msgspec.Raw]] = field(default_factory=dict)
    with_sparks: dict[tuple[Place, int], msgspec.Raw] = field(default_factory=dict)

    def row(self, place: Place) -> tuple[SummaryRow, msgspec.Raw]:
        """A row without its sparks, and how it is written."""
        made = self.bodies.get(place)
        if made is None:
            member, row = self.members[place[0]], place[1]
            body = _whole_device(self.survey, member) if row == WHOLE_DEVICE else _row(self.survey, member, row)
            made = self.bodies[place] = body, msgspec.Raw(_encoder.encode(body))
        return made

    def row_with_sparks(self, place: Place, fleet: Fleet, slot: int) -> msgspec.Raw:
        """The same with its sparks up to a slot, which are still those of this row."""
        written = self.with_sparks.get((place, slot))
        if written is None:
            means = fleet.sparks.row(*place)
            body = msgspec.structs.replace(self.row(place)[0], spark_in=numbers(means[0]), spark_out=numbers(means[1]))
            written = self.with_sparks[place, slot] = msgspec.Raw(_encoder.encode(body))
        return written


def make(fleet: Fleet, now_s: float, heads: dict[Member, bytes]) -> Generator[None, None, Second]:
    """A second, in pieces that each hold the loop for some milliseconds: others may have their turn between them.

    `heads` is kept from second to second: see `lines.written`.
    """
    fleet.settle()
    roster = fleet.roster
    found = survey(fleet, sums(roster.rows, roster.devices, roster.used_rows, now_s), now_s)
    was_bps = fleet.sparks.before(found.rows.owner)
    yield
    moved = movers(found, was_bps)
    yield
    lines = list[bytes]()
    for some in written(found, heads):
        lines.append(some)
        yield
    if len(heads) > len(found.members):
        for member in heads.keys() - set(found.members):
            del heads[member]
    return Second(
        survey=found,
        totals=msgspec.Raw(_encoder.encode(found.totals)),
        devices=msgspec.Raw(b"[" + b",".join(lines) + b"]"),
        movers=msgspec.Raw(_encoder.encode(moved)),
        members={member.number: member for member in found.members},
    )


def _row(found: Survey, member: Member, row: int) -> SummaryRow:
    rows, table = found.rows, member.table
    if table is None:
        raise LookupError("a device without a table has no rows")
    facts, quality, age_s = table.rows[int(rows.place[row])], int(rows.quality[row]), found.age_s(member)
    in_percent, out_percent = optional(float(rows.in_percent[row])), optional(float(rows.out_percent[row]))
    why = attention.words(
        int(rows.rank[row]),
        switched_off=status_name(found, table, 1, row) == "down",
        in_is_busier=(in_percent or 0) >= (out_percent or 0),
        errors_per_s=float(rows.errors_per_s[row]),
        age_s=age_s,
        quality=quality,
    )
    return SummaryRow(
        device=table.device,
        name=facts.name,
        alias=facts.alias,
        role=facts.role,
        circuit=facts.circuit,
        speed_bps=facts.speed_bps,
        oper_status=status_name(found, table, 0, row),
        in_bps=optional(float(rows.in_bps[row])),
        out_bps=optional(float(rows.out_bps[row])),
        in_percent=in_percent,
        out_percent=out_percent,
        age_s=age_s,
        quality=quality,
        attention=why,
    )


def _whole_device(found: Survey, member: Member) -> SummaryRow:
    """A device that does not answer is one row, not one for each of its interfaces."""
    rank = Rank.NO_DATA if found.devices.silent[member.number] else Rank.LATE
    age_s, interfaces = found.age_s(member), len(member.table.rows) if member.table else 0
    return SummaryRow(
        device=member.status.device,
        name="",
        alias=f"{member.status.reason or 'not answering'}; {interfaces} interfaces",
        role="",
        circuit="",
        speed_bps=0,
        oper_status=None,
        in_bps=None,
        out_bps=None,
        in_percent=None,
        out_percent=None,
        age_s=age_s,
        quality=0,
        attention=attention.words(rank, switched_off=False, in_is_busier=True, errors_per_s=0, age_s=age_s, quality=0),
        whole_device=True,
    )
