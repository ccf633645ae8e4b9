"""A page of many by several keys, without sorting all of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_FEW = 4096

Key = NDArray[np.float64] | NDArray[np.int64]


def page(keys: Sequence[Key], begin: int, end: int) -> NDArray[np.intp]:
    """The places of those from the `begin`th smallest to before the `end`th, in order.

    By the first key, where that is equal by the second, and so on. All keys have the same length; the last tells all apart.
    """
    found = _smallest(keys, end)
    if begin > 0:
        found = np.setdiff1d(found, _smallest(keys, begin), assume_unique=True)
    return found[np.lexsort([key[found] for key in reversed(keys)])]


def _smallest(keys: Sequence[Key], count: int) -> NDArray[np.intp]:
    """The places of the `count` smallest, in no order."""
    sure: list[NDArray[np.intp]] = []
    places = np.arange(len(keys[0]), dtype=np.intp)
    for position, key in enumerate(keys):
        if not 0 < count < len(places):
            break
        if len(places) <= _FEW:
            order = np.lexsort([other[places] for other in reversed(keys[position:])])
            places = places[order]
            break
        values = key[places] if position else key
        limit = np.partition(values, count - 1)[count - 1]
        below = places[values < limit]
        sure.append(below)
        places = places[values == limit]
        count -= len(below)
    return np.concatenate([*sure, places[: max(0, count)]])
