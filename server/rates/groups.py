"""Which rows of a device are refreshed together: the line cards of a chassis, told by when their counters grow.

A card refreshes all its counters at once, so its busy rows grow at the same ticks and at no others. All here is arithmetic
on histories of 64 ticks, one uint64 a row with the newest tick in bit 0: `grew` (some fast counter of the row grew) and
`heard` (the row was answered). A card whose period is more than 15 polls does not show in 64 ticks.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.core.model import Floats, Mask
from server.rates.period import Refresh, is_regular, spacings_of_proof

Histories = NDArray[np.uint64]
"""(rows,), bit n for the tick n ticks ago."""

TICKS = 64
_QUICK = 4  # spacings that show a card where nothing speaks for plain counters
_MANY_ROWS = 3  # that step together: a flow through the device makes two
_SLOW = 3  # polls: a shorter period looks more like traffic
_MOST_PATTERNS = 32  # that are looked at; traffic makes as many as it likes
_CHANCE = 1 / 100  # that a row which sends now and then grew at nothing but a card's refreshes
_MISSED = 4  # one refresh in so many may bring a row nothing while its card is sought
_SAME = 0.9  # of the refreshes of two cards that are one
_SAMPLED_FULL = 0.87  # of the ticks: what grows at more is as fresh as the polls


@dataclass(frozen=True, slots=True, eq=False)
class Card:
    """Rows (rows,) that are refreshed together, and the refreshes that they showed, newest last."""

    rows: Mask
    refreshes: tuple[Refresh, ...]


def is_plain(grew: Histories, heard: Histories) -> Mask:
    """(rows,) that grew at each of the last three ticks, as counters do that are as new as the poll."""
    newest = np.uint64(7)
    plain: Mask = (grew & heard & newest) == newest
    return plain


def is_fresh(grew: Histories, heard: Histories) -> Mask:
    """(rows,) that grew at nearly all ticks."""
    fresh: Mask = np.bitwise_count(grew) >= np.maximum(_SAMPLED_FULL * np.bitwise_count(heard), 1)
    return fresh


def is_sparse(grew: Histories, heard: Histories) -> Mask:
    """(rows,) that grew at five ticks or more, but not at nearly all. At a device without one there is nothing to find."""
    count = np.bitwise_count(grew)
    sparse: Mask = (count > _QUICK) & ~is_fresh(grew, heard)
    return sparse


def is_waiting(grew: Histories, rows: Mask, *, beside_cards: bool = False) -> Mask:
    """(rows,) of `rows` that may stand between two refreshes: they grew now and then, never at two ticks in a row, and at
    the very ticks at which others did, or regularly. `beside_cards`: now and then is enough."""
    count = np.bitwise_count(grew)
    lonely = (grew & (grew >> np.uint64(1))) == 0
    candidates: Mask = rows & lonely & (count > 0)
    if beside_cards:
        return candidates
    waiting = np.zeros(len(grew), dtype=np.bool_)
    patterns, of, members = np.unique(grew[candidates], return_inverse=True, return_counts=True)
    if patterns.size:
        promising = (members > 1) | np.array([_is_even(int(pattern)) for pattern in patterns])
        waiting[candidates] = promising[of]
    return waiting


def find_cards(
    grew: Histories, heard: Histories, rows: Mask, times_s: Floats, interval_s: float, *, surely: bool
) -> list[Card]:
    """The cards among `rows`, of which no card is known. `times_s` (ticks,) of the ticks, newest first.

    `surely`: other rows of the device are as fresh as the polls, so it takes more to believe in a card.
    """
    free = rows.copy()
    candidates = np.flatnonzero(rows & is_sparse(grew, heard))
    if not len(candidates):
        return []
    _, first, members = np.unique(grew[candidates], return_index=True, return_counts=True)
    found = []
    for number in np.argsort(-members, kind="stable")[:_MOST_PATTERNS]:
        row = candidates[first[number]]
        if not free[row] or (surely and members[number] < _MANY_ROWS - 1):
            continue
        history = int(grew[row]), int(heard[row])
        certain = _proof(*history, times_s, interval_s, surely=True)
        proof = certain if surely else _proof(*history, times_s, interval_s, surely=False) or certain
        if not proof:
            continue
        ticks = int(np.searchsorted(-times_s, -proof[0].at_s)) + 1  # since the first of them
        alike = free & _is_alike(grew, heard, int(grew[row]), ticks)
        few = np.count_nonzero(alike) < _MANY_ROWS
        slow = proof[-1].at_s - proof[0].at_s >= _SLOW * interval_s * proof[-1].index
        if (certain and slow and not surely) if few else (slow or certain):
            free &= ~alike
            found.append(Card(alike, tuple(proof)))
    return found


def within(grew: Histories, fresh: Histories | np.uint64) -> Mask:
    """(rows,) that grew at these ticks alone, some a tick later."""
    inside: Mask = (grew & ~(fresh | fresh >> np.uint64(1))) == 0
    return inside


def refreshes(fresh: int) -> int:
    """How many a card had at these ticks: of one that falls between two answers some rows tell a tick later."""
    return (fresh & ~(fresh >> 1)).bit_count()


def is_same(fresh: int, other: int) -> bool:
    """Whether two cards had nearly all their refreshes at the same ticks."""
    most = max(fresh.bit_count(), other.bit_count())
    return most > _QUICK and (fresh & other).bit_count() >= _SAME * most


def of_card(grew: Histories, heard: Histories, rows: Mask, fresh: int) -> Mask:
    """(rows,) of `rows` that grew at refreshes of a card alone, too often for chance. `fresh` is the card's history."""
    belongs = np.zeros(len(grew), dtype=np.bool_)
    count = np.bitwise_count(grew)
    for row in np.flatnonzero(rows & (count > 1) & within(grew, np.uint64(fresh))).tolist():
        since = int(grew[row]).bit_length()
        heard_ticks = (int(heard[row]) & (1 << since) - 1).bit_count()
        ticks = fresh if int(grew[row]) & ~fresh == 0 else fresh | fresh >> 1
        could, grown = (ticks & (1 << since) - 1).bit_count(), int(count[row])
        if could >= grown and not _is_slower(int(grew[row]), fresh):
            belongs[row] = math.comb(could, grown) <= _CHANCE * math.comb(heard_ticks, grown)
    return belongs


