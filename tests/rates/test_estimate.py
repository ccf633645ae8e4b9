"""Agents that refresh their counters slowly, simulated with known truth and polled once a second with 20 ms of jitter."""

from __future__ import annotations

import random
from bisect import bisect_right
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from server.core.model import Floats, Frame, Quality
from tests.rates.agent import Agent, Octets, every, steady
from tests.rates.build import ERRORS, IN, OUT, TICKS_AT_START, chunk, reading, table
from tests.rates.meters import RateMeter

LOADS_BPS = (1e9, 2e9, 3e9, 4e9)


def loaded(period_s: float, until_s: float = 700.0, **more: object) -> Agent:
    """Four rows of steady load, in and out."""
    return Agent([[steady(bps) for bps in LOADS_BPS]] * 2, every(period_s, until_s), **more)  # type: ignore[arg-type]


def of_truth(frames: list[Frame]) -> Floats:
    """(ticks, rows) shown rates, as a part of the true ones."""
    shown: Floats = np.array([frame.values[0] for frame in frames]) / np.array(LOADS_BPS)
    return shown


def rms(parts: Floats) -> float:
    return float(np.sqrt(np.mean((parts - 1) ** 2)))


def is_estimated(frame: Frame) -> bool:
    return bool(frame.quality[0] & Quality.ESTIMATED)


@pytest.mark.parametrize("period_s", [1.5, 2.5, 3.02, 5, 7, 10])
def test_an_agent_that_refreshes_slowly_shows_its_true_steady_rate_at_every_tick(period_s: float) -> None:
    frames = loaded(period_s).poll(300)
    settled = frames[100:]
    assert rms(of_truth(settled)) < 0.005
    assert all(is_estimated(frame) and frame.cadence_s is not None for frame in settled)
    assert np.mean([frame.cadence_s for frame in settled]) == pytest.approx(period_s, rel=0.004)
    assert np.mean([frame.span_s for frame in settled]) == pytest.approx(period_s, rel=0.004)
    assert not any(frame.quality[0] & ~Quality.ESTIMATED for frame in settled)


@pytest.mark.parametrize("period_s", [2.5, 3.02, 5, 10])
def test_nothing_untrue_is_shown_while_a_slow_cadence_is_learned(period_s: float) -> None:
    parts = of_truth(loaded(period_s).poll(80))
    assert np.nanmax(np.abs(parts - 1)) < 0.06
    first = int(np.argmax(~np.isnan(parts[:, 0])))
    assert first <= 5 * period_s + 3
    assert not np.isnan(parts[first:]).any()


@pytest.mark.parametrize("lost", [0.0, 0.1, 0.3])
def test_an_agent_that_counts_at_every_poll_is_never_estimated(lost: float) -> None:
    source = random.Random(1)
    agent = Agent([[steady(bps) for bps in LOADS_BPS]] * 2, lost=lambda tick: source.random() < lost)
    frames = agent.poll(600)
    assert not any(is_estimated(frame) or frame.cadence_s for frame in frames)
    parts = of_truth(frames)[10:]
    assert rms(parts[~np.isnan(parts)]) < 0.005


@pytest.mark.parametrize("period_s", [1.5, 3.02, 5])
def test_missed_polls_bias_no_estimate(period_s: float) -> None:
    source = random.Random(1)
    frames = loaded(period_s, 1200.0, lost=lambda tick: source.random() < 0.05).poll(1000)
    parts = of_truth(frames)[200:]
    came = ~np.isnan(parts)
    assert rms(parts[came]) < 0.005
    assert came.mean() > 0.93
    assert [bool(frame.quality[0] & Quality.INVALID) for frame in frames[200:]] == [not row[0] for row in came]


def test_a_refresh_that_was_missed_is_shown_late_and_true() -> None:
    agent = loaded(3.02)
    agent.poll(120)
    agent.lost = lambda tick: tick < 124
    agent.poll(4)
    (frame,) = agent.poll(1)
    after = [frame, *agent.poll(2)]
    late = [frame for frame in after if frame.quality[0] & Quality.LATE]
    assert len(late) == 1
    assert rms(of_truth(after)) < 0.005


