from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.demo.traffic import NS, CounterSpec, grown_at, is_out, octets_at

DAYS_NS = 50 * 86_400 * NS
moments = st.integers(0, DAYS_NS)
spans = st.one_of(st.integers(0, 5), st.integers(0, 10 * NS), st.integers(0, DAYS_NS))


def fitting(**fields: Any) -> CounterSpec:
    """A spec on a line that its highest rate just fits."""
    roomy = CounterSpec(speed_bps=1 << 62, **fields)
    return replace(roomy, speed_bps=roomy.most_bps())


@st.composite
def specs(draw: st.DrawFn, /, **fixed: Any) -> CounterSpec:
    day, swell, jitter = (draw(st.floats(0, 0.3)) for _ in range(3))
    fields = {
        "mean_bps": draw(st.one_of(st.integers(0, 20_000), st.integers(0, 400 * 10**9))),
        "seed": draw(st.integers(0, 1 << 32)),
        "steady": draw(st.booleans()),
        "day": day,
        "swell": swell,
        "jitter": jitter,
        "burst_bps": draw(st.one_of(st.just(0), st.integers(1, 100 * 10**9))),
        **fixed,
    }
    return fitting(**fields)


@given(specs(), moments, spans)
@settings(max_examples=400)
def test_a_counter_never_falls(spec: CounterSpec, at_ns: int, span_ns: int) -> None:
    assert grown_at(spec, at_ns) <= grown_at(spec, at_ns + span_ns)


@given(specs(), moments, spans)
@settings(max_examples=400)
def test_a_counter_never_grows_faster_than_the_line(spec: CounterSpec, at_ns: int, span_ns: int) -> None:
    grown = grown_at(spec, at_ns + span_ns) - grown_at(spec, at_ns)
    assert (grown - 1) * 8 * NS <= spec.speed_bps * span_ns


@given(specs(), moments, st.integers(0, (1 << 64) - 1))
def test_the_initial_value_only_shifts_the_counter_and_wraps_exactly(spec: CounterSpec, at_ns: int, initial: int) -> None:
    shifted = octets_at(replace(spec, initial=initial), at_ns)
    assert 0 <= shifted < 1 << 64
    assert (shifted - initial) % (1 << 64) == octets_at(spec, at_ns)


def test_a_counter_goes_on_from_zero_after_its_highest_value() -> None:
    spec = CounterSpec(8 * NS, 8 * NS, steady=True, initial=(1 << 64) - 3)  # an octet a nanosecond
    assert [octets_at(spec, at_ns) for at_ns in range(6)] == [(1 << 64) - 3, (1 << 64) - 2, (1 << 64) - 1, 0, 1, 2]


@given(specs(bits=32), moments)
def test_a_32_bit_counter_is_the_low_half_of_the_64_bit_one(spec: CounterSpec, at_ns: int) -> None:
    assert octets_at(spec, at_ns) == octets_at(replace(spec, bits=64), at_ns) & 0xFFFF_FFFF


@given(st.integers(0, 400 * 10**9), moments)
def test_a_steady_counter_grows_at_exactly_its_rate(mean_bps: int, at_ns: int) -> None:
    spec = CounterSpec(mean_bps, mean_bps, steady=True)
    assert octets_at(spec, at_ns) == mean_bps * at_ns // (8 * NS)


@given(specs(refresh_s=5.0), moments)
def test_between_refreshes_a_counter_stands_still(spec: CounterSpec, at_ns: int) -> None:
    refreshed_ns = at_ns - at_ns % (5 * NS)
    assert octets_at(spec, at_ns) == octets_at(replace(spec, refresh_s=0.0), refreshed_ns)


@given(specs(restart_every_s=240.0, initial=77), st.integers(0, 20), st.integers(0, 240 * NS - 1))
def test_after_a_restart_a_counter_begins_at_zero_and_grows_as_before(
    spec: CounterSpec, restarts: int, past_ns: int
) -> None:
    endless = replace(spec, restart_every_s=0.0)
    begin_ns = restarts * 240 * NS
    difference = grown_at(endless, begin_ns + past_ns) - grown_at(endless, begin_ns)
    begun_at = 77 if restarts == 0 else 0
    assert octets_at(spec, begin_ns) == begun_at
    assert octets_at(spec, begin_ns + past_ns) - begun_at - difference in {0, -1}  # an octet was under way


