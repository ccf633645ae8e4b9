from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.blocks import NO_TICKS, Readings
from server.core.model import Chunk, Reading
from server.rates.segments import Segments
from server.rates.timing import NEVER, DeviceClock, Moments, moments
from tests.rates.build import START_NS, chunk, reading, table


@dataclass(frozen=True)
class Moment:
    """Where a clock placed an answer, and what it made of it."""

    time_ns: int
    restarted: bool
    leap_s: float


def place(clock: DeviceClock, of: Chunk) -> Moment:
    time_ns = clock.place(of.sent_ns, of.received_ns, NO_TICKS if of.device_ticks is None else of.device_ticks)
    return Moment(time_ns, clock.restarted, clock.leap_s if clock.restarted else 0.0)


def moments_of(clock: DeviceClock, *readings: Reading) -> Moments:
    return block_moments([clock], *readings)


def block_moments(clocks: list[DeviceClock], *readings: Reading) -> Moments:
    block = Readings.of(readings)
    return moments(clocks, block, Segments(np.searchsorted(block.chunks.device, np.arange(len(clocks) + 1))))


def answer(sent_s: float, received_s: float, ticks: int | None) -> Chunk:
    return chunk(sent_s, (0, 1), (0,), reply_s=received_s - sent_s, ticks=ticks)


def seconds(time_ns: int) -> float:
    return (time_ns - START_NS) / 1e9


def test_without_a_device_clock_an_answer_lies_midway_between_question_and_reply() -> None:
    assert seconds(place(DeviceClock(), answer(1.0, 1.5, None)).time_ns) == 1.25


def test_the_first_answer_lies_midway_too() -> None:
    moment = place(DeviceClock(), answer(1.0, 1.5, 700))
    assert seconds(moment.time_ns) == 1.25
    assert not moment.restarted


def test_a_slow_reply_is_placed_by_the_device_clock() -> None:
    clock = DeviceClock()
    place(clock, answer(1.0, 1.001, 700))
    moment = place(clock, answer(2.0, 2.5, 801))  # looked 1.01 s after the first, though the reply took 0.5 s
    assert abs(seconds(moment.time_ns) - 2.0105) < 0.011


def test_an_answer_is_never_placed_outside_question_and_reply_even_when_the_clocks_disagree() -> None:
    clock = DeviceClock()
    place(clock, answer(1.0, 1.001, 700))
    assert seconds(place(clock, answer(2.0, 2.1, 3_000)).time_ns) == 2.05
    assert 3.0 <= seconds(place(clock, answer(3.0, 3.1, 3_100)).time_ns) <= 3.1


def test_a_clock_that_stands_still_is_no_restart_and_times_stay_midway() -> None:
    clock = DeviceClock()
    placed = [place(clock, answer(at, at + 0.2, 700)) for at in (1.0, 61.0, 121.0)]
    assert not any(moment.restarted for moment in placed)
    assert [seconds(moment.time_ns) for moment in placed] == [1.1, 61.1, 121.1]


def test_the_wrap_of_the_device_clock_after_497_days_is_no_restart() -> None:
    clock = DeviceClock()
    place(clock, answer(1.0, 1.001, 2**32 - 50))
    moment = place(clock, answer(2.0, 2.5, 51))
    assert not moment.restarted
    assert abs(seconds(moment.time_ns) - 2.0105) < 0.011


def test_a_clock_that_went_back_is_a_restart() -> None:
    clock = DeviceClock()
    place(clock, answer(1.0, 1.001, 1_000))
    assert place(clock, answer(2.0, 2.001, 900)).restarted
    assert not place(clock, answer(3.0, 3.001, 1_000)).restarted


def test_a_restart_of_a_device_that_was_up_for_a_year_is_seen_though_its_clock_seems_to_leap_on() -> None:
    clock = DeviceClock()
    place(clock, answer(1.0, 1.001, 3_200_000_000))
    assert place(clock, answer(2.0, 2.001, 50)).restarted


def test_a_clock_more_than_30_s_behind_is_a_restart_and_one_within_is_not() -> None:
    late, soon = DeviceClock(), DeviceClock()
    for clock in (late, soon):
        place(clock, answer(0.0, 0.001, 1_000))
    assert place(late, answer(100.0, 100.001, 1_000 + 6_900)).restarted
    assert not place(soon, answer(100.0, 100.001, 1_000 + 7_100)).restarted


def test_a_clock_more_than_30_s_ahead_is_anothers_and_one_within_is_not() -> None:
    far, near = DeviceClock(), DeviceClock()
    for clock in (far, near):
        place(clock, answer(1.0, 1.001, 1_000))
    moment = place(far, answer(2.0, 2.001, 1_000 + 3_150))
    assert moment.restarted
    assert abs(moment.leap_s - 30.5) < 0.01
    assert not place(near, answer(2.0, 2.001, 1_000 + 3_050)).restarted
    assert not place(far, answer(3.0, 3.001, 1_000 + 3_250)).restarted


@pytest.mark.parametrize(("before", "after"), [(10, 200), (10, 400), (300, 490)])
def test_a_standby_that_was_up_for_longer_is_a_leap_and_no_restart(before: int, after: int) -> None:
    day, clock = 8_640_000, DeviceClock()
    place(clock, answer(1.0, 1.001, before * day))
    moment = place(clock, answer(2.0, 2.001, after * day))
    assert moment.restarted
    assert abs(moment.leap_s - (after - before) * 86_400) < 2


