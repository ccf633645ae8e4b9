"""The live window: the newest `window_s` seconds of every shown metric, in memory.

One `SeriesRing` for each device and metric, since slow columns come less often. State: `RingHistory._devices`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from server.core.blocks import Frames
from server.core.model import Floats, Frame, Table
from server.core.ports import Window
from server.hub import Item, Removed

_FIRST_CAPACITY = 64
LEAST_INTERVAL_S = 0.1  # no source polls faster


class SeriesRing:
    """(capacity, rows) float32 samples of one metric with times and seqs. Grows until it spans the window, then wraps."""

    def __init__(self, rows: int) -> None:
        self._start = 0
        self._count = 0
        self._seqs = np.zeros(_FIRST_CAPACITY, dtype=np.int64)
        self._times_s = np.zeros(_FIRST_CAPACITY, dtype=np.float64)
        self._values = np.full((_FIRST_CAPACITY, rows), np.nan, dtype=np.float32)

    def append(self, seq: int, time_s: float, values: Floats, window_s: float, most: int) -> None:
        """Add one sample of every row; the oldest goes when it is older than `window_s`, or more than `most` are held.

        When the wall clock was set back, samples that would stand after this one go: they have no place in time any more.
        """
        capacity = len(self._seqs)
        while self._count and time_s <= self._times_s[(self._start + self._count - 1) % capacity]:
            self._count -= 1
        if self._count == capacity:
            if time_s - self._times_s[self._start] <= window_s and capacity < most:
                self._grow(min(most, capacity * 2))
                capacity = len(self._seqs)
            else:
                self._start = (self._start + 1) % capacity
                self._count -= 1
        place = (self._start + self._count) % capacity
        self._seqs[place] = seq
        self._times_s[place] = time_s
        self._values[place] = values
        self._count += 1

    def since(self, time_s: float) -> tuple[NDArray[np.int64], Floats, NDArray[np.float32]]:
        """Copies of (n,) seqs, (n,) times and (n, rows) values that are newer than `time_s`, oldest first."""
        order = (self._start + np.arange(self._count)) % len(self._seqs)
        order = order[self._times_s[order] > time_s]
        return self._seqs[order], self._times_s[order], self._values[order]

    def with_rows(self, sources: NDArray[np.intp]) -> SeriesRing:
        """The same past for another set of rows: row i is the old row `sources[i]`, or all NaN where that is -1."""
        moved = SeriesRing(0)
        moved._start, moved._count = self._start, self._count
        moved._seqs, moved._times_s = self._seqs, self._times_s
        moved._values = np.full((len(self._seqs), len(sources)), np.nan, dtype=np.float32)
        known = sources >= 0
        moved._values[:, known] = self._values[:, sources[known]]
        return moved

    def _grow(self, capacity: int) -> None:
        order = (self._start + np.arange(self._count)) % len(self._seqs)
        extra = capacity - self._count
        self._seqs = np.concatenate([self._seqs[order], np.zeros(extra, dtype=np.int64)])
        self._times_s = np.concatenate([self._times_s[order], np.zeros(extra)])
        empty = np.full((extra, self._values.shape[1]), np.nan, dtype=np.float32)
        self._values = np.concatenate([self._values[order], empty])
        self._start = 0


class _DevicePast:
    """One device's rings, for the rows of `table`."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.rings: dict[str, SeriesRing] = {}

    def follow(self, table: Table) -> None:
        """Go over to a new version of the table: a row keeps its past by its name."""
        if table is self.table:
            return
        old = self.table.index_of()
        sources = np.array([old.get(row.name, -1) for row in table.rows], dtype=np.intp)
        self.rings = {shown: ring.with_rows(sources) for shown, ring in self.rings.items()}
        self.table = table


class RingHistory:
    """Implements `core.ports.HistoryReader`; a subscriber of the hub. `offer` only copies numbers in memory."""

    def __init__(self, window_s: float = 900.0, most_samples: int | None = None) -> None:
        self._window_s = window_s
        self._most = most_samples or int(window_s / LEAST_INTERVAL_S)
        self._devices: dict[str, _DevicePast] = {}

    def offer(self, item: Item) -> None:
        match item:
            case Frames():
                for frame in item:
                    self._append(frame)
            case Removed():
                self._devices.pop(item.device, None)
            case _:
                pass

    def _append(self, frame: Frame) -> None:
        past = self._devices.setdefault(frame.table.device, _DevicePast(frame.table))
        past.follow(frame.table)
        for position, column in enumerate(frame.columns):
            shown = frame.table.metrics[column].shown
            ring = past.rings.get(shown)
            if ring is None:
                ring = past.rings[shown] = SeriesRing(len(frame.table.rows))
            ring.append(frame.seq, frame.wall_s, frame.values[position], self._window_s, self._most)

    def window(self, table: Table, shown: Sequence[str], rows: NDArray[np.intp], since_s: float) -> Window:
        """See `core.ports.HistoryReader`."""
        past = self._devices.get(table.device)
        parts = [past.rings[name].since(since_s) if past and name in past.rings else None for name in shown]
        present = [part for part in parts if part is not None]
        if past is None or not present:
            none = np.zeros(0)
            return Window(
                none.astype(np.int64),
                none,
                np.zeros((len(shown), len(rows), 0), np.float32),
                np.zeros((len(shown), 0), bool),
            )
        seqs, first = np.unique(np.concatenate([part[0] for part in present]), return_index=True)
        times_s = np.concatenate([part[1] for part in present])[first]
        values = np.full((len(shown), len(rows), len(seqs)), np.nan, dtype=np.float32)
        due = np.zeros((len(shown), len(seqs)), dtype=bool)
        own = past.table.index_of()
        wanted = np.array([own.get(table.rows[row].name, -1) for row in rows], dtype=np.intp)
        known = np.flatnonzero(wanted >= 0)
        for metric, part in enumerate(parts):
            if part is None:
                continue
            at = np.searchsorted(seqs, part[0])
            due[metric, at] = True
            values[metric, known[:, None], at[None, :]] = part[2][:, wanted[known]].T
        return Window(seqs, times_s, values, due)
