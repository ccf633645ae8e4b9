"""Finds a device's interfaces: walks ifTable and ifXTable (RFC 2863), and makes the Table."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from server.core.errors import BadReply, NoAnswer
from server.core.model import Chunk, Mask, MetricKind, Row, Table
from server.sources.snmp import mib
from server.sources.snmp.alias import parse_alias
from server.sources.snmp.engine import Session, Wait
from server.sources.snmp.filters import Candidate, accepts
from server.sources.snmp.iftypes import type_name
from server.sources.snmp.message import Operation, Request
from server.sources.snmp.settings import InterfaceFilter
from server.sources.snmp.text import clean
from server.sources.snmp.turns import Turn
from server.sources.snmp.walk import AnswersLost, Cut, Limits, Walked, Walker
from server.sources.snmp.wire import Tag, VarBind

_AT_ONCE = 2  # walks of one device
_ALWAYS = (
    mib.IF_NAME,
    mib.IF_DESCR,
    mib.IF_TYPE,
    mib.IF_ADMIN_STATUS,
    mib.IF_OPER_STATUS,
    mib.IF_ALIAS,
    mib.IF_HIGH_SPEED,
    mib.IF_COUNTER_DISCONTINUITY_TIME,
)
_NEEDED = (mib.IF_NAME, mib.IF_DESCR, *(column for source in mib.FAST_SOURCES for column in (source.wide, source.narrow)))
_SEEN_AT_A_GLANCE = (mib.IF_NAME, mib.IF_ALIAS, mib.IF_HIGH_SPEED)
_Columns = dict[mib.Column, Walked]
_CUT_WORDS = {
    Cut.ROWS: "truncated at {:,} interfaces",
    Cut.TIME: "cut short: the device took too long to read its tables",
    Cut.SIZE: "cut short: a column of its tables is too large",
    Cut.ERROR: "incomplete: the device breaks off in the middle of a column, with an error",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the Table is for: the device's name, the interfaces that are polled, and how often they are."""

    device: str
    interfaces: InterfaceFilter
    interval_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Discovered:
    """`stamped` (rows,): has ifCounterDiscontinuityTime. `found` is how many interfaces there were before the filter.

    `last_change` is ifTableLastChange before the first of them was read (TimeTicks; None where there is none), `clock` the
    device's clock before that; no cells. `glance` stands for what `glance` would see. `names` are the objects that named
    the rows, for `still_named`.
    """

    table: Table
    stamped: Mask
    last_change: int | None
    found: int
    clock: Chunk
    glance: int
    names: tuple[VarBind, ...]

    @property
    def has_last_change(self) -> bool:
        return self.last_change is not None

    def same_as(self, other: Discovered) -> bool:
        """Nothing differs that a reader of the table or the poller would notice."""
        mine, its = self.table, other.table
        return (
            (mine.rows, mine.facts, mine.note) == (its.rows, its.facts, its.note)
            and np.array_equal(mine.counter_bits, its.counter_bits)
            and np.array_equal(self.stamped, other.stamped)
            and (self.has_last_change, self.found) == (other.has_last_change, other.found)
        )


async def discover(
    wanted: Wanted, session: Session, limits: Limits, bad: Callable[[str], None], places: asyncio.Semaphore | None = None
) -> Discovered:
    """Read the system group and the tables. The Table has version 0. A device that answers takes turns with others at
    these `places`; its time does not run while it waits for one.

    Raises what `Session.ask` raises, BadReply, and AnswersLost where the device had answered before.
    """
    clock = await _clock(session, limits.first_wait())
    turn = Turn(places)
    try:
        return await _read(wanted, Walker(session, limits, bad, turn), limits, clock)
    except NoAnswer:
        raise AnswersLost from None
    finally:
        turn.end()


