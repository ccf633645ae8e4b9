"""A simulated counter as an exact function of time.

The simulator answers with `octets_at`, and tests ask `octets_at` for the truth. There is no state: growth is a closed form
in integers, so any process that knows the epoch knows every counter to the octet. Growth is kept in nanobits (10⁻⁹ bit):
at `x` bit/s exactly `x` nanobits grow in a nanosecond.

Lifelike traffic is a mean plus parts whose growth is bounded: waves (a wave of the rate is a wave of the count) and steps
(the count is pushed off the mean by a random amount that changes at each knot). Their slopes are limited by the shares in
`CounterSpec`, so the rate stays above 0 and below line speed at every moment.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

NS = 1_000_000_000
NANOBITS_PER_OCTET = 8 * NS
DAY_S = 1200
LEAST_LIFELIKE_BPS = 10_000
_MOST_SHARE = 0.95
_WAVE_STEP_NS = NS
_WORD = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class CounterSpec:
    """How one octet counter grows.

    `mean_bps` is the mean rate without bursts. `day`, `swell` and `jitter` are the most that each kind of change takes from
    or adds to it, as shares of it: a day of 20 minutes, waves of one to ten minutes, steps of one to eleven seconds. A burst
    carries `burst_bps` x `burst_s` bits, takes one to three times `burst_s`, and comes once in each `burst_every_s`.
    `steady` leaves all of these out: exactly `mean_bps`.

    `initial` is the value at the epoch. `refresh_s` is the agent's own cadence: between refreshes the counter stands still.
    At each multiple of `restart_every_s` (a reboot, or counters cleared) it begins anew from 0. In the middle of each
    `outage_every_s` the line is down for `outage_s` and nothing grows. `octets_each` above 1 makes it a counter of packets
    of that size.
    """

    mean_bps: int
    speed_bps: int
    seed: int = 0
    steady: bool = False
    day: float = 0.30
    swell: float = 0.25
    jitter: float = 0.12
    burst_bps: int = 0
    burst_s: int = 4
    burst_every_s: int = 60
    initial: int = 0
    bits: int = 64
    refresh_s: float = 0.0
    restart_every_s: float = 0.0
    outage_every_s: float = 0.0
    outage_s: float = 0.0
    octets_each: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.most_bps() <= self.speed_bps:
            raise ValueError(f"a rate of up to {self.most_bps()} bit/s does not fit a line of {self.speed_bps} bit/s")
        if min(self.day, self.swell, self.jitter) < 0 or self.day + self.swell + self.jitter > _MOST_SHARE:
            raise ValueError(f"day, swell and jitter are shares of the mean, together at most {_MOST_SHARE}")
        if not 0 <= self.initial < 1 << self.bits:
            raise ValueError(f"the initial value does not fit {self.bits} bits")
        if self.burst_bps and 3 * self.burst_s > self.burst_every_s:
            raise ValueError("a burst takes up to 3 x burst_s, which must fit into burst_every_s")
        if not 0 <= self.outage_s <= self.outage_every_s:
            raise ValueError("an outage must fit into outage_every_s")

    @property
    def lifelike(self) -> bool:
        """Whether the rate changes. A rate so small that rounding would show is steady."""
        return not self.steady and self.mean_bps >= LEAST_LIFELIKE_BPS

    def most_bps(self) -> int:
        """The rate is never above this."""
        if not self.lifelike:
            return self.mean_bps
        return math.ceil(self.mean_bps * (1 + self.day + self.swell + self.jitter)) + self.burst_bps


def octets_at(spec: CounterSpec, elapsed_ns: int) -> int:
    """What the counter shows `elapsed_ns` after the epoch: in [0, 2^bits)."""
    first = restarts_at(spec.restart_every_s, elapsed_ns) == 0
    return ((spec.initial if first else 0) + grown_at(spec, elapsed_ns)) % (1 << spec.bits)


def grown_at(spec: CounterSpec, elapsed_ns: int) -> int:
    """Octets (or packets) that the counter has grown by since it last began, without wrap."""
    elapsed_ns = max(0, elapsed_ns)
    begin_ns = restarts_at(spec.restart_every_s, elapsed_ns) * round(spec.restart_every_s * NS)
    refresh_ns = round(spec.refresh_s * NS)
    if refresh_ns:
        elapsed_ns -= (elapsed_ns - begin_ns) % refresh_ns
    grown = _nanobits(spec, _active_ns(spec, elapsed_ns)) - _nanobits_before(spec, begin_ns)
    return grown // (NANOBITS_PER_OCTET * spec.octets_each)


def restarts_at(every_s: float, elapsed_ns: int) -> int:
    """How often something that begins anew every `every_s` has done so; 0 means never."""
    return max(0, elapsed_ns) // round(every_s * NS) if every_s else 0


def is_out(every_s: float, outage_s: float, elapsed_ns: int) -> bool:
    """Whether a line with such outages is down."""
    if not outage_s:
        return False
    every_ns, outage_ns = round(every_s * NS), round(outage_s * NS)
    return 0 <= max(0, elapsed_ns) % every_ns - (every_ns - outage_ns) // 2 < outage_ns


def _active_ns(spec: CounterSpec, elapsed_ns: int) -> int:
    """The part of `elapsed_ns` in which the line was up."""
    if not spec.outage_s:
        return elapsed_ns
    every_ns, outage_ns = round(spec.outage_every_s * NS), round(spec.outage_s * NS)
    periods, rest_ns = divmod(elapsed_ns, every_ns)
    lost_ns = min(outage_ns, max(0, rest_ns - (every_ns - outage_ns) // 2))
    return elapsed_ns - periods * outage_ns - lost_ns


@lru_cache(maxsize=4096)
def _nanobits_before(spec: CounterSpec, begin_ns: int) -> int:
    return _nanobits(spec, _active_ns(spec, begin_ns))


def _nanobits(spec: CounterSpec, t_ns: int) -> int:
    """What has passed at `t_ns`. Its differences are growth; at 0 it is not 0, since a wave may be anywhere then."""
    grown = spec.mean_bps * t_ns
    if not spec.lifelike:
        return grown
    shape = _shape(spec)
    knot, past_ns = divmod(t_ns, _WAVE_STEP_NS)
    here = _waves(shape, knot)
    grown += here + (_waves(shape, knot + 1) - here) * past_ns // _WAVE_STEP_NS
    for seed, period_ns, bps in shape.steps:
        knot, past_ns = divmod(t_ns, period_ns)
        grown += (_hash32(seed, knot) * (period_ns - past_ns) + _hash32(seed, knot + 1) * past_ns) * bps >> 32
    if spec.burst_bps:
        grown += _bursts(spec, t_ns)
    return grown


@dataclass(frozen=True, slots=True)
class _Shape:
    waves: tuple[tuple[float, float, float], ...]  # amplitude in nanobits, radians per knot, phase
    steps: tuple[tuple[int, int, int], ...]  # seed, ns between knots, most bit/s off the mean


@lru_cache(maxsize=4096)
def _shape(spec: CounterSpec) -> _Shape:
    """What of a lifelike counter does not depend on time."""
    turn = 2 * math.pi
    chance = [_hash32(spec.seed, -1 - i) / (1 << 32) for i in range(7)]
    waves = [(spec.day, float(DAY_S), chance[0] * 0.15)]
    waves += [
        (spec.swell * share, period_s * (0.85 + 0.3 * chance[1 + i]), chance[4 + i])
        for i, (share, period_s) in enumerate(((0.5, 450.0), (0.3, 163.0), (0.2, 61.0)))
    ]
    half = int(spec.mean_bps * spec.jitter / 2)
    return _Shape(
        waves=tuple(
            (spec.mean_bps * share * NS * period_s / turn, turn * _WAVE_STEP_NS / (period_s * NS), turn * phase)
            for share, period_s, phase in waves
        ),
        steps=((spec.seed * 2 + 1, 1_300_000_000, half), (spec.seed * 2 + 2, 11 * NS, half)),
    )


def _waves(shape: _Shape, knot: int) -> int:
    return sum(int(amplitude * math.sin(pace * knot + phase)) for amplitude, pace, phase in shape.waves)


def _bursts(spec: CounterSpec, t_ns: int) -> int:
    period, past_ns = divmod(t_ns, spec.burst_every_s * NS)
    lasts_ns = spec.burst_s * NS * (256 + (_hash32(spec.seed, period) >> 23)) >> 8
    begin_ns = (spec.burst_every_s * NS - lasts_ns) * _hash32(spec.seed + 1, period) >> 32
    done_ns = min(lasts_ns, max(0, past_ns - begin_ns))
    volume = spec.burst_bps * spec.burst_s * NS
    return period * volume + volume * done_ns // lasts_ns


def _hash32(seed: int, n: int) -> int:
    """32 random-looking bits that depend on both numbers: two multiply-and-fold rounds over 64 bits."""
    word = (seed * 0x9E3779B97F4A7C15 + n * 0xC2B2AE3D27D4EB4F + 0x165667B19E3779F9) & _WORD
    word = ((word ^ (word >> 31)) * 0xD6E8FEB86659FD93) & _WORD
    word = ((word ^ (word >> 29)) * 0xA0761D6478BD642F) & _WORD
    return word >> 32
