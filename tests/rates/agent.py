"""A simulated device whose truth is known: counters that grow at exact rates and may be refreshed only now and then."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from server.core.model import Chunk, Event, Frame, Reading, Table
from tests.rates.build import START_NS, TICKS_AT_START, table
from tests.rates.meters import RateMeter

Octets = Callable[[float], float]
"""Octets that a counter has counted at a time in seconds."""


def steady(bps: float) -> Octets:
    """A line with a constant load."""
    return lambda at_s: bps / 8 * at_s


@dataclass
class Agent:
    """`octets[metric][row]` grow with time; an answer shows them as of the newest of the `refreshes`, or as they are.

    `cards` are the refreshes of each row instead, where rows differ. `names` are the rows'.
    """

    octets: Sequence[Sequence[Octets]]
    refreshes: Sequence[float] = ()
    interval_s: float = 1.0
    jitter_s: float = 0.02
    lost: Callable[[int], bool] = lambda tick: False
    answers: int = 1
    between_s: float = 0.0
    cards: Sequence[Sequence[float]] = ()
    names: Sequence[str] = ()
    random: random.Random = field(default_factory=lambda: random.Random(7))

    def __post_init__(self) -> None:
        self.table: Table = table(len(self.octets[0]), speed_bps=100_000_000_000, names=self.names)
        self.meter = RateMeter("sw1")
        self.tick = 0
        self.asked_s = 0.0
        self.events: list[Event] = []

    def as_of(self, at_s: float, row: int = 0) -> float:
        """The moment whose values an answer at `at_s` shows."""
        refreshes = self.cards[row] if self.cards else self.refreshes
        return refreshes[max(0, bisect_right(refreshes, at_s) - 1)] if refreshes else at_s

    def reading(self) -> Reading:
        """Ask the device."""
        self.asked_s = asked_s = 20.0 + self.tick * self.interval_s + self.random.random() * self.jitter_s
        rows = len(self.table.rows)
        values = np.zeros((2, rows), dtype=np.uint64)
        lost = self.lost(self.tick)
        chunks = []
        for number, part in enumerate(np.array_split(np.arange(rows, dtype=np.uint32), self.answers)):
            sent_s = asked_s + number * self.between_s
            looked_s = sent_s + self.random.random() * 0.002
            for metric in range(2):
                for row in part.tolist():
                    values[metric, row] = int(self.octets[metric][row](self.as_of(looked_s, row)))
            received_s = looked_s + self.random.random() * 0.002
            ticks = TICKS_AT_START + int(looked_s * 100)
            chunks.append(Chunk(START_NS + round(sent_s * 1e9), START_NS + round(received_s * 1e9), ticks, (0, 1), part))
        self.tick += 1
        valid = np.full((2, rows), not lost)
        return Reading(self.table, () if lost else tuple(chunks), 1.8e9 + asked_s, (0, 1), values, valid, self.interval_s)

    def poll(self, ticks: int) -> list[Frame]:
        """The frames of the next ticks."""
        frames = []
        for _ in range(ticks):
            frame, events = self.meter.advance(self.reading())
            self.events += events
            frames.append(frame)
        return frames


def every(period_s: float, until_s: float, from_s: float = 0.3, jitter_s: float = 0.0, seed: int = 3) -> list[float]:
    """Moments of refreshes."""
    source = random.Random(seed)
    moments, at_s = [], from_s
    while at_s < until_s:
        moments.append(at_s)
        at_s += max(0.05, period_s + source.gauss(0, jitter_s))
    return moments
