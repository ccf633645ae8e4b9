"""Which way of placing answers in time makes the truest rates: simulated paths whose delays are known to the nanosecond."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from server.core.blocks import NO_TICKS
from server.core.model import Chunk
from server.rates.timing import DeviceClock
from tests.rates.build import START_NS

TICKS, SETTLED, PATHS = 400, 20, 12
_NO_ROWS = np.zeros(0, np.uint32)


@dataclass(frozen=True)
class Network:
    """Each way takes `least_s` and 0 to `jitter_s` more; 2 % of datagrams up to `spike_s` on top of that."""

    jitter_s: float
    spike_s: float = 0.0
    least_there_s: float = 0.0002
    least_back_s: float = 0.0002

    def delays_s(self, dice: random.Random) -> tuple[float, float]:
        there_s, back_s = (
            dice.random() * self.jitter_s + (dice.random() * self.spike_s if dice.random() < 0.02 else 0.0) for _ in range(2)
        )
        return self.least_there_s + there_s, self.least_back_s + back_s


@dataclass(frozen=True)
class Polls:
    """Answers of one device, and when it really looked at its counters (ns)."""

    chunks: list[Chunk]
    looked_ns: NDArray[np.int64]

    def error_percent(self, place: Callable[[Chunk], float]) -> NDArray[np.float64]:
        """How far the rates of a steady line are off, where this places answers in time (ns)."""
        placed_ns = np.array([place(chunk) for chunk in self.chunks])
        errors: NDArray[np.float64] = (np.diff(self.looked_ns) / np.diff(placed_ns) - 1)[SETTLED:] * 100
        return errors


def polls(network: Network, seed: int, *, drift_ppm: float = 0.0, interval_s: float = 1.0) -> Polls:
    """400 polls of a device whose clock runs `drift_ppm` fast, at any phase of its 10 ms."""
    dice, chunks, looked = random.Random(seed), [], []
    began_ns = START_NS - round(dice.uniform(1, 1e6) * 1e9)
    for number in range(TICKS):
        sent_ns = START_NS + round((number * interval_s + dice.random() * 0.002) * 1e9)
        there_s, back_s = network.delays_s(dice)
        looked_ns = sent_ns + round(there_s * 1e9)
        ticks = round((looked_ns - began_ns) * (1 + drift_ppm * 1e-6)) // 10_000_000
        chunks.append(Chunk(sent_ns, looked_ns + round(back_s * 1e9), ticks, (), _NO_ROWS))
        looked.append(looked_ns)
    return Polls(chunks, np.array(looked))


def midpoint(chunk: Chunk) -> float:
    return (chunk.sent_ns + chunk.received_ns) / 2


def received(chunk: Chunk) -> float:
    return chunk.received_ns


def device_clock_alone(chunk: Chunk) -> float:
    return (chunk.device_ticks or 0) * 10_000_000


def combined() -> Callable[[Chunk], float]:
    clock = DeviceClock()
    return lambda chunk: clock.place(chunk.sent_ns, chunk.received_ns, _ticks(chunk))


def _ticks(chunk: Chunk) -> int:
    return NO_TICKS if chunk.device_ticks is None else chunk.device_ticks


def rms(network: Network, place: Callable[[], Callable[[Chunk], float]], **how: float) -> float:
    """RMS error in % of the rates over a dozen paths."""
    errors = [polls(network, seed, **how).error_percent(place()) for seed in range(PATHS)]
    return float(np.sqrt(np.mean(np.square(errors))))


def max_error(network: Network, place: Callable[[], Callable[[Chunk], float]]) -> float:
    """The worst of them."""
    return max(float(np.abs(polls(network, seed).error_percent(place())).max()) for seed in range(PATHS))


JITTER = Network(0.025)  # round trips of up to 50 ms
NETWORKS = {
    "jitter": JITTER,
    "jitter with spikes": Network(0.025, spike_s=0.3),
    "a local network": Network(0.0003),
    "a little jitter": Network(0.005),
    "a lopsided path": Network(0.010, least_there_s=0.001, least_back_s=0.080),
}
# A device clock that is right about the length of a second by itself can be up to a tenth better where delays say nothing.
AS_GOOD = 1.1


@pytest.mark.parametrize("drift_ppm", [0.0, 50.0, -50.0])
@pytest.mark.parametrize("name", NETWORKS)
def test_both_clocks_together_are_as_good_as_the_better_one_alone(name: str, drift_ppm: float) -> None:
    network = NETWORKS[name]
    together = rms(network, combined, drift_ppm=drift_ppm)
    assert together <= rms(network, lambda: midpoint, drift_ppm=drift_ppm) * 1.01
    assert together <= rms(network, lambda: received, drift_ppm=drift_ppm)
    assert together <= rms(network, lambda: device_clock_alone, drift_ppm=drift_ppm) * AS_GOOD


@pytest.mark.parametrize("name", NETWORKS)
def test_rates_at_1_s_are_true_to_half_a_percent_on_every_path(name: str) -> None:
    assert rms(NETWORKS[name], combined) <= 0.5


def test_the_worst_rate_under_spikes_is_off_by_less_than_the_delay_it_met() -> None:
    spikes = NETWORKS["jitter with spikes"]
    worst = {name: max_error(spikes, place) for name, place in (("together", combined), ("midpoint", lambda: midpoint))}
    assert worst["together"] <= 2.0 < 10.0 <= worst["midpoint"]


@pytest.mark.parametrize("step_s", [-5.0, -0.5, 0.5, 5.0, 20.0])
def test_a_device_clock_that_is_set_makes_no_wrong_rate_beyond_the_poll_it_happened_in(step_s: float) -> None:
    found = polls(JITTER, 3)
    step_ticks = round(step_s * 100)
    half = TICKS // 2
    stepped = [
        chunk if number < half else replace(chunk, device_ticks=(chunk.device_ticks or 0) + step_ticks)
        for number, chunk in enumerate(found.chunks)
    ]
    errors = np.abs(Polls(stepped, found.looked_ns).error_percent(combined()))
    assert errors.max() <= 6.0, "an answer is never placed outside question and reply, whatever its clock says"
    assert np.delete(errors, range(half - SETTLED - 1, half - SETTLED + 20)).max() <= 2.0


def test_a_clock_that_runs_far_too_fast_is_as_good_as_none() -> None:
    """1 % is a hundred times what is followed: each answer contradicts the ones before."""
    errors = polls(JITTER, 4, drift_ppm=10_000.0).error_percent(combined())
    assert np.abs(errors).max() <= 6.0
