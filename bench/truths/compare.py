"""How far what is shown is off the truth."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from bench.truths.naive import NaiveSample
from server.core.model import Quality
from tests.support.shown import Shown
from tests.support.truth_counters import NS, Line


@dataclass
class Verdict:
    """Of the samples of one device: errors in %, and what no percentage tells.

    `zeros` were shown where traffic flowed, `ghosts` are rates shown on idle lines, `gaps` are samples that were missing, of
    `samples`; `longest_gap` is of one counter, in a row.
    """

    samples: int = 0
    errors: list[float] = field(default_factory=list)
    zeros: int = 0
    ghosts: int = 0
    gaps: int = 0
    longest_gap: int = 0

    @property
    def rms(self) -> float:
        """NaN when nothing was shown."""
        return math.sqrt(sum(error * error for error in self.errors) / len(self.errors)) if self.errors else math.nan

    @property
    def worst(self) -> float:
        return max(map(abs, self.errors), default=math.nan)

    def add(self, bps: float, truth_bps: float) -> None:
        """One rate that was shown."""
        if truth_bps:
            self.errors.append((bps / truth_bps - 1) * 100)
            self.zeros += bps == 0
        else:
            self.ghosts += bps != 0


def judge(shown: Iterable[Shown], lines: Iterable[Line], epoch_ns: int) -> Verdict:
    """Hold every rate against the mean load of the span that its message names.

    A plain sample covers the `span_s` before its `time`. An estimated one covers as much, but up to the newest refresh of
    that line's counters at that time. Lines that are not among `lines` are left out.
    """
    verdict, by_name, gaps = Verdict(), {line.name: line for line in lines}, dict[tuple[str, str], int]()
    for message in shown:
        for way, values in message.values.items():
            for name, bps, quality in zip(message.lines, values, message.quality, strict=True):
                if name not in by_name:
                    continue
                verdict.samples += 1
                if bps is None:
                    gaps[name, way] = gaps.get((name, way), 0) + 1
                    verdict.gaps += 1
                    verdict.longest_gap = max(verdict.longest_gap, gaps[name, way])
                    continue
                gaps[name, way] = 0
                line, end_ns = by_name[name], message.end_ns - epoch_ns
                if quality & Quality.ESTIMATED:
                    end_ns = line.refresh.as_of_ns(end_ns)
                verdict.add(bps, line.bps(way, end_ns - round(message.span_s * NS), end_ns))
    return verdict


def judge_naive(samples: Iterable[NaiveSample], lines: tuple[Line, ...], epoch_ns: int) -> Verdict:
    """Hold every rate against the mean load between the two arrivals."""
    verdict = Verdict()
    for sample in samples:
        verdict.samples += 1
        span_ns = sample.start_ns - epoch_ns, sample.end_ns - epoch_ns
        verdict.add(sample.bps, lines[sample.line].bps(sample.way, *span_ns))
    return verdict
