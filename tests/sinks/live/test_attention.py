from __future__ import annotations

import numpy as np
import pytest

from server.core.model import Quality
from server.sinks.live.attention import Rank, ranks, seconds, words
from server.sinks.live.messages import Attention

NAN = float("nan")


@pytest.mark.parametrize(
    ("in_percent", "out_percent", "errors", "down", "rank"),  # down: 1 passes no traffic, 2 and should
    [
        (10.0, 20.0, 0.0, False, Rank.NORMAL),
        (79.9, 0.0, 0.0, False, Rank.NORMAL),
        (80.0, 0.0, 0.0, False, Rank.HIGH),
        (0.0, 89.9, 0.0, False, Rank.HIGH),
        (NAN, 90.0, 0.0, False, Rank.FULL),
        (NAN, NAN, 0.0, False, Rank.NORMAL),
        (NAN, NAN, NAN, False, Rank.NORMAL),
        (0.0, 0.0, 0.9, False, Rank.NORMAL),
        (99.0, 0.0, 1.0, False, Rank.ERRORS),
        (NAN, NAN, 0.0, True, Rank.DOWN),
        (85.0, 0.0, 0.0, True, Rank.HIGH),
        (NAN, NAN, 5.0, 2, Rank.LINE_DOWN),
    ],
)
def test_what_is_most_urgent_of_a_row_decides(
    in_percent: float, out_percent: float, errors: float, down: int, rank: Rank
) -> None:
    no_traffic, should = np.array([down > 0]), np.array([down > 1])
    found = ranks(np.array([in_percent]), np.array([out_percent]), np.array([errors]), down=no_traffic, line_down=should)
    assert found.tolist() == [rank]


def said(
    rank: Rank, *, switched_off: bool = False, in_is_busier: bool = True, age_s: float | None = 3.2, quality: int = 0
) -> Attention | None:
    return words(
        rank, switched_off=switched_off, in_is_busier=in_is_busier, errors_per_s=1234.4, age_s=age_s, quality=quality
    )


@pytest.mark.parametrize(
    ("rank", "level", "text"),
    [
        (Rank.LINE_DOWN, "critical", "Line down"),
        (Rank.ERRORS, "critical", "1,234 errors/s"),
        (Rank.FULL, "critical", "In over 90%"),
        (Rank.HIGH, "warning", "In over 80%"),
        (Rank.NO_DATA, "stale", "No data 3 s"),
        (Rank.LATE, "note", "Late 3 s"),
        (Rank.DOWN, "down", "Down"),
    ],
)
def test_each_rank_has_its_words(rank: Rank, level: str, text: str) -> None:
    assert said(rank) == Attention(level, text)


def test_a_row_that_is_switched_off_is_told_as_that() -> None:
    assert said(Rank.DOWN, switched_off=True) == Attention("down", "Switched off")


def test_the_busier_direction_is_named() -> None:
    assert said(Rank.FULL, in_is_busier=False) == Attention("critical", "Out over 90%")


def test_without_a_sample_ever_no_age_is_made_up() -> None:
    assert said(Rank.NO_DATA, age_s=None) == Attention("stale", "No data")
    assert said(Rank.LATE, age_s=None) == Attention("note", "Late")


def test_a_normal_row_is_not_worth_a_word_unless_its_stated_speed_lies() -> None:
    assert said(Rank.NORMAL) is None
    assert said(Rank.NORMAL, quality=Quality.ESTIMATED) is None
    assert said(Rank.NORMAL, quality=Quality.OVER_SPEED) == Attention("note", "Above stated speed")


@pytest.mark.parametrize(
    ("age_s", "text"), [(0.4, "0 s"), (96, "96 s"), (100, "2 m"), (720, "12 m"), (5999, "100 m"), (18000, "5 h")]
)
def test_an_age_is_told_in_the_largest_unit_that_keeps_two_digits(age_s: float, text: str) -> None:
    assert seconds(age_s) == text