async def _clock(session: Session, wait: Wait) -> Chunk:
    answer = await session.ask(Request.of(Operation.GET, (mib.SYS_UP_TIME,)), wait)
    ticks = next((varbind.number(Tag.TIME_TICKS) for varbind in answer.varbinds if varbind.oid == mib.SYS_UP_TIME), None)
    return Chunk(answer.sent_ns, answer.received_ns, ticks, (), np.zeros(0, np.uint32))


async def _read(wanted: Wanted, walker: Walker, limits: Limits, clock: Chunk) -> Discovered:
    facts, last_change = await _facts(walker)
    columns = await _walk(walker, _ALWAYS)
    wide = limits.operation is not Operation.GET_NEXT  # version 1 has no Counter64
    columns |= await _walk(walker, [source.wide for source in mib.SOURCES if wide and source.wide is not None])
    indexes = sorted(set().union(*(walked.values for walked in columns.values())))
    columns |= await _walk(walker, _fallbacks(columns, indexes))
    if any(walked.cut is Cut.ERROR for column, walked in columns.items() if column in _NEEDED):
        raise BadReply("its interfaces could not be read: the device breaks off in the middle of a table, with an error")
    cuts = {walked.cut for walked in columns.values()} | ({Cut.ROWS} if len(indexes) > limits.most_rows else set())
    rows = _rows(columns, indexes[: limits.most_rows], wanted.interfaces)
    bits = np.array([[_bits(source, columns, row.index) for row in rows] for source in mib.SOURCES], np.uint8)
    bits = bits.reshape(len(mib.SOURCES), len(rows))
    notes = _notes(columns, bits, wanted.interval_s)
    notes += [words.format(limits.most_rows) for cut, words in _CUT_WORDS.items() if cut in cuts]
    stamps = columns[mib.IF_COUNTER_DISCONTINUITY_TIME].values
    return Discovered(
        Table(wanted.device, 0, rows, mib.METRICS, bits, facts, "; ".join(notes)),
        np.array([row.index in stamps for row in rows], np.bool_),
        last_change,
        len(indexes),
        clock,
        _glance(columns),
        tuple(varbind for row in rows if (varbind := _named_by(columns, row.index)) is not None),
    )


async def glance(session: Session, limits: Limits, bad: Callable[[str], None], places: asyncio.Semaphore) -> int:
    """A number that changes with the names, aliases and speeds of the interfaces: a sixth of what `discover` reads.

    Takes turns, and raises, as `discover` does.
    """
    turn = Turn(places)
    try:
        return _glance(await _walk(Walker(session, limits, bad, turn), _SEEN_AT_A_GLANCE))
    finally:
        turn.end()


def _glance(columns: _Columns) -> int:
    seen = (columns[column].values for column in _SEEN_AT_A_GLANCE)
    return hash(tuple((index, varbind.content) for values in seen for index, varbind in sorted(values.items())))


async def _facts(walker: Walker) -> tuple[tuple[tuple[str, str], ...], int | None]:
    """The device's own words, and its ifTableLastChange. One object a request: version 1 fails as a whole."""
    facts: list[tuple[str, str]] = []
    for name, oid in mib.SYSTEM_FACTS:
        varbind = await walker.get(oid)
        if varbind is not None and varbind.tag == Tag.OCTET_STRING:
            facts.append((name, clean(varbind.content)))
    last_change = await walker.get(mib.IF_TABLE_LAST_CHANGE)
    return tuple(facts), last_change.number(Tag.TIME_TICKS) if last_change is not None else None


async def _walk(walker: Walker, columns: Iterable[mib.Column]) -> _Columns:
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(column: mib.Column) -> tuple[mib.Column, Walked]:
        async with gate:
            return column, await walker.column(column)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(column)) for column in dict.fromkeys(columns)]
    except ExceptionGroup as group_error:
        raise group_error.exceptions[0] from None
    return dict(task.result() for task in tasks)