def test_an_outage_ends_the_estimate_and_the_cadence_is_kept() -> None:
    agent = loaded(3.02)
    agent.poll(120)
    agent.lost = lambda tick: tick < 150
    agent.poll(30)
    frames = agent.poll(30)
    assert np.isnan(of_truth(frames[:1])).all()
    parts = of_truth(frames[4:])
    assert rms(parts) < 0.005
    assert frames[0].cadence_s == pytest.approx(3.02, rel=0.01)


@pytest.mark.parametrize("period_s", [2.0, 3.0, 5.0])
@pytest.mark.parametrize("outage", [2, 4, 8, 10, 12, 17, 30])
@pytest.mark.parametrize("begins", [1, 5, 8, 9, 10, 13, 16, 60])
def test_an_outage_shows_nothing_untrue_while_a_cadence_is_learned_or_known(
    period_s: float, outage: int, begins: int
) -> None:
    frames = loaded(period_s, lost=lambda tick: begins <= tick < begins + outage).poll(begins + outage + 60)
    parts = of_truth(frames)
    assert np.nanmax(np.abs(parts - 1)) < 0.1
    assert rms(parts[-15:]) < 0.01
    assert frames[-1].cadence_s == pytest.approx(period_s, rel=0.02)


@pytest.mark.parametrize("begins", [7, 9, 12])
def test_an_agent_that_restarts_in_an_outage_while_its_cadence_is_learned_shows_nothing_untrue(begins: int) -> None:
    agent = loaded(3.0, lost=lambda tick: begins <= tick < begins + 17)
    parts = of_truth(agent.poll(begins + 17))
    assert np.isnan(parts[begins:]).all()
    octets, born_s = agent.octets, agent.asked_s
    agent.octets = [[lambda at_s, row=row: row(at_s) - row(born_s - 5) for row in rows] for rows in octets]  # type: ignore[misc]
    frames = []
    for _ in range(60):
        one = agent.reading()
        chunks = [replace(c, device_ticks=(c.device_ticks or 0) - TICKS_AT_START - int(born_s * 100)) for c in one.chunks]
        frame, events = agent.meter.advance(replace(one, chunks=tuple(chunks)))
        agent.events += events
        frames.append(frame)
    assert [event.kind for event in agent.events] == ["restarted"]
    assert np.nanmax(np.abs(of_truth(frames) - 1)) < 0.06
    assert rms(of_truth(frames[-30:])) < 0.01


def test_answers_whose_cells_are_not_believed_are_no_time_to_learn_in() -> None:
    """As after a restart, until the interfaces have been read again."""
    agent = Agent([[steady(1e9)]] * 2, every(3.0, 200))
    frames = agent.poll(4)
    for _ in range(20):
        one = agent.reading()
        frames.append(agent.meter.advance(replace(one, valid=np.zeros_like(one.valid)))[0])
    frames += agent.poll(40)
    shown = np.array([frame.values[0, 0] for frame in frames]) / 1e9
    assert np.nanmax(np.abs(shown - 1)) < 0.06
    assert rms(shown[-10:]) < 0.01


@pytest.mark.parametrize(("period_s", "between_s"), [(3.0, 0.2), (5.0, 0.2), (3.02, 0.02)])
def test_a_refresh_between_two_answers_of_a_tick_shows_no_false_zero(period_s: float, between_s: float) -> None:
    agent = loaded(period_s, answers=4, between_s=between_s)
    parts = of_truth(agent.poll(400)[100:])
    assert np.abs(parts - 1).max() < 0.01


def test_idle_rows_of_a_slow_agent_are_zero_and_not_taken_for_stalled() -> None:
    idle: Octets = lambda at_s: 0  # noqa: E731
    agent = Agent([[steady(1e9), idle, idle]] * 2, every(3.02, 400))
    frames = agent.poll(200)[20:]
    assert all(frame.values[:, 1:].max() == 0 for frame in frames)
    assert np.mean([frame.values[0, 0] for frame in frames]) == pytest.approx(1e9, rel=0.005)
    assert all(frame.quality[1] == Quality.ESTIMATED for frame in frames)


def pausing(at_s: float) -> float:
    """1 Gb/s, but for nothing between 120 s and 180 s."""
    return 1e9 / 8 * (at_s if at_s < 120 else 120 if at_s < 180 else at_s - 60)


