"""What subscriptions to the same rows share: their places in the table, their facts, and each tick's text, encoded once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from server.core.blocks import Frames
from server.core.model import Frame, Table
from server.core.ports import DeviceView
from server.hub import Stream
from server.sinks.live import shapes
from server.sinks.live.messages import InterfaceFacts, Number

_WORTH_WHILE = 3  # row sets in a block, from which on one look is cheaper than one for each

_encoder = msgspec.json.Encoder()


class RowSet:
    """Some rows and metrics of one stream. All its subscriptions see the same frames, or fewer of them, in the same order.

    State: the newest frame and its text; where the rows are in its table (-1: gone); their facts and cadences as told last,
    which are replaced only by different ones.
    """

    def __init__(self, stream: Stream, names: tuple[str, ...], metrics: tuple[str, ...]) -> None:
        self.stream = stream
        self.names = names
        self.metrics = metrics
        self.holders = 0
        self.rows: NDArray[np.intp] = np.full(len(names), -1, dtype=np.intp)
        self.is_whole = False  # none of its rows is gone
        self.cadences: list[Number] = [None] * len(names)
        self.has_new_states = False  # the newest frame has another status than the last one that has any
        self._table: Table | None = None
        self._seq = -1
        self._columns: tuple[int, ...] | None = None
        self._state_places: list[int] = []  # of the columns that are states
        self._states: NDArray[np.float64] | None = None
        self._was_slow = False
        self._text: bytes | None = None
        self._facts: list[InterfaceFacts] = []
        self._facts_are_new = False

    def take(self, frame: Frame) -> None:
        """Go over to this frame, unless it is the one that was taken last."""
        if frame.seq == self._seq and frame.table is self._table:
            return
        if frame.table is not self._table:
            known = frame.table.index_of()
            self._table, self._columns = frame.table, None
            self.rows = np.array([known.get(name, -1) for name in self.names], dtype=np.intp)
            self.is_whole = bool((self.rows >= 0).all())
        if frame.columns != self._columns:
            self._columns = frame.columns
            metrics = frame.table.metrics
            self._state_places = [place for place, column in enumerate(frame.columns) if metrics[column].states]
        self._seq, self._text, self._facts_are_new = frame.seq, None, False
        self._take_states(frame)
        self._take_cadences(frame)

    def _take_states(self, frame: Frame) -> None:
        self.has_new_states = False
        if self._state_places:
            states = frame.values[self._state_places][:, self.rows[self.rows >= 0]]
            self.has_new_states = self._states is None or not np.array_equal(states, self._states, equal_nan=True)
            self._states = states

    def _take_cadences(self, frame: Frame) -> None:
        is_slow = frame.cadence_s is not None or frame.row_cadence_s is not None
        if not is_slow and not self._was_slow:
            return
        self._was_slow = is_slow
        there = np.flatnonzero(self.rows >= 0)
        cadences: list[Number] = [None] * len(self.names)
        last = [self.cadences[place] for place in there]
        for place, cadence_s in zip(there, shapes.cadences(frame, self.rows[there], last), strict=True):
            cadences[place] = cadence_s
        if cadences != self.cadences:
            self.cadences = cadences

    def needs_text(self, frame: Frame) -> bool:
        """Whether this frame's text is still to be made, and all the rows are there."""
        self.take(frame)
        return self._text is None and self.is_whole

    def encode(self, frame: Frame, values: Sequence[Sequence[Number]], quality: Sequence[int]) -> None:
        """Make the text of the frame that was taken: `values` metrics x rows, rounded, NaN for no sample."""
        shared = _Shared(frame.seq, frame.wall_s, round(frame.span_s, 3), values, quality)
        self._text = _encoder.encode(shared)[1:]

    def samples(self, frame: Frame) -> bytes:
        """The text of a `samples` message after its `id`: from `"seq"` to the end."""
        self.take(frame)
        if self._text is None:
            one = shapes.samples(0, frame, self.metrics, self.rows)
            self.encode(frame, one.values, one.quality)
        assert self._text is not None
        return self._text

    def facts(self, view: DeviceView, frame: Frame) -> list[InterfaceFacts]:
        """Facts in the order of the names; a row that is gone keeps what was last known of it, with no status."""
        self.take(frame)
        if not self._facts_are_new:
            self._facts_are_new = True
            there = self.rows >= 0
            cadences = [cadence_s for cadence_s, is_there in zip(self.cadences, there.tolist(), strict=True) if is_there]
            now = iter(shapes.facts(view, frame.table, self.rows[there], cadences))
            found = [next(now) if row >= 0 else _gone(self._facts[place]) for place, row in enumerate(self.rows.tolist())]
            if found != self._facts:
                self._facts = found
        return self._facts


class RowSets:
    """All row sets that are held. State: they, by stream, names and metrics."""

    def __init__(self) -> None:
        self._sets: dict[Stream, dict[tuple[tuple[str, ...], tuple[str, ...]], RowSet]] = {}

    def hold(self, stream: Stream, names: Iterable[str], metrics: Iterable[str]) -> RowSet:
        """The set of these rows; to be given back with `release`."""
        key = tuple(names), tuple(metrics)
        of_stream = self._sets.setdefault(stream, {})
        found = of_stream.get(key)
        if found is None:
            found = of_stream[key] = RowSet(stream, *key)
        found.holders += 1
        return found

    def release(self, rows: RowSet) -> None:
        rows.holders -= 1
        if rows.holders == 0:
            of_stream = self._sets[rows.stream]
            del of_stream[rows.names, rows.metrics]
            if not of_stream:
                del self._sets[rows.stream]

    def encode(self, frames: Frames, watched: Sequence[tuple[int, Frame]]) -> None:
        """Make the texts of these devices of a block (position and frame), with one look into its arrays for all."""
        found = [
            (place, frame, rows)
            for place, frame in watched
            for rows in self._sets.get((frame.table.device, frames.burst), {}).values()
            if rows.needs_text(frame)
        ]
        if len(found) < _WORTH_WHILE:
            return
        counts = [len(rows.names) for _, _, rows in found]
        starts = frames.starts.take([place for place, _, _ in found]).repeat(counts)
        cells = starts + np.concatenate([rows.rows for _, _, rows in found])
        values = shapes.columns(frames.values[:, cells])
        quality = frames.quality[cells].tolist()
        due: dict[tuple[str, ...], list[list[Number]]] = {}  # by metrics, of which most subscriptions have the same
        end = 0
        for (_, frame, rows), count in zip(found, counts, strict=True):
            start, end = end, end + count
            columns = due.get(rows.metrics)
            if columns is None:
                columns = due[rows.metrics] = _columns(frames, rows.metrics, values)
            rows.encode(frame, [column[start:end] for column in columns], quality[start:end])


class _Shared(msgspec.Struct):
    """A `Samples` message without its type and id."""

    seq: int
    time: float
    span_s: float
    values: Sequence[Sequence[Number]]
    quality: Sequence[int]


def _columns(frames: Frames, metrics: tuple[str, ...], values: list[list[Number]]) -> list[list[Number]]:
    """The columns of these metrics; an empty one where a metric was not due."""
    positions = {frames.metrics[column].shown: position for position, column in enumerate(frames.columns)}
    return [values[positions[metric]] if metric in positions else [] for metric in metrics]


def _gone(last: InterfaceFacts) -> InterfaceFacts:
    return msgspec.structs.replace(last, oper_status=None, admin_status=None, cadence_s=None)
