"""Short ways to make tables and readings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from server.core.model import Chunk, Frame, Metric, MetricKind, Quality, Reading, Row, Table

IN = Metric("in_octets", "in_bps", MetricKind.COUNTER, 8.0, 8)
OUT = Metric("out_octets", "out_bps", MetricKind.COUNTER, 8.0, 8)
STATUS = Metric("oper_status", "oper_status", MetricKind.STATE, states=((1, "up"), (2, "down")))
ERRORS = Metric("in_errors", "in_errors_per_s", MetricKind.COUNTER, 1.0, 0)
LOAD = Metric("load", "load", MetricKind.GAUGE)

START_NS = 5_000_000_000_000
TICKS_AT_START = 1_000_000
G = 1_000_000_000


def table(
    rows: int = 1,
    metrics: Sequence[Metric] = (IN, OUT),
    speed_bps: int = 10 * G,
    bits: int = 64,
    version: int = 1,
    names: Sequence[str] = (),
) -> Table:
    """`rows` rows named a, b, c, ... (or `names`), all of one speed, every counter with `bits`."""
    names = names or [f"{chr(97 + n % 26)}{n // 26 or ''}" for n in range(rows)]
    counter_bits = np.zeros((len(metrics), len(names)), dtype=np.uint8)
    for position, metric in enumerate(metrics):
        counter_bits[position] = bits if metric.kind is MetricKind.COUNTER else 0
    facts = tuple(Row(name, number + 1, speed_bps=speed_bps) for number, name in enumerate(names))
    return Table("sw1", version, facts, tuple(metrics), counter_bits)


def with_row(old: Table, number: int, **facts: object) -> Table:
    """A new version of a table in which one row has other facts."""
    rows = list(old.rows)
    rows[number] = replace(rows[number], **facts)  # type: ignore[arg-type]
    return replace(old, version=old.version + 1, rows=tuple(rows))


def chunk(
    sent_s: float,
    columns: Sequence[int],
    rows: Sequence[int],
    reply_s: float = 0.002,
    ticks: int | None = None,
) -> Chunk:
    """An answer to what was sent `sent_s` after START_NS."""
    sent_ns = START_NS + round(sent_s * 1e9)
    return Chunk(sent_ns, sent_ns + round(reply_s * 1e9), ticks, tuple(columns), np.array(rows, dtype=np.uint32))


def reading(
    of: Table,
    at_s: float,
    values: Sequence[Sequence[int]] | NDArray[np.uint64],
    columns: Sequence[int] | None = None,
    missing: Sequence[tuple[int, int]] = (),
    ticks: int | None = -1,
    chunks: Sequence[Chunk] | None = None,
    interval_s: float = 1.0,
    discontinuity: Sequence[int] | None = None,
) -> Reading:
    """All cells in one answer made exactly at `at_s`, with the clock of a device that never restarts."""
    if ticks == -1:
        ticks = (TICKS_AT_START + round(at_s * 100)) % 2**32
    columns = tuple(range(len(of.metrics))) if columns is None else tuple(columns)
    counts = np.array(values, dtype=np.uint64).reshape(len(columns), len(of.rows))
    valid = np.ones(counts.shape, dtype=np.bool_)
    for cell in missing:
        valid[cell] = False
    if chunks is None:
        rows = range(len(of.rows))
        chunks = [chunk(at_s - 0.001, range(len(columns)), rows, ticks=ticks)] if valid.any() else []
    stamps = None if discontinuity is None else np.array(discontinuity, dtype=np.uint64)
    return Reading(of, tuple(chunks), 1.8e9 + at_s, columns, counts, valid, interval_s, stamps)


def flags(frame: Frame, row: int = 0) -> Quality:
    """The quality of a row."""
    return Quality(int(frame.quality[row]))
