"""Chassis whose line cards refresh their counters at different moments, against the truth, polled once a second."""

from __future__ import annotations

import random
from bisect import bisect_right
from dataclasses import replace

import numpy as np
import pytest

from server.core.model import Frame, Quality
from server.rates.cadence import Cadence
from server.rates.modes import Mode
from server.rates.period import Refresh
from tests.rates.agent import Agent, Octets, every, steady
from tests.rates.build import TICKS_AT_START, table
from tests.rates.chassis import PERIODS_S, cards, chassis, of_moments, parts_of_truth, rms

THREES = [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]]


def row_cadences(frame: Frame) -> list[float | None]:
    assert frame.row_cadence_s is not None
    return [None if np.isnan(period_s) else round(period_s, 1) for period_s in frame.row_cadence_s.tolist()]


@pytest.mark.parametrize("seed", range(8))
def test_each_card_shows_its_true_steady_rates_and_never_a_zero_or_a_multiple(seed: int) -> None:
    agent = chassis(seed)
    frames = agent.poll(240)
    parts = parts_of_truth(agent, frames)
    assert np.nanmax(np.abs(parts - 1)) < 0.1
    assert rms(parts[100:]) < 0.005
    assert not np.isnan(parts[100:]).any()
    assert row_cadences(frames[-1]) == [period_s for period_s in PERIODS_S for _ in range(3)]
    assert frames[-1].cadence_s == pytest.approx(10.0, rel=0.01)
    assert all((frame.quality == Quality.ESTIMATED).all() for frame in frames[100:])
    assert all(set(frame.values[:, [2, 5, 8, 11]].ravel()) == {0.0} for frame in frames[100:])


@pytest.mark.parametrize("seed", range(8))
def test_cards_whose_refreshes_stray_by_2_percent_are_told_apart_all_the_same(seed: int) -> None:
    agent = chassis(seed, jitter=0.02, busy=4)
    parts = parts_of_truth(agent, agent.poll(300))
    assert np.nanmin(parts) > 0.5
    assert np.nanmax(parts) < 2
    assert rms(parts[100:]) < 0.035
    whole = [{row + 5 * card for row in range(5)} for card in range(4)]
    for rows in map(set, cards(agent)):  # two of one period and phase may be one
        assert all(card <= rows or not card & rows for card in whole)
    assert sum(map(len, cards(agent))) == 20


@pytest.mark.parametrize("lost", [0.02, 0.1])
@pytest.mark.parametrize("seed", range(3))
def test_missed_polls_bias_no_card(seed: int, lost: float) -> None:
    source = random.Random(seed)
    agent = chassis(seed, busy=3, answers=4, between_s=0.02, lost=lambda tick: source.random() < lost)
    parts = parts_of_truth(agent, agent.poll(500)[150:])
    assert rms(parts) < 0.01
    assert np.isnan(parts).mean() < 1.5 * lost


@pytest.mark.parametrize("between_s", [0.02, 0.2])
def test_a_refresh_between_two_answers_of_a_tick_parts_no_card(between_s: float) -> None:
    agent = chassis(3, (3.0, 5.02, 7.0), busy=3, answers=4, between_s=between_s)
    parts = parts_of_truth(agent, agent.poll(400)[120:])
    assert np.nanmax(np.abs(parts - 1)) < 0.06
    assert np.isnan(parts).mean() < 0.01
    assert cards(agent) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]


@pytest.mark.parametrize("seed", range(3))
def test_one_card_beside_rows_as_fresh_as_the_polls_is_found_and_these_are_shown_without_a_gap(seed: int) -> None:
    agent = chassis(seed, (0.0, 5.0, 0.0), busy=4)
    frames = agent.poll(300)
    parts = parts_of_truth(agent, frames)
    plain = [0, 1, 2, 3, 8, 9, 10, 11]
    assert np.abs(parts[4:, plain] - 1).max() < 0.1
    assert rms(parts[100:]) < 0.005
    assert cards(agent) == [[5, 6, 7, 8, 9]]
    assert row_cadences(frames[-1]) == [None] * 5 + [5.0] * 5 + [None] * 5
    assert frames[-1].quality.tolist() == [0] * 5 + [Quality.ESTIMATED] * 5 + [0] * 5


def bursts(per_s: float, seed: int, octets: int = 100_000) -> Octets:
    """Packets that come at random."""
    source, times, at_s = random.Random(seed), [], 0.0
    while at_s < 1100:
        at_s += source.expovariate(per_s)
        times.append(at_s)
    return lambda at_s: octets * bisect_right(times, at_s)


