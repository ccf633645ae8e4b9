"""The straight line through the moments of refreshes: its slope is the period."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

NEAR = 1.05
"""The tolerance when a spacing is compared with the period."""
_SLACK = 1.15  # of a poll interval, that a spacing may be off its mean; and of the polls, that a mean must exceed
_LIKELY, _LIKELY_COUNT = 0.02, 8  # of the period, that refreshes stray; and how many refreshes that belief weighs
_LIKELY_MOST = 0.1  # of the period: what is further off is no stray, but late or early
_SPREADS, _SLACK_MOST = 5.0, 0.4  # standard deviations of its refreshes that a period may be off, and how much of it


@dataclass(frozen=True, slots=True)
class Refresh:
    """A fresh poll: the refresh numbered `index` came in the `gap_s` before `at_s`.

    `polls` were answered since the fresh one before, itself included. Where so many polls were missed that the index is a
    guess, a new `segment` begins.
    """

    at_s: float
    gap_s: float
    index: int
    polls: int
    segment: int = 0

    @property
    def middle_s(self) -> float:
        """The best guess of the refresh's moment."""
        return self.at_s - self.gap_s / 2


@dataclass(frozen=True, slots=True)
class Line:
    """Refresh number `index` comes at `start_s + index * period_s`."""

    start_s: float
    period_s: float

    def at(self, index: int) -> float:
        """The moment of a refresh."""
        return self.start_s + index * self.period_s


def slopes(refreshes: Sequence[Refresh], pad_s: float = 0.0) -> tuple[float, float]:
    """The least and greatest period of lines through every gap, each widened by `pad_s`: none if the least is above.

    Each segment has a line of its own; the period is the same. Some segment has two refreshes.
    """
    index = np.array([refresh.index for refresh in refreshes], dtype=np.float64)
    segment = np.array([refresh.segment for refresh in refreshes])
    latest_s = np.array([refresh.at_s + pad_s for refresh in refreshes])
    earliest_s = np.array([refresh.at_s - refresh.gap_s - pad_s for refresh in refreshes])
    apart = index - index[:, np.newaxis]  # (before, after)
    pairs = (apart > 0) & (segment == segment[:, np.newaxis])
    least_s = (earliest_s - latest_s[:, np.newaxis])[pairs] / apart[pairs]
    most_s = (latest_s - earliest_s[:, np.newaxis])[pairs] / apart[pairs]
    return float(least_s.max()), float(most_s.min())


def fit(refreshes: Sequence[Refresh]) -> Line:
    """The line of the newest segment, of which there are at least two refreshes.

    Where lines pass through every gap, it has the middle of their slopes: a true period cannot be outside, and the bounds
    close as the square of the number of refreshes. Where a refresh strays, it has the slope of least squares.
    """
    segment = np.array([refresh.segment for refresh in refreshes])
    index = np.array([refresh.index for refresh in refreshes], dtype=np.float64)
    middle_s = np.array([refresh.middle_s - refreshes[0].at_s for refresh in refreshes])  # small numbers keep the sums exact
    newest = segment == segment[-1]
    origin_s, origin = float(middle_s[newest].mean()), float(index[newest].mean())
    least_s, most_s = slopes(refreshes)
    if least_s <= most_s:
        period_s = (least_s + most_s) / 2
    else:
        for number in np.unique(segment):
            index[segment == number] -= index[segment == number].mean()
        period_s = float(index @ middle_s) / float(index @ index)
    return Line(refreshes[0].at_s + origin_s - period_s * origin, period_s)


def spread_s(refreshes: Sequence[Refresh], line: Line) -> float:
    """How far refreshes stray from their line, as a standard deviation, judged by how far the line leaves their gaps.

    Taken of the newest segment. A stray of s leaves a gap of g by s * s / g in the mean; while few refreshes are known, a
    fiftieth of the period is thought likely.
    """
    excess = _LIKELY_COUNT * (_LIKELY * line.period_s) ** 2
    count = _LIKELY_COUNT
    for refresh in refreshes:
        if refresh.segment == refreshes[-1].segment:
            off_s = refresh.at_s - line.at(refresh.index)
            excess += refresh.gap_s * min(max(0.0, -off_s, off_s - refresh.gap_s), _LIKELY_MOST * line.period_s)
            count += 1
    return math.sqrt(excess / count)


def slack_s(refreshes: Sequence[Refresh], line: Line | None, interval_s: float) -> float:
    """How far a refresh may be off the line that these lie on."""
    least_s = 0.1 * interval_s
    if line is None:
        return least_s
    return max(least_s, min(_SPREADS * spread_s(refreshes, line), _SLACK_MOST * line.period_s))


