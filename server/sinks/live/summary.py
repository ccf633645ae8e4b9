"""The summary of all devices: one board for everybody, one follower for each subscription's filter, order and page."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.core.model import Frame
from server.core.ports import InventoryReader
from server.hub import Item, Removed
from server.sinks.live import attention
from server.sinks.live.attention import Rank
from server.sinks.live.board import DeviceColumns, Survey, survey
from server.sinks.live.messages import Mover, Subscribe, Summary, SummaryRow, Totals, Trend
from server.sinks.live.shapes import numbers, optional, state_name
from server.sinks.live.sparks import DeviceSparks
from server.sinks.live.sums import NO_DATA_INTERVALS, DeviceSums

TREND_S = 900
MOST_MOVERS = 7
MOST_ROWS = 500
_SMOOTHING = 0.2


class SummaryBoard:
    """A subscriber of the hub that surveys everything once a second.

    State: the sparks, the sums and the measured spacing by device, the trend of the totals, the newest survey.
    """

    def __init__(self, inventory: InventoryReader) -> None:
        self._inventory = inventory
        self._sparks: dict[str, DeviceSparks] = {}
        self._sums: dict[str, DeviceSums] = {}
        self._spacing_s: dict[str, float] = {}
        self._last_wall_s: dict[str, float] = {}
        self.trend: deque[Totals] = deque(maxlen=TREND_S)
        self.survey: Survey = survey([], 0.0, {}, {})
        self.movers: list[Mover] = []

    def offer(self, item: Item) -> None:
        match item:
            case Frame():
                self._take(item)
            case Removed():
                for held in (self._sparks, self._sums, self._spacing_s, self._last_wall_s):
                    held.pop(item.device, None)
            case _:
                pass

    def _take(self, frame: Frame) -> None:
        device = frame.table.device
        if device not in self._sparks:
            self._sparks[device], self._sums[device] = DeviceSparks(frame.table), DeviceSums(frame.table)
        self._sparks[device].add(frame)
        self._sums[device].add(frame)
        spacing_s = frame.wall_s - self._last_wall_s.get(device, frame.wall_s)
        if 0 < spacing_s <= NO_DATA_INTERVALS * frame.interval_s:  # else an outage, or the wall clock stepped
            self._spacing_s[device] = (1 - _SMOOTHING) * self._spacing_s.get(device, spacing_s) + _SMOOTHING * spacing_s
        self._last_wall_s[device] = frame.wall_s

    def refresh(self, now_s: float) -> None:
        """Survey everything at this second."""
        for sparks in self._sparks.values():
            sparks.advance(now_s)
        self.survey = survey(self._inventory.devices(), now_s, self._spacing_s, self._sums)
        self.trend.append(self.survey.totals)
        self.movers = self._biggest_changes()

    def sparks(self, device: str) -> DeviceSparks | None:
        return self._sparks.get(device)

    def _biggest_changes(self) -> list[Mover]:
        found: list[Mover] = []
        for one in self.survey.devices:
            sparks = self._sparks.get(one.table.device)
            if sparks is None or sparks.table is not one.table:
                continue
            now = np.stack([one.in_bps, one.out_bps])
            was = sparks.change(now)
            change = np.nan_to_num(np.abs(now - was))
            for flat in np.argsort(change, axis=None)[::-1][:MOST_MOVERS].tolist():
                direction, row = divmod(flat, len(one.table.rows))
                if change[direction, row] > 0:
                    name = one.table.rows[row].name
                    values = float(was[direction, row]), float(now[direction, row])
                    found.append(Mover(one.table.device, name, ("in", "out")[direction], *values))
        return sorted(found, key=lambda mover: -abs(mover.now_bps - mover.was_bps))[:MOST_MOVERS]


@dataclass(frozen=True, slots=True)
class _Place:
    """One row of a summary: a row of a device, or the whole device (`row` -1)."""

    one: DeviceColumns
    row: int


class SummaryFollower:
    """One subscription to the summary. State: which rows have had their sparks, and up to which slot."""

    def __init__(self, asked: Subscribe, board: SummaryBoard) -> None:
        self._asked = asked
        self._board = board
        self._sparks_sent: dict[tuple[str, str], int] = {}
        self.due = False

    def begin(self) -> Summary:
        """The first message, with the trend."""
        summary = self.next()
        trend = self._board.trend
        summary.trend = Trend([t.time for t in trend], [t.in_bps for t in trend], [t.out_bps for t in trend])
        return summary

    def next(self) -> Summary:
        """The newest second, as asked for."""
        self.due = False
        asked, newest = self._asked, self._board.survey
        places = self._chosen(newest)
        offset = max(0, min(asked.offset, len(places)))
        shown = places[offset : offset + max(0, min(asked.limit, MOST_ROWS))]
        rows = [self._row(place) for place in shown]
        sent = {(row.device, row.name) for row in rows}
        self._sparks_sent = {key: slot for key, slot in self._sparks_sent.items() if key in sent}
        return Summary(asked.id, newest.totals, newest.lines, rows, offset, len(places), self._board.movers)

    def _chosen(self, newest: Survey) -> list[_Place]:
        asked = self._asked
        places: list[_Place] = []
        for one in newest.devices:
            if asked.only_device and one.table.device != asked.only_device:
                continue
            if one.silent and not asked.only_device and not asked.filter:
                if asked.show in {"all", "attention"}:
                    places.append(_Place(one, -1))
                continue
            places += [_Place(one, row) for row in np.flatnonzero(self._passes(one)).tolist()]
        key, reverse = _order(asked.sort, asked.descending)
        places.sort(key=key, reverse=reverse)
        return places

    def _passes(self, one: DeviceColumns) -> NDArray[np.bool_]:
        """(rows,) whether each row is of the kind and has every word that was asked for."""
        passed = np.ones(len(one.table.rows), dtype=np.bool_)
        if self._asked.show == "attention":
            passed &= one.rank > Rank.NORMAL
        elif self._asked.show != "all":
            passed &= np.array([row.role == self._asked.show for row in one.table.rows], dtype=np.bool_)
        wanted = self._asked.filter.lower().split()
        if wanted:
            texts = (f"{one.table.device} {row.name} {row.alias} {row.description}".lower() for row in one.table.rows)
            passed &= np.array([all(word in text for word in wanted) for text in texts], dtype=np.bool_)
        return passed

    def _row(self, place: _Place) -> SummaryRow:
        one, row = place.one, place.row
        if row < 0:
            return _whole_device(one)
        facts = one.table.rows[row]
        quality = int(one.view.quality[row]) if one.view.quality is not None else 0
        in_percent, out_percent = optional(float(one.in_percent[row])), optional(float(one.out_percent[row]))
        why = attention.words(
            int(one.rank[row]),
            in_is_busier=(in_percent or 0) >= (out_percent or 0),
            errors_per_s=float(one.errors_per_s[row]),
            age_s=one.age_s,
            quality=quality,
        )
        body = SummaryRow(
            device=one.table.device,
            name=facts.name,
            alias=facts.alias,
            role=facts.role,
            circuit=facts.circuit,
            speed_bps=facts.speed_bps,
            oper_status=state_name(one.view, one.table, "oper_status", row),
            in_bps=optional(float(one.in_bps[row])),
            out_bps=optional(float(one.out_bps[row])),
            in_percent=in_percent,
            out_percent=out_percent,
            age_s=one.age_s,
            quality=quality,
            attention=why,
        )
        self._add_sparks(body, one, row)
        return body

    def _add_sparks(self, body: SummaryRow, one: DeviceColumns, row: int) -> None:
        sparks = self._board.sparks(one.table.device)
        key = (body.device, body.name)
        if sparks is None or sparks.table is not one.table or self._sparks_sent.get(key) == sparks.slot:
            return
        self._sparks_sent[key] = sparks.slot
        body.spark_in = numbers(sparks.closed[0, row])
        body.spark_out = numbers(sparks.closed[1, row])


def _whole_device(one: DeviceColumns) -> SummaryRow:
    """A device that does not answer is one row, not one for each of its interfaces."""
    why = attention.words(Rank.NO_DATA, in_is_busier=True, errors_per_s=0, age_s=one.age_s, quality=0)
    return SummaryRow(
        device=one.table.device,
        name="",
        alias=f"{one.view.status.reason}; {len(one.table.rows)} interfaces",
        role="",
        circuit="",
        speed_bps=0,
        oper_status=None,
        in_bps=None,
        out_bps=None,
        in_percent=None,
        out_percent=None,
        age_s=one.age_s,
        quality=0,
        attention=why,
        whole_device=True,
    )


def _rank(place: _Place) -> int:
    return Rank.NO_DATA if place.row < 0 else int(place.one.rank[place.row])


def _order(sort: str, descending: bool) -> tuple[Callable[[_Place], tuple[float | str | int, ...]], bool]:
    """Sort key and direction. Rows without a value come last when the biggest come first."""

    def value(values: np.ndarray, row: int) -> float:
        return -1.0 if row < 0 or np.isnan(values[row]) else float(values[row])

    def busier(place: _Place) -> float:
        return max(value(place.one.in_percent, place.row), value(place.one.out_percent, place.row))

    match sort:
        case "in":
            return lambda place: (value(place.one.in_bps, place.row),), descending
        case "out":
            return lambda place: (value(place.one.out_bps, place.row),), descending
        case "utilisation":
            return lambda place: (busier(place),), descending
        case "name":
            return lambda place: (place.one.table.device, place.row), descending
        case _:
            return lambda place: (_rank(place), busier(place)), descending
