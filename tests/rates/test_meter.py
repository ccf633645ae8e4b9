from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from server.core.model import Quality, Reading
from tests.rates.build import ERRORS, IN, LOAD, OUT, STATUS, chunk, flags, reading, table, with_row
from tests.rates.meters import RateMeter, feed, running, shown, steady


def test_a_counter_shows_its_growth_times_its_scale_over_true_time() -> None:
    meter, _ = running()
    frame, events = meter.advance(steady(4.25))
    assert shown(frame) == [[8000.0, 16000.0]] * 2
    assert frame.span_s == pytest.approx(1.25, abs=1e-6)
    assert events == []
    assert frame.quality.tolist() == [0, 0]
    assert frame.cadence_s is None


def test_the_first_ticks_of_a_device_are_nan_and_plain_until_its_cadence_is_known() -> None:
    _, frames = running()
    assert [shown(frame)[0] for frame in frames] == [[None, None]] * 3 + [[8000.0, 16000.0]]
    assert all(frame.quality.tolist() == [0, 0] for frame in frames)
    assert frames[0].span_s == 1.0


def test_polls_slower_than_10_s_are_shown_from_the_second_on() -> None:
    meter = RateMeter("sw1")
    frames = feed(meter, (steady(at, interval_s=30.0) for at in (0, 30)))
    assert shown(frames[1])[0] == [8000.0, 16000.0]


def test_an_idle_device_shows_true_zeros_after_15_s() -> None:
    meter, of = RateMeter("sw1"), table(1)
    frames = feed(meter, (reading(of, at, [[7], [0]]) for at in range(20)))
    assert shown(frames[14])[0] == [None]
    assert shown(frames[16]) == [[0.0], [0.0]]
    assert frames[16].quality.tolist() == [0]


def test_seq_begins_at_zero_and_rises_by_one() -> None:
    assert [frame.seq for frame in feed(RateMeter("sw1"), (steady(at) for at in range(3)))] == [0, 1, 2]


def test_gauges_and_states_pass_through_from_the_first_tick() -> None:
    of = table(2, metrics=(IN, STATUS, LOAD))
    frame, _ = RateMeter("sw1").advance(reading(of, 0, [[1, 1], [1, 2], [55, 66]], missing=[(2, 1)]))
    assert shown(frame) == [[None, None], [1.0, 2.0], [55.0, None]]
    assert flags(frame, 0) == Quality.PLAIN
    assert flags(frame, 1) == Quality.INVALID


def test_a_device_without_counters_is_shown() -> None:
    of = table(1, metrics=(STATUS,))
    frames = feed(RateMeter("sw1"), (reading(of, at, [[1]]) for at in range(20)))
    assert shown(frames[-1]) == [[1.0]]
    assert frames[-1].quality.tolist() == [0]


def test_a_device_without_rows_has_empty_frames() -> None:
    of = table(names=["only"])
    of = replace(of, rows=(), counter_bits=of.counter_bits[:, :0])
    frames = feed(RateMeter("sw1"), (reading(of, at, [[], []], chunks=[chunk(at, (), ())]) for at in range(3)))
    assert frames[-1].values.shape == (2, 0)


def test_a_missed_cell_is_nan_and_invalid_and_the_next_answer_spans_the_truth() -> None:
    meter, _ = running()
    missed, _ = meter.advance(steady(4, missing=[(0, 1)]))
    assert shown(missed) == [[8000.0, None], [8000.0, 16000.0]]
    assert [flags(missed, row) for row in (0, 1)] == [Quality.PLAIN, Quality.INVALID]
    after, _ = meter.advance(steady(5))
    assert shown(after) == [[8000.0, 16000.0]] * 2
    assert [flags(after, row) for row in (0, 1)] == [Quality.PLAIN, Quality.LATE]


def test_a_reading_that_nothing_answered_is_all_nan_and_invalid() -> None:
    meter, _ = running()
    frame, events = meter.advance(steady(4, chunks=[], missing=[(c, r) for c in (0, 1) for r in (0, 1)]))
    assert shown(frame) == [[None, None]] * 2
    assert frame.quality.tolist() == [Quality.INVALID] * 2
    assert frame.reply_s is None
    assert frame.span_s == 1.0
    assert events == []


