"""What the meter says of counters that wrapped, were reset, or may be another device's."""

from __future__ import annotations

from itertools import accumulate

import pytest

from server.core.blocks import NO_STAMP
from server.core.model import Event, Quality, Severity
from tests.rates.build import TICKS_AT_START, G, chunk, flags, reading, table
from tests.rates.meters import TWO_ROWS, RateMeter, feed, running, shown, steady

TWO_ROWS_ANEW = table(2)


def test_a_wrap_at_64_bits_shows_the_exact_rate_and_is_marked() -> None:
    of, start = table(1), 2**64 - 250_000
    meter = RateMeter("sw1")
    feed(meter, (reading(of, at, [[start + 100_000 * at], [at]]) for at in range(3)))
    frame, events = meter.advance(reading(of, 3, [[50_000], [3]]))
    assert frame.values[0, 0] * frame.span_s == pytest.approx(800_000.0, rel=1e-12)
    assert flags(frame) == Quality.WRAPPED
    assert events == []


def test_a_fall_that_no_wrap_explains_resets_its_row_alone() -> None:
    meter, _ = running()
    frame, events = meter.advance(reading(TWO_ROWS, 4, [[0, 8000], [4000, 8000]]))
    assert shown(frame) == [[None, 16000.0]] * 2
    assert [flags(frame, row) for row in (0, 1)] == [Quality.RESET, Quality.PLAIN]
    assert [(event.kind, event.row, event.device) for event in events] == [("counters_reset", "a", "sw1")]
    after, events = meter.advance(reading(table(2, version=2), 5, [[1000, 10_000], [5000, 10_000]]))
    assert shown(after) == [[8000.0, 16000.0]] * 2
    assert events == []


def test_a_new_discontinuity_stamp_resets_its_row_though_the_counter_rose() -> None:
    meter, _ = running(discontinuity=[5, 5])
    frame, events = meter.advance(steady(4, discontinuity=[5, 399]))
    assert shown(frame) == [[8000.0, None]] * 2
    assert [event.row for event in events] == ["b"]
    again, events = meter.advance(steady(5, discontinuity=[5, 399]))
    assert shown(again) == [[8000.0, 16000.0]] * 2
    assert events == []


def test_the_stamp_of_a_row_that_did_not_answer_means_nothing() -> None:
    meter, _ = running(discontinuity=[5, 5])
    lost, events = meter.advance(steady(4, discontinuity=[5, 0], missing=[(0, 1), (1, 1)]))
    assert flags(lost, 1) == Quality.INVALID
    assert events == []
    frame, events = meter.advance(steady(5, discontinuity=[5, 5]))
    assert events == []
    assert shown(frame) == [[8000.0, 16000.0]] * 2


def test_a_stamp_that_was_not_heard_yet_means_nothing_though_the_counters_came() -> None:
    meter, _ = running(discontinuity=[5, 5])
    for number, stamps in ((4, [5, int(NO_STAMP)]), (5, [5, 5])):
        frame, events = meter.advance(steady(number, discontinuity=stamps))
        assert events == []
        assert shown(frame) == [[8000.0, 16000.0]] * 2


def test_a_restarted_device_resets_every_row_and_says_how_long_it_has_been_up() -> None:
    meter, _ = running()
    frame, events = meter.advance(steady(4, ticks=1_200))
    assert shown(frame) == [[None, None]] * 2
    assert frame.quality.tolist() == [Quality.RESET] * 2
    (event,) = events
    assert event == Event(
        1.8e9 + 4, "restarted", "restarted; it has been up for 12 s", Severity.WARNING, "sw1", details={"up_s": 12.0}
    )
    after, events = meter.advance(steady(5, ticks=1_300))
    assert shown(after) == [[8000.0, 16000.0]] * 2
    assert events == []


def test_cells_that_came_before_a_restart_within_one_tick_are_no_base() -> None:
    meter, _ = running()
    parts = [chunk(4.0, (0, 1), (0,), ticks=1_000_401), chunk(4.1, (0, 1), (1,), ticks=3)]
    frame, events = meter.advance(reading(TWO_ROWS, 4, [[4000, 3], [4000, 3]], chunks=parts))
    assert frame.quality.tolist() == [Quality.RESET] * 2
    assert len(events) == 1
    after, events = meter.advance(reading(TWO_ROWS, 5, [[8, 1003], [8, 1003]], ticks=100))
    assert shown(after)[0][0] is None
    assert shown(after)[0][1] is not None
    assert events == []


def test_a_32_bit_counter_that_could_have_wrapped_twice_is_invalid() -> None:
    of = table(1, bits=32, speed_bps=40 * G)
    _, frames = running(of)
    assert shown(frames[3]) == [[None], [None]]
    assert flags(frames[3]) == Quality.INVALID


def test_a_rise_above_the_stated_speed_is_shown_and_marked() -> None:
    of = table(1, speed_bps=8000)
    meter = RateMeter("sw1")
    frames = feed(meter, (reading(of, at, [[1040 * at], [0]]) for at in range(5)))
    assert flags(frames[4]) == Quality.PLAIN
    frame, _ = meter.advance(reading(of, 5, [[4160 + 1060], [0]]))
    assert shown(frame)[0] == [8480.0]
    assert flags(frame) == Quality.OVER_SPEED


