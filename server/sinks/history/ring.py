"""The live window: the newest `window_s` seconds of every shown metric, in memory.

Metrics that come together are kept together: a device has one `Strand` for its fast columns and one for its slow ones, so
that a tick is one place to write. State: `RingHistory._devices`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from server.core.blocks import Frames
from server.core.model import Table
from server.core.ports import Window
from server.hub import Item, Removed
from server.sinks.history.strand import Past, Strand, Values

LEAST_INTERVAL_S = 0.1  # no source polls faster

_Write = tuple[Strand, slice | list[int]]


class _DevicePast:
    """One device's strands, for the rows of `table`.

    `writes` are for each set of columns that came: each strand, and where its metrics stand among them.
    """

    __slots__ = ("strands", "table", "writes")

    def __init__(self, table: Table) -> None:
        self.table = table
        self.strands: dict[str, Strand] = {}  # by each of its metrics
        self.writes: dict[tuple[int, ...], list[_Write]] = {}

    def follow(self, table: Table) -> None:
        """Go over to a new version of the table: a row keeps its past by its name."""
        old = self.table.index_of()
        sources = np.array([old.get(row.name, -1) for row in table.rows], dtype=np.intp)
        if not np.array_equal(sources, np.arange(len(self.table.rows))):
            for strand in list(dict.fromkeys(self.strands.values())):
                self._replace(strand, [strand.shown], sources)
        self.table, self.writes = table, {}

    def sort(self, columns: tuple[int, ...]) -> list[_Write]:
        """Have a strand for each set of metrics that are due together, and say what goes where."""
        places = {self.table.metrics[column].shown: place for place, column in enumerate(columns)}
        if new := tuple(shown for shown in places if shown not in self.strands):
            self.strands.update(dict.fromkeys(new, Strand(new, len(self.table.rows))))
        for strand in {self.strands[shown] for shown in places}:
            due = tuple(shown for shown in strand.shown if shown in places)
            if due != strand.shown:
                rest = tuple(shown for shown in strand.shown if shown not in places)
                self._replace(strand, [due, rest], np.arange(len(self.table.rows)))
        due_strands = dict.fromkeys(self.strands[shown] for shown in places)
        found = self.writes[columns] = [(one, _together([places[shown] for shown in one.shown])) for one in due_strands]
        return found

    def _replace(self, strand: Strand, parts: list[tuple[str, ...]], sources: NDArray[np.intp]) -> None:
        for shown in parts:
            self.strands.update(dict.fromkeys(shown, strand.part(shown, sources)))
        self.writes = {}


class RingHistory:
    """Implements `core.ports.HistoryReader`; a subscriber of the hub. `offer` only copies numbers in memory."""

    def __init__(self, window_s: float = 900.0, most_samples: int | None = None) -> None:
        self._window_s = window_s
        self._most = most_samples or int(window_s / LEAST_INTERVAL_S)
        self._devices: dict[str, _DevicePast] = {}

    def offer(self, item: Item) -> None:
        match item:
            case Frames() if not item.burst:
                self._append(item)
            case Removed():
                self._devices.pop(item.device, None)
            case _:
                pass

    def _append(self, frames: Frames) -> None:
        columns, starts = frames.columns, frames.starts.tolist()
        seqs, times_s = frames.seqs.tolist(), frames.wall_s.tolist()
        values: Values = frames.values.astype(np.float32)
        for place, table in enumerate(frames.tables):
            past = self._devices.get(table.device)
            if past is None:
                past = self._devices[table.device] = _DevicePast(table)
            if past.table is not table:
                past.follow(table)
            rows = slice(starts[place], starts[place + 1])
            for strand, wanted in past.writes.get(columns) or past.sort(columns):
                strand.append(seqs[place], times_s[place], values[wanted, rows], self._window_s, self._most)

    def window(self, table: Table, shown: Sequence[str], rows: NDArray[np.intp], since_s: float) -> Window:
        """See `core.ports.HistoryReader`."""
        past = self._devices.get(table.device)
        if past is None:
            return _empty(len(shown), len(rows))
        own = past.table.index_of()
        wanted = np.array([own.get(table.rows[row].name, -1) for row in rows], dtype=np.intp)
        known = np.flatnonzero(wanted >= 0)
        parts = {
            place: past.strands[name].since(name, wanted[known], since_s, self._most)
            for place, name in enumerate(shown)
            if name in past.strands
        }
        return _beside(parts, known, len(shown), len(rows)) if parts else _empty(len(shown), len(rows))


def _together(places: list[int]) -> slice | list[int]:
    """A slice where the places follow each other: it copies nothing."""
    whole = slice(places[0], places[0] + len(places))
    return whole if places == list(range(whole.start, whole.stop)) else places


def _beside(parts: dict[int, Past], known: NDArray[np.intp], metrics: int, rows: int) -> Window:
    """The pasts of metrics (by their place), of the rows `known`, side by side on one axis of time."""
    seqs, first = np.unique(np.concatenate([part[0] for part in parts.values()]), return_index=True)
    times_s = np.concatenate([part[1] for part in parts.values()])[first]
    values = np.full((metrics, rows, len(seqs)), np.nan, dtype=np.float32)
    due = np.zeros((metrics, len(seqs)), dtype=bool)
    for metric, part in parts.items():
        at = np.searchsorted(seqs, part[0])
        due[metric, at] = True
        values[metric, known[:, None], at[None, :]] = part[2].T
    return Window(seqs, times_s, values, due)


def _empty(metrics: int, rows: int) -> Window:
    none = np.zeros(0)
    due = np.zeros((metrics, 0), dtype=bool)
    return Window(none.astype(np.int64), none, np.zeros((metrics, rows, 0), dtype=np.float32), due)