def test_a_valid_cell_that_no_answer_carried_is_invalid() -> None:
    meter, _ = running()
    frame, _ = meter.advance(steady(4, chunks=[chunk(4, (0, 1), (0,))]))
    assert shown(frame)[0][1] is None
    assert flags(frame, 1) == Quality.INVALID


@pytest.mark.parametrize(("outage_s", "bridged"), [(3.4, True), (3.6, False), (30.0, False)])
def test_an_outage_of_more_than_3_and_a_half_intervals_does_not_hide_in_a_mean(outage_s: float, bridged: bool) -> None:
    meter, _ = running()
    frame, _ = meter.advance(steady(3 + outage_s))
    assert shown(frame)[0] == ([8000.0, 16000.0] if bridged else [None, None])
    assert flags(frame) == (Quality.LATE if bridged else Quality.PLAIN)
    after, _ = meter.advance(steady(4 + outage_s))
    assert shown(after)[0] == [8000.0, 16000.0]


def slow_reading(at_s: int, **more: object) -> Reading:
    """Errors are due at every 10th second."""
    of = more.pop("of")
    due = at_s % 10 == 0
    values = [[1000 * at_s], [1000 * at_s], [5 * at_s]][: 3 if due else 2]
    columns = (0, 1, 2) if due else (0, 1)
    return reading(of, at_s, values, columns=columns, **more)  # type: ignore[arg-type]


def test_a_slow_column_keeps_its_own_base_and_is_not_late() -> None:
    of = table(1, metrics=(IN, OUT, ERRORS))
    frames = feed(RateMeter("sw1"), (slow_reading(at, of=of) for at in range(21)))
    assert shown(frames[0]) == [[None]] * 3
    assert shown(frames[10]) == [[8000.0], [8000.0], [5.0]]
    assert shown(frames[20]) == [[8000.0], [8000.0], [5.0]]
    assert frames[20].columns == (0, 1, 2)
    assert flags(frames[20]) == Quality.PLAIN
    assert frames[20].span_s == pytest.approx(1.0)


def test_a_slow_column_that_was_missed_once_is_late_and_true() -> None:
    of = table(1, metrics=(IN, OUT, ERRORS))
    lost = {20: [(2, 0)]}
    frames = feed(RateMeter("sw1"), (slow_reading(at, of=of, missing=lost.get(at, [])) for at in range(31)))
    assert flags(frames[20]) == Quality.INVALID
    assert shown(frames[30])[2] == [5.0]
    assert flags(frames[30]) == Quality.LATE


def test_a_slow_column_begins_anew_after_three_and_a_half_of_its_own_spacings() -> None:
    of = table(1, metrics=(IN, OUT, ERRORS))
    lost = {at: [(2, 0)] for at in (20, 30, 40)}
    frames = feed(RateMeter("sw1"), (slow_reading(at, of=of, missing=lost.get(at, [])) for at in range(61)))
    assert shown(frames[50])[2] == [None]
    assert shown(frames[60])[2] == [5.0]


def test_a_slow_column_gives_no_rate_across_a_reset_of_its_row() -> None:
    of = table(1, metrics=(IN, OUT, ERRORS))
    meter = RateMeter("sw1")
    feed(meter, (slow_reading(at, of=of) for at in range(15)))
    frame, _ = meter.advance(reading(of, 15, [[0], [15_000]], columns=(0, 1)))
    assert flags(frame) == Quality.RESET
    feed(meter, (reading(of, at, [[(at - 15) * 1000], [at * 1000]], columns=(0, 1)) for at in range(16, 20)))
    frame, events = meter.advance(reading(of, 20, [[5000], [20_000], [70]], columns=(0, 1, 2)))
    assert shown(frame) == [[8000.0], [8000.0], [None]]
    assert events == []


