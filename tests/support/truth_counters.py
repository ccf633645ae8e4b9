"""Counters whose truth is known to the octet: what a line has carried at any moment, and what an agent shows of it."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Protocol

NS = 1_000_000_000


class Traffic(Protocol):
    """What passes through a line."""

    def octets(self, since_ns: int) -> int:
        """How many have passed `since_ns` nanoseconds after the start."""
        ...


@dataclass(frozen=True, slots=True)
class Steady:
    """A constant load; 0 is an idle line."""

    bps: int

    def octets(self, since_ns: int) -> int:
        return self.bps * since_ns // (8 * NS)


@dataclass(frozen=True)
class Bursty:
    """Loads between `least_bps` and `most_bps` that change at random moments, about every `mean_s`; the last one lasts."""

    least_bps: int
    most_bps: int
    mean_s: float = 1.5
    seed: int = 1
    lasts_s: float = 3600.0

    def octets(self, since_ns: int) -> int:
        starts_ns, loads, before = self._pieces
        piece = max(0, bisect_right(starts_ns, since_ns) - 1)
        return before[piece] + loads[piece] * (since_ns - starts_ns[piece]) // (8 * NS)

    @cached_property
    def _pieces(self) -> tuple[list[int], list[int], list[int]]:
        """When each piece starts, its load, and the octets before it."""
        dice, starts_ns, loads = random.Random(self.seed), [0], list[int]()
        while starts_ns[-1] < self.lasts_s * NS:
            loads.append(dice.randint(self.least_bps, self.most_bps))
            starts_ns.append(starts_ns[-1] + round(dice.expovariate(1 / self.mean_s) * NS))
        loads.append(loads[-1])
        grown = [load * (end - start) // (8 * NS) for load, (start, end) in zip(loads, pairwise(starts_ns), strict=False)]
        return starts_ns, loads, list(accumulate(grown, initial=0))


class Refresh(Protocol):
    """When an agent takes new values from its hardware."""

    def as_of_ns(self, since_ns: int) -> int:
        """The newest such moment, not after `since_ns`."""
        ...


@dataclass(frozen=True, slots=True)
class AtOnce:
    """With every answer."""

    def as_of_ns(self, since_ns: int) -> int:
        return since_ns


@dataclass(frozen=True)
class Every:
    """Every `period_s`, each up to `jitter` of the period early or late; the first is `phase_s` after the start."""

    period_s: float
    jitter: float = 0.0
    phase_s: float = 0.0
    seed: int = 1
    lasts_s: float = 3600.0

    def as_of_ns(self, since_ns: int) -> int:
        place = bisect_right(self._moments_ns, since_ns)
        return self._moments_ns[place - 1] if place else 0

    @cached_property
    def _moments_ns(self) -> Sequence[int]:
        dice = random.Random(self.seed)
        count = int(self.lasts_s / self.period_s)
        off = (dice.uniform(-self.jitter, self.jitter) * self.period_s for _ in range(count))
        return sorted(round((self.phase_s + number * self.period_s + more) * NS) for number, more in enumerate(off))


AT_ONCE = AtOnce()


@dataclass(frozen=True, slots=True)
class Line:
    """One interface. Its octet counters are `initial` at the start; with `counter_bits` 32 ifXTable lacks the row.

    `way` is "in" or "out". With `anew_s` its counters begin at zero again that long after the start, with a new
    ifCounterDiscontinuityTime; such a row has that object.
    """

    name: str
    inbound: Traffic
    outbound: Traffic
    speed_bps: int = 10_000_000_000
    counter_bits: int = 64
    initial: int = 0
    refresh: Refresh = AT_ONCE
    anew_s: tuple[float, ...] = ()

    def passed(self, way: str, since_ns: int) -> int:
        """The truth: octets since the start."""
        return (self.inbound if way == "in" else self.outbound).octets(since_ns)

    def bps(self, way: str, start_ns: int, end_ns: int) -> float:
        """The truth: the mean load of a span."""
        return (self.passed(way, end_ns) - self.passed(way, start_ns)) * 8 * NS / (end_ns - start_ns)

    def counted(self, way: str, since_ns: int, agent_began_ns: int = 0) -> int:
        """What its counter has counted, wraps undone. `agent_began_ns`: when the agent last started, counters at zero."""
        began_ns = max(self.began_ns(since_ns), agent_began_ns)
        seen_ns = max(self.refresh.as_of_ns(since_ns), began_ns)
        return (0 if began_ns else self.initial) + self.passed(way, seen_ns) - self.passed(way, began_ns)

    def began_ns(self, since_ns: int) -> int:
        """When its counters last began anew; 0 for with the first start."""
        return max((round(at_s * NS) for at_s in self.anew_s if round(at_s * NS) <= since_ns), default=0)
