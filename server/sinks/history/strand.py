"""The past of metrics that are always asked for together, of one device: times, seqs and values, in segments.

A segment has a fixed size and is never copied to grow: what is held grows and shrinks by whole segments.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from server.core.model import Floats

Values = NDArray[np.float32]
Past = tuple[NDArray[np.int64], Floats, Values]

SEGMENT_BYTES = 16_384
LEAST_SAMPLES = 8  # of a segment; slow columns come once a minute
MOST_SAMPLES = 64


class Segment:
    """Up to `capacity` samples. `values` is (capacity, metrics, rows); the first `count` of each array hold something."""

    __slots__ = ("count", "seqs", "times_s", "values")

    def __init__(self, capacity: int, metrics: int, rows: int) -> None:
        self.count = 0
        self.seqs = np.empty(capacity, dtype=np.int64)
        self.times_s = np.empty(capacity, dtype=np.float64)
        self.values: Values = np.empty((capacity, metrics, rows), dtype=np.float32)

    def part(self, metrics: Sequence[int], sources: NDArray[np.intp]) -> Segment:
        """The same samples of these metrics; row i is the old row `sources[i]`, or all NaN where that is -1."""
        part = Segment(len(self.seqs), len(metrics), len(sources))
        part.count, known = self.count, np.flatnonzero(sources >= 0)
        part.seqs[:], part.times_s[:] = self.seqs, self.times_s
        part.values[:] = np.nan
        for place, metric in enumerate(metrics):
            part.values[:, place, known] = self.values[:, metric, sources[known]]
        return part


class Strand:
    """The newest samples of the metrics `shown`. State: the segments, oldest first; the last one is being filled."""

    def __init__(self, shown: tuple[str, ...], rows: int) -> None:
        self.shown = shown
        self._rows = rows
        bytes_each = max(1, 4 * len(shown) * rows)
        self._capacity = min(MOST_SAMPLES, max(LEAST_SAMPLES, SEGMENT_BYTES // bytes_each))
        self._segments: deque[Segment] = deque()
        self._newest: Segment | None = None
        self._newest_s = -np.inf

    def append(self, seq: int, time_s: float, values: Values, window_s: float, most: int) -> None:
        """Add one sample, (metrics, rows). Old segments go once those after them hold `window_s`, or `most` samples.

        When the wall clock was set back, samples that would stand after this one go: they have no place in time any more.
        """
        if time_s <= self._newest_s:
            self._drop_from(time_s)
        segment = self._newest
        if segment is None or segment.count == self._capacity:
            segment = self._begin(time_s, window_s, most)
        count = segment.count
        segment.seqs[count] = seq
        segment.times_s[count] = time_s
        segment.values[count] = values
        segment.count = count + 1
        self._newest_s = time_s

    def since(self, shown: str, rows: NDArray[np.intp], time_s: float, most: int) -> Past:
        """Copies of (n,) seqs, (n,) times and (n, rows) values that are newer than `time_s`, oldest first."""
        metric, parts, left = self.shown.index(shown), list[Past](), most
        for segment in reversed(self._segments):
            begin = int(np.searchsorted(segment.times_s[: segment.count], time_s, side="right"))
            begin = max(begin, segment.count - left)
            held = slice(begin, segment.count)
            parts.append((segment.seqs[held], segment.times_s[held], segment.values[held, metric][:, rows]))
            left -= segment.count
            if begin or left <= 0:
                break
        if not parts:
            return np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros((0, len(rows)), dtype=np.float32)
        seqs, times_s, values = zip(*reversed(parts), strict=True)
        return np.concatenate(seqs), np.concatenate(times_s), np.concatenate(values)

    def part(self, shown: Sequence[str], sources: NDArray[np.intp]) -> Strand:
        """The same past of some of its metrics, for another set of rows: see `Segment.part`."""
        part = Strand(tuple(shown), len(sources))
        metrics = [self.shown.index(name) for name in shown]
        part._capacity = self._capacity
        part._segments.extend(segment.part(metrics, sources) for segment in self._segments)
        part._newest = part._segments[-1] if part._segments else None
        part._newest_s = self._newest_s
        return part

    def _begin(self, time_s: float, window_s: float, most: int) -> Segment:
        """A new segment after those that are still needed."""
        held = sum(segment.count for segment in self._segments)
        while self._segments:
            oldest = self._segments[0]
            needed = time_s - oldest.times_s[oldest.count - 1] <= window_s and held - oldest.count < most
            if needed:
                break
            held -= oldest.count
            self._segments.popleft()
        self._newest = Segment(self._capacity, len(self.shown), self._rows)
        self._segments.append(self._newest)
        return self._newest

    def _drop_from(self, time_s: float) -> None:
        while self._segments:
            newest = self._segments[-1]
            newest.count = int(np.searchsorted(newest.times_s[: newest.count], time_s))
            if newest.count:
                break
            self._segments.pop()
        self._newest = self._segments[-1] if self._segments else None