def test_a_row_keeps_its_base_when_the_table_is_renewed_around_it() -> None:
    meter, _ = running(table(names=["a", "b"]))
    new = table(names=["x", "a", "b"], version=2, metrics=(OUT, IN))
    new = with_row(with_row(new, 1, index=1), 2, index=2)
    frame, events = meter.advance(reading(new, 4, [[1, 4000, 8000], [1, 4000, 8000]]))
    assert shown(frame) == [[None, 8000.0, 16000.0]] * 2
    assert frame.quality.tolist() == [0, 0, 0]
    assert frame.table is new
    assert events == []


def test_a_row_whose_index_moved_has_no_rate_for_one_tick() -> None:
    of = table(2)
    meter, _ = running(of)
    moved = with_row(of, 0, index=77)
    frame, events = meter.advance(steady(4, moved))
    assert shown(frame) == [[None, 16000.0]] * 2
    assert frame.quality.tolist() == [0, 0]
    assert events == []
    assert shown(meter.advance(steady(5, moved))[0]) == [[8000.0, 16000.0]] * 2


def test_a_cell_whose_counter_bits_changed_has_no_rate_for_one_tick() -> None:
    of = table(2)
    meter, _ = running(of)
    bits = of.counter_bits.copy()
    bits[1, 0] = 32
    changed = replace(of, version=2, counter_bits=bits)
    assert shown(meter.advance(steady(4, changed))[0]) == [[8000.0, 16000.0], [None, 16000.0]]


def test_a_row_without_a_counter_is_nan_and_not_invalid() -> None:
    of = table(2)
    bits = of.counter_bits.copy()
    bits[1, 1] = 0
    meter, _ = running(replace(of, counter_bits=bits), missing=[(1, 1)])
    frame, _ = meter.advance(steady(4, replace(of, counter_bits=bits, version=2), missing=[(1, 1)]))
    assert shown(frame) == [[8000.0, 16000.0], [8000.0, None]]
    assert frame.quality.tolist() == [0, 0]


def test_a_zero_counter_on_a_new_row_is_a_valid_base() -> None:
    meter, _ = running(table(names=["a"]))
    new = table(names=["a", "new"], version=2)
    feed(meter, [reading(new, 4, [[4000, 0]] * 2)])
    frame, _ = meter.advance(reading(new, 5, [[5000, 125]] * 2))
    assert shown(frame) == [[8000.0, 1000.0]] * 2
    assert frame.quality.tolist() == [0, 0]


def test_the_reply_time_is_that_of_the_slowest_answer() -> None:
    meter, _ = running()
    parts = [chunk(4.0, (0, 1), (0,), reply_s=0.25), chunk(4.0, (0, 1), (1,), reply_s=0.5)]
    assert meter.advance(steady(4, chunks=parts))[0].reply_s == 0.5


def test_a_frame_is_not_changed_by_later_readings() -> None:
    meter, frames = running()
    before = frames[3].values.copy()
    feed(meter, (steady(at) for at in range(4, 8)))
    np.testing.assert_array_equal(frames[3].values, before)


def test_a_device_of_which_less_than_half_answers_is_shown_too() -> None:
    of = table(4)
    lost = [(column, row) for column in (0, 1) for row in (1, 2, 3)]
    meter = RateMeter("sw1")
    feed(meter, [reading(of, 0, [[0] * 4] * 2)])
    frames = feed(meter, (reading(of, at, [[0] * 4] * 2, missing=lost) for at in range(1, 30)))
    assert shown(frames[-1]) == [[0.0, None, None, None]] * 2


def test_slow_polls_are_shown_from_the_second_on_though_few_rows_answer() -> None:
    of = table(4)
    lost = [(column, row) for column in (0, 1) for row in (1, 2, 3)]
    meter = RateMeter("sw1")
    feed(meter, [reading(of, 0, [[0] * 4] * 2, interval_s=12.0)])
    (frame,) = feed(meter, [reading(of, 12, [[0] * 4] * 2, missing=lost, interval_s=12.0)])
    assert shown(frame) == [[0.0, None, None, None]] * 2