def first_contradiction(refreshes: Sequence[Refresh], period_s: float, slack_s: float) -> tuple[int, int]:
    """Since how many refreshes the newest one contradicts the period, and whether it came late (1) or early (-1).

    (0, 0) where no earlier one of its segment contradicts it: with all of them it can be `period_s` apart, give or take
    `slack_s`. The shortest stretch counts.
    """
    newest = refreshes[-1]
    for back, refresh in enumerate(reversed(refreshes[:-1]), 1):
        if refresh.segment != newest.segment:
            break
        due_s = period_s * (newest.index - refresh.index)
        if newest.at_s - newest.gap_s - refresh.at_s > due_s + slack_s:
            return back, 1
        if newest.at_s - refresh.at_s + refresh.gap_s < due_s - slack_s:
            return back, -1
    return 0, 0


def strays(refreshes: Sequence[Refresh], pad: float) -> bool:
    """Whether no line passes through every gap, each widened by `pad` of the mean spacing."""
    mean_s = (refreshes[-1].at_s - refreshes[0].at_s) / (refreshes[-1].index - refreshes[0].index)
    least_s, most_s = slopes(refreshes, pad * mean_s)
    return least_s > most_s


def is_regular(refreshes: Sequence[Refresh], interval_s: float) -> bool:
    """Whether fresh polls one period apart can look like this.

    The spacings are near their mean, there were polls between that brought nothing, and one line passes through (almost)
    every gap. Traffic that comes and goes fails one of these before long.
    """
    spacings = len(refreshes) - 1
    mean_s = (refreshes[-1].at_s - refreshes[0].at_s) / spacings
    if mean_s <= _SLACK * interval_s or sum(r.polls for r in refreshes[1:]) <= _SLACK * spacings:
        return False
    most_s = _SLACK * max(interval_s, *(r.gap_s for r in refreshes[1:]))
    if any(abs(after.at_s - before.at_s - mean_s) > most_s for before, after in pairwise(refreshes)):
        return False
    return not strays(refreshes, 0.1 if mean_s >= 3 * interval_s else 0.05)


def is_blurred(refreshes: Sequence[Refresh], interval_s: float) -> bool:
    """Whether polls were missed before some of these, so that their number may be a guess."""
    return max(refresh.gap_s for refresh in refreshes) > 1.5 * interval_s


def spacings_of_proof(mean_polls: float) -> tuple[int, int]:
    """How many regular spacings, so many polls long in the mean, prove a cadence: where much steps together, and else.

    Refreshes that come at almost every poll look much like traffic that now and then pauses: these numbers let a random
    pattern pass about once in a hundred.
    """
    return (4, 8) if mean_polls >= 3 else (8, 12) if mean_polls >= 2 else (16, 24)


def longest_run(period_polls: float) -> int:
    """Fresh polls in a row that no period of so many polls brings about."""
    beyond = period_polls - 1
    return max(5, math.ceil(1.5 / beyond) + 1) if beyond > 0.15 else 5


def begin_to_stand(polls: Sequence[int]) -> bool:
    """Whether fresh polls that came so many polls after the one before ended a long run, and are sparse and even now.

    The third last may end the run, or be the first refresh of which counters stood.
    """
    return max(polls[:-3]) == 1 and min(polls[-2:]) > 1 and abs(polls[-1] - polls[-2]) <= 1


def refreshes_since(last: Refresh, line: Line | None, at_s: float, gap_s: float, period_s: float) -> int:
    """How many refreshes lie between two fresh polls: one, unless polls were missed for longer than a period."""
    if gap_s <= period_s * NEAR:
        return 1
    moment_s = last.middle_s
    if line is not None:
        moment_s = min(max(line.at(last.index), last.at_s - last.gap_s), last.at_s)
    return max(1, math.floor((at_s - moment_s) / period_s))


def is_due(last: Refresh, line: Line, at_s: float, since_s: float, slack_s: float) -> bool:
    """Whether some refresh after the `last` one, give or take `slack_s`, comes between `since_s` and `at_s`."""
    moment_s = min(max(line.at(last.index), last.at_s - last.gap_s), last.at_s)
    steps = max(1, math.floor((at_s + slack_s - moment_s) / line.period_s))
    return since_s - slack_s <= moment_s + steps * line.period_s <= at_s + slack_s


def can_span(span_s: float, elapsed_s: float, gap_s: float, last_gap_s: float) -> bool:
    """Whether refreshes `span_s` apart can have been seen at fresh polls `elapsed_s` apart, after these gaps."""
    return span_s <= (elapsed_s + last_gap_s) * NEAR and span_s * NEAR >= elapsed_s - gap_s
