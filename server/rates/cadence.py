"""The refresh detector: does a device refresh its counters more slowly than it is asked, and how often?

Many agents do (every 3 to 15 s). Plain rates of such counters read 0, 0, triple. A poll at which counters grew is *fresh*:
the device refreshed them since the poll before. Each fresh poll bounds the moment of one refresh, `at_s - gap_s` to `at_s`;
a straight line through those moments gives the period far better than any one spacing.

One `Cadence` stands for counters that are refreshed together: a device, or a line card. It knows only moments.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Self

from server.rates.modes import Mode, Silence
from server.rates.period import (
    NEAR,
    Line,
    Refresh,
    begin_to_stand,
    can_span,
    first_contradiction,
    fit,
    is_blurred,
    is_due,
    is_regular,
    longest_run,
    refreshes_since,
    slack_s,
    spacings_of_proof,
    strays,
)

SLOW_POLLS_S = 10.0  # with polls slower than this there is no waiting for a cadence at the start
LEARN_S, LEARN_POLLS = 15.0, 8  # how long the start may take, of a unit and of each row
_STAND_S, _STAND_POLLS = 5.0, 5  # the same after a silence of all that was busy: then it is taken for one
LEARN_MOST_S = 90.0  # when a pattern shows but is not yet proved
_LEARN_GAP = 2.5  # polls: longer without an answer, and more than one refresh may have come at once
_QUICK = 4  # spacings that prove a cadence at the start, or later a slow one of many counters that step together
_MANY_COUNTERS = 6
_LONG_RUN, _BUSY = 10, 30  # fresh polls in a row, and at how many a counter has grown, that make its silence strange
_TOGETHER = 2  # one counter alone may be a regular sender
_WINDOW = 60
_PROOF_OF_NEW = 12  # spacings that outweigh a period known from before a pause
_MISFITS, _OF_LAST = 3, 6  # refreshes out of line, of the last ones, that are no cadence at all
_CHANGE_MOST = 6  # newest spacings that tell the new period: more may be of the old one
_FIT_ALWAYS, _FIT_EVERY = 16, 2  # refreshes
_FAST_PROOF = 8  # spacings through which a line must pass, lest a fast cadence be a chance pattern


class Cadence:
    """Watches the fresh polls of counters that are refreshed together.

    `period_s` is the mean refresh period in CADENCE, which began with refresh number `entry`. `refreshes` numbers the
    refreshes; `step` is how many the last fresh poll brought, and `span_s` the time that its growth took.
    """

    def __init__(self, mode: Mode = Mode.LEARNING) -> None:
        self.mode = mode
        self.period_s = 0.0
        self.refreshes = self.entry = 0
        self.step = 1
        self.span_s = 0.0
        self._since_s: float | None = None  # when the learning began
        self._seen: deque[Refresh] = deque(maxlen=_WINDOW + 1)
        self._line: Line | None = None
        self._kept = False  # the period is from before a pause
        self._misfits: deque[bool] = deque(maxlen=_OF_LAST)
        self._hitch = 0  # the newest refresh came late (1) or early (-1) after one that had not
        self._strays = 0  # fresh polls in a row that look like a chance pattern
        self._stands = False  # all that was busy stands still: the traffic stopped, or the device began to cache
        self._polls = 0  # answered since the last fresh one
        self._run = 0  # fresh ones in a row
        self._fresh_s = 0.0

    @classmethod
    def shown_by(cls, refreshes: Sequence[Refresh]) -> Self:
        """A cadence that was found elsewhere: these are its last refreshes, each one period after the one before."""
        cadence = cls()
        cadence._enter(list(refreshes))
        cadence._fresh_s = refreshes[-1].at_s
        return cadence

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

    def is_due(self, at_s: float, since_s: float, interval_s: float) -> bool:
        """Whether a refresh may have come between these moments, as far as the phase is known."""
        return self._line is None or is_due(
            self._seen[-1], self._line, at_s, since_s, slack_s(self._seen, self._line, interval_s)
        )

    def poll(self, at_s: float, since_s: float | None, interval_s: float, counters_in_step: Callable[[int], int]) -> None:
        """Take note of an answered poll at `at_s` that was fresh, or at which nothing grew (`since_s` None).

        `since_s` is when the counters that grew had last been read. `counters_in_step(n)` tells how many counters grew at
        each of the last n refreshes.
        """
        self._polls += 1
        if since_s is None:
            if self._run >= _LONG_RUN and self.mode is Mode.PER_TICK and counters_in_step(_BUSY) >= _MANY_COUNTERS:
                self._doubt(0)  # what never paused stands still, all of it
                self._stands = True
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
                if self.mode is Mode.PER_TICK and (self._stands or self._has_begun_to_stand(counters_in_step)):
                    self._doubt(1 if self._stands else 2)
                self._stands = False
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
        least_s, polls = (_STAND_S, _STAND_POLLS) if self._stands else (LEARN_S, LEARN_POLLS)
        due = passed_s >= max(least_s, polls * interval_s)
        promising = passed_s <= LEARN_MOST_S and self._promises(interval_s, counters_in_step)
        if interval_s > SLOW_POLLS_S or self._run >= 3 or (due and not promising):
            self.mode = Mode.PER_TICK

    def _look_for_cadence(self, interval_s: float, counters_in_step: Callable[[int], int]) -> None:
        if len(self._seen) <= _QUICK or self._seen[-1].polls == self._seen[-2].polls == 1:
            return
        spacings = _QUICK
        if self.mode is Mode.PER_TICK:
            mean_s = (self._seen[-1].at_s - self._seen[-1 - _QUICK].at_s) / _QUICK
            quick, sure = spacings_of_proof(mean_s / interval_s)
            spacings = quick if counters_in_step(_QUICK) >= _MANY_COUNTERS else sure
        if self._shows(spacings, interval_s, counters_in_step):
            # The first of them may have ended a run of plain polls, at no moment of this cadence.
            ended_run = self.mode is Mode.PER_TICK and self._seen[-1 - spacings].polls == 1
            self._enter(self._last(spacings - ended_run + 1))

    def _has_begun_to_stand(self, counters_in_step: Callable[[int], int]) -> bool:
        """Whether counters that had grown at every poll now grow, together, at every second poll or less."""
        if self._seen[-1].polls == 1 or len(self._seen) < _LONG_RUN + 3:
            return False
        polls = [refresh.polls for refresh in self._last(_LONG_RUN + 3)]
        return begin_to_stand(polls) and counters_in_step(_BUSY) >= _TOGETHER

    def _doubt(self, fresh: int) -> None:
        """The plain rates may be lies: show none and learn anew, from the last fresh polls on."""
        self._seen = deque(self._last(fresh) if fresh else (), maxlen=self._seen.maxlen)
        self._since_s = None
        self.mode = Mode.LEARNING

    def _shows(self, spacings: int, interval_s: float, counters_in_step: Callable[[int], int]) -> bool:
        if len(self._seen) <= spacings or counters_in_step(spacings) < _TOGETHER:
            return False
        return is_regular(self._last(spacings + 1), interval_s)

    def _promises(self, interval_s: float, counters_in_step: Callable[[int], int]) -> bool:
        """Whether the few fresh polls of the start look like a slow cadence, so that plain rates would be lies."""
        if (fresh := len(self._seen)) > 2:
            return self._shows(2, interval_s, counters_in_step)
        return fresh > 0 and counters_in_step(fresh) >= _MANY_COUNTERS

    def _enter(self, recent: list[Refresh]) -> None:
        """Believe in the cadence that these refreshes show, each one period after the one before."""
        self._seen.clear()
        self._seen.extend(recent)
        self._strays = self._hitch = 0
        self._fit(recent)
        self.entry = self.entry if self.mode is Mode.CADENCE else self.refreshes
        self.span_s, self.mode = self.period_s, Mode.CADENCE

    def _follow(self, at_s: float, gap_s: float, interval_s: float) -> None:
        """A fresh poll in CADENCE: count the refreshes it brought, and correct the period."""
        self.step, self.span_s, fits = 1, self.period_s, True
        if self._seen:
            last = self._seen[-1]
            elapsed_s = at_s - last.at_s
            self.step = refreshes_since(last, self._line, at_s, gap_s, self.period_s)
            self.span_s = self.step * self.period_s
            fits = can_span(self.span_s, elapsed_s, gap_s, last.gap_s) or elapsed_s > 5 * self.period_s
            if not fits:
                self.span_s = elapsed_s
            if fits and elapsed_s > 3.5 * self.period_s and (self.step == 1 or self.step > _WINDOW // 3):
                self._pause()  # nothing grew for long, or nothing was heard: the phase is lost
        self.refreshes += self.step
        index = self._seen[-1].index + self.step if self._seen else 0
        segment = self._seen[-1].segment + (gap_s > self.period_s * NEAR) if self._seen else 0
        self._seen.append(Refresh(at_s, min(gap_s, self.period_s), index, self._polls, segment))
        self._strays = self._strays + 1 if self._strays_now(interval_s) else 0
        chance = self._strays > _QUICK and not self._relearn(_FAST_PROOF, interval_s)
        if chance or self._run >= longest_run(self.period_s / interval_s):
            self._leave()
        else:
            self._judge(interval_s, fits)

    def _judge(self, interval_s: float, fits: bool) -> None:
        """Does the newest refresh contradict the period? Then it has changed, or one refresh was late or early.

        A small change moves no single refresh by more than polls blur it: the contradiction builds up over several. A
        single one that is far off may be a hitch of the device; a second of the same sign is a change.
        """
        back, sign = first_contradiction(list(self._seen), self.period_s, slack_s(self._seen, self._line, interval_s))
        self._misfits.append(back > 0 or not fits)
        if back == 0:
            self._correct()
        elif sum(self._misfits) >= _MISFITS:
            if not self._relearn(_MISFITS, interval_s):
                self._leave()
        elif (back == 1 and sign != self._hitch) or not self._relearn(min(max(back, 2), _CHANGE_MOST), interval_s):
            self._hitch = sign
            self._part()

    def _part(self) -> None:
        """The newest refresh has a phase of its own: the period is kept."""
        self._seen.append(replace(newest := self._seen.pop(), segment=newest.segment + 1))

    def _strays_now(self, interval_s: float) -> bool:
        """Whether a fast cadence looks like a chance pattern of traffic. Of a slow one the misfits tell."""
        recent = self._last(_FAST_PROOF + 1)
        if self.period_s >= 3 * interval_s or len(recent) <= _FAST_PROOF or is_blurred(recent, interval_s):
            return False
        return strays([replace(refresh, segment=0) for refresh in recent], 0.1)

    def _relearn(self, spacings: int, interval_s: float) -> bool:
        """Take the period that the last spacings show, if they are regular."""
        recent = [replace(refresh, index=number, segment=0) for number, refresh in enumerate(self._last(spacings + 1))]
        if len(recent) <= spacings or not is_regular(recent, interval_s):
            return False
        self._enter(recent)
        return True

    def _leave(self) -> None:
        self.mode, self.period_s, self._line, self._kept = Mode.PER_TICK, 0.0, None, False
        self._forget()

    def _pause(self) -> None:
        self._line, self._kept = None, self.mode is Mode.CADENCE
        self._forget()

    def _forget(self) -> None:
        self._seen.clear()
        self._misfits.clear()
        self._hitch = 0

    def _correct(self) -> None:
        """Fit the line anew; one through many refreshes only now and then, since it hardly moves."""
        refreshes = list(self._seen)
        newest = sum(refresh.segment == refreshes[-1].segment for refresh in refreshes)
        if newest > 2:
            self._hitch = 0
        few = newest < 2 or (self._kept and newest <= _PROOF_OF_NEW)
        if not few and (len(refreshes) <= _FIT_ALWAYS or refreshes[-1].index % _FIT_EVERY == 0):
            self._fit(refreshes)

    def _fit(self, refreshes: list[Refresh]) -> None:
        self._line, self._kept = fit(refreshes), False
        self.period_s = self._line.period_s

    def _last(self, count: int) -> list[Refresh]:
        return list(self._seen)[-count:]