def test_a_row_that_stops_among_others_shows_zero_within_a_refresh_and_comes_back() -> None:
    agent = Agent([[steady(1e9), pausing]] * 2, every(3.02, 400))
    frames = agent.poll(200)  # the first poll is at 20 s
    shown = [float(frame.values[0, 1]) for frame in frames]
    assert shown[98] == pytest.approx(1e9, rel=0.02)
    assert set(shown[108:159]) == {0.0}
    assert shown[168:] == pytest.approx([1e9] * 32, rel=0.02)
    assert not np.isnan(shown[100:]).any()


def test_when_all_traffic_stops_the_estimate_stands_then_nothing_is_known_then_it_is_zero() -> None:
    frames = Agent([[pausing] * 4] * 2, every(5.0, 400)).poll(200)
    shown = [float(frame.values[0, 0]) for frame in frames]
    stopped = shown[100:155]
    told = ["nan" if np.isnan(value) else "zero" if value == 0 else "rate" for value in stopped]
    changes = [told[0], *(after for before, after in pairwise(told) if after != before)]
    assert changes == ["rate", "nan", "zero"]
    assert told.index("zero") <= 20
    assert shown[168:] == pytest.approx([1e9] * 32, rel=0.01)
    assert all(frame.cadence_s == pytest.approx(5.0, rel=0.01) for frame in frames[100:])


def test_a_restart_is_a_gap_and_the_cadence_is_kept() -> None:
    agent = loaded(3.02)
    agent.poll(120)
    born_s = agent.asked_s
    octets = agent.octets
    agent.octets = [[lambda at_s, row=row: row(at_s - born_s) for row in rows] for rows in octets]  # type: ignore[misc]
    one = agent.reading()
    chunks = tuple(
        replace(chunk, device_ticks=(chunk.device_ticks or 0) - TICKS_AT_START - int(born_s * 100)) for chunk in one.chunks
    )
    frame, events = agent.meter.advance(replace(one, chunks=chunks))
    assert [event.kind for event in events] == ["restarted"]
    assert np.isnan(frame.values).all()
    assert (frame.quality & Quality.RESET).all()
    assert frame.cadence_s == pytest.approx(3.02, rel=0.01)


@pytest.mark.parametrize(("before_s", "after_s"), [(3, 5), (5, 3), (3, 4), (10, 3), (1.5, 2.5)])
def test_a_change_of_cadence_is_followed_within_5_periods(before_s: float, after_s: float) -> None:
    moments = every(before_s, 220)
    moments += every(after_s, 500, moments[-1] + after_s)
    frames = Agent([[steady(bps) for bps in LOADS_BPS]] * 2, moments).poll(350)
    followed = 200 + round(5 * after_s) + 2
    assert all(frame.cadence_s is not None for frame in frames[200:])
    assert frames[followed].cadence_s == pytest.approx(after_s, rel=0.07)
    assert rms(of_truth(frames[followed + 20 :])) < 0.005
    assert not np.isnan(of_truth(frames[150:])).any()


def test_an_agent_that_begins_to_count_at_every_poll_is_followed_without_a_gap() -> None:
    moments = [*every(3.0, 220), *np.arange(220, 500, 0.001).tolist()]
    frames = Agent([[steady(bps) for bps in LOADS_BPS]] * 2, moments).poll(300)
    assert not any(is_estimated(frame) or frame.cadence_s for frame in frames[210:])
    assert not np.isnan(of_truth(frames[100:])).any()
    assert rms(of_truth(frames[201:])) < 0.005


def test_an_agent_that_begins_to_cache_is_followed() -> None:
    moments = [*np.arange(0, 120, 0.001).tolist(), *every(4.0, 500, 123.0)]
    frames = Agent([[steady(bps) for bps in LOADS_BPS]] * 2, moments).poll(300)
    assert not any(frame.cadence_s for frame in frames[:100])
    assert rms(of_truth(frames[126:])) < 0.005
    assert all(is_estimated(frame) for frame in frames[126:])


@pytest.mark.parametrize("phase_s", [0.25, 0.6])
def test_a_plain_rate_is_never_held_as_an_estimate_when_a_cadence_begins(phase_s: float) -> None:
    """Half of the rows are answered half a second later: a refresh may show there first."""
    moments = [*np.arange(0, 120, 0.001).tolist(), *every(4.0, 500, 123 + phase_s)]
    agent = Agent([[steady(bps) for bps in LOADS_BPS]] * 2, moments, answers=2, between_s=0.5)
    frames = agent.poll(250)
    begins = next(tick for tick, frame in enumerate(frames) if frame.cadence_s)
    parts = of_truth(frames[begins:])
    assert np.nanmax(np.abs(parts - 1)) < 0.1
    assert not np.isnan(parts[2:]).any()


