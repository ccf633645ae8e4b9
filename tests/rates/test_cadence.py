from __future__ import annotations

import random

import pytest

from server.rates.cadence import Cadence
from server.rates.modes import Mode, Silence
from server.rates.period import Refresh


def many(_: int) -> int:
    return 50


def few(_: int) -> int:
    return 2


def alone(_: int) -> int:
    return 1


def watch(cadence: Cadence, fresh: str, start: int = 0, in_step: object = many, interval_s: float = 1.0) -> int:
    """Poll once an interval: F a fresh poll, . nothing grew, x missed. Returns the next tick."""
    answered = start - 1
    for tick, what in enumerate(fresh, start):
        if what == "x":
            continue
        at_s = tick * interval_s
        cadence.poll(at_s, answered * interval_s if what == "F" else None, interval_s, in_step)  # type: ignore[arg-type]
        cadence.end_learning(at_s, interval_s, in_step)  # type: ignore[arg-type]
        answered = tick
    return start + len(fresh)


def test_three_fresh_polls_in_a_row_end_the_learning_with_plain_rates() -> None:
    cadence = Cadence()
    watch(cadence, "FF")
    assert cadence.mode is Mode.LEARNING
    watch(cadence, "F", 2)
    assert cadence.mode is Mode.PER_TICK


def test_four_regular_spacings_in_step_are_a_cadence() -> None:
    cadence = Cadence()
    watch(cadence, "F..F..F..F..")
    assert cadence.mode is Mode.LEARNING
    watch(cadence, "F", 12)
    assert cadence.mode is Mode.CADENCE
    assert cadence.period_s == pytest.approx(3.0)
    assert (cadence.step, cadence.span_s) == (1, cadence.period_s)


def test_a_single_counter_that_grows_regularly_is_no_cadence() -> None:
    cadence = Cadence()
    watch(cadence, "F.." * 20, in_step=alone)
    assert cadence.mode is Mode.PER_TICK


def test_irregular_growth_is_traffic() -> None:
    cadence = Cadence()
    watch(cadence, "F..F......F.F....F")
    assert cadence.mode is Mode.PER_TICK


def test_a_device_on_which_nothing_grows_is_shown_after_15_s() -> None:
    cadence = Cadence()
    watch(cadence, "." * 15)
    assert cadence.mode is Mode.LEARNING
    watch(cadence, ".", 15)
    assert cadence.mode is Mode.PER_TICK


def test_the_learning_lasts_at_least_8_polls() -> None:
    cadence = Cadence()
    watch(cadence, "." * 8, interval_s=5.0)
    assert cadence.mode is Mode.LEARNING
    watch(cadence, ".", 8, interval_s=5.0)
    assert cadence.mode is Mode.PER_TICK


def test_slow_polls_need_no_learning() -> None:
    cadence = Cadence()
    watch(cadence, ".", interval_s=10.5)
    assert cadence.mode is Mode.PER_TICK


def test_the_learning_goes_on_while_a_slow_pattern_shows_but_not_for_ever() -> None:
    cadence = Cadence()
    watch(cadence, "F" + "." * 89)
    assert cadence.mode is Mode.LEARNING
    watch(cadence, "..", 90)
    assert cadence.mode is Mode.PER_TICK


def test_missed_polls_are_no_sign_of_a_cadence() -> None:
    cadence = Cadence()
    watch(cadence, "FFF" + "xFxF" * 30)
    assert cadence.mode is Mode.PER_TICK


def test_fewer_counters_in_step_need_longer_proof() -> None:
    quick, sure = Cadence(), Cadence()
    for cadence, in_step in ((quick, many), (sure, few)):
        watch(cadence, "FFF" + "...F" * 5, in_step=in_step)
    assert quick.mode is Mode.CADENCE
    assert sure.mode is Mode.PER_TICK
    watch(sure, "...F" * 4, 23, in_step=few)
    assert sure.mode is Mode.CADENCE


def test_refreshes_that_were_missed_are_counted_by_the_period() -> None:
    cadence = Cadence()
    tick = watch(cadence, "F.." * 8 + "F")
    watch(cadence, "x" * 8 + "F", tick)
    assert cadence.step == 3
    assert cadence.span_s == pytest.approx(9.0, rel=0.05)


def test_a_missed_poll_within_a_period_changes_nothing() -> None:
    cadence = Cadence()
    tick = watch(cadence, "F.." * 8 + "F")
    watch(cadence, ".xF", tick)
    assert cadence.step == 1
    assert cadence.period_s == pytest.approx(3.0, rel=0.02)


def test_growth_that_comes_sooner_than_the_period_is_measured_over_true_time() -> None:
    cadence = Cadence()
    tick = watch(cadence, "F...." * 8 + "F")
    watch(cadence, "F", tick)
    assert cadence.span_s == pytest.approx(1.0)