def slot(name: str) -> str:
    """The card in a row's name: `0/0` of `et-0/0/1`, `1/0` of `Gi1/0/24`, `1/1` of `1/1/c2/1`; empty where there is none."""
    found = re.search(r"\d+(/[a-z]?\d+)+", name.lower())
    parts = found[0].split("/")[:-1] if found else []
    while parts and not parts[-1].isdigit():
        parts.pop()
    return "/".join(parts)


def by_name(slots: Sequence[str], group: NDArray[np.intp], undecided: Mask, plain: Mask) -> NDArray[np.intp]:
    """(rows,) groups, in which the `undecided` rows joined the group of their card's other rows.

    Only where all that is known of the card is one group. The name orders nothing that evidence has decided.
    """
    known: dict[str, set[int]] = {}
    for name, number, as_fresh in zip(slots, group.tolist(), plain.tolist(), strict=True):
        if name and (number or as_fresh):
            known.setdefault(name, set()).add(number)
    joined = group.copy()
    for row in np.flatnonzero(undecided).tolist():
        groups = known.get(slots[row], set())
        if len(groups) == 1:
            joined[row] = next(iter(groups))
    return joined


def _ticks_of(history: int) -> list[int]:
    """The ticks, newest first, whose bits are set."""
    return [tick for tick in range(TICKS) if history >> tick & 1]


def _is_even(history: int) -> bool:
    """Whether the last three growths were evenly spaced, as near as ticks tell, and more than a tick apart."""
    ticks = _ticks_of(history)[:3]
    if len(ticks) < 3:
        return False
    after, before = ticks[1] - ticks[0], ticks[2] - ticks[1]
    return abs(after - before) <= 1 and min(after, before) > 1


def _is_slower(history: int, fresh: int) -> bool:
    """Whether the last three growths were evenly spaced, with refreshes between that brought nothing."""
    ticks = _ticks_of(history)[:3]
    return _is_even(history) and refreshes(fresh >> ticks[0] & (1 << ticks[2] - ticks[0] + 1) - 1) > len(ticks)


def _proof(grew: int, heard: int, times_s: Floats, interval_s: float, *, surely: bool) -> list[Refresh]:
    """The refreshes that prove a cadence, oldest first; empty where nothing does."""
    ticks = _ticks_of(grew)
    if len(ticks) <= _QUICK:
        return []
    mean = (ticks[_QUICK] - ticks[0]) / _QUICK
    quick, sure = spacings_of_proof(mean)
    spacings = min(sure if surely else quick, max(_QUICK, int((TICKS - 1) / mean) - 1))
    if len(ticks) <= spacings:
        return []
    found = []
    for number, tick in enumerate(ticks[: spacings + 1]):
        read = tick + 1  # when the row had last been read
        while read < TICKS and not heard >> read & 1:
            read += 1
        if read == TICKS:
            return []
        before = ticks[number + 1] if number < spacings else tick + 1
        polls = (heard >> tick & (1 << before - tick) - 1).bit_count()
        found.append(Refresh(float(times_s[tick]), float(times_s[tick] - times_s[read]), spacings - number, polls))
    found.reverse()
    return found if is_regular(found, interval_s) else []


def _is_alike(grew: Histories, heard: Histories, pattern: int, ticks: int) -> Mask:
    """(rows,) that grew when `pattern` did within the last `ticks`, some a tick later, some not heard then.

    A refresh may fall between two answers of one tick; of most refreshes both rows must tell at the same tick. Few may have
    brought the row nothing: one that is refreshed half as often is none of these.
    """
    mask = (1 << ticks) - 1
    unheard = np.uint64(pattern) & ~heard  # refreshes that show at the next tick
    off = np.bitwise_count((grew ^ np.uint64(pattern)) & heard & ~(unheard >> np.uint64(1)) & np.uint64(mask))
    early_or_late = np.uint64((pattern | pattern >> 1) & mask)
    stray = grew & np.uint64(mask) & ~early_or_late
    count = (pattern & mask).bit_count()
    missed = np.bitwise_count(np.uint64(pattern & mask & ~1) & ~(grew | grew << np.uint64(1)) & heard)
    alike: Mask = (stray == 0) & (off <= min(count, ticks - count) // 2) & (missed <= count // _MISSED)
    return alike