def bursts(per_s: float, seed: int) -> Octets:
    """Packets that come at random."""
    source, times, at_s = random.Random(seed), [], 0.0
    while at_s < 1100:
        at_s += source.expovariate(per_s)
        times.append(at_s)
    return lambda at_s: 1000 * bisect_right(times, at_s)


@pytest.mark.parametrize("per_s", [0.05, 0.2, 0.5, 1, 3])
@pytest.mark.parametrize("links", [1, 4])
def test_sporadic_traffic_is_not_taken_for_a_cadence(per_s: float, links: int) -> None:
    estimated = ticks = 0
    for seed in range(3):
        frames = Agent([[bursts(per_s, 10 * seed + link) for link in range(links)]] * 2).poll(1000)
        estimated += sum(frame.cadence_s is not None for frame in frames)
        ticks += len(frames)
        assert not np.isnan(frames[91].values).any()
    assert estimated / ticks < 0.03


def test_slow_columns_of_a_slow_agent_are_plain_rates() -> None:
    of = table(1, metrics=(IN, OUT, ERRORS))
    agent = loaded(3.0)
    for second in range(61):
        at_s = agent.as_of(second + 20.0)
        values = [[int(1e8 * at_s)], [int(1e8 * at_s)], [5 * second]]
        due = second % 10 == 0
        one = reading(of, second, values[: 3 if due else 2], columns=(0, 1, 2) if due else (0, 1))
        frame, _ = agent.meter.advance(one)
    assert frame.cadence_s == pytest.approx(3.0, rel=0.01)
    assert frame.values[:, 0] == pytest.approx([8e8, 8e8, 5.0], rel=0.01)
    assert frame.quality[0] == Quality.ESTIMATED


def test_a_wrap_at_line_speed_is_no_reset_though_a_refresh_holds_more_than_the_polls_between() -> None:
    def filling(from_s: float) -> Octets:
        """Idle just before the end of 64 bits, then 98 Gb/s of 100."""
        return lambda at_s: (2**64 - 1000 + round(12.25e9 * max(0.0, at_s - from_s))) % 2**64

    moments = every(3.5, 400)
    agent = Agent([[steady(1e9), *(filling(moments[30 + row]) for row in range(4))]] * 2, moments)
    frames = agent.poll(150)
    assert agent.events == []
    wrapped = [bool(row & Quality.WRAPPED) for frame in frames for row in frame.quality]
    assert sum(wrapped) == 4
    assert frames[-1].values[:, 1:] == pytest.approx(98e9, rel=0.02)


def test_polls_at_which_only_idle_rows_answer_are_no_sign_of_a_cadence() -> None:
    of = table(4)
    meter = RateMeter("sw1")
    lost = [(column, row) for column in (0, 1) for row in (0, 1, 2)]
    for second in range(60):
        values = [[1000 * second, 2000 * second, 3000 * second, 5]] * 2
        partly = chunk(second - 0.001, (0, 1), (3,)) if second > 5 and second % 2 else None
        one = reading(of, second, values, missing=lost if partly else (), chunks=[partly] if partly else None)
        frame, _ = meter.advance(one)
        assert frame.cadence_s is None


def test_a_row_that_pauses_for_a_refresh_is_measured_over_the_one_that_brought_its_growth() -> None:
    refreshes = every(1.5, 400)
    dice, sent = random.Random(4), [0.0]
    for _ in refreshes:
        sent.append(sent[-1] + dice.choice([0.0, 1.5e9 / 8]))

    def now_and_then(at_s: float) -> float:
        return sent[bisect_right(refreshes, at_s)]

    agent = Agent([[steady(bps) for bps in LOADS_BPS] + [now_and_then]] * 2, refreshes)
    shown = np.array([frame.values[0, 4] for frame in agent.poll(250)[60:]])
    shown = shown[~np.isnan(shown)]
    assert np.minimum(np.abs(shown), np.abs(shown / 1e9 - 1)).max() < 0.01