def test_growth_after_a_long_silence_took_one_period() -> None:
    cadence = Cadence()
    tick = watch(cadence, "F.." * 8 + "F")
    watch(cadence, "." * 40 + "F", tick)
    assert cadence.mode is Mode.CADENCE
    assert (cadence.step, cadence.span_s) == (1, pytest.approx(3.0, rel=0.02))


def test_silence_holds_for_a_period_and_a_half_and_is_still_after_three() -> None:
    cadence = Cadence()
    tick = watch(cadence, "F...." * 8 + "F")
    last_s = tick - 1
    assert [cadence.silence(last_s + age_s, 1.0) for age_s in (0, 8.4, 8.6, 14.9, 15.1)] == [
        Silence.HOLD,
        Silence.HOLD,
        Silence.UNKNOWN,
        Silence.UNKNOWN,
        Silence.STILL,
    ]


def test_five_fresh_polls_in_a_row_end_a_cadence() -> None:
    cadence = Cadence()
    tick = watch(cadence, "F..F..F..F..F")
    watch(cadence, "FFFFF", tick)
    assert cadence.mode is Mode.PER_TICK


def test_a_cadence_a_little_slower_than_the_polls_brings_long_runs_and_stays() -> None:
    cadence = Cadence()
    watch(cadence, "FF.FFFFF.FFFFF.FFFFF.FFFFF.FFFFF.FFFFF.FFFFF.FFFFF.FFFFF.")
    assert cadence.mode is Mode.CADENCE
    assert cadence.period_s == pytest.approx(1.2, rel=0.01)


def test_a_chance_pattern_that_was_taken_for_a_cadence_is_given_up() -> None:
    cadence = Cadence()
    tick = watch(cadence, "F.F.F.F.F")
    assert cadence.mode is Mode.CADENCE
    watch(cadence, "FF..F.F..FFF..F..FF.F..FF..F", tick)
    assert cadence.mode is Mode.PER_TICK


def test_a_small_change_of_the_period_is_followed_too() -> None:
    cadence = Cadence()
    tick = watch(cadence, "F....." * 12 + "F")
    watch(cadence, "......F" * 15, tick)
    assert cadence.mode is Mode.CADENCE
    assert cadence.period_s == pytest.approx(7.0, rel=0.01)


def test_a_restart_keeps_what_was_learned() -> None:
    cadence = Cadence()
    tick = watch(cadence, "F.." * 8 + "F")
    cadence.restart(tick)
    watch(cadence, "..F..F", tick + 1)
    assert cadence.mode is Mode.CADENCE
    assert cadence.period_s == pytest.approx(3.0, rel=0.02)


def test_a_restart_while_learning_begins_to_look_anew() -> None:
    cadence = Cadence()
    tick = watch(cadence, "F..F..")
    cadence.restart(tick)
    watch(cadence, "F..F.", tick + 1)
    assert cadence.mode is Mode.LEARNING


@pytest.mark.parametrize("silent", [3, 10, 100])
def test_an_outage_while_learning_begins_it_anew(silent: int) -> None:
    cadence = Cadence()
    tick = watch(cadence, "F..F..F..") + silent
    cadence.restart(tick)  # what the meter does at the first answer after an outage
    tick = watch(cadence, ".F..F..F..F", tick)
    assert cadence.mode is Mode.LEARNING
    watch(cadence, "..F", tick)
    assert cadence.mode is Mode.CADENCE
    assert cadence.period_s == pytest.approx(3.0)


def test_time_before_an_outage_does_not_end_the_learning_after_it() -> None:
    cadence = Cadence()
    tick = watch(cadence, "." * 14) + 30
    cadence.restart(tick)
    tick = watch(cadence, "." * 15, tick)
    assert cadence.mode is Mode.LEARNING
    watch(cadence, ".", tick)
    assert cadence.mode is Mode.PER_TICK


def test_two_missed_polls_while_learning_may_hide_a_refresh_so_it_begins_anew() -> None:
    cadence = Cadence()
    tick = watch(cadence, "F.F.F.xxF.F.F.F")
    assert cadence.mode is Mode.LEARNING
    watch(cadence, ".F", tick)
    assert cadence.mode is Mode.CADENCE
    assert cadence.period_s == pytest.approx(2.0, rel=0.03)


def test_after_an_outage_silence_is_judged_from_the_first_answer() -> None:
    cadence = Cadence()
    tick = watch(cadence, "F.." * 8 + "F") + 30
    cadence.restart(tick)
    assert cadence.silence(tick + 1, 1.0) is Silence.HOLD
    assert cadence.silence(tick + 9.1, 1.0) is Silence.STILL


def refreshed(cadence: Cadence, moments: list[float], until_s: float, start: int = 0) -> list[tuple[float, float]]:
    """Poll a device that refreshes at these moments, once a second. Of each fresh poll: when, and the period known then."""
    found = []
    for tick in range(start, int(until_s)):
        fresh = any(tick - 1 < moment_s <= tick for moment_s in moments)
        cadence.poll(float(tick), tick - 1.0 if fresh else None, 1.0, many)
        cadence.end_learning(float(tick), 1.0, many)
        if fresh:
            found.append((float(tick), cadence.period_s))
    return found


