"""Arrays that share their last axis and grow together: one cell for each row, or for each device, of the whole fleet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, get_type_hints

import numpy as np
from numpy.typing import NDArray

from server.core.model import Floats, Mask

FIRST_CAPACITY = 256


@dataclass(frozen=True, slots=True)
class Cells:
    """What a cell is before anything is known of it, and how many arrays there are side by side (0: one, of one axis)."""

    blank: float
    dtype: type[np.generic] = np.float64
    width: int = 0


class Columns:
    """Base of classes whose annotations say, with `Cells`, which arrays they have."""

    def __init__(self) -> None:
        hints = get_type_hints(type(self), include_extras=True)
        self._cells: dict[str, Cells] = {name: hint.__metadata__[0] for name, hint in hints.items()}
        for name, cells in self._cells.items():
            shape = (cells.width, FIRST_CAPACITY) if cells.width else (FIRST_CAPACITY,)
            setattr(self, name, np.full(shape, cells.blank, dtype=cells.dtype))

    def grow_to(self, used: int) -> None:
        """Have room for so many cells."""
        for name, cells in self._cells.items():
            old = getattr(self, name)
            if used <= old.shape[-1]:
                return
            new = np.empty((*old.shape[:-1], max(used, 2 * old.shape[-1])), dtype=cells.dtype)
            new[..., : old.shape[-1]] = old
            new[..., old.shape[-1] :] = cells.blank
            setattr(self, name, new)

    def clear(self, places: slice) -> None:
        """Forget what these cells hold."""
        for name, cells in self._cells.items():
            getattr(self, name)[..., places] = cells.blank

    def move(self, old: slice, sources: NDArray[np.intp], new: slice) -> None:
        """Cell i of `new` becomes what cell `sources[i]` of `old` was, or blank where that is -1; `old` is forgotten."""
        known = sources >= 0
        for name, cells in self._cells.items():
            array = getattr(self, name)
            moved = np.full((*array.shape[:-1], len(sources)), cells.blank, dtype=cells.dtype)
            moved[..., known] = array[..., old][..., sources[known]]
            array[..., old] = cells.blank
            array[..., new] = moved


_Unknown = Annotated[Floats, Cells(np.nan)]
_Pair = Annotated[Floats, Cells(np.nan, width=2)]


class RowColumns(Columns):
    """What is known of each row. Pairs are (2, rows): in and out, or oper and admin.

    `owner` is the number of the row's device, 0 where the row is nobody's; `place` which row of its table it is.
    `shown_bps` is the newest of the column, NaN where that was missed; `sample_bps` the newest sample there was, and
    `sample_s` its Unix time. `no_traffic`: this status says that no traffic can pass.
    """

    owner: Annotated[NDArray[np.intp], Cells(0, np.intp)]
    place: Annotated[NDArray[np.intp], Cells(0, np.intp)]
    role: Annotated[NDArray[np.int32], Cells(-1, np.int32)]
    described: Annotated[Mask, Cells(0, np.bool_)]
    speed_bps: _Unknown
    shown_bps: _Pair
    sample_bps: _Pair
    sample_s: Annotated[Floats, Cells(-np.inf, width=2)]
    errors_per_s: _Pair
    status: Annotated[NDArray[np.float32], Cells(np.nan, np.float32, 2)]
    no_traffic: Annotated[Mask, Cells(0, np.bool_, 2)]
    quality: Annotated[NDArray[np.uint8], Cells(0, np.uint8)]


class DeviceColumns(Columns):
    """What is known of each device, by its number. `start` and `rows` say where its rows are; `lost`: it does not answer.

    `frame_s`, `last_sample_s` and `rates_s` are when its newest frame, sample and rate came. `spacing_s` is the measured
    time between frames; `pace_s` that between rates, for which a sum waits (0: not known). `slot`: see `sparks.py`.
    """

    start: Annotated[NDArray[np.intp], Cells(0, np.intp)]
    rows: Annotated[NDArray[np.intp], Cells(0, np.intp)]
    lost: Annotated[Mask, Cells(0, np.bool_)]
    interval_s: Annotated[Floats, Cells(1.0)]
    status_interval_s: Annotated[Floats, Cells(1.0)]
    cadence_s: _Unknown
    reply_s: _Unknown
    frame_s: _Unknown
    spacing_s: _Unknown
    last_sample_s: _Unknown
    rates_s: Annotated[Floats, Cells(-np.inf)]
    pace_s: Annotated[Floats, Cells(0.0)]
    slot: Annotated[NDArray[np.int64], Cells(-1, np.int64)]


Places = NDArray[np.intp] | slice


def rows_of(starts: NDArray[np.intp], counts: NDArray[np.intp]) -> Places:
    """The rows of ranges, one range after the other: a slice where they follow each other, which is much faster."""
    if not len(starts):
        return slice(0, 0)
    if (starts[1:] == starts[:-1] + counts[:-1]).all():
        return slice(int(starts[0]), int(starts[-1] + counts[-1]))
    ends = np.cumsum(counts)
    return np.repeat(starts - ends + counts, counts) + np.arange(ends[-1])


def some_of(rows: Places, wanted: Mask) -> NDArray[np.intp]:
    """Those of the rows that are wanted."""
    return np.flatnonzero(wanted) + rows.start if isinstance(rows, slice) else rows[wanted]
