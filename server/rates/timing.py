"""True time: when a device looked at its counters, from when we asked, when we heard, and its own clock."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.core.model import Chunk, Reading

NEVER = np.iinfo(np.int64).min
"""The time of a cell that no answer carried."""

_TICK_NS = 10_000_000  # device clocks count hundredths of a second
_TICKS = 2**32  # and wrap after 497 days
_DRIFT = 10_000  # a device's clock and ours part by at most 1 in 10,000 (100 ppm)
_OFF_NS = 30_000_000_000  # a device clock this far from the time that passed has begun anew, or is another's
_BACK_NS = 2 * _TICK_NS  # two readings of one clock may differ by a slot each


@dataclass(frozen=True, slots=True)
class Moment:
    """When an answer's values were true (CLOCK_BOOTTIME), and whether the device restarted since the answer before.

    `leap_s` is how far its clock is ahead of the time that passed where that is the sign of it: no restart, but another
    device or engine (a standby, say) that answers now. Else 0.
    """

    time_ns: int
    restarted: bool = False
    leap_s: float = 0.0


class DeviceClock:
    """Follows one device's clock.

    An answer was made between `sent` and `received`, and within the 10 ms for which the device's clock showed its ticks.
    The offset between the clocks is known only as a range; each answer narrows it, time widens it, a contradiction starts
    it anew. Both constraints together place an answer better than either alone.
    """

    def __init__(self) -> None:
        self._last: Chunk | None = None
        self._moved_ns = 0  # when the question was sent to which the clock first showed the ticks that it shows
        self._ticks = 0  # of the last answer, wraps undone
        self._low_ns = 0  # least and greatest offset: our time less the device's time
        self._high_ns = 0

    def place(self, chunk: Chunk) -> Moment:
        """Place one answer in time. Answers come in the order in which they were asked for."""
        sent_ns, received_ns = chunk.sent_ns, chunk.received_ns
        if chunk.device_ticks is None:
            return Moment((sent_ns + received_ns) // 2)
        restarted, leap_s = self._count(chunk, chunk.device_ticks)
        device_ns = self._ticks * _TICK_NS
        low_ns, high_ns = sent_ns - device_ns - _TICK_NS, received_ns - device_ns
        if self._last is not None and not restarted:
            drift_ns = max(sent_ns - self._last.sent_ns, 0) // _DRIFT
            narrowed = max(low_ns, self._low_ns - drift_ns), min(high_ns, self._high_ns + drift_ns)
            if narrowed[0] <= narrowed[1]:
                low_ns, high_ns = narrowed
        self._last, self._low_ns, self._high_ns = chunk, low_ns, high_ns
        earliest_ns = max(sent_ns, device_ns + low_ns)
        latest_ns = min(received_ns, device_ns + high_ns + _TICK_NS)
        return Moment((earliest_ns + latest_ns) // 2, restarted, leap_s)

    def _count(self, chunk: Chunk, ticks: int) -> tuple[bool, float]:
        """Take the new ticks, wraps undone. Returns `restarted` and `leap_s` as in `Moment`."""
        last = self._last
        if last is None or last.device_ticks is None:
            self._ticks, self._moved_ns = ticks, chunk.sent_ns
            return False, 0.0
        least_ns, most_ns = chunk.sent_ns - last.received_ns, chunk.received_ns - last.sent_ns
        expected = (least_ns + most_ns) // (2 * _TICK_NS)
        step = expected + (ticks - last.device_ticks - expected + _TICKS // 2) % _TICKS - _TICKS // 2
        step_ns = step * _TICK_NS
        behind = step_ns < least_ns - _OFF_NS or step_ns < min(0, least_ns) - _BACK_NS
        # A clock that stood still catches up with all the time since it last moved.
        could_ns = max(most_ns, chunk.received_ns - self._moved_ns)
        # A clock that stands still says nothing: a restart would hardly show the very same ticks.
        restarted = (behind or step_ns > could_ns + _OFF_NS) and ticks != last.device_ticks
        # A restart may seem a leap ahead, or a leap ahead a step back, if it is of more than half the clock's range.
        leap_ns = (ticks - last.device_ticks) * _TICK_NS - could_ns
        if ticks != last.device_ticks:
            self._moved_ns = chunk.sent_ns
        self._ticks = ticks if restarted else self._ticks + step
        return restarted, leap_ns / 1e9 if restarted and leap_ns > _OFF_NS else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """When each cell of a Reading was true: `times_ns` (columns, rows) of CLOCK_BOOTTIME, NEVER where nothing came.

    `up_s` is how long a device that `restarted` has been up, `leap_s` as in `Moment`. `reply_s` is how long the slowest
    answer took; `first_ns` the time of the first answer, and `middle_s` the mean of all. Without an answer both are None and
    `first_ns` NEVER.
    """

    times_ns: NDArray[np.int64]
    restarted: bool
    up_s: float
    leap_s: float
    reply_s: float | None
    first_ns: int
    middle_s: float | None


def moments(clock: DeviceClock, reading: Reading) -> Moments:
    """Place every cell of a Reading in time.

    What came before a restart within one Reading belongs to the device's former life and is treated as not carried.
    """
    times_ns = np.full(reading.values.shape, NEVER, dtype=np.int64)
    restarted, up_s, leap_s, reply_ns, placed_ns = False, 0.0, 0.0, 0, list[int]()
    for chunk in sorted(reading.chunks, key=_asked):
        moment = clock.place(chunk)
        if moment.restarted:
            times_ns.fill(NEVER)
            restarted, up_s, leap_s = True, (chunk.device_ticks or 0) / 100, moment.leap_s
        for column in chunk.columns:
            times_ns[column, chunk.rows] = moment.time_ns
        reply_ns = max(reply_ns, chunk.received_ns - chunk.sent_ns)
        placed_ns.append(moment.time_ns)
    if not placed_ns:
        return Moments(times_ns, restarted, up_s, leap_s, None, NEVER, None)
    middle_s = sum(placed_ns) / len(placed_ns) / 1e9
    return Moments(times_ns, restarted, up_s, leap_s, reply_ns / 1e9, min(placed_ns), middle_s)


def _asked(chunk: Chunk) -> int:
    return chunk.sent_ns
