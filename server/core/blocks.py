"""What many devices brought at one moment, side by side: the columnar form in which values flow.

A block is one set of arrays for all its devices. Device `i` has the rows `starts[i]:starts[i + 1]` of the row axis. All
devices of a block have the same metrics and the same columns. `Reading` and `Frame` (`model.py`) are one device of a block.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.core.model import Chunk, Counts, Floats, Frame, Mask, Metric, Reading, Table

NOT_CARRIED = -1
"""In `Chunks.carried`: no answer carried this cell."""
NO_STAMP = np.uint64(2**64 - 1)
"""In `Readings.discontinuity`: the row's stamp was not heard yet."""
NO_TICKS = -1
"""In `Chunks.device_ticks`: the answer did not show the device's clock."""


@dataclass(frozen=True, slots=True, eq=False)
class Chunks:
    """The answers of a block, device by device and in the order in which they were asked for.

    `device` (chunks,) is the position of the answer's device in the block, ascending. `sent_ns`, `received_ns` (int64) and
    `device_ticks` (int64, NO_TICKS for none) as in `Chunk`. `carried` (columns, rows) int32 is the position of the answer
    that carried a cell, or NOT_CARRIED.
    """

    device: NDArray[np.intp]
    sent_ns: NDArray[np.int64]
    received_ns: NDArray[np.int64]
    device_ticks: NDArray[np.int64]
    carried: NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """The raw values of one tick of each of these devices, exactly as the devices gave them.

    `values` and `valid` are (columns, rows), `wall_s`, `interval_s` and `stamped` (devices,), `discontinuity` (rows,), which
    says something only of devices that are `stamped`. `burst`: these are chosen rows, asked more often than the rest of
    their devices, in a stream of their own (a table of those rows alone).
    """

    tables: tuple[Table, ...]
    starts: NDArray[np.intp]
    columns: tuple[int, ...]
    wall_s: Floats
    interval_s: Floats
    values: Counts
    valid: Mask
    chunks: Chunks
    discontinuity: Counts
    stamped: Mask
    burst: bool = False

    def __len__(self) -> int:
        return len(self.tables)

    @classmethod
    def of(cls, readings: Sequence[Reading], *, burst: bool = False) -> Readings:
        """One block of these; raises ValueError where they differ in columns or metrics, or there is none."""
        tables = tuple(reading.table for reading in readings)
        columns = _same(tables, [reading.columns for reading in readings])
        return cls(
            tables=tables,
            starts=_starts(tables),
            columns=columns,
            wall_s=np.array([reading.wall_s for reading in readings]),
            interval_s=np.array([reading.interval_s for reading in readings]),
            values=np.concatenate([reading.values for reading in readings], axis=1),
            valid=np.concatenate([reading.valid for reading in readings], axis=1),
            chunks=_chunks(readings),
            discontinuity=np.concatenate([_stamps(reading) for reading in readings]),
            stamped=np.array([reading.discontinuity is not None for reading in readings]),
            burst=burst,
        )

    def reading(self, device: int) -> Reading:
        """One device of the block; its arrays are views."""
        rows = slice(int(self.starts[device]), int(self.starts[device + 1]))
        own = np.flatnonzero(self.chunks.device == device).tolist()
        carried = self.chunks.carried[:, rows]
        return Reading(
            table=self.tables[device],
            chunks=tuple(self._chunk(number, carried) for number in own),
            wall_s=float(self.wall_s[device]),
            columns=self.columns,
            values=self.values[:, rows],
            valid=self.valid[:, rows],
            interval_s=float(self.interval_s[device]),
            discontinuity=self.discontinuity[rows] if self.stamped[device] else None,
        )

    def _chunk(self, number: int, carried: NDArray[np.int32]) -> Chunk:
        chunks, mine = self.chunks, carried == number
        ticks = int(chunks.device_ticks[number])
        return Chunk(
            sent_ns=int(chunks.sent_ns[number]),
            received_ns=int(chunks.received_ns[number]),
            device_ticks=None if ticks == NO_TICKS else ticks,
            columns=tuple(np.flatnonzero(mine.any(axis=1)).tolist()),
            rows=np.flatnonzero(mine.any(axis=0)).astype(np.uint32),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """The shown values of one tick of each of these devices.

    `values` are (columns, rows), NaN for no sample, and `quality` (rows,) of `Quality` bits. `seqs`, `wall_s`, `span_s`,
    `interval_s`, `cadence_s` and `reply_s` are (devices,) with NaN for what is None in a `Frame`. `row_cadence_s` (rows,) is
    the refresh period of each row's counters, NaN where they are as new as the poll; None where that holds of all rows.
    `burst` as in `Readings`: who does not ask for bursts passes over such a block.
    """

    tables: tuple[Table, ...]
    starts: NDArray[np.intp]
    columns: tuple[int, ...]
    seqs: NDArray[np.int64]
    wall_s: Floats
    span_s: Floats
    interval_s: Floats
    cadence_s: Floats
    reply_s: Floats
    values: Floats
    quality: NDArray[np.uint8]
    row_cadence_s: Floats | None = None
    burst: bool = False

    def __len__(self) -> int:
        return len(self.tables)

    def __iter__(self) -> Iterator[Frame]:
        return (self.frame(device) for device in range(len(self.tables)))

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What `columns` are positions in."""
        return self.tables[0].metrics

    def column(self, shown: str) -> Floats | None:
        """(rows,) values of a shown metric, or None when it is not in this block."""
        for position, metric in enumerate(self.columns):
            if self.metrics[metric].shown == shown:
                values: Floats = self.values[position]
                return values
        return None

    def sampled(self, *shown: str) -> Mask:
        """(devices,) whether there is a sample in any row and any of these columns; without names, in any column."""
        begin, end = self.starts[:-1], self.starts[1:]
        if not shown and len(self.values) and (end > begin).all() and not np.isnan(self.values[0, begin]).any():
            return np.ones(len(begin), dtype=np.bool_)  # the first row of each says enough
        some = np.zeros(self.values.shape[1], dtype=np.bool_)
        named = [values for name in shown if (values := self.column(name)) is not None]
        for values in named if shown else self.values:
            some |= ~np.isnan(values)
            if some.all():
                return end > begin
        until = np.concatenate(([0], np.cumsum(some)))
        return until[end] > until[begin]

    @classmethod
    def of(cls, frames: Sequence[Frame], *, burst: bool = False) -> Frames:
        """One block of these; raises ValueError where they differ in columns or metrics, or there is none."""
        tables = tuple(frame.table for frame in frames)
        columns = _same(tables, [frame.columns for frame in frames])
        return cls(
            tables=tables,
            starts=_starts(tables),
            columns=columns,
            seqs=np.array([frame.seq for frame in frames], dtype=np.int64),
            wall_s=np.array([frame.wall_s for frame in frames]),
            span_s=np.array([frame.span_s for frame in frames]),
            interval_s=np.array([frame.interval_s for frame in frames]),
            cadence_s=np.array([_or_nan(frame.cadence_s) for frame in frames]),
            reply_s=np.array([_or_nan(frame.reply_s) for frame in frames]),
            values=np.concatenate([frame.values for frame in frames], axis=1),
            quality=np.concatenate([frame.quality for frame in frames]),
            row_cadence_s=_row_cadences(frames),
            burst=burst,
        )

    def frame(self, device: int) -> Frame:
        """One device of the block; its arrays are views."""
        rows = slice(self.starts.item(device), self.starts.item(device + 1))
        return Frame(
            table=self.tables[device],
            seq=self.seqs.item(device),
            wall_s=self.wall_s.item(device),
            span_s=self.span_s.item(device),
            columns=self.columns,
            values=self.values[:, rows],
            quality=self.quality[rows],
            interval_s=self.interval_s.item(device),
            cadence_s=_or_none(self.cadence_s.item(device)),
            reply_s=_or_none(self.reply_s.item(device)),
            row_cadence_s=None if self.row_cadence_s is None else self.row_cadence_s[rows],
        )


def _same(tables: tuple[Table, ...], columns: list[tuple[int, ...]]) -> tuple[int, ...]:
    if not tables:
        raise ValueError("a block has at least one device")
    if any(other != columns[0] for other in columns):
        raise ValueError("the devices of a block have the same columns")
    if any(table.metrics is not tables[0].metrics and table.metrics != tables[0].metrics for table in tables):
        raise ValueError("the devices of a block have the same metrics")
    return columns[0]


def _starts(tables: tuple[Table, ...]) -> NDArray[np.intp]:
    return np.cumsum([0, *(len(table.rows) for table in tables)], dtype=np.intp)


def _chunks(readings: Sequence[Reading]) -> Chunks:
    carried = [np.full(reading.values.shape, NOT_CARRIED, dtype=np.int32) for reading in readings]
    flat: list[tuple[int, int, int, int]] = []
    for device, reading in enumerate(readings):
        for chunk in sorted(reading.chunks, key=_asked):
            for column in chunk.columns:
                carried[device][column, chunk.rows] = len(flat)
            ticks = NO_TICKS if chunk.device_ticks is None else chunk.device_ticks
            flat.append((device, chunk.sent_ns, chunk.received_ns, ticks))
    table = np.array(flat, dtype=np.int64).reshape(-1, 4)
    return Chunks(table[:, 0].astype(np.intp), table[:, 1], table[:, 2], table[:, 3], np.concatenate(carried, axis=1))


def _asked(chunk: Chunk) -> int:
    return chunk.sent_ns


def _stamps(reading: Reading) -> Counts:
    if reading.discontinuity is not None:
        return reading.discontinuity
    return np.zeros(len(reading.table.rows), dtype=np.uint64)


def _row_cadences(frames: Sequence[Frame]) -> Floats | None:
    if all(frame.row_cadence_s is None for frame in frames):
        return None
    parts = [
        np.full(len(frame.table.rows), np.nan) if frame.row_cadence_s is None else frame.row_cadence_s for frame in frames
    ]
    return np.concatenate(parts)


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else value


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value
