"""What stays the same for all ticks of the same tables that have the same columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.core.model import Floats, Mask, Metric, MetricKind
from server.rates.counters import OVER_SPEED, Limits

Selector = slice | NDArray[np.intp]
"""Positions along an axis; a slice where they follow each other, since that needs no copy."""


def selector(positions: Sequence[int] | NDArray[np.intp]) -> Selector:
    """The positions as a slice where they rise by one, else as an array."""
    at = np.asarray(positions, dtype=np.intp)
    if len(at) and bool((np.diff(at) == 1).all()):
        return slice(int(at[0]), int(at[0]) + len(at))
    return at


def cross(first: Selector, second: Selector) -> tuple[Selector, Selector]:
    """What indexes the product of positions along two axes."""
    if isinstance(first, slice) or isinstance(second, slice):
        return first, second
    return first[:, np.newaxis], second


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where the counters are among the columns, and their constants. The rows are those of all tables, side by side.

    `counters` and `others` are positions among the columns; `metrics` and `metric_numbers`
    are the counters' positions in the tables. `exists`
    (columns, rows) is False where a row does not have a counter, `counts` (counters, rows) the same of counters alone.
    `scale` (counters, 1) as in `Metric`; `line_factor` (counters, 1) turns a shown rate into bits per second on the line, 0
    where speed puts no bound; above `over_bps` (rows,) a line is over its speed, NaN where that is unknown.
    """

    counters: Selector
    others: tuple[int, ...]
    metrics: Selector
    metric_numbers: NDArray[np.intp]
    exists: Mask
    counts: Mask
    scale: Floats
    line_factor: Floats
    over_bps: Floats
    limits: Limits

    @classmethod
    def of(
        cls,
        metrics: Sequence[Metric],
        columns: tuple[int, ...],
        counter_bits: NDArray[np.uint8],
        speeds_bps: Floats,
    ) -> Layout:
        """The layout of these columns, where `counter_bits` (metrics, rows) and `speeds_bps` (rows,) are as in `Table`."""
        kinds = [metrics[metric].kind for metric in columns]
        counters = [position for position, kind in enumerate(kinds) if kind is MetricKind.COUNTER]
        counted = [columns[position] for position in counters]
        bits = counter_bits[counted]
        exists = np.ones((len(columns), len(speeds_bps)), dtype=np.bool_)
        exists[counters] = bits > 0
        scale = np.array([metrics[metric].scale for metric in counted], dtype=np.float64).reshape(-1, 1)
        line_bits = np.array([metrics[metric].line_bits for metric in counted], dtype=np.float64).reshape(-1, 1)
        return cls(
            counters=selector(counters),
            others=tuple(position for position in range(len(columns)) if position not in counters),
            metrics=selector(counted),
            metric_numbers=np.array(counted, dtype=np.intp),
            exists=exists,
            counts=exists[selector(counters)],
            scale=scale,
            line_factor=line_bits / scale,
            over_bps=OVER_SPEED * speeds_bps,
            limits=Limits.of(bits, line_bits, speeds_bps),
        )
