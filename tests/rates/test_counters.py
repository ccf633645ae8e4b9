from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from server.core.model import Metric, MetricKind, Table
from server.rates.counters import Growth, Limits, grown
from tests.rates.build import ERRORS, IN, G, table


def grow(
    before: int,
    now: int,
    metric: Metric = IN,
    bits: int = 64,
    speed_bps: int = 10 * G,
    span_s: float = 1.0,
    shown_bps: float = np.nan,
    faster: bool = False,
) -> Growth:
    of: Table = table(metrics=(metric,), bits=bits, speed_bps=speed_bps)
    return grown(
        np.array([[now]], dtype=np.uint64),
        np.array([[before]], dtype=np.uint64),
        np.array([[True]]),
        could_s=np.array([[span_s]]),
        shown_bps=lambda: np.array([[shown_bps]]),
        faster=np.array([faster]),
        limits=Limits.of(of.counter_bits, np.array([[metric.line_bits]]), of.speeds_bps()),
    )


def verdict(growth: Growth) -> str:
    if growth.unsure is not None:
        return "unsure"
    if growth.reset is not None and growth.reset.any():
        return "reset"
    if growth.wrapped is not None and growth.wrapped.any():
        return "wrapped"
    return "grown"


def test_growth_across_the_end_of_64_bits_is_exact() -> None:
    growth = grow(2**64 - 123_456_789, 987_654_321)
    assert growth.counts[0, 0] == 123_456_789 + 987_654_321
    assert verdict(growth) == "wrapped"


def test_growth_near_the_end_of_64_bits_loses_no_count() -> None:
    assert grow(2**64 - 10, 2**64 - 3).counts[0, 0] == 7


def test_growth_across_the_end_of_32_bits_is_exact() -> None:
    growth = grow(2**32 - 5, 10, bits=32)
    assert growth.counts[0, 0] == 15
    assert verdict(growth) == "wrapped"


@pytest.mark.parametrize(
    ("before", "now", "speed_bps", "expected"),
    [
        (2**32 - 100_000_000, 37_000_000, G, "wrapped"),  # 137 MB in 1 s: 1.096 Gb/s
        (2**32 - 100_000_000, 38_000_000, G, "reset"),  # 1.104 Gb/s
        (2**32 - 100_000_000, 37_000_000, 0, "wrapped"),  # an unknown speed is taken for 1 Gb/s
        (2**32 - 100_000_000, 38_000_000, 0, "reset"),
        (2**32 - 100_000_000, 38_000_000, 10 * G, "wrapped"),
    ],
)
def test_a_32_bit_fall_is_a_wrap_only_up_to_line_speed(before: int, now: int, speed_bps: int, expected: str) -> None:
    assert verdict(grow(before, now, bits=32, speed_bps=speed_bps)) == expected


@pytest.mark.parametrize(("missing", "expected"), [(1_370_000_000_000, "wrapped"), (1_380_000_000_000, "reset")])
def test_a_64_bit_fall_on_a_line_of_unknown_speed_is_a_wrap_up_to_10_terabits(missing: int, expected: str) -> None:
    assert verdict(grow(2**64 - missing, 0, speed_bps=0)) == expected


def test_a_jumbo_frame_more_than_line_speed_is_still_a_wrap() -> None:
    assert verdict(grow(2**64 - 12_000, 0, speed_bps=1_000)) == "wrapped"
    assert verdict(grow(2**64 - 13_000, 0, speed_bps=1_000)) == "reset"


def test_a_line_that_showed_more_than_its_stated_speed_may_wrap_at_that_speed() -> None:
    before, now = 2**32 - 100_000_000, 0
    assert verdict(grow(before, now, bits=32, speed_bps=10_000_000)) == "reset"
    assert verdict(grow(before, now, bits=32, speed_bps=10_000_000, shown_bps=0.6e9)) == "wrapped"


def test_a_fall_that_speed_does_not_bound_is_a_reset_for_64_bits() -> None:
    assert verdict(grow(2**64 - 1, 0, metric=ERRORS)) == "reset"


@pytest.mark.parametrize(("counts", "expected"), [(2**27 - 1, "wrapped"), (2**27, "reset")])
def test_a_fall_that_speed_does_not_bound_is_a_32_bit_wrap_only_when_small(counts: int, expected: str) -> None:
    assert verdict(grow(2**32 - 1, counts - 1, metric=ERRORS, bits=32)) == expected


