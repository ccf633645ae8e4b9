"""Line cards are found by when their rows grow: simulated chassis and plain devices, as histories of 64 ticks."""

from __future__ import annotations

import random

import numpy as np
import pytest

from server.core.model import Floats
from server.rates.groups import (
    TICKS,
    Card,
    Histories,
    by_name,
    find_cards,
    is_plain,
    is_same,
    is_sparse,
    is_waiting,
    of_card,
    refreshes,
    slot,
)
from tests.rates.agent import every

TIMES_S: Floats = 100.0 - np.arange(TICKS, dtype=np.float64)
ALL = np.uint64(2**64 - 1)


def histories(*grown_at: list[int]) -> Histories:
    """Rows that grew so many ticks ago."""
    return np.array([sum(1 << tick for tick in ticks) for ticks in grown_at], dtype=np.uint64)


def refreshed(period_s: float, phase_s: float, jitter_s: float = 0.0, seed: int = 1) -> list[int]:
    """The ticks, counted back from 100 s, whose polls saw a refresh of a card."""
    moments = every(period_s, 101.0, phase_s, jitter_s, seed)
    return sorted({int(100 - at_s) for at_s in moments if 100 - TICKS < at_s <= 100})


def cards(grew: Histories, heard: Histories | None = None, *, surely: bool = False) -> list[Card]:
    rows = np.ones(len(grew), dtype=np.bool_)
    everything = np.full(len(grew), ALL) if heard is None else heard
    return find_cards(grew, everything, rows, TIMES_S, 1.0, surely=surely)


@pytest.mark.parametrize("seed", range(20))
def test_the_cards_of_a_chassis_are_told_apart_whatever_their_phases(seed: int) -> None:
    source = random.Random(seed)
    of = [refreshed(period_s, 10 + source.random() * period_s, 0.02 * period_s, seed) for period_s in (3, 5, 7, 10)]
    grew = histories(*(ticks for ticks in of for _ in range(4)), [], [])
    found = {tuple(np.flatnonzero(card.rows).tolist()) for card in cards(grew)}
    assert found == {(0, 1, 2, 3), (4, 5, 6, 7), (8, 9, 10, 11), (12, 13, 14, 15)}


def test_two_cards_of_one_period_are_two_where_their_phases_differ_by_a_tick() -> None:
    of = [list(range(0, TICKS, 5)), list(range(1, TICKS, 5))]
    found = cards(histories(of[0], of[0], of[0], of[1], of[1], of[1]))
    assert sorted(np.flatnonzero(card.rows).tolist() for card in found) == [[0, 1, 2], [3, 4, 5]]


def test_a_refresh_between_two_answers_of_a_tick_parts_no_card() -> None:
    ticks = list(range(1, TICKS, 5))
    later = [ticks[0] - 1, *ticks[1:]]
    (card,) = cards(histories(ticks, ticks, later))
    assert card.rows.all()


def test_rows_that_were_not_heard_at_a_refresh_are_of_the_card_all_the_same() -> None:
    ticks = list(range(1, TICKS, 5))
    missed = [tick - 1 for tick in ticks]  # not answered at any refresh, grew at the next tick
    heard = np.array([ALL, ALL, ALL ^ np.uint64(sum(1 << tick for tick in ticks))], dtype=np.uint64)
    (card,) = cards(histories(ticks, ticks, missed), heard)
    assert card.rows.all()


def test_the_refreshes_of_a_card_are_the_moments_of_its_polls() -> None:
    (card,) = cards(histories(*[list(range(2, TICKS, 5))] * 3))
    assert [refresh.at_s for refresh in card.refreshes] == [78.0, 83.0, 88.0, 93.0, 98.0]
    assert [refresh.polls for refresh in card.refreshes[1:]] == [5] * 4
    assert {refresh.gap_s for refresh in card.refreshes} == {1.0}


def test_beside_rows_that_are_as_fresh_as_the_polls_a_card_takes_more_proof_and_three_rows() -> None:
    short = [tick for tick in range(0, TICKS, 5) if tick <= 20]
    assert cards(histories(*[short] * 3))
    assert not cards(histories(*[short] * 3), surely=True)
    whole = list(range(0, TICKS, 5))
    assert cards(histories(*[whole] * 3), surely=True)
    assert not cards(histories(*[whole] * 2), surely=True)


@pytest.mark.parametrize("chance", [0.05, 0.2, 0.5, 0.8, 0.95])
def test_traffic_at_random_makes_no_card(chance: float) -> None:
    """Beside rows as fresh as the polls never in 10,000 ticks of 24 rows; among sporadic rows alone at most once."""
    source = np.random.default_rng(3)
    grew = np.zeros(24, dtype=np.uint64)
    found = 0
    for tick in range(10_000):
        grew = (grew << np.uint64(1)) | (source.random(24) < chance)
        if tick > TICKS and tick % 16 == 0:
            assert not cards(grew, surely=True)
            found += bool(cards(grew))
    assert found <= 1


