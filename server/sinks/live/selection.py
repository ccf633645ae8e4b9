"""Which rows a summary shows, and in which order: columnar, made once a second for each distinct choice, shared by all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.core.model import Floats, Mask, Table
from server.sinks.live.attention import Rank
from server.sinks.live.board import DeviceColumns, Survey
from server.sinks.live.messages import Subscribe

WHOLE_DEVICE = -1
MOST_WORDS = 8


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


@dataclass(frozen=True, slots=True)
class _Texts:
    """What is searched in one table: a lower-case text and the role of each row."""

    table: Table
    texts: list[str]
    roles: NDArray[np.str_]

    @classmethod
    def of(cls, table: Table) -> _Texts:
        texts = [f"{table.device} {row.name} {row.alias} {row.description}".lower() for row in table.rows]
        return cls(table, texts, np.array([row.role for row in table.rows], dtype=np.str_))


class Selector:
    """Selections of the newest survey. State: the selections made of it so far, and the texts of each table."""

    def __init__(self) -> None:
        self._survey: Survey | None = None
        self._made: dict[Choice, NDArray[np.intp]] = {}
        self._texts: dict[str, _Texts] = {}

    def use(self, survey: Survey) -> None:
        """Go over to a new survey."""
        self._survey, self._made = survey, {}
        present = {one.table.device for one in survey.devices}
        self._texts = {device: texts for device, texts in self._texts.items() if device in present}

    def chosen(self, choice: Choice) -> NDArray[np.intp]:
        """(n, 2) in the asked order: position of the device in the survey, and its row or `WHOLE_DEVICE`."""
        made = self._made.get(choice)
        if made is None:
            made = self._made[choice] = self._select(choice)
        return made

    def _select(self, choice: Choice) -> NDArray[np.intp]:
        devices = self._survey.devices if self._survey else []
        parts = [self._rows(one, choice) for one in devices]
        if not parts:
            return np.zeros((0, 2), dtype=np.intp)
        places = np.concatenate(
            [np.column_stack([np.full(len(rows), position), rows]) for position, rows in enumerate(parts)], dtype=np.intp
        )
        keys = _keys(choice.sort, devices, parts)
        return places[np.lexsort([-key if choice.descending else key for key in keys])]

    def _rows(self, one: DeviceColumns, choice: Choice) -> NDArray[np.intp]:
        """The rows of one device that pass; a late or silent device is one row, unless it is looked for."""
        nothing = np.zeros(0, dtype=np.intp)
        if choice.only_device and one.table.device != choice.only_device:
            return nothing
        if one.stale and not choice.only_device and not choice.words:
            shown = choice.show in {"all", "attention"} or bool((self._of(one.table).roles == choice.show).any())
            return np.array([WHOLE_DEVICE], dtype=np.intp) if shown else nothing
        return np.flatnonzero(self._passes(one, choice))

    def _passes(self, one: DeviceColumns, choice: Choice) -> Mask:
        texts = self._of(one.table)
        passed = np.ones(len(one.table.rows), dtype=np.bool_)
        if choice.show == "attention":
            passed &= one.rank > Rank.NORMAL
        elif choice.show != "all":
            passed &= texts.roles == choice.show
        for word in choice.words:
            passed &= np.array([word in text for text in texts.texts], dtype=np.bool_)
        return passed

    def _of(self, table: Table) -> _Texts:
        held = self._texts.get(table.device)
        if held is None or held.table is not table:
            held = self._texts[table.device] = _Texts.of(table)
        return held


def _keys(sort: str, devices: list[DeviceColumns], parts: list[NDArray[np.intp]]) -> list[Floats]:
    """Sort keys, the last one first in weight. A row without a value has -1: it comes last when the biggest come first."""

    def column(name: str) -> Floats:
        found = [_values(getattr(one, name), rows) for one, rows in zip(devices, parts, strict=True)]
        return np.concatenate(found)

    match sort:
        case "in":
            return [column("in_bps")]
        case "out":
            return [column("out_bps")]
        case "utilisation":
            return [np.maximum(column("in_percent"), column("out_percent"))]
        case "name":
            order = {name: place for place, name in enumerate(sorted(one.table.device for one in devices))}
            pairs = list(zip(devices, parts, strict=True))
            by_device = np.concatenate([np.full(len(rows), float(order[one.table.device])) for one, rows in pairs])
            return [np.concatenate(parts).astype(np.float64), by_device]
        case _:
            pairs = list(zip(devices, parts, strict=True))
            whole = {True: Rank.NO_DATA, False: Rank.LATE}
            ranks = [np.where(rows == WHOLE_DEVICE, whole[one.silent], _values(one.rank, rows)) for one, rows in pairs]
            return [np.maximum(column("in_percent"), column("out_percent")), np.concatenate(ranks)]


def _values(values: NDArray[np.float64] | NDArray[np.int8], rows: NDArray[np.intp]) -> Floats:
    if not len(values):
        return np.full(len(rows), -1.0)
    found = np.where(rows == WHOLE_DEVICE, np.nan, values[rows].astype(np.float64))
    return np.nan_to_num(found, nan=-1.0)