@pytest.mark.parametrize(
    ("speed_bps", "shown_bps", "span_s", "expected"),
    [
        (10 * G, np.nan, 3.4, "grown"),
        (10 * G, np.nan, 3.5, "unsure"),  # 35 Gbit: more than 2^32 octets
        (40 * G, np.nan, 1.0, "unsure"),
        (10 * G, 40e9, 1.0, "unsure"),  # it shows more than it states
        (0, np.nan, 34.3, "grown"),
        (0, np.nan, 34.4, "unsure"),  # an unknown speed is taken for 1 Gb/s
        (0, 1e9, 300.0, "unsure"),
    ],
)
def test_a_32_bit_counter_that_could_wrap_twice_is_unsure(
    speed_bps: int, shown_bps: float, span_s: float, expected: str
) -> None:
    growth = grow(0, 1000, bits=32, speed_bps=speed_bps, shown_bps=shown_bps, span_s=span_s)
    assert verdict(growth) == expected


@pytest.mark.parametrize(
    ("counts", "faster", "span_s", "expected"),
    [
        (70_000_000, False, 60.0, "grown"),  # 9.3 Mb/s of a stated 10
        (80_000_000, False, 60.0, "unsure"),  # 10.7 Mb/s: what it states is a lie
        (70_000_000, True, 60.0, "unsure"),  # it was a lie before
        (70_000_000, True, 34.3, "grown"),
        (80_000_000, False, 34.3, "grown"),
    ],
)
def test_a_32_bit_counter_above_its_stated_speed_is_bound_as_if_none_were_stated(
    counts: int, faster: bool, span_s: float, expected: str
) -> None:
    growth = grow(0, counts, bits=32, speed_bps=10_000_000, faster=faster, span_s=span_s)
    assert verdict(growth) == expected
    assert growth.faster.tolist() == [faster or counts == 80_000_000]


def test_a_fall_on_a_line_that_is_faster_than_it_states_is_a_wrap_as_if_no_speed_were_stated() -> None:
    before, now = 2**32 - 100_000_000, 37_000_000
    assert verdict(grow(before, now, bits=32, speed_bps=10_000_000)) == "reset"
    assert verdict(grow(before, now, bits=32, speed_bps=10_000_000, faster=True)) == "wrapped"
    assert verdict(grow(before, now + 1_000_000, bits=32, speed_bps=10_000_000, faster=True)) == "reset"


def test_growth_across_a_reset_says_nothing_of_the_speed_and_growth_across_a_wrap_does() -> None:
    before = 2**32 - 100_000_000
    assert not grow(before, 0, bits=32, speed_bps=10_000_000).faster.any()
    assert grow(before, 0, bits=32, speed_bps=10_000_000, shown_bps=0.6e9).faster.all()


def test_a_64_bit_counter_is_never_unsure() -> None:
    assert verdict(grow(0, 1000, speed_bps=800 * G, span_s=300.0)) == "grown"


def test_a_32_bit_counter_that_speed_does_not_bound_is_never_unsure() -> None:
    assert verdict(grow(0, 1000, metric=ERRORS, bits=32, speed_bps=800 * G, span_s=300.0)) == "grown"


def test_packets_take_at_least_512_bits_of_the_line() -> None:
    packets = Metric("in_packets", "in_pps", MetricKind.COUNTER, 1.0, 512)
    assert verdict(grow(2**32 - 2_100_000, 0, metric=packets, bits=32, speed_bps=G)) == "wrapped"
    assert verdict(grow(2**32 - 2_300_000, 0, metric=packets, bits=32, speed_bps=G)) == "reset"


def test_each_cell_is_judged_by_its_own_bits_and_row() -> None:
    of = table(2, metrics=(IN,))
    of = replace(of, counter_bits=np.array([[32, 64]], dtype=np.uint8))
    growth = grown(
        np.array([[5, 5]], dtype=np.uint64),
        np.array([[2**32 - 5, 2**32 - 5]], dtype=np.uint64),
        np.array([[True, True]]),
        could_s=np.ones((1, 2)),
        shown_bps=lambda: np.full((1, 2), np.nan),
        faster=np.zeros(2, dtype=np.bool_),
        limits=Limits.of(of.counter_bits, np.array([[8.0]]), of.speeds_bps()),
    )
    assert growth.wrapped is not None
    assert growth.reset is not None
    assert growth.wrapped.tolist() == [[True, False]]
    assert growth.reset.tolist() == [[False, True]]
