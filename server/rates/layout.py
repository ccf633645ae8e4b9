"""What stays the same for all Readings of one table that have the same columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.core.model import Floats, Mask, MetricKind, Table
from server.rates.counters import OVER_SPEED, Limits

Selector = slice | NDArray[np.intp]
"""Positions along an axis; a slice where they follow each other, since that needs no copy."""


def selector(positions: Sequence[int]) -> Selector:
    """The positions as a slice where they rise by one, else as an array."""
    if positions and list(positions) == list(range(positions[0], positions[0] + len(positions))):
        return slice(positions[0], positions[0] + len(positions))
    return np.array(positions, dtype=np.intp)


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where the counters are among a Reading's columns, and their constants.

    `counters` and `others` are positions in the Reading; `metrics` are the counters' positions in the table. `exists`
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
    def of(cls, table: Table, columns: tuple[int, ...]) -> Layout:
        """The layout of Readings of `table` with these columns."""
        kinds = [table.metrics[metric].kind for metric in columns]
        counters = [position for position, kind in enumerate(kinds) if kind is MetricKind.COUNTER]
        metrics = [columns[position] for position in counters]
        exists = np.ones((len(columns), len(table.rows)), dtype=np.bool_)
        exists[counters] = table.counter_bits[metrics] > 0
        scale = np.array([table.metrics[metric].scale for metric in metrics], dtype=np.float64).reshape(-1, 1)
        limits = Limits.of(table, metrics)
        return cls(
            counters=selector(counters),
            others=tuple(position for position in range(len(columns)) if position not in counters),
            metrics=selector(metrics),
            metric_numbers=np.array(metrics, dtype=np.intp),
            exists=exists,
            counts=exists[counters],
            scale=scale,
            line_factor=limits.line_bits / scale,
            over_bps=OVER_SPEED * table.speeds_bps(),
            limits=limits,
        )
