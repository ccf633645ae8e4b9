"""The look for line cards: parts a device into units of refresh, and follows them as rows come, go and change."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from server.core.model import Floats, Mask
from server.rates.cadence import Cadence
from server.rates.groups import (
    TICKS,
    Histories,
    by_name,
    find_cards,
    is_fresh,
    is_plain,
    is_same,
    is_sparse,
    of_card,
    refreshes,
    slot,
    within,
)
from server.rates.modes import Mode
from server.rates.units import Device

_SAME_PERIOD = 0.02  # of a period
_FRAME_BITS = 8 * 1518.0  # what grew by less at a time may have stood for want of a frame
_SAMPLE_TICKS = 48  # so old a sample is renewed
_SLOWER = 0.7  # of a unit's refreshes: rows that grow at fewer may be of a slower card

Parts = tuple[NDArray[np.intp], list[Cadence]]
"""(rows,) of each row the position of its unit's cadence among these."""


def needs_look(device: Device) -> bool:
    """Whether there may be cards to be found, or are."""
    memory, rows = device.arena.rows, device.rows
    if device.group is not None:
        return True
    grew = memory.grew[rows]
    if not len(grew) or (grew + np.uint64(1)).max() <= 1:  # all or nothing in all rows
        return False
    return bool(is_sparse(grew, memory.heard[rows]).any())


def put_out(device: Device, strays: Mask) -> Parts:
    """The parts without `strays` (rows,), which are of no known card."""
    look = Look(device)
    look.keep_rest(~strays)
    look.group[strays] = 0
    return look.parts()


def look(device: Device, interval_s: float) -> Parts | None:
    """The parts as all that is remembered shows them; None where they are those that are."""
    found = Look(device)
    found.dissolve()
    found.find(interval_s)
    if len(found.cadences) > 1:
        found.keep_rest(found.grew > 0)
        found.join()
        found.merge()
    group, cadences = found.parts()
    same = len(cadences) == len(device.units) and all(
        cadence is unit.cadence for cadence, unit in zip(cadences, device.units, strict=True)
    )
    return None if same and bool((group == device.groups()).all()) else (group, cadences)


class Look:
    """One look at a device: `group` (rows,) are positions among `cadences`, the first of which is that of no card."""

    def __init__(self, device: Device) -> None:
        self._device = device
        memory, rows = device.arena.rows, device.rows
        self.grew, self._heard, self._known = memory.grew[rows], memory.heard[rows], memory.doubt_s[rows] == 0
        self.group = device.groups().copy()
        self.cadences = [unit.cadence for unit in device.units]

    def dissolve(self) -> None:
        """Rows of cards that have no cadence any more are of no card."""
        for number in range(1, len(self.cadences)):
            if self.cadences[number].mode is not Mode.CADENCE:
                self.group[self.group == number] = 0

    def keep_rest(self, rows: Mask) -> None:
        """Where the rest has a cadence, make it a card of these of its rows (rows,)."""
        if self.cadences[0].mode is Mode.CADENCE:
            self.group[(self.group == 0) & rows] = len(self.cadences)
            self.cadences.append(self.cadences[0])
            self.cadences[0] = Cadence(Mode.PER_TICK)

    def find(self, interval_s: float) -> None:
        """Cards among the rows of none, and slower ones among those of a card."""
        times_s = np.full(TICKS, -np.inf)
        times_s[: len(self._device.times_s)] = self._device.times_s
        ample = self._is_ample()
        for number, cadence in enumerate(list(self.cadences)):
            rows = self.group == number
            surely = False
            if cadence.mode is Mode.CADENCE:
                rows &= np.bitwise_count(self.grew) <= _SLOWER * refreshes(int(self._fresh_of(number)))
            elif number:
                continue
            else:
                surely = bool(is_plain(self.grew[rows], self._heard[rows]).any())
            for card in find_cards(self.grew, self._heard, rows & ample, times_s, interval_s, surely=surely):
                self.group[card.rows] = len(self.cadences)
                self.cadences.append(Cadence.shown_by(card.refreshes))
        if len(self.cadences) > 1 and self.cadences[0].mode is Mode.LEARNING:
            self.cadences[0] = Cadence(Mode.PER_TICK)

    def join(self) -> None:
        """Rows of no card join the one at whose refreshes alone they grow; they and idle ones that of their slot."""
        fresh = self._fresh()
        belongs = np.array([of_card(self.grew, self._heard, self.group == 0, of) for of in fresh[1:].tolist()])
        one = belongs.sum(axis=0) == 1
        self.group[one] = belongs.argmax(axis=0)[one] + 1
        rest, idle = self.group == 0, self.grew == 0
        plain = rest & (is_plain(self.grew, self._heard) | is_fresh(self.grew, self._heard))
        slots = [slot(row.name) for row in self._device.table.rows]
        named = by_name(slots, np.where(idle, 0, self.group), (rest & ~plain) | idle, plain)
        self.group = np.where((named > 0) & within(self.grew, fresh[named]), named, self.group)

    def merge(self) -> None:
        """Cards that are refreshed together are one; and so is a device of which nothing grows besides one card."""
        fresh = self._fresh().tolist()
        for number in range(len(fresh) - 1, 1, -1):
            for other in range(1, number):
                period_s, other_s = self.cadences[number].period_s, self.cadences[other].period_s
                if abs(period_s - other_s) <= _SAME_PERIOD * other_s and is_same(fresh[number], fresh[other]):
                    self.group[self.group == number] = other
                    break
        cards = np.unique(self.group[self.group > 0])
        if len(cards) == 1 and not self.grew[self.group == 0].any():
            self.group[:] = 0
            self.cadences = [self.cadences[int(cards[0])]]

    def parts(self) -> Parts:
        """What was found, without cards that have no rows."""
        used = np.unique(np.append(self.group, 0))
        return np.searchsorted(used, self.group).astype(np.intp), [self.cadences[number] for number in used.tolist()]

    def _fresh(self) -> Histories:
        """(units,) the ticks at which each had a refresh; none of what is of no card."""
        return np.array([0, *map(self._fresh_of, range(1, len(self.cadences)))], dtype=np.uint64)

    def _fresh_of(self, number: int) -> np.uint64:
        own = self.grew[(self.group == number) & self._known]
        return np.uint64(np.bitwise_or.reduce(own, initial=0))

    def _is_ample(self) -> Mask:
        """(rows,) that grew by more than a frame at a time, as far as the last sample tells."""
        device, arena = self._device, self._device.arena
        values, number = arena.cells.value[:, device.rows], int(arena.number[device.slot])
        line_bits: Floats = np.array([[metric.line_bits] for metric in device.table.metrics], dtype=np.float64)
        if not line_bits.any():
            return np.ones(len(self.group), dtype=np.bool_)
        if device.sample is None:
            device.sample = number, values.copy()
        since, sampled = device.sample
        times = np.bitwise_count(self.grew & np.uint64((1 << min(TICKS, number - since)) - 1))
        ample: Mask = (times > 0) & (((values - sampled) * line_bits).max(axis=0) > _FRAME_BITS * times)
        if number - since >= _SAMPLE_TICKS:
            device.sample = number, values.copy()
        return ample
