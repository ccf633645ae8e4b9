"""Consecutive stretches of an axis, such as the rows of each device of a block: what holds of each, and the way back."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from server.core.model import Floats, Mask


class Segments:
    """Stretch `i` is `starts[i]:starts[i + 1]`; it may be empty. Together they cover the axis."""

    def __init__(self, starts: NDArray[np.intp]) -> None:
        self.starts = starts
        self.widths = np.diff(starts)
        self._filled = None if bool((self.widths > 0).all()) else np.flatnonzero(self.widths)
        self._alike = bool((self.widths == self.widths[:1]).all())
        self._begins = starts[:-1] if self._filled is None else starts[:-1][self._filled]

    def __len__(self) -> int:
        return len(self.widths)

    def any(self, mask: Mask) -> Mask:
        """(segments,) whether any of each is true, of (positions,) or (columns, positions)."""
        found: Mask = self.reduce(np.logical_or, _flat(np.logical_or, mask), False)
        return found

    def count(self, mask: Mask) -> NDArray[np.intp]:
        """(segments,) how many of each are true, of (columns, positions)."""
        counts: NDArray[np.intp] = self.reduce(np.add, np.add.reduce(mask, axis=0, dtype=np.intp), 0)
        return counts

    def reduce(self, by: np.ufunc, values: NDArray[Any], none: float) -> NDArray[Any]:
        """(segments,) of (positions,) values; `none` for an empty one."""
        if self._filled is None:
            reduced: NDArray[Any] = by.reduceat(values, self._begins) if len(self) else values[:0]
            return reduced
        full = np.full(len(self), none, dtype=values.dtype)
        if len(self._filled):
            full[self._filled] = by.reduceat(values, self._begins)
        return full

    def median(self, values: Floats, counted: Mask) -> Floats:
        """(segments,) the median of each of (columns, positions) values that are `counted`; NaN for none."""
        medians = np.full(len(self), np.nan)
        if not counted.size:
            return medians
        filled = values if counted.all() else np.where(counted, values, np.inf)
        if self._alike:
            return _medians(filled.reshape(len(filled), len(self), -1).swapaxes(0, 1))
        filled = np.concatenate([filled, np.full((len(filled), 1), np.inf)], axis=1)
        for own, positions in self._tiles:
            medians[own] = _medians(filled[:, positions].swapaxes(0, 1))
        return medians

    @cached_property
    def _tiles(self) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Segments of about the same width, and their positions side by side; the position after the last fills up."""
        tiles = []
        classes = np.frexp(self.widths)[1]
        for size in np.unique(classes[self.widths > 0]).tolist():
            own = np.flatnonzero(classes == size)
            offsets = np.arange(self.widths[own].max())
            positions = self.starts[own][:, np.newaxis] + offsets
            inside = offsets < self.widths[own][:, np.newaxis]
            tiles.append((own, np.where(inside, positions, self.starts[-1])))
        return tiles

    def spread(self, of_each: NDArray[Any]) -> NDArray[Any]:
        """(..., positions): each segment's value, of (..., segments), at all its positions."""
        return np.repeat(of_each, self.widths, axis=-1)


class Groups(Segments):
    """Positions in groups that need not be consecutive: `of` (positions,) is the group of each, of `count`."""

    def __init__(self, of: NDArray[np.intp], count: int) -> None:
        self._of, self._order = of, np.argsort(of, kind="stable")
        super().__init__(np.searchsorted(of[self._order], np.arange(count + 1)))

    def reduce(self, by: np.ufunc, values: NDArray[Any], none: float) -> NDArray[Any]:
        """(groups,) of (positions,) values; `none` for an empty one."""
        return super().reduce(by, values[self._order], none)

    def spread(self, of_each: NDArray[Any]) -> NDArray[Any]:
        """(..., positions): each group's value, of (..., groups), at all its positions."""
        return of_each[..., self._of]


def _flat(by: np.ufunc, values: NDArray[Any]) -> NDArray[Any]:
    flat: NDArray[Any] = values if values.ndim == 1 else by.reduce(values, axis=0)
    return flat


def _medians(tiles: Floats) -> Floats:
    """Of each (tiles, columns, positions), of what is finite; NaN for none."""
    flat = np.sort(tiles.reshape(len(tiles), -1), axis=1)
    counts = np.count_nonzero(flat < np.inf, axis=1)
    here = np.arange(len(flat))
    lower, upper = flat[here, np.maximum(counts - 1, 0) // 2], flat[here, np.minimum(counts // 2, flat.shape[1] - 1)]
    return np.where(counts > 0, (lower + upper) / 2, np.nan)
