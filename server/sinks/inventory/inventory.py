"""The newest of everything, by device. State: `Inventory._entries`, in the order in which devices were first heard of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from server.core.blocks import Frames
from server.core.model import DeviceState, DeviceStatus, Floats, Frame, Table
from server.core.ports import DeviceView
from server.hub import Item, Removed


@dataclass(slots=True)
class _Entry:
    status: DeviceStatus
    table: Table | None = None
    frame: Frame | None = None
    newest: dict[str, Floats] = field(default_factory=dict)
    last_sample_s: float | None = None


class Inventory:
    """Implements `core.ports.InventoryReader`; a subscriber of the hub. `offer` only keeps references."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}

    def offer(self, item: Item) -> None:
        match item:
            case Frames():
                for frame in item:
                    self._take(frame)
            case DeviceStatus():
                if entry := self._entries.get(item.device):
                    entry.status = item
                else:
                    self._entries[item.device] = _Entry(item)
            case Removed():
                self._entries.pop(item.device, None)
            case _:
                pass

    def _take(self, frame: Frame) -> None:
        entry = self._entries.get(frame.table.device)
        if entry is None:  # a status always comes first; a frame of a device that was just removed is late
            return
        if entry.table is not frame.table:
            entry.newest = _moved(entry.newest, entry.table, frame.table)
        entry.table, entry.frame = frame.table, frame
        for position, column in enumerate(frame.columns):
            entry.newest[frame.table.metrics[column].shown] = frame.values[position]
        if not np.isnan(frame.values).all():
            entry.last_sample_s = frame.wall_s

    def devices(self) -> Sequence[DeviceView]:
        return [_view(entry) for entry in self._entries.values()]

    def device(self, name: str) -> DeviceView | None:
        entry = self._entries.get(name)
        return _view(entry) if entry else None

    def waiting(self) -> int:
        """How many devices have not been asked yet."""
        return sum(entry.status.state is DeviceState.STARTING for entry in self._entries.values())


def _view(entry: _Entry) -> DeviceView:
    quality: NDArray[np.uint8] | None = entry.frame.quality if entry.frame else None
    return DeviceView(entry.status, entry.table, entry.frame, dict(entry.newest), quality, entry.last_sample_s)


def _moved(newest: dict[str, Floats], old: Table | None, new: Table) -> dict[str, Floats]:
    """Slow columns keep their newest values by row name when the table changes."""
    if old is None:
        return {}
    places = old.index_of()
    sources = np.array([places.get(row.name, -1) for row in new.rows], dtype=np.intp)
    return {shown: np.where(sources >= 0, values[sources], np.nan) for shown, values in newest.items() if len(values)}
