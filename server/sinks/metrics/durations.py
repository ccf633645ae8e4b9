"""A histogram of durations that takes many at once: prometheus_client's own takes one at a time."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

from server.core.model import Floats

SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class Durations(Collector):
    """A collector for a registry. State: how many durations fell into each bucket, and their sum in seconds."""

    def __init__(self, name: str, words: str) -> None:
        self._name = name
        self._words = words
        self._counts = np.zeros(len(SECONDS) + 1, np.int64)
        self._sum_s = 0.0

    def observe(self, durations_s: Floats) -> None:
        """Count these, (n,) in seconds."""
        places = np.searchsorted(SECONDS, durations_s, side="left")
        self._counts += np.bincount(places, minlength=len(self._counts))
        self._sum_s += float(durations_s.sum())

    def collect(self) -> Iterable[HistogramMetricFamily]:
        """What the registry shows."""
        bounds = [*map(str, SECONDS), "+Inf"]
        up_to = np.cumsum(self._counts).tolist()
        yield HistogramMetricFamily(
            self._name, self._words, buckets=list(zip(bounds, up_to, strict=True)), sum_value=self._sum_s
        )