@pytest.mark.parametrize(
    ("before_s", "after_s", "within"),
    [(5, 5.5, 5), (5, 4.5, 5), (10, 11, 5), (10, 9, 5), (3, 5, 5), (5, 3, 5), (5, 7, 5), (3, 3.3, 7), (15, 16.5, 5)],
)
@pytest.mark.parametrize("phase_s", [0.1, 0.35, 0.6, 0.85])
def test_a_change_of_period_by_a_tenth_or_more_is_followed_within_5_periods(
    before_s: float, after_s: float, within: int, phase_s: float
) -> None:
    """As soon as a refresh is more than a poll away from where it was due, which at 3.3 s can take 7."""
    change_s = phase_s + 40 * before_s
    moments = [phase_s + number * before_s for number in range(41)]
    moments += [change_s + number * after_s for number in range(1, 20)]
    found = refreshed(Cadence(), moments, change_s + 19 * after_s)
    after = [period_s for at_s, period_s in found if at_s > change_s + 1]
    assert after[within - 1 :] == pytest.approx([after_s] * len(after[within - 1 :]), rel=0.045)


@pytest.mark.parametrize("seed", range(6))
def test_a_small_change_is_followed_though_the_refreshes_stray_by_2_percent(seed: int) -> None:
    """Simulated 30 times: within 4 % after 4 refreshes in half of them, 5 in nine of ten, 13 in all."""
    source = random.Random(seed)
    times_s = [3.3 * number for number in range(41)] + [132.0 + 3.0 * number for number in range(1, 30)]
    moments = [0.5 + at_s + source.gauss(0, 0.06) for at_s in times_s]
    found = refreshed(Cadence(), moments, moments[-1])
    after = [period_s for at_s, period_s in found if at_s > 133.5]
    assert after[9:] == pytest.approx([3.0] * len(after[9:]), rel=0.04)


@pytest.mark.parametrize("late_s", [2.0, 4.0, -1.5])
def test_one_refresh_that_comes_late_or_early_moves_the_phase_and_not_the_period(late_s: float) -> None:
    moments = [0.3 + 5 * number for number in range(15)]
    moments += [moments[-1] + 5 * number + late_s for number in range(1, 15)]
    found = refreshed(Cadence(), moments, moments[-1])
    assert [period_s for _, period_s in found[8:]] == pytest.approx([5.0] * len(found[8:]), rel=0.01)


@pytest.mark.parametrize("period_s", [2.0, 2.5, 3.0, 4.0, 5.0, 7.3])
@pytest.mark.parametrize(("in_step", "refreshes"), [(many, 5), (few, 7)])
def test_a_device_that_begins_to_cache_is_believed_within_few_refreshes(
    period_s: float, in_step: object, refreshes: int
) -> None:
    cadence = Cadence()
    start = watch(cadence, "F" * 40, in_step=in_step)
    moments = [40.3 + period_s * number for number in range(20)]
    for tick in range(start, 200):
        fresh = any(tick - 1 < moment_s <= tick for moment_s in moments)
        cadence.poll(float(tick), tick - 1.0 if fresh else None, 1.0, in_step)  # type: ignore[arg-type]
        cadence.end_learning(float(tick), 1.0, in_step)  # type: ignore[arg-type]
        if cadence.mode is Mode.CADENCE:
            break
    assert tick <= 41.3 + refreshes * period_s
    assert cadence.period_s == pytest.approx(period_s, rel=0.07)


def test_while_all_that_was_busy_stands_still_nothing_is_shown_but_a_silence_of_5_s_is_one() -> None:
    cadence = Cadence()
    tick = watch(cadence, "F" * 40)
    tick = watch(cadence, ".....", tick)
    assert cadence.mode is Mode.LEARNING
    tick = watch(cadence, ".", tick)
    assert cadence.mode is Mode.PER_TICK
    tick = watch(cadence, "....F", tick)  # and what grew meanwhile is no rate of one poll
    assert cadence.mode is Mode.LEARNING
    watch(cadence, "FFF", tick)
    assert cadence.mode is Mode.PER_TICK


def test_a_few_counters_that_pause_are_shown_as_they_are() -> None:
    cadence = Cadence()
    tick = watch(cadence, "F" * 40, in_step=few)
    watch(cadence, "....F", tick, in_step=few)
    assert cadence.mode is Mode.PER_TICK


def test_a_cadence_that_was_found_elsewhere_goes_on_from_its_refreshes() -> None:
    cadence = Cadence.shown_by([Refresh(5.0 * number, 1.0, number, 5) for number in range(5)])
    assert cadence.mode is Mode.CADENCE
    assert cadence.period_s == pytest.approx(5.0)
    watch(cadence, "....F", 21)
    assert (cadence.step, cadence.span_s) == (1, pytest.approx(5.0))
