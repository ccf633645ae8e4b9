"""The straight line through the moments of refreshes: its slope is the period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

_SLACK = 1.15  # of a poll interval, that a spacing may be off its mean; and of the polls, that a mean must exceed


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

    def is_left_by(self, refreshes: Sequence[Refresh], most_s: float) -> bool:
        """Whether all of these are off to the same side by more than `most_s`."""
        off_s = [refresh.middle_s - self.at(refresh.index) for refresh in refreshes]
        return min(off_s) > most_s or max(off_s) < -most_s


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
    close as the square of the number of refreshes. Where a refresh strays, it is that segment's line of least squares.
    """
    least_s, most_s = slopes(refreshes)
    newest = [refresh for refresh in refreshes if refresh.segment == refreshes[-1].segment]
    origin_s = newest[0].at_s  # small numbers keep the sums exact
    index = np.array([refresh.index for refresh in newest], dtype=np.float64)
    middle_s = np.array([refresh.middle_s - origin_s for refresh in newest])
    off = index - index.mean()
    period_s = (least_s + most_s) / 2 if least_s <= most_s else float(off @ middle_s) / float(off @ off)
    return Line(origin_s + float(middle_s.mean() - period_s * index.mean()), period_s)


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
