"""The devices of the batch engine, as columns: when each is due, how its tick stands, what was last seen of its clock."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.core.model import Mask
from server.sources.snmp.batch.security import Security
from server.sources.snmp.batch.sheet import Sheet
from server.sources.snmp.engine import Owner, Schedule, Steering, Target
from server.sources.snmp.plan import Plan

Times = NDArray[np.int64]
NEVER = np.iinfo(np.int64).max
_FIRST_CAPACITY = 64
_LATER, _AMOUNT, _FLAG = (np.int64, NEVER), (np.int64, 0), (np.bool_, False)
_BLANK: dict[str, tuple[type[np.generic], int | bool]] = {
    **dict.fromkeys(("due", "slow_due", "began", "asked_at", "deadline", "resend"), _LATER),
    **dict.fromkeys(("interval", "slow_interval", "seen_ticks", "seen_sent", "seen"), _AMOUNT),
    **dict.fromkeys(("budget", "again", "quiet_until"), _AMOUNT),
    **dict.fromkeys(("tries_left", "open", "skipped", "tries", "at_once"), (np.int32, 0)),
    **dict.fromkeys(("slow", "heard"), _FLAG),
    "told": (np.bool_, True),
}
_EVER_S = 1e8


@dataclass(slots=True, eq=False)
class Lane:
    """One device, or one burst of it: what it is asked, where its answers are, and whom to tell.

    `stamps` (rows,) are the newest discontinuity times, where any row is `stamped`; they may belong to what was emitted.
    `oper` (rows,) is the newest ifOperStatus (None before the first slow tick), `last_change` ifTableLastChange. `wanted` is
    a plan that comes into force with the next tick.
    """

    number: int
    target: Target
    owner: Owner
    schedule: Schedule
    steering: Steering
    security: Security
    plan: Plan
    fast: Sheet
    whole: Sheet
    stamps: NDArray[np.uint64]
    stamped: bool
    oper: NDArray[np.uint64] | None = None
    last_change: int | None = None
    wanted: Plan | None = None
    unreadable: int = 0  # answers of this tick that failed a check

    @property
    def slots(self) -> NDArray[np.intp]:
        """All that it has."""
        return self.whole.slots


class Lanes:
    """(capacity,) columns by lane number. Times are CLOCK_BOOTTIME in ns, NEVER for none.

    `due`: when the next tick is to begin, every `interval`. Of the tick that is under way: `began` is when it was due,
    `asked_at` when it began, `deadline` and `resend` when it ends and when what was not answered is sent again, `open` how
    many answers are awaited, `slow` whether it has the slow columns. `slow_due`: when those are due, every `slow_interval`.

    `at_once`: how many requests may await an answer. `told`: the owner was told of the last tick; `skipped`: ticks left out
    since the last one. Where `heard`, `seen_ticks` is the device's clock, asked for at `seen_sent` and heard at `seen`.
    `budget`, `again` (time between tries), `tries` and `quiet_until` are the `Steering`.
    """

    due: Times
    interval: Times
    slow_due: Times
    slow_interval: Times
    began: Times
    asked_at: Times
    deadline: Times
    resend: Times
    tries_left: NDArray[np.int32]
    open: NDArray[np.int32]
    slow: Mask
    told: Mask
    skipped: NDArray[np.int32]
    at_once: NDArray[np.int32]
    heard: Mask
    seen_ticks: Times
    seen_sent: Times
    seen: Times
    budget: Times
    again: Times
    tries: NDArray[np.int32]
    quiet_until: Times

    def __init__(self) -> None:
        self._numbers = 0
        self._capacity = _FIRST_CAPACITY
        self._free: list[int] = []
        for name, (kind, blank) in _BLANK.items():
            setattr(self, name, np.full(self._capacity, blank, kind))

    def new(self) -> int:
        """The number of a lane that may be used; its columns are as at the beginning."""
        if not self._free:
            if self._numbers == self._capacity:
                self._grow()
            self._free.append(self._numbers)
            self._numbers += 1
        return self._free.pop()

    def drop(self, number: int) -> None:
        """The lane is used no more."""
        for name, (_, blank) in _BLANK.items():
            getattr(self, name)[number] = blank
        self._free.append(number)

    def steer(self, lane: Lane, now_ns: int, now_s: float) -> None:
        """How its next ticks go, as its owner said last. `now_ns` and `now_s` are one moment of CLOCK_BOOTTIME and of the
        event loop."""
        number, steering, schedule = lane.number, lane.steering, lane.schedule
        interval = round(schedule.interval_s * steering.stride * 1e9)
        if interval != self.interval[number]:
            # The grid stays: the next tick is the next point of the schedule that the new stride takes.
            grid = now_ns + round((schedule.first_s - now_s) * 1e9)
            self.due[number] = grid + max(0, -(-(now_ns - grid) // interval)) * interval
            self.interval[number] = interval
        self.at_once[number] = 1 if steering.probe else min(schedule.at_once, len(lane.slots))
        self.budget[number] = round(steering.budget_s * 1e9)
        self.tries[number] = steering.tries
        self.again[number] = round(steering.budget_s / steering.tries * 1e9)
        quiet_s = steering.quiet_until_s - now_s
        self.quiet_until[number] = NEVER if quiet_s > _EVER_S else now_ns + round(max(quiet_s, 0.0) * 1e9)

    def _grow(self) -> None:
        for name, (kind, blank) in _BLANK.items():
            setattr(self, name, np.concatenate([getattr(self, name), np.full(self._capacity, blank, kind)]))
        self._capacity *= 2
