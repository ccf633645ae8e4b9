"""The refresh detector: does a device refresh its counters more slowly than it is asked, and how often?

Many agents do (every 3 to 15 s). Plain rates of such counters read 0, 0, triple. A poll at which counters grew is *fresh*:
the device refreshed them since the poll before. Each fresh poll bounds the moment of one refresh, `at_s - gap_s` to `at_s`;
a straight line through those moments gives the period far better than any one spacing.

One `Cadence` stands for counters that are refreshed together: a whole device now. It knows no counters, only moments.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from enum import Enum

from server.rates.period import Line, Refresh, fit, is_regular, strays

_SLOW_POLLS_S = 10.0  # with polls slower than this there is no waiting for a cadence at the start
_LEARN_S, _LEARN_POLLS = 15.0, 8  # how long the start may take
_LEARN_MOST_S = 90.0  # when a pattern shows but is not yet proved
_LEARN_GAP = 2.5  # polls: longer without an answer, and more than one refresh may have come at once
_QUICK = 4  # spacings that prove a cadence at the start, or later a slow one of many counters that step together
_MANY_COUNTERS = 6
_TOGETHER = 2  # one counter alone may be a regular sender
_WINDOW = 60
_PROOF_OF_NEW = 12  # spacings that outweigh a period known from before a pause
_NEAR = 1.05  # tolerance when a spacing is compared with the period
_MISFITS, _OF_LAST = 3, 6  # spacings that contradict the period, of the last ones: it has changed
_FAST_PROOF = 8  # spacings through which a line must pass, lest a fast cadence be a chance pattern


class Mode(Enum):
    LEARNING = "learning"  # no fast rate is shown yet
    PER_TICK = "per_tick"  # plain rates
    CADENCE = "cadence"  # means over refresh periods


class Silence(Enum):
    """What the time since the last refresh says of a counter that has not grown."""

    HOLD = "hold"  # the next refresh is still to come: the last estimate stands
    UNKNOWN = "unknown"  # it is overdue
    STILL = "still"  # at least one has passed, and nothing grew


class Cadence:
    """Watches the fresh polls of counters that are refreshed together.

    `period_s` is the mean refresh period in CADENCE. `refreshes` numbers the device's refreshes; `step` is how many the last
    fresh poll brought, and `span_s` the time that its growth took.
    """

    def __init__(self) -> None:
        self.mode = Mode.LEARNING
        self.period_s = 0.0
        self.refreshes = 0
        self.step = 1
        self.span_s = 0.0
        self._since_s: float | None = None  # when the learning began
        self._seen: deque[Refresh] = deque(maxlen=_WINDOW + 1)
        self._line: Line | None = None
        self._kept = False  # the period is from before a pause
        self._misfits: deque[bool] = deque(maxlen=_OF_LAST)
        self._strays = 0  # fresh polls in a row that look like a chance pattern
        self._polls = 0  # answered since the last fresh one
        self._run = 0  # fresh ones in a row
        self._fresh_s = 0.0

    def restart(self, at_s: float) -> None:
        """The device began anew, or came back from an outage: its refreshes have a new phase, as far as anyone saw.

        A period that was learned stays; a learning that was not done begins anew.
        """
        self._pause()
        self._polls = self._run = 0
        self._fresh_s = at_s
        self._since_s = None

    def silence(self, at_s: float, interval_s: float) -> Silence:
        """Judge the time since the last fresh poll, in CADENCE."""
        age_s = at_s - self._fresh_s
        if age_s <= 1.5 * self.period_s + interval_s:
            return Silence.HOLD
        return Silence.UNKNOWN if age_s <= 3 * self.period_s else Silence.STILL

    def poll(self, at_s: float, since_s: float | None, interval_s: float, counters_in_step: Callable[[int], int]) -> None:
        """Take note of an answered poll at `at_s` that was fresh, or at which nothing grew (`since_s` None).

        `since_s` is when the counters that grew had last been read. `counters_in_step(n)` tells how many counters grew at
        each of the last n refreshes.
        """
        self._polls += 1
        if since_s is None:
            self._run = 0
        else:
            gap_s = at_s - since_s
            self._run = self._run + 1 if gap_s <= 1.5 * interval_s else 1
            if self.mode is Mode.LEARNING and gap_s > _LEARN_GAP * interval_s:
                self._seen.clear()
                self._since_s = None
            if self.mode is Mode.CADENCE:
                self._follow(at_s, gap_s, interval_s)
            else:
                self.refreshes, self.step = self.refreshes + 1, 1
                index = self._seen[-1].index + 1 if self._seen else 0
                self._seen.append(Refresh(at_s, gap_s, index, self._polls))
                self._look_for_cadence(interval_s, counters_in_step)
            self._fresh_s, self._polls = at_s, 0

    def late_part(self) -> None:
        """Take note of a poll at which only counters grew that the newest refresh, one poll before, had left out.

        That refresh fell between two answers of that poll.
        """
        self._run += 1

    def end_learning(self, at_s: float, interval_s: float, counters_in_step: Callable[[int], int]) -> None:
        """Decide, after each poll that brought any counter, whether plain rates can be shown now."""
        if self._since_s is None:
            self._since_s = at_s
        if self.mode is not Mode.LEARNING:
            return
        passed_s = at_s - self._since_s
        due = passed_s >= max(_LEARN_S, _LEARN_POLLS * interval_s)
        promising = passed_s <= _LEARN_MOST_S and self._promises(interval_s, counters_in_step)
        if interval_s > _SLOW_POLLS_S or self._run >= 3 or (due and not promising):
            self.mode = Mode.PER_TICK

    def _look_for_cadence(self, interval_s: float, counters_in_step: Callable[[int], int]) -> None:
        if len(self._seen) <= _QUICK or self._seen[-1].polls == self._seen[-2].polls == 1:
            return
        spacings = _QUICK if self.mode is Mode.LEARNING else self._proof(interval_s, counters_in_step)
        if self._shows(spacings, interval_s, counters_in_step):
            # The first of them may have ended a run of plain polls, at no moment of this cadence.
            ended_run = self.mode is Mode.PER_TICK and self._seen[-1 - spacings].polls == 1
            self._enter(spacings - ended_run)

    def _proof(self, interval_s: float, counters_in_step: Callable[[int], int]) -> int:
        """How many regular spacings prove a cadence while plain rates are shown.

        Refreshes that come at almost every poll look much like traffic that now and then pauses, and the fewer counters
        step together the more so: these numbers let a random pattern pass about once in a hundred.
        """
        mean = (self._seen[-1].at_s - self._seen[-1 - _QUICK].at_s) / (_QUICK * interval_s)
        quick, sure = (4, 8) if mean >= 3 else (8, 12) if mean >= 2 else (16, 24)
        return quick if counters_in_step(_QUICK) >= _MANY_COUNTERS else sure

    def _shows(self, spacings: int, interval_s: float, counters_in_step: Callable[[int], int]) -> bool:
        if len(self._seen) <= spacings or counters_in_step(spacings) < _TOGETHER:
            return False
        return is_regular(self._last(spacings + 1), interval_s)

    def _promises(self, interval_s: float, counters_in_step: Callable[[int], int]) -> bool:
        """Whether the few fresh polls of the start look like a slow cadence, so that plain rates would be lies."""
        fresh = len(self._seen)
        if fresh > 2:
            return self._shows(2, interval_s, counters_in_step)
        return fresh > 0 and counters_in_step(fresh) >= _MANY_COUNTERS

    def _enter(self, spacings: int) -> None:
        """Believe in the cadence that the last spacings show, each of them one period."""
        recent = self._last(spacings + 1)
        self._seen.clear()
        self._seen.extend(recent)
        self._line = fit(recent)
        self.period_s = self.span_s = self._line.period_s
        self._kept, self._strays = False, 0
        self._misfits.clear()
        self.mode = Mode.CADENCE

    def _follow(self, at_s: float, gap_s: float, interval_s: float) -> None:
        """A fresh poll in CADENCE: count the refreshes it brought, and correct the period."""
        self.step, self.span_s = 1, self.period_s
        if self._seen:
            last = self._seen[-1]
            elapsed_s = at_s - last.at_s
            self.step = self._refreshes_since(last, at_s, gap_s)
            self.span_s = self.step * self.period_s
            fits = self._fits(elapsed_s, gap_s, last.gap_s)
            if not fits:
                self.span_s = elapsed_s
            self._misfits.append(not fits)
            if fits and elapsed_s > 3.5 * self.period_s and (self.step == 1 or self.step > _WINDOW // 3):
                self._pause()  # nothing grew for long, or nothing was heard: the phase is lost
        self.refreshes += self.step
        index = self._seen[-1].index + self.step if self._seen else 0
        segment = self._seen[-1].segment + (gap_s > self.period_s * _NEAR) if self._seen else 0
        self._seen.append(Refresh(at_s, min(gap_s, self.period_s), index, self._polls, segment))
        self._strays = self._strays + 1 if self._strays_now(interval_s) else 0
        if self._run >= self._run_limit(interval_s) or self._strays > _QUICK:
            self._leave()
        elif sum(self._misfits) >= _MISFITS:
            if not self._relearn(_MISFITS, interval_s):
                self._leave()
        elif not (self._has_changed(interval_s) and self._relearn(_QUICK, interval_s)):
            self._correct(interval_s)

    def _refreshes_since(self, last: Refresh, at_s: float, gap_s: float) -> int:
        """How many refreshes lie between two fresh polls: one, unless polls were missed for longer than a period."""
        if gap_s <= self.period_s * _NEAR:
            return 1
        moment_s = last.middle_s
        if self._line is not None:
            moment_s = min(max(self._line.at(last.index), last.at_s - last.gap_s), last.at_s)
        return max(1, math.floor((at_s - moment_s) / self.period_s))

    def _fits(self, elapsed_s: float, gap_s: float, last_gap_s: float) -> bool:
        """Whether refreshes `span_s` apart can have been seen like this. After a long silence nothing speaks against it."""
        if self.span_s > (elapsed_s + last_gap_s) * _NEAR:
            return False
        return self.span_s * _NEAR >= elapsed_s - gap_s or elapsed_s > 5 * self.period_s

    def _run_limit(self, interval_s: float) -> int:
        """Fresh polls in a row that no period this long brings about."""
        beyond = self.period_s / interval_s - 1
        return max(5, math.ceil(1.5 / beyond) + 1) if beyond > 0.15 else 5

    def _strays_now(self, interval_s: float) -> bool:
        """Whether a fast cadence looks like a chance pattern of traffic. Of a slow one the misfits tell."""
        recent = self._last(_FAST_PROOF + 1)
        if self.period_s >= 3 * interval_s or len(recent) <= _FAST_PROOF or _is_blurred(recent, interval_s):
            return False
        return strays(recent, 0.1)

    def _has_changed(self, interval_s: float) -> bool:
        """Whether the last spacings differ from the period by more than a fifth, and more than polls can blur them."""
        recent = self._last(_QUICK + 1)
        if len(recent) <= _QUICK or _is_blurred(recent, interval_s):
            return False
        mean_s = (recent[-1].at_s - recent[0].at_s) / (recent[-1].index - recent[0].index)
        return abs(mean_s - self.period_s) > 0.2 * self.period_s + interval_s / _QUICK

    def _relearn(self, spacings: int, interval_s: float) -> bool:
        """Take the period that the last spacings show, if they are regular."""
        recent = [Refresh(r.at_s, r.gap_s, number, r.polls) for number, r in enumerate(self._last(spacings + 1))]
        if len(recent) <= spacings or not is_regular(recent, interval_s):
            return False
        self._seen.clear()
        self._seen.extend(recent)
        self._enter(spacings)
        return True

    def _leave(self) -> None:
        self.mode, self.period_s, self._line, self._kept = Mode.PER_TICK, 0.0, None, False
        self._seen.clear()
        self._misfits.clear()

    def _pause(self) -> None:
        self._seen.clear()
        self._misfits.clear()
        self._line = None
        self._kept = self.mode is Mode.CADENCE

    def _correct(self, interval_s: float) -> None:
        """Fit the line anew; when the last refreshes stray from it, the period has changed and only they count."""
        refreshes = list(self._seen)
        newest = sum(refresh.segment == refreshes[-1].segment for refresh in refreshes)
        if newest <= _QUICK or (self._kept and newest <= _PROOF_OF_NEW):
            return
        line = fit(refreshes)
        if len(refreshes) > 2 * _QUICK and line.is_left_by(refreshes[-_QUICK:], 1.2 * interval_s):
            refreshes = refreshes[-_QUICK - 1 :]
            self._seen.clear()
            self._seen.extend(refreshes)
            line = fit(refreshes)
        self._line, self.period_s, self._kept = line, line.period_s, False

    def _last(self, count: int) -> list[Refresh]:
        return list(self._seen)[-count:]


def _is_blurred(refreshes: list[Refresh], interval_s: float) -> bool:
    """Whether polls were missed before some of these, so that their number is a guess."""
    segments = refreshes[-1].segment - refreshes[0].segment
    return segments > 0 or max(refresh.gap_s for refresh in refreshes) > 1.5 * interval_s
