"""Which rows a summary shows, and in which order: columnar, made once a second for each distinct choice, shared by all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.core.model import Floats, Mask
from server.sinks.live.attention import Rank
from server.sinks.live.board import Survey
from server.sinks.live.columns import rows_of
from server.sinks.live.messages import Subscribe
from server.sinks.live.order import Key, page
from server.sinks.live.roster import NOBODY

WHOLE_DEVICE = -1
MOST_WORDS = 8
_NO_ROLE = -2  # no row has it


@dataclass(frozen=True, slots=True)
class Choice:
    """What a subscription chooses; equal choices share one selection."""

    words: tuple[str, ...]
    show: str
    only_device: str
    sort: str
    descending: bool

    @classmethod
    def of(cls, asked: Subscribe) -> Choice:
        """The part of a subscription that decides on rows and order."""
        return cls(
            tuple(asked.filter.lower().split()[:MOST_WORDS]), asked.show, asked.only_device, asked.sort, asked.descending
        )


class Selection:
    """The rows of one choice. State: the pages that somebody has looked at."""

    def __init__(self, found: Survey, rows: NDArray[np.intp], devices: NDArray[np.intp], choice: Choice) -> None:
        """`rows` are rows of the survey; `devices` the numbers of devices that stand there as a whole."""
        whole = np.full(len(devices), WHOLE_DEVICE, dtype=np.intp)
        self._rows, self._owner = np.concatenate([rows, whole]), np.concatenate([found.rows.owner[rows], devices])
        self._keys = _keys(found, rows, devices, choice)
        self._pages: dict[tuple[int, int], list[tuple[int, int]]] = {}
        self.matched = len(self._rows)

    def page(self, offset: int, limit: int) -> list[tuple[int, int]]:
        """From `offset` on: the number of a device, and a row of the survey or `WHOLE_DEVICE`."""
        end = min(offset + limit, self.matched)
        made = self._pages.get((offset, end))
        if made is None:
            places = page(self._keys, offset, end)
            made = list(zip(self._owner[places].tolist(), self._rows[places].tolist(), strict=True))
            self._pages[offset, end] = made
        return made


class Selector:
    """Selections of the newest survey. State: the selections made of it so far, and which rows have which words."""

    def __init__(self, survey: Survey) -> None:
        self._survey = survey
        self._made: dict[Choice, Selection] = {}
        self._having: dict[tuple[str, ...], Mask] = {}

    def use(self, survey: Survey) -> None:
        """Go over to a new survey. Tables rarely change: what was searched for is not searched for again until then."""
        asked = {choice.words for choice in self._made} if survey.layout == self._survey.layout else set()
        self._having = {words: having for words, having in self._having.items() if words in asked}
        self._survey, self._made = survey, {}

    def chosen(self, choice: Choice) -> Selection:
        """The rows that this choice shows."""
        made = self._made.get(choice)
        if made is None:
            made = self._made[choice] = self._select(self._survey, choice)
        return made

    def _select(self, found: Survey, choice: Choice) -> Selection:
        rows, stale = found.rows, found.devices.stale
        passed = self._in_reach(found, choice)
        of_role = rows.role == found.roles.get(choice.show, _NO_ROLE)
        if choice.show == "attention":
            passed &= rows.rank > Rank.NORMAL
        elif choice.show != "all":
            passed &= of_role
        whole = np.zeros(0, dtype=np.intp)
        if not choice.only_device and not choice.words:  # a late or silent device is one row, unless it is looked for
            passed &= ~stale[rows.owner]
            whole = np.array([member.number for member in found.members if stale[member.number]], dtype=np.intp)
            if choice.show not in {"all", "attention"}:
                whole = whole[np.bincount(rows.owner[of_role], minlength=len(stale))[whole] > 0]
        return Selection(found, np.flatnonzero(passed), whole, choice)

    def _in_reach(self, found: Survey, choice: Choice) -> Mask:
        """(rows,) whose device and words were asked for."""
        passed: Mask = found.rows.owner != NOBODY
        if choice.words:
            having = self._having.get(choice.words)
            if having is None:
                having = self._having[choice.words] = _having(found, choice.words)
            passed &= having
        if choice.only_device:
            numbers = [member.number for member in found.members if member.status.device == choice.only_device]
            passed &= np.isin(found.rows.owner, numbers)
        return passed


def _having(found: Survey, words: tuple[str, ...]) -> Mask:
    """(rows,) that have every word."""
    texts = [text for member in found.members for text in member.texts]
    starts = np.array([member.start for member in found.members], dtype=np.intp)
    counts = np.array([len(member.texts) for member in found.members], dtype=np.intp)
    left = [place for place, text in enumerate(texts) if words[0] in text]
    for word in words[1:]:
        left = [place for place in left if word in texts[place]]
    having = np.zeros(len(found.rows.owner), dtype=np.bool_)
    rows = np.arange(len(having))[rows_of(starts, counts)]
    having[rows[left]] = True
    return having


def _keys(found: Survey, rows: NDArray[np.intp], whole: NDArray[np.intp], choice: Choice) -> list[Key]:
    """Sort keys, the first one weighs most, the smallest comes first. A row without a value counts as -1.

    The last key tells all apart: those that are equal stand in the order of the devices and of their rows.
    """
    columns, none = found.rows, np.full(len(whole), -1.0)

    def values(column: Floats) -> Floats:
        return np.concatenate([np.nan_to_num(column[rows], nan=-1.0), none])

    owner, place = np.concatenate([columns.owner[rows], whole]), np.concatenate([columns.place[rows], none.astype(np.intp)])
    match choice.sort:
        case "in":
            keys: list[Key] = [values(columns.in_bps)]
        case "out":
            keys = [values(columns.out_bps)]
        case "utilisation":
            keys = [np.maximum(values(columns.in_percent), values(columns.out_percent))]
        case "name":
            by_name = np.zeros(len(found.devices.stale), dtype=np.int64)
            for position, member in enumerate(sorted(found.members, key=lambda one: one.status.device)):
                by_name[member.number] = position
            keys = [by_name[owner], place.astype(np.int64)]
        case _:
            whole_ranks = np.where(found.devices.silent[whole], Rank.NO_DATA, Rank.LATE)
            ranks = np.concatenate([columns.rank[rows], whole_ranks]).astype(np.int64)
            keys = [ranks, np.maximum(values(columns.in_percent), values(columns.out_percent))]
    last = found.devices.before[owner] + place + 1
    return [*(-key if choice.descending else key for key in keys), last]
