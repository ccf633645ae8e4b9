from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest

from server.rates.period import Line, Refresh, fit, is_due, is_regular, strays


def polled(period_s: float, count: int, phase_s: float = 0.3, jitter_s: float = 0.0) -> list[Refresh]:
    """Refreshes as polls once a second see them."""
    source = random.Random(2)
    found: list[Refresh] = []
    for index in range(count):
        moment_s = phase_s + index * period_s + source.gauss(0, jitter_s)
        at_s = float(math.ceil(moment_s))
        found.append(Refresh(at_s, 1.0, index, int(at_s - found[-1].at_s) if found else 1))
    return found


@pytest.mark.parametrize("period_s", [1.2, 1.5, 2.02, 3.02, 5.0, 7.3])
def test_the_period_is_found_far_better_than_polls_resolve_it(period_s: float) -> None:
    assert fit(polled(period_s, 61)).period_s == pytest.approx(period_s, rel=0.004)


def test_the_period_of_refreshes_that_stray_is_that_of_least_squares() -> None:
    refreshes = polled(3.0, 61, jitter_s=0.8)
    assert strays(refreshes, 0.0)
    assert fit(refreshes).period_s == pytest.approx(3.0, rel=0.01)


def test_the_line_gives_the_moments() -> None:
    line = fit(polled(2.5, 61, phase_s=0.3))
    assert line.at(10) == pytest.approx(25.3, abs=0.3)


def test_segments_share_the_period_and_not_the_phase() -> None:
    first = polled(3.0, 20)
    second = [Refresh(r.at_s + 100.7, r.gap_s, r.index + 90, r.polls, segment=1) for r in polled(3.0, 20)]
    assert fit([*first, *second]).period_s == pytest.approx(3.0, rel=0.01)


@pytest.mark.parametrize("period_s", [1.2, 1.5, 2.5, 3.02, 5.0, 10.0])
def test_refreshes_at_a_steady_period_are_regular(period_s: float) -> None:
    assert is_regular(polled(period_s, 17), 1.0)


@pytest.mark.parametrize(
    "at",
    [
        (0, 1, 2, 3, 4),  # at every poll
        (0, 3, 6, 10, 20),  # one is far off
        (0, 2, 4, 6, 7, 8, 9),  # no line passes: three of two, three of one
    ],
)
def test_other_patterns_are_not(at: tuple[int, ...]) -> None:
    polls = [1, *(after - before for before, after in pairwise(at))]
    refreshes = [Refresh(float(s), 1.0, number, polls[number]) for number, s in enumerate(at)]
    assert not is_regular(refreshes, 1.0)


def test_polls_that_were_missed_are_not_silence() -> None:
    refreshes = [Refresh(3.0 * number, 3.0, number, 1) for number in range(9)]
    assert not is_regular(refreshes, 1.0)


def test_a_refresh_is_due_when_the_line_passes_between_two_polls_after_the_last_one() -> None:
    line, last = Line(0.5, 5.0), Refresh(11.0, 1.0, 2, 5)
    due = [is_due(last, line, at_s, at_s - 1, 0.1) for at_s in (12.0, 15.0, 16.0, 17.0, 20.0, 21.0)]
    assert due == [False, False, True, False, False, True]
    assert is_due(last, line, 15.0, 14.0, 0.6)
    assert is_due(last, line, 19.0, 11.0, 0.1)
