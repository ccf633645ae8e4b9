"""Many devices at once: the same Readings through blocks, and through a meter for each device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from server.core.blocks import Readings
from server.core.model import Floats, Frame, Reading, Table
from server.rates import Meters
from tests.rates.meters import RateMeter


class Named:
    """Gives a simulated device another name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._tables: dict[Table, Table] = {}

    def reading(self, of: Reading) -> Reading:
        if of.table not in self._tables:
            self._tables[of.table] = replace(of.table, device=self.name)
        return replace(of, table=self._tables[of.table])


class Fleet:
    """Takes blocks, and finds that they bring what each device alone would have brought."""

    def __init__(self) -> None:
        self.meters = Meters()
        self._alone: dict[str, RateMeter] = {}

    def take(self, block: Sequence[Reading]) -> list[Frame]:
        blocks, events = self.meters.advance(Readings.of(block))
        shown = [frame for frames in blocks for frame in frames]
        alone = [self._meter(reading).advance(reading) for reading in block]
        assert len(shown) == len(alone)
        for frame, (other, _) in zip(shown, alone, strict=True):
            assert_same(frame, other)
        assert events == [event for _, told in alone for event in told]
        return shown

    def forget(self, device: str) -> None:
        self.meters.forget(device)
        self._alone.pop(device, None)

    def _meter(self, reading: Reading) -> RateMeter:
        return self._alone.setdefault(reading.table.device, RateMeter(reading.table.device))


def row_cadences_s(frame: Frame) -> Floats:
    """(rows,) of each row; where none is told, all have that of the device, if any."""
    if frame.row_cadence_s is not None:
        return frame.row_cadence_s
    return np.full(len(frame.table.rows), np.nan if frame.cadence_s is None else frame.cadence_s)


def assert_same(frame: Frame, other: Frame) -> None:
    assert frame.table is other.table
    assert frame.columns == other.columns
    np.testing.assert_array_equal(frame.values, other.values)
    np.testing.assert_array_equal(frame.quality, other.quality)
    for name in ("wall_s", "span_s", "interval_s", "cadence_s", "reply_s"):
        assert getattr(frame, name) == getattr(other, name), name
    np.testing.assert_array_equal(row_cadences_s(frame), row_cadences_s(other))
    assert frame.seq >= other.seq