@pytest.mark.parametrize("seed", range(4))
def test_rows_of_mixed_traffic_are_never_taken_for_cards(seed: int) -> None:
    rates = [0.02, 0.05, 0.1, 0.2, 0.2, 0.3, 0.5, 0.5, 1, 1, 2, 3, 5, 10]
    rows = [steady(1e9), steady(0), steady(0), *(bursts(per_s, 100 * seed + n) for n, per_s in enumerate(rates))]
    frames = Agent([rows] * 2).poll(1000)
    assert all(frame.row_cadence_s is None and frame.cadence_s is None for frame in frames)
    assert not np.isnan(frames[91].values).any()


@pytest.mark.parametrize("every_s", [2.0, 10.0])
def test_ports_that_send_nothing_but_hellos_together_beside_busy_ones_are_no_card(every_s: float) -> None:
    hello: Octets = lambda at_s: 60 * (at_s // every_s)  # noqa: E731
    frames = Agent([[steady(1e9), steady(2e9)] + [hello] * 6] * 2).poll(400)
    assert all(frame.row_cadence_s is None and frame.cadence_s is None for frame in frames)


def test_a_card_that_changes_its_period_is_followed_within_5_of_its_periods_and_disturbs_no_other() -> None:
    first = every(5.0, 220, 0.7)
    changed = first + every(8.0, 700, first[-1] + 8)
    agent = of_moments([every(3.0, 700, 0.2), changed, every(10.0, 700, 2.6)], busy=3)
    frames = agent.poll(400)
    parts = parts_of_truth(agent, frames)
    after = 200 + 5 * 8 + 2
    assert row_cadences(frames[after])[4:8] == [pytest.approx(8.0, rel=0.07)] * 4
    assert np.abs(parts[after + 10 :] - 1).max() < 0.06
    assert np.abs(parts[100:, [0, 1, 2, 6, 7, 8]] - 1).max() < 0.06
    assert cards(agent) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]


def test_cards_that_come_into_one_rhythm_are_one_device_again() -> None:
    until = [every(3.0, 200, 0.2), every(5.0, 200, 1.7)]
    agent = of_moments([[*card, *every(4.0, 700, 200.4)] for card in until], busy=3)
    frames = agent.poll(400)
    assert len(set(row_cadences(frames[170]))) == 2
    assert frames[-1].row_cadence_s is None
    assert frames[-1].cadence_s == pytest.approx(4.0, rel=0.01)
    assert rms(parts_of_truth(agent, frames[240:])) < 0.005


def test_cards_that_become_as_fresh_as_the_polls_are_one_plain_device_again() -> None:
    until = [every(3.0, 200, 0.2), every(5.0, 200, 1.7)]
    agent = of_moments([[*card, *np.arange(200, 500, 0.001).tolist()] for card in until], busy=3)
    frames = agent.poll(300)
    assert frames[150].row_cadence_s is not None
    assert frames[-1].row_cadence_s is frames[-1].cadence_s is None
    parts = parts_of_truth(agent, frames)
    assert rms(parts[200:]) < 0.005
    assert not np.isnan(parts[190:]).any()


@pytest.mark.parametrize("seed", range(3))
def test_a_card_that_loses_its_rhythm_is_hidden_again_and_disturbs_no_other(seed: int) -> None:
    dice, first = random.Random(seed), every(5.0, 200, 0.7)
    while first[-1] < 700:
        first.append(first[-1] + dice.uniform(2.5, 12))
    agent = of_moments([every(3.0, 700, 0.2), first, every(10.0, 700, 2.6)], busy=3)
    frames = agent.poll(260)
    parts = parts_of_truth(agent, frames)
    assert np.abs(parts[100:, [0, 1, 2, 6, 7, 8]] - 1).max() < 0.06
    assert np.nanmin(parts[180:]) > 0.3
    assert np.nanmax(parts[180:]) < 2.5
    lapsed = next(tick for tick in range(180, 260) if np.isnan(frames[tick].row_cadence_s[4:8]).all())
    assert np.isnan(parts[lapsed + 1 : lapsed + 30, 3:6]).all()


def test_rows_that_are_answered_before_a_refresh_of_their_card_is_found_are_measured_over_its_period() -> None:
    moments = every(5.0, 700, 0.25)  # the second answer of a tick is asked for at 0.5 s
    agent = of_moments([moments], busy=4, idle=0, answers=2, between_s=0.5)
    agent.poll(41)
    places = agent.meter._meters._places
    (device,) = places._devices.values()
    assert (device.arena.rows.grew[device.rows] & 1).tolist() == [0, 0, 1, 1]
    refreshes = [Refresh(device.times_s[5 * ago], 1.0, 4 - ago, 5) for ago in range(4, -1, -1)]
    places.part(device, np.ones(4, dtype=np.intp), [Cadence(Mode.PER_TICK), Cadence.shown_by(refreshes)])
    (frame,) = agent.poll(1)
    assert parts_of_truth(agent, [frame])[0, :2] == pytest.approx(np.ones(2), rel=0.01)