def _fallbacks(columns: _Columns, indexes: list[int]) -> list[mib.Column]:
    """The 32-bit columns that are needed: where some row lacks the 64-bit one, not where that is zero."""
    wanted = [
        source.narrow
        for source in mib.SOURCES
        if source.narrow not in columns and any(index not in _values(columns, source.wide) for index in indexes)
    ]
    speeds = columns[mib.IF_HIGH_SPEED].values
    if any(not _number(speeds.get(index), mib.IF_HIGH_SPEED) for index in indexes):
        wanted.append(mib.IF_SPEED)
    return wanted


def _values(columns: _Columns, column: mib.Column | None) -> dict[int, VarBind]:
    walked = columns.get(column) if column is not None else None
    return walked.values if walked is not None else {}


def _number(varbind: VarBind | None, column: mib.Column) -> int | None:
    return varbind.number(column.tag) if varbind is not None else None


def _text(varbind: VarBind | None) -> str:
    return clean(varbind.content) if varbind is not None else ""


def _bits(source: mib.Source, columns: _Columns, index: int) -> int:
    if source.metric.kind is MetricKind.STATE:
        return 0
    for column in (source.wide, source.narrow):
        if column is not None and index in _values(columns, column):
            return column.counter_bits
    return 0


def _rows(columns: _Columns, indexes: list[int], chosen: InterfaceFilter) -> tuple[Row, ...]:
    def number(column: mib.Column, index: int) -> int | None:
        return _number(_values(columns, column).get(index), column)

    def text(column: mib.Column, index: int) -> str:
        return _text(_values(columns, column).get(index))

    rows: list[Row] = []
    for index in indexes:
        description, alias = text(mib.IF_DESCR, index), text(mib.IF_ALIAS, index)
        name = _text(_named_by(columns, index)) or f"if{index}"
        if_type = number(mib.IF_TYPE, index)
        states = number(mib.IF_ADMIN_STATUS, index), number(mib.IF_OPER_STATUS, index)
        if not accepts(chosen, Candidate(name, alias, if_type, *states)):
            continue
        megabits, bits = number(mib.IF_HIGH_SPEED, index) or 0, number(mib.IF_SPEED, index) or 0
        speed_bps = megabits * 1_000_000 or (0 if bits == mib.IF_SPEED_UNKNOWN else bits)
        role, circuit = parse_alias(alias)
        rows.append(Row(name, index, alias, description, type_name(if_type), role, circuit, speed_bps))
    return _told_apart(rows)


def _named_by(columns: _Columns, index: int) -> VarBind | None:
    """The object that gave the row of this ifIndex its name; None where the name is only the index."""
    named = (_values(columns, column).get(index) for column in (mib.IF_NAME, mib.IF_DESCR))
    return next((varbind for varbind in named if _text(varbind)), None)


def _told_apart(rows: list[Row]) -> tuple[Row, ...]:
    """Rows of one name are told apart by name plus index, until no two are alike."""
    while True:
        twice = {name for name, count in Counter(row.name for row in rows).items() if count > 1}
        if not twice:
            return tuple(rows)
        rows = [replace(row, name=f"{row.name}#{row.index}", ambiguous=True) if row.name in twice else row for row in rows]


def _notes(columns: _Columns, bits: np.ndarray[tuple[int, int], np.dtype[np.uint8]], interval_s: float) -> list[str]:
    octets = bits[: len(mib.FAST_SOURCES)]
    narrow = int(np.count_nonzero((octets == 32).any(axis=0)))
    if not narrow:
        return []
    # One wrap between two polls can be told; a second one cannot.
    limit = 2**32 * 8 / interval_s / 1e6
    warning = f"above {limit:,.0f} Mb/s a 32-bit counter can wrap twice between polls of {interval_s:g} s"
    if narrow == octets.shape[1] and not any(columns[column].values for column in (mib.IF_NAME, mib.IF_HIGH_SPEED)):
        return [f"no ifXTable: 32-bit counters; {warning}"]
    return [f"{narrow} of {octets.shape[1]} interfaces have 32-bit counters only; {warning}"]