@pytest.mark.parametrize("ticks", [50, 900])
def test_a_clock_that_went_back_is_no_leap(ticks: int) -> None:
    for up in (1_000, 3_200_000_000):
        clock = DeviceClock()
        place(clock, answer(1.0, 1.001, up))
        moment = place(clock, answer(2.0, 2.001, ticks))
        assert moment.restarted
        assert moment.leap_s == 0


@pytest.mark.parametrize("still_s", [5, 25, 90])
def test_a_clock_that_stood_still_may_catch_up(still_s: int) -> None:
    clock = DeviceClock()
    for at in range(1, still_s):
        assert not place(clock, answer(at, at + 0.001, 1_000)).restarted
    assert not place(clock, answer(still_s, still_s + 0.001, 1_000 + 100 * still_s)).restarted
    assert place(clock, answer(still_s + 1, still_s + 1.001, 1_000 + 200 * still_s + 3_200)).leap_s > 30


def test_answers_that_overtake_each_other_are_no_restart() -> None:
    clock = DeviceClock()
    assert not place(clock, answer(1.0, 1.3, 1_029)).restarted
    assert not place(clock, answer(1.001, 1.02, 1_001)).restarted


def test_overtaking_across_the_wrap_of_the_clock_is_no_restart() -> None:
    clock = DeviceClock()
    assert not place(clock, answer(1.0, 1.3, 5)).restarted
    assert not place(clock, answer(1.001, 1.02, 2**32 - 20)).restarted
    assert not place(clock, answer(2.0, 2.001, 80)).restarted


@given(
    st.lists(
        st.tuples(st.floats(0.2, 5.0), st.floats(0, 0.4), st.floats(0, 0.4)),
        min_size=1,
        max_size=40,
    ),
    st.floats(0, 1000),
)
def test_an_honest_clock_never_restarts_and_places_answers_within_the_reply(
    polls: list[tuple[float, float, float]], offset_s: float
) -> None:
    clock = DeviceClock()
    sent_s = 0.0
    for wait_s, there_s, back_s in polls:
        sent_s += wait_s
        looked_s = sent_s + there_s
        received_s = looked_s + back_s
        moment = place(clock, answer(sent_s, received_s, int((looked_s + offset_s) * 100)))
        assert not moment.restarted
        assert sent_s - 1e-6 <= seconds(moment.time_ns) <= received_s + 1e-6


def test_rates_over_a_jittery_path_are_true_to_half_a_percent() -> None:
    source, clock = random.Random(5), DeviceClock()
    placed, looked = [], []
    for second in range(300):
        there_s, back_s = source.random() * 0.025, source.random() * 0.025
        looked.append(second + there_s)
        sent = answer(second, looked[-1] + back_s, int((looked[-1] + 77.777) * 100))
        placed.append(seconds(place(clock, sent).time_ns))
    spans, truth = np.diff(placed), np.diff(looked)
    assert float(np.sqrt(np.mean((truth / spans - 1)[10:] ** 2))) < 0.005


def test_every_cell_takes_the_time_of_the_answer_that_carried_it() -> None:
    both = [chunk(2.0, (0,), (0, 1)), chunk(1.0, (1,), (1,), reply_s=0.5)]
    when = moments_of(DeviceClock(), reading(table(2), 0, [[0, 0], [0, 0]], chunks=both))
    assert [seconds(time) for time in when.times_ns[0].tolist()] == [2.001, 2.001]
    assert when.times_ns[1, 0] == NEVER
    assert seconds(int(when.times_ns[1, 1])) == 1.25
    assert when.reply_s.tolist() == [0.5]
    assert seconds(int(when.first_ns[0])) == 1.25
    assert when.middle_s[0] == (START_NS / 1e9) + (2.001 + 1.25) / 2


def test_a_reading_without_answers_has_no_times() -> None:
    when = moments_of(DeviceClock(), reading(table(1), 0, [[0], [0]], chunks=[]))
    assert (when.times_ns == NEVER).all()
    assert np.isnan([when.reply_s, when.middle_s]).all()
    assert when.first_ns.tolist() == [NEVER]
    assert not when.restarts


def test_what_came_before_a_restart_within_one_reading_is_dropped() -> None:
    clock = DeviceClock()
    moments_of(clock, reading(table(2), 1, [[0, 0], [0, 0]]))
    parts = [chunk(2.0, (0, 1), (0,), ticks=1_000_201), chunk(2.1, (0, 1), (1,), ticks=3)]
    when = moments_of(clock, reading(table(2), 2, [[0, 0], [0, 0]], chunks=parts))
    assert {device: restart.up_s for device, restart in when.restarts.items()} == {0: 0.03}
    assert (when.times_ns[:, 0] == NEVER).all()
    assert (when.times_ns[:, 1] != NEVER).all()


def test_each_device_of_a_block_has_its_own_clock_and_a_restart_is_of_one_alone() -> None:
    clocks = [DeviceClock(), DeviceClock(), DeviceClock()]
    block_moments(clocks, *(reading(table(1), 1, [[0], [0]]) for _ in clocks))
    restarted = reading(table(1), 2, [[0], [0]], ticks=50)
    silent = reading(table(1), 2, [[0], [0]], chunks=[])
    when = block_moments(clocks, restarted, silent, reading(table(1), 2.5, [[0], [0]]))
    assert list(when.restarts) == [0]
    assert [time == NEVER for time in when.times_ns[0].tolist()] == [False, True, False]
    assert seconds(int(when.first_ns[2])) == 2.5
    assert np.isnan(when.reply_s).tolist() == [False, True, False]