def test_a_row_that_goes_on_at_refreshes_of_another_card_shows_nothing_untrue_and_is_found_there() -> None:
    moments = [every(3.0, 700, 0.2), every(5.0, 700, 1.7)]
    agent = of_moments(moments, busy=4, idle=0)
    moved = [*every(3.0, 200, 0.2), *(at_s for at_s in moments[1] if at_s > 200)]
    agent.cards = [moved, *agent.cards[1:]]
    agent.names = [f"port{number}" for number in range(8)]
    agent.__post_init__()
    frames = agent.poll(400)
    parts = parts_of_truth(agent, frames)
    assert np.nanmax(np.abs(parts[100:178] - 1)) < 0.06
    assert np.nanmax(np.abs(parts[187:] - 1)) < 0.06
    assert np.isnan(parts[186:, 0]).sum() < 60
    assert not np.isnan(parts[100:, 1:]).any()
    assert cards(agent) == [[0, 4, 5, 6, 7], [1, 2, 3]]


def test_a_row_that_stops_shows_zero_and_one_that_wakes_up_its_rate_with_no_other_in_doubt() -> None:
    agent = chassis(1, (3.0, 5.0), busy=3)
    agent.octets = [[*rows] for rows in agent.octets]
    for rows in agent.octets:
        rows[4] = lambda at_s: 1e8 * min(at_s, 150)
        rows[7] = lambda at_s: 1e8 * max(0.0, at_s - 150)
    frames = agent.poll(250)
    shown = np.array([frame.values[0] for frame in frames[100:]]) / 8e8
    assert shown[:28, 4] == pytest.approx(np.ones(28), rel=0.01)
    assert set(shown[40:, 4]) == set(shown[:28, 7]) == {0.0}
    assert shown[40:, 7] == pytest.approx(np.ones(110), rel=0.01)
    assert not np.isnan(shown).any()


def test_a_restart_keeps_the_periods_of_the_cards_but_not_their_phases() -> None:
    born_s = 200.3
    before, after = (3.0, 5.0, 10.0), (0.9, 2.2, 3.1)
    moments = [[*every(p, 200, 0.4), *every(p, 700, born_s + more)] for p, more in zip(before, after, strict=True)]
    agent = of_moments(moments, busy=3)
    agent.poll(180)
    assert len(cards(agent)) == 3
    octets, base_s = agent.octets, 195.0
    agent.octets = [[lambda at_s, row=row: max(0.0, row(at_s) - row(base_s)) for row in rows] for rows in octets]  # type: ignore[misc]
    frames = []
    for tick in range(100):
        one = agent.reading()
        if not tick:
            continue  # it restarts
        chunks = [replace(c, device_ticks=(c.device_ticks or 0) - TICKS_AT_START - int(born_s * 100)) for c in one.chunks]
        frame, events = agent.meter.advance(replace(one, chunks=tuple(chunks)))
        agent.events += events
        frames.append(frame)
    assert [event.kind for event in agent.events] == ["restarted"]
    assert np.isnan(frames[0].values).all()
    assert row_cadences(frames[0]) == [3.0] * 4 + [5.0] * 4 + [10.0] * 4
    parts = parts_of_truth(agent, frames[25:])
    assert np.abs(parts - 1).max() < 0.02


def test_a_new_version_of_the_table_keeps_the_cards_by_the_names_of_rows() -> None:
    agent = chassis(2, (3.0, 5.0), busy=3)
    agent.poll(150)
    old = agent.table
    order = [7, 6, 5, 4, 3, 2, 1, 0]
    rows = tuple(replace(old.rows[number]) for number in order)
    agent.table = replace(old, version=2, rows=rows, counter_bits=old.counter_bits[:, order])
    agent.octets = [[column[number] for number in order] for column in agent.octets]
    agent.cards = [agent.cards[number] for number in order]
    frames = agent.poll(30)
    assert cards(agent) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert row_cadences(frames[0]) == [5.0] * 4 + [3.0] * 4
    assert np.abs(parts_of_truth(agent, frames) - 1).max() < 0.02


def test_a_row_that_grows_at_every_poll_is_shown_at_once_and_an_idle_one_when_it_cannot_be_of_a_card() -> None:
    frames = Agent([[steady(1e9), steady(0), steady(2e9)]] * 2).poll(30)
    first = [next(tick for tick, frame in enumerate(frames) if not np.isnan(frame.values[0, row])) for row in range(3)]
    assert first[0] == first[2] == 3
    assert first[1] in (15, 16)
    assert {int(bits) for frame in frames for bits in frame.quality} == {Quality.PLAIN}


def test_the_tables_of_these_tests_name_the_cards() -> None:
    assert [row.name for row in chassis(1).table.rows[:4]] == ["et-0/0/0", "et-0/0/1", "et-0/0/2", "et-1/0/0"]
    assert len(table(3).rows) == 3
