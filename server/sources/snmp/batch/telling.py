"""A tick of one lane, told as any engine tells it: for its owner, when it is not as usual."""

from __future__ import annotations

import numpy as np

from server.core.errors import BadReply, NoAnswer, SourceError
from server.core.model import Chunk, Mask
from server.sources.snmp.batch.lanes import Lane, Lanes
from server.sources.snmp.batch.security import Community
from server.sources.snmp.batch.slots import Slots
from server.sources.snmp.message import ErrorStatus
from server.sources.snmp.outcome import Outcome, Quiet
from server.sources.snmp.plan import Ask, Values
from server.sources.snmp.refusals import UNREADABLE, check_access

_TOO_BIG = "the device calls the answer too big"
_LACKS = "the device lacks an object"


def outcome(lane: Lane, lanes: Lanes, slots: Slots, came: Mask, *, slow: bool, quiet_s: float | None) -> Outcome:
    """What the lane's tick brought. `came` (slots,): an answer to this tick's request came.

    `quiet_s` (event loop's clock): when the last of the ticks that were not told was answered; None where there is none.
    """
    plan, sheet = lane.plan, lane.whole if slow else lane.fast
    values = slots.values[sheet.slot, sheet.place]
    valid = slots.valid[sheet.slot, sheet.place] & came[sheet.slot]
    stamped = slots.valid[sheet.stamp_slot, sheet.stamp_place] & came[sheet.stamp_slot]
    lane.stamps = lane.stamps.copy()
    lane.stamps[stamped] = slots.values[sheet.stamp_slot, sheet.stamp_place][stamped]
    found = Values({metric: at for at, metric in enumerate(sheet.columns)}, values, valid, lane.stamps)
    if sheet.last_change is not None and came[sheet.last_change[0]] and slots.valid[sheet.last_change]:
        found.last_change = lane.last_change = int(slots.values[sheet.last_change])
    number = lane.number
    told = Outcome(
        plan,
        sheet.columns,
        found,
        interval_s=int(lanes.interval[number]) / 1e9,
        slow=slow,
        late_s=max(0, int(lanes.asked_at[number] - lanes.began[number])) / 1e9,
        skipped=int(lanes.skipped[number]),
    )
    if quiet_s is not None:
        heard = int(lanes.seen_sent[number]), int(lanes.seen[number]), int(lanes.seen_ticks[number])
        told.quiet = Quiet(Chunk(*heard, (), np.zeros(0, np.uint32)), quiet_s)
    asks = plan.fast + (plan.slow if slow else ())
    for ask, slot in zip(asks, sheet.slots.tolist(), strict=True):
        if came[slot]:
            _take(ask, slot, slots, told)
        else:
            told.complete = told.complete and ask not in plan.fast
            told.note(BadReply(UNREADABLE) if lane.unreadable else NoAnswer("no answer"))
            # Of version 3, another clock or engine than is known makes every answer look wrong.
            told.unsynchronised |= lane.unreadable > 0 and not isinstance(lane.security, Community)
    late_s = slots.late_s[lane.slots]
    if not np.isnan(late_s).all():
        told.late_reply_s = float(np.nanmax(late_s))
        slots.late_s[lane.slots] = np.nan
    return told


def _take(ask: Ask, slot: int, slots: Slots, told: Outcome) -> None:
    try:
        _check(ask, slot, slots, told)
    except SourceError as error:
        told.complete = told.complete and ask not in told.plan.fast
        told.note(error)
        return
    fast = ask in told.plan.fast
    told.missing = told.missing or (fast and bool(slots.missing[slot]))
    told.disordered = told.disordered or bool(slots.disordered[slot])
    columns = tuple(told.values.position[metric] for metric in ask.metrics)
    ticks = int(slots.values[slot, 0]) if slots.valid[slot, 0] else None
    rows = ask.rows if columns else np.zeros(0, np.uint32)
    told.chunks.append(Chunk(int(slots.sent_ns[slot]), int(slots.received_ns[slot]), ticks, columns, rows))


def _check(ask: Ask, slot: int, slots: Slots, told: Outcome) -> None:
    """Raises what is wrong with the answer, as `Outcome.error` has it."""
    if slots.reported[slot]:
        told.unsynchronised = True
        raise NoAnswer("the device wants to be synchronised with again")
    status, index = int(slots.error_status[slot]), int(slots.error_index[slot])
    if status == ErrorStatus.TOO_BIG:
        told.too_big = True
        raise NoAnswer(_TOO_BIG)
    if status == ErrorStatus.NO_SUCH_NAME and 2 <= index <= len(ask.cells) + 1:
        told.lacking = ask.cells[index - 2].oid
        told.missing = told.missing or ask in told.plan.fast
        raise NoAnswer(_LACKS)
    check_access(status)
    if status:
        raise BadReply(f"the device answers with error-status {status}")