def test_a_line_of_unknown_speed_is_never_over_it() -> None:
    of = table(1, speed_bps=0)
    frames = feed(RateMeter("sw1"), (reading(of, at, [[10**14 * at], [0]]) for at in range(5)))
    assert shown(frames[4])[0] == [8e14]
    assert flags(frames[4]) == Quality.PLAIN


def test_a_line_that_runs_above_its_stated_speed_wraps_without_a_reset() -> None:
    of = table(1, speed_bps=10_000_000, bits=32)
    values = [(2**32 - 250_000_000 + 50_000_000 * at) % 2**32 for at in range(8)]
    meter = RateMeter("sw1")
    everything = [meter.advance(reading(of, at, [[value], [0]])) for at, value in enumerate(values)]
    assert not any(events for _, events in everything)
    frame = everything[5][0]
    assert shown(frame)[0] == [400e6]
    assert flags(frame) == Quality.WRAPPED | Quality.OVER_SPEED


def test_two_readings_of_the_same_moment_give_no_rate() -> None:
    meter, _ = running()
    assert shown(meter.advance(steady(3))[0]) == [[None, None]] * 2


def test_another_table_without_a_greater_version_is_another_device_of_which_nothing_is_known() -> None:
    meter, _ = running(discontinuity=[5, 5])
    far = 10**15
    frames = []
    for at in range(4, 9):
        one = reading(TWO_ROWS_ANEW, at, [[far + 1000 * at, far]] * 2, discontinuity=[9, 9], ticks=77 + 100 * at)
        frame, events = meter.advance(one)
        frames.append(frame)
        assert events == []
    assert [shown(frame)[0] for frame in frames] == [[None, None]] * 3 + [[8000.0, None]] * 2
    assert not any(frame.quality.any() for frame in frames)
    assert [frame.seq for frame in frames] == [4, 5, 6, 7, 8]


def test_a_standby_that_takes_over_the_address_is_a_gap_and_an_event() -> None:
    meter, _ = running()
    far, days = 10**15, 190 * 8_640_000
    frame, (event,) = meter.advance(reading(TWO_ROWS, 4, [[far, far]] * 2, ticks=TICKS_AT_START + 400 + days))
    assert shown(frame) == [[None, None]] * 2
    assert frame.quality.tolist() == [Quality.RESET] * 2
    assert (event.kind, event.severity, event.device) == ("clock_jumped", Severity.WARNING, "sw1")
    assert "190 days" in event.text
    after, events = meter.advance(reading(TWO_ROWS, 5, [[far + 1000, far]] * 2, ticks=TICKS_AT_START + 500 + days))
    assert shown(after) == [[8000.0, 0.0]] * 2
    assert events == []


@pytest.mark.parametrize("speed_bps", [0, 10_000_000])
def test_a_32_bit_counter_that_may_wrap_twice_between_slow_polls_is_invalid_whatever_speed_it_states(
    speed_bps: int,
) -> None:
    of = table(1, bits=32, speed_bps=speed_bps)
    meter = RateMeter("sw1")
    # At 580 Mb/s a minute's growth is 7 Mb/s more than a wrap: less than is stated, but by then that is known for a lie.
    grown = [round(bps / 8 * 60) for bps in (0, 1e9, 1e9, *[0.58e9, 0.75e9] * 20)]
    counts = [total % 2**32 for total in accumulate(grown)]
    everything = [
        meter.advance(reading(of, 60 * number, [[count], [7]], interval_s=60.0)) for number, count in enumerate(counts)
    ]
    assert shown(everything[0][0])[0] == [None]
    for frame, events in everything[1:]:
        assert shown(frame)[0] == [None]
        assert flags(frame) == Quality.INVALID
        assert events == []


def test_a_slow_32_bit_line_that_keeps_to_its_stated_speed_is_shown() -> None:
    of = table(1, bits=32, speed_bps=10_000_000)
    frames = feed(RateMeter("sw1"), (reading(of, at, [[1000 * at], [0]], interval_s=60.0) for at in (0, 60, 120)))
    assert shown(frames[2])[0] == [8000.0]
    assert flags(frames[2]) == Quality.PLAIN


def test_what_32_bits_grew_across_a_reset_does_not_accuse_the_stated_speed() -> None:
    of = table(1, bits=32, speed_bps=10_000_000)
    meter = RateMeter("sw1")
    values = [0, 3_000_000_000, 3_000_060_000, 3_000_120_000]
    stamps = [1, 2, 2, 2]
    frames = feed(
        meter,
        (
            reading(of, 60 * number, [[value], [0]], interval_s=60.0, discontinuity=[stamp])
            for number, (value, stamp) in enumerate(zip(values, stamps, strict=True))
        ),
    )
    assert flags(frames[1]) == Quality.RESET
    assert shown(frames[2])[0] == [8000.0]
