"""True time: when a device looked at its counters, from when we asked, when we heard, and its own clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.core.blocks import NO_TICKS, Readings
from server.core.model import Floats
from server.rates.segments import Segments

NEVER = np.iinfo(np.int64).min
"""The time of a cell that no answer carried."""

_TICK_NS = 10_000_000  # device clocks count hundredths of a second
_TICKS = 2**32  # and wrap after 497 days
_HALF = _TICKS // 2
_DRIFT = 10_000  # a device's clock and ours part by at most 1 in 10,000 (100 ppm)
_OFF_NS = 30_000_000_000  # a device clock this far from the time that passed has begun anew, or is another's
_BACK_NS = 2 * _TICK_NS  # two readings of one clock may differ by a slot each


class DeviceClock:
    """Follows one device's clock.

    An answer was made between `sent` and `received`, and within the 10 ms for which the device's clock showed its ticks.
    The offset between the clocks is known only as a range; each answer narrows it, time widens it, a contradiction starts
    it anew. Both constraints together place an answer better than either alone.

    `restarted`: the device restarted between the last two answers. `leap_s` is how far its clock is ahead of the time that
    passed where that is the sign of it: no restart, but another device or engine (a standby, say) that answers now. Else 0.
    """

    __slots__ = ("_high_ns", "_low_ns", "_moved_ns", "_received_ns", "_sent_ns", "_shown", "_ticks", "leap_s", "restarted")

    def __init__(self) -> None:
        self.restarted = False
        self.leap_s = 0.0
        self._shown = NO_TICKS  # what the last answer that had a clock showed; the others are of that answer too
        self._sent_ns = 0
        self._received_ns = 0
        self._moved_ns = 0  # when the question was sent to which the clock first showed the ticks that it shows
        self._ticks = 0  # wraps undone
        self._low_ns = 0  # least and greatest offset: our time less the device's time
        self._high_ns = 0

    def place(self, sent_ns: int, received_ns: int, ticks: int) -> int:
        """When an answer's values were true (CLOCK_BOOTTIME). Answers come in the order in which they were asked for.

        `ticks` is the device's clock, NO_TICKS for none.
        """
        self.restarted = False
        if ticks == NO_TICKS:
            return (sent_ns + received_ns) // 2
        anew = self._shown == NO_TICKS
        if anew:
            self._ticks, self._moved_ns = ticks, sent_ns
        else:
            self._count(sent_ns, received_ns, ticks)
            anew = self.restarted
        device_ns = self._ticks * _TICK_NS
        low_ns, high_ns = sent_ns - device_ns - _TICK_NS, received_ns - device_ns
        if not anew:
            passed_ns = sent_ns - self._sent_ns
            drift_ns = passed_ns // _DRIFT if passed_ns > 0 else 0
            least_ns, most_ns = self._low_ns - drift_ns, self._high_ns + drift_ns
            least_ns = max(least_ns, low_ns)
            most_ns = min(most_ns, high_ns)
            if least_ns <= most_ns:
                low_ns, high_ns = least_ns, most_ns
        self._shown, self._sent_ns, self._received_ns = ticks, sent_ns, received_ns
        self._low_ns, self._high_ns = low_ns, high_ns
        earliest_ns, latest_ns = device_ns + low_ns, device_ns + high_ns + _TICK_NS
        earliest_ns = max(earliest_ns, sent_ns)
        latest_ns = min(latest_ns, received_ns)
        return (earliest_ns + latest_ns) // 2

    def _count(self, sent_ns: int, received_ns: int, ticks: int) -> None:
        """Take the new ticks, wraps undone; judge `restarted` and `leap_s`."""
        least_ns, most_ns = sent_ns - self._received_ns, received_ns - self._sent_ns
        expected = (least_ns + most_ns) // (2 * _TICK_NS)
        passed = ticks - self._shown
        step = expected + (passed - expected + _HALF) % _TICKS - _HALF
        if passed == 0:  # a clock that stands still says nothing: a restart would hardly show the very same ticks
            self._ticks += step
            return
        step_ns = step * _TICK_NS
        # A clock that stood still catches up with all the time since it last moved.
        could_ns = max(most_ns, received_ns - self._moved_ns)
        self._moved_ns = sent_ns
        behind = step_ns < least_ns - _OFF_NS or step_ns < min(0, least_ns) - _BACK_NS
        if not behind and step_ns <= could_ns + _OFF_NS:
            self._ticks += step
            return
        # A restart may seem a leap ahead, or a leap ahead a step back, if it is of more than half the clock's range.
        leap_ns = passed * _TICK_NS - could_ns
        self.restarted, self._ticks = True, ticks
        self.leap_s = leap_ns / 1e9 if leap_ns > _OFF_NS else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Restart:
    """A device restarted, and has been up for `up_s`; `leap_s` as in `DeviceClock`."""

    up_s: float
    leap_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """When each cell of a block was true: `times_ns` (columns, rows) of CLOCK_BOOTTIME, NEVER where nothing came.

    `restarts` by device. Of each device: `reply_s` is how long the slowest answer took, `first_ns` the time of the first
    one, and `middle_s` the mean of all. Without an answer these are NaN, and `first_ns` NEVER.
    """

    times_ns: NDArray[np.int64]
    restarts: dict[int, Restart]
    reply_s: Floats
    first_ns: NDArray[np.int64]
    middle_s: Floats


def moments(clocks: Sequence[DeviceClock], readings: Readings, answered: Segments) -> Moments:
    """Place every cell of a block in time, by its devices' clocks. `answered` are the answers of each device.

    What came before a restart within one tick belongs to the device's former life and is treated as not carried.
    """
    chunks, placed_ns = readings.chunks, list[int]()
    owners, restarts, lost = chunks.device.tolist(), dict[int, Restart](), list[int]()
    answers = zip(owners, chunks.sent_ns.tolist(), chunks.received_ns.tolist(), chunks.device_ticks.tolist(), strict=True)
    for device, sent_ns, received_ns, ticks in answers:
        clock = clocks[device]
        placed_ns.append(clock.place(sent_ns, received_ns, ticks))
        if clock.restarted:
            restarts[device] = Restart(ticks / 100, clock.leap_s)
            lost += [number for number in range(len(placed_ns) - 1) if owners[number] == device]
    times_ns = np.array([*placed_ns, NEVER], dtype=np.int64)  # NOT_CARRIED is the last of them
    first_ns = answered.reduce(np.minimum, times_ns[:-1], NEVER)
    total_ns = answered.reduce(np.add, times_ns[:-1].astype(np.float64), np.nan)
    reply_ns = answered.reduce(np.maximum, (chunks.received_ns - chunks.sent_ns).astype(np.float64), np.nan)
    middle_s = total_ns / np.maximum(answered.widths, 1) / 1e9
    if lost:
        times_ns[lost] = NEVER
    return Moments(times_ns[chunks.carried], restarts, reply_ns / 1e9, first_ns, middle_s)
