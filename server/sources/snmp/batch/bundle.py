"""The sheets of devices whose ticks end together, side by side: the same ones again and again, so they are joined once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.core.blocks import NOT_CARRIED
from server.core.model import Mask
from server.sources.snmp.batch.sheet import NOWHERE, Sheet

_MOST_CELLS = 2**23  # that are kept, of 21 octets each: those of some 10,000 devices with 48 interfaces


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """Sheets of one kind of tick. Rows are those of all devices, one after the other; `starts` as in `Readings`.

    `slot`, `place`, `exists`, `stamp_slot` and `stamp_place` as in `Sheet`; `unstamped` (rows,) have no stamp. `asks`
    (asks,) are the slots of all, `ask_starts` (devices,) where each device's begin, `ask_device` whose each is. `carried`
    (columns, rows) says which ask carries a cell, or NOT_CARRIED. Blocks hold these arrays: nobody writes to them.
    """

    sheets: tuple[Sheet, ...]
    starts: NDArray[np.intp]
    slot: NDArray[np.intp]
    place: NDArray[np.intp]
    exists: Mask
    stamp_slot: NDArray[np.intp]
    stamp_place: NDArray[np.intp]
    unstamped: Mask
    asks: NDArray[np.intp]
    ask_starts: NDArray[np.intp]
    ask_device: NDArray[np.intp]
    carried: NDArray[np.int32]

    @classmethod
    def of(cls, sheets: tuple[Sheet, ...]) -> Bundle:
        widths = [sheet.slot.shape[1] for sheet in sheets]
        lengths = [len(sheet.slots) for sheet in sheets]
        starts = np.cumsum([0, *widths], dtype=np.intp)
        ask_starts = np.cumsum([0, *lengths], dtype=np.intp)[:-1]
        exists = np.concatenate([sheet.exists for sheet in sheets], axis=1)
        ask = np.concatenate([sheet.ask for sheet in sheets], axis=1) + np.repeat(ask_starts, widths)
        stamp_slot = np.concatenate([sheet.stamp_slot for sheet in sheets])
        return cls(
            sheets=sheets,
            starts=starts,
            slot=np.concatenate([sheet.slot for sheet in sheets], axis=1),
            place=np.concatenate([sheet.place for sheet in sheets], axis=1),
            exists=exists,
            stamp_slot=stamp_slot,
            stamp_place=np.concatenate([sheet.stamp_place for sheet in sheets]),
            unstamped=stamp_slot == NOWHERE,
            asks=np.concatenate([sheet.slots for sheet in sheets]),
            ask_starts=ask_starts,
            ask_device=np.repeat(np.arange(len(sheets)), lengths),
            carried=np.where(exists, ask, NOT_CARRIED).astype(np.int32),
        )

    @property
    def columns(self) -> tuple[int, ...]:
        """The metrics of this kind of tick."""
        return self.sheets[0].columns

    def rows(self, device: int) -> slice:
        """Those of one device."""
        return slice(int(self.starts[device]), int(self.starts[device + 1]))


class Bundles:
    """Those that were made lately, by their sheets. State: they, and how many cells they have in all."""

    def __init__(self) -> None:
        self._made: dict[tuple[Sheet, ...], Bundle] = {}
        self._cells = 0

    def of(self, sheets: tuple[Sheet, ...]) -> Bundle:
        """Made now, or before."""
        found = self._made.get(sheets)
        if found is None:
            found = Bundle.of(sheets)
            if self._cells + found.slot.size > _MOST_CELLS:
                self._made.clear()
                self._cells = 0
            self._made[sheets] = found
            self._cells += found.slot.size
        return found
