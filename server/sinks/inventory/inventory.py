"""The newest of everything, by device. State: `Inventory._entries`, in the order in which devices were first heard of.

A device's newest values are places in the blocks that brought them: nothing is copied when a block comes, and a view is made
when somebody looks. A device that went silent would hold the blocks of its neighbours for ever: so each device is visited
now and then, and one that still holds the block of the last visit gets a copy of its own part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

from server.core.blocks import Frames
from server.core.model import DeviceState, DeviceStatus, Floats, Table
from server.core.ports import DeviceView
from server.hub import Item, Removed


@dataclass(slots=True)
class _Entry:
    """One device. `newest[place]` is its newest frame; `older` the places of columns that came before that, newest first."""

    status: DeviceStatus
    table: Table | None = None
    newest: Frames | None = None
    place: int = 0
    older: tuple[tuple[Frames, int], ...] = ()
    last_sample_s: float | None = None
    visited: tuple[Frames, ...] = ()  # what was held at the last visit

    def turn(self, frames: Frames, place: int) -> None:
        """Take a frame of another table, or with other columns, than the one before it."""
        held = self.older if self.newest is None else ((self.newest, self.place), *self.older)
        table = frames.tables[place]
        if self.table is not None and self.table is not table:
            held = tuple((_moved(block, at, table), 0) for block, at in held)
        kept, known = [], set(frames.columns)
        for block, at in held:
            if not known.issuperset(block.columns):
                kept.append((block, at))
                known.update(block.columns)
        self.table, self.newest, self.place, self.older = table, frames, place, tuple(kept)

    def visit(self) -> None:
        """Let go of the blocks of many devices that were held at the last visit already."""
        if self.newest is None:
            return
        if _is_old(self.newest, self.visited):
            self.newest, self.place = _own(self.newest, self.place)
        self.older = tuple(_own(*one) if _is_old(one[0], self.visited) else one for one in self.older)
        self.visited = (self.newest, *(block for block, _ in self.older))

    def view(self) -> DeviceView:
        if self.newest is None:
            return DeviceView(self.status, None, None, {}, None, None)
        frame = self.newest.frame(self.place)
        newest: dict[str, Floats] = {}
        for block, place in ((self.newest, self.place), *self.older):
            rows = slice(int(block.starts[place]), int(block.starts[place + 1]))
            for position, column in enumerate(block.columns):
                newest.setdefault(block.metrics[column].shown, block.values[position, rows])
        return DeviceView(self.status, self.table, frame, newest, frame.quality, self.last_sample_s)


class _Views(Sequence[DeviceView]):
    """Views of these devices, each made when it is looked at."""

    def __init__(self, entries: list[_Entry]) -> None:
        self._entries = entries

    def __len__(self) -> int:
        return len(self._entries)

    @overload
    def __getitem__(self, place: int) -> DeviceView: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[DeviceView]: ...
    def __getitem__(self, place: int | slice) -> DeviceView | Sequence[DeviceView]:
        return _Views(self._entries[place]) if isinstance(place, slice) else self._entries[place].view()


class Inventory:
    """Implements `core.ports.InventoryReader`; a subscriber of the hub. `offer` only keeps references."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self._to_visit: list[_Entry] = []

    def offer(self, item: Item) -> None:
        match item:
            case Frames() if not item.burst:
                self._take(item)
                self._visit()
            case DeviceStatus():
                if entry := self._entries.get(item.device):
                    entry.status = item
                else:
                    self._entries[item.device] = _Entry(item)
            case Removed():
                self._entries.pop(item.device, None)
            case _:
                pass

    def _take(self, frames: Frames) -> None:
        columns, entries = frames.columns, self._entries
        sampled, walls_s = frames.sampled().tolist(), frames.wall_s.tolist()
        for place, table in enumerate(frames.tables):
            entry = entries.get(table.device)
            if entry is None:  # a status always comes first; a frame of a device that was just removed is late
                continue
            if entry.table is table and entry.newest is not None and entry.newest.columns == columns:
                entry.newest, entry.place = frames, place
            else:
                entry.turn(frames, place)
            if sampled[place]:
                entry.last_sample_s = walls_s[place]

    def _visit(self) -> None:
        """One device with each block, so that all have their turn."""
        if not self._to_visit:
            self._to_visit = list(self._entries.values())
        if self._to_visit:
            self._to_visit.pop().visit()

    def devices(self) -> Sequence[DeviceView]:
        return _Views(list(self._entries.values()))

    def device(self, name: str) -> DeviceView | None:
        entry = self._entries.get(name)
        return entry.view() if entry else None

    def waiting(self) -> int:
        """How many devices have not been asked yet."""
        return sum(entry.status.state is DeviceState.STARTING for entry in self._entries.values())


def _is_old(block: Frames, visited: tuple[Frames, ...]) -> bool:
    return len(block) > 1 and any(block is one for one in visited)


def _own(block: Frames, place: int) -> tuple[Frames, int]:
    """A block of this device alone, copied."""
    return Frames.of([block.frame(place)]), 0


def _moved(block: Frames, place: int, new: Table) -> Frames:
    """Values of an older table as a block of the new one: rows by their names, columns by the names of their metrics."""
    frame = block.frame(place)
    rows = frame.table.index_of()
    sources = np.array([rows.get(row.name, -1) for row in new.rows], dtype=np.intp)
    columns = {metric.shown: position for position, metric in enumerate(new.metrics)}
    kept = [
        (at, columns[shown]) for at, column in enumerate(frame.columns) if (shown := block.metrics[column].shown) in columns
    ]
    values = np.full((len(kept), len(new.rows)), np.nan)
    known = sources >= 0
    for position, (at, _) in enumerate(kept):
        values[position, known] = frame.values[at, sources[known]]
    quality = np.zeros(len(new.rows), dtype=np.uint8)
    return Frames(
        tables=(new,),
        starts=np.array([0, len(new.rows)], dtype=np.intp),
        columns=tuple(column for _, column in kept),
        seqs=np.array([frame.seq], dtype=np.int64),
        wall_s=np.array([frame.wall_s]),
        span_s=np.array([frame.span_s]),
        interval_s=np.array([frame.interval_s]),
        cadence_s=np.array([np.nan]),
        reply_s=np.array([np.nan]),
        values=values,
        quality=quality,
    )