def test_rows_as_fresh_as_the_polls_and_idle_ones_need_no_look() -> None:
    grew = histories(list(range(TICKS)), [], [3], list(range(0, TICKS, 5)))
    assert is_sparse(grew, np.full(4, ALL)).tolist() == [False, False, False, True]


def test_three_growths_in_a_row_are_those_of_counters_as_fresh_as_the_poll() -> None:
    grew = histories([0, 1, 2], [0, 1, 3], [1, 2, 3])
    assert is_plain(grew, np.full(3, ALL)).tolist() == [True, False, False]


def test_rows_that_grew_together_or_evenly_may_stand_between_refreshes() -> None:
    grew = histories([4], [4], [4], [7], [1, 6, 11], [1, 6, 20], [0, 1], [])
    waiting = is_waiting(grew, np.ones(8, dtype=np.bool_))
    assert waiting.tolist() == [True, True, True, False, True, False, False, False]


def test_a_row_that_wakes_up_at_refreshes_alone_is_of_the_card() -> None:
    fresh = sum(1 << tick for tick in range(0, TICKS, 5))
    grew = histories([0], [0, 5], [0, 5, 10], [0, 5, 10, 12], [0, 10, 25, 40], [])
    belongs = of_card(grew, np.full(6, ALL), np.ones(6, dtype=np.bool_), fresh)
    assert belongs.tolist() == [False, False, True, False, True, False]


def test_beside_cards_every_row_that_grew_now_and_then_may_stand_between_refreshes() -> None:
    grew = histories([4], [7, 20], [0, 1], [])
    waiting = is_waiting(grew, np.ones(4, dtype=np.bool_), beside_cards=True)
    assert waiting.tolist() == [True, True, False, False]


def test_a_row_that_grows_evenly_at_every_second_refresh_is_of_a_slower_card() -> None:
    fresh = sum(1 << tick for tick in range(0, TICKS, 5))
    grew = histories([0, 10, 20, 30], [0, 5, 10, 15], [0, 5, 20, 25])
    belongs = of_card(grew, np.full(3, ALL), np.ones(3, dtype=np.bool_), fresh)
    assert belongs.tolist() == [False, True, True]


def test_a_card_of_half_the_pace_in_phase_is_another_card() -> None:
    quick, slow = list(range(2, TICKS, 5)), list(range(2, TICKS, 10))
    found = cards(histories(quick, quick, quick, slow, slow, slow))
    assert sorted(np.flatnonzero(card.rows).tolist() for card in found) == [[0, 1, 2], [3, 4, 5]]


def test_refreshes_that_fall_between_two_answers_count_once_and_two_cards_in_step_are_the_same() -> None:
    ticks = [sum(1 << tick for tick in range(first, TICKS, 5)) for first in (1, 2)]
    assert refreshes(ticks[0] | ticks[1]) == 13
    assert is_same(ticks[0], ticks[0] | 1)
    assert not is_same(ticks[0], ticks[1])


@pytest.mark.parametrize(
    ("name", "card"),
    [
        ("et-0/0/1", "0/0"),
        ("xe-0/0/3:2.100", "0/0"),
        ("Gi1/0/24", "1/0"),
        ("GigabitEthernet1/0/24", "1/0"),
        ("1/1/c2/1", "1/1"),
        ("TenGigE0/1/0/3", "0/1/0"),
        ("Ethernet3/1", "3"),
        ("eth0", ""),
        ("Vlan100", ""),
        ("ae1.200", ""),
    ],
)
def test_the_card_in_a_name(name: str, card: str) -> None:
    assert slot(name) == card


def test_an_undecided_row_goes_with_the_other_rows_of_its_card_where_these_agree() -> None:
    slots = ["0", "0", "1", "1", "1", "2", ""]
    group = np.array([1, 0, 2, 3, 0, 0, 0])
    undecided = np.array([False, True, False, False, True, True, True])
    joined = by_name(slots, group, undecided, np.zeros(7, dtype=np.bool_))
    assert joined.tolist() == [1, 1, 2, 3, 0, 0, 0]


def test_a_card_with_a_row_as_fresh_as_the_polls_takes_in_none_by_name() -> None:
    undecided = np.array([False, False, True])
    joined = by_name(["0"] * 3, np.array([1, 0, 0]), undecided, np.array([False, True, False]))
    assert joined.tolist() == [1, 0, 0]