def test_a_refresh_after_a_restart_counts_from_the_restart() -> None:
    spec = CounterSpec(8_000, 8_000, steady=True, refresh_s=5.0, restart_every_s=12.0)
    assert [octets_at(spec, second * NS) // 1000 for second in (11, 12, 16, 17, 21, 22, 24, 29)] == [
        10,
        0,
        0,
        5,
        5,
        10,
        0,
        5,
    ]


def test_while_the_line_is_down_nothing_grows() -> None:
    spec = CounterSpec(8_000, 8_000, steady=True, outage_every_s=10.0, outage_s=4.0)
    assert [is_out(10.0, 4.0, second * NS) for second in range(10)] == [False] * 3 + [True] * 4 + [False] * 3
    assert [octets_at(spec, second * NS) // 1000 for second in range(14)] == [0, 1, 2, 3, 3, 3, 3, 3, 4, 5, 6, 7, 8, 9]
    assert not is_out(0.0, 0.0, NS)


def test_before_the_epoch_a_counter_has_its_initial_value() -> None:
    assert octets_at(CounterSpec(8_000, 8_000, initial=5), -NS) == 5


def test_packets_are_octets_by_their_size() -> None:
    spec = CounterSpec(8_000, 8_000, steady=True, octets_each=500)
    assert octets_at(spec, 10 * NS) == 20


def rates_bps(spec: CounterSpec, seconds: int) -> list[int]:
    counts = [octets_at(spec, second * NS) for second in range(seconds + 1)]
    return [8 * (later - earlier) for earlier, later in pairwise(counts)]


def test_lifelike_traffic_changes_around_its_mean() -> None:
    rates = rates_bps(CounterSpec(10**9, 2 * 10**9, seed=3), 1200)
    assert min(rates) < 0.75 * 10**9
    assert max(rates) > 1.25 * 10**9
    assert sum(rates) / len(rates) == pytest.approx(10**9, rel=0.02)
    assert len(set(rates)) > 1190


def test_each_share_alone_changes_the_rate() -> None:
    still: dict[str, Any] = {"day": 0.0, "swell": 0.0, "jitter": 0.0}
    for share in still:
        spec = CounterSpec(10**9, 2 * 10**9, seed=3, **{**still, share: 0.3})
        rates = rates_bps(spec, 1200)
        assert max(rates) <= spec.most_bps() + 8, share
        assert 0.15 * 10**9 < max(rates) - 10**9 <= 0.3 * 10**9 + 8, share
        assert -0.3 * 10**9 - 8 <= min(rates) - 10**9 < -0.15 * 10**9, share


def test_a_burst_comes_once_in_its_period_and_carries_its_volume() -> None:
    spec = CounterSpec(10**9, 4 * 10**9, day=0, swell=0, jitter=0, burst_bps=10**9, burst_s=4, burst_every_s=60)
    for period in range(20):
        counts = [octets_at(spec, (period * 60 + second) * NS) for second in range(61)]
        assert 8 * (counts[-1] - counts[0]) == pytest.approx(64 * 10**9, abs=16)
        busy = sum(8 * (later - earlier) > 1.05 * 10**9 for earlier, later in pairwise(counts))
        assert 4 <= busy <= 13


def test_two_seeds_have_different_traffic_and_one_seed_always_the_same() -> None:
    specs = [CounterSpec(10**9, 2 * 10**9, seed=seed) for seed in (1, 1, 2)]
    first, again, other = (octets_at(spec, 333 * NS) for spec in specs)
    assert first == again != other


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"mean_bps": 10**9}, "does not fit a line"),
        ({"day": 0.9, "swell": 0.9}, "shares of the mean"),
        ({"day": -0.1}, "shares of the mean"),
        ({"initial": 1 << 32, "bits": 32}, "does not fit 32 bits"),
        ({"burst_bps": 1, "burst_s": 30}, "must fit into burst_every_s"),
        ({"outage_every_s": 3.0, "outage_s": 4.0}, "must fit into outage_every_s"),
    ],
)
def test_a_spec_that_cannot_be_is_refused(fields: dict[str, Any], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        CounterSpec(**{"mean_bps": 0, "speed_bps": 10**9, **fields})
