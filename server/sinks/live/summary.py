"""The summary of all devices: one board for everybody, one follower for each subscription's filter, order and page."""

from __future__ import annotations

from collections import deque

import numpy as np

from server.core.blocks import Frames
from server.core.model import Frame
from server.core.ports import InventoryReader
from server.hub import Item, Removed
from server.sinks.live import attention
from server.sinks.live.attention import Rank
from server.sinks.live.board import DeviceColumns, Survey, survey
from server.sinks.live.messages import Mover, Subscribe, Summary, SummaryRow, Totals, Trend
from server.sinks.live.selection import WHOLE_DEVICE, Choice, Selector
from server.sinks.live.shapes import numbers, optional, state_name
from server.sinks.live.sparks import DeviceSparks
from server.sinks.live.sums import NO_DATA_INTERVALS, DeviceSums

TREND_S = 900
MOST_MOVERS = 7
MOST_ROWS = 500
_SMOOTHING = 0.2


class SummaryBoard:
    """A subscriber of the hub that surveys everything once a second.

    State: the sparks, the sums and the measured spacing by device, the trend of the totals, the newest survey
    and the selections of it.
    """

    def __init__(self, inventory: InventoryReader) -> None:
        self._inventory = inventory
        self._sparks: dict[str, DeviceSparks] = {}
        self._sums: dict[str, DeviceSums] = {}
        self._spacing_s: dict[str, float] = {}
        self._last_wall_s: dict[str, float] = {}
        self.trend: deque[Totals] = deque(maxlen=TREND_S)
        self.survey: Survey = survey([], 0.0, {}, {})
        self.selector = Selector()
        self.movers: list[Mover] = []

    def offer(self, item: Item) -> None:
        match item:
            case Frames():
                for frame in item:
                    self._take(frame)
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
        self.selector.use(self.survey)
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


class SummaryFollower:
    """One subscription to the summary. State: which rows have had their sparks, and up to which slot."""

    def __init__(self, asked: Subscribe, board: SummaryBoard) -> None:
        self._asked = asked
        self._choice = Choice.of(asked)
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
        places = self._board.selector.chosen(self._choice)
        offset = max(0, min(asked.offset, len(places)))
        shown = places[offset : offset + max(0, min(asked.limit, MOST_ROWS))].tolist()
        rows = [self._row(newest.devices[device], row) for device, row in shown]
        sent = {(row.device, row.name) for row in rows}
        self._sparks_sent = {key: slot for key, slot in self._sparks_sent.items() if key in sent}
        return Summary(asked.id, newest.totals, newest.lines, rows, offset, len(places), self._board.movers)

    def _row(self, one: DeviceColumns, row: int) -> SummaryRow:
        if row == WHOLE_DEVICE:
            return _whole_device(one)
        facts = one.table.rows[row]
        quality = int(one.view.quality[row]) if one.view.quality is not None else 0
        in_percent, out_percent = optional(float(one.in_percent[row])), optional(float(one.out_percent[row]))
        switched_off = state_name(one.view, one.table, "admin_status", row) == "down"
        why = attention.words(
            int(one.rank[row]),
            switched_off=switched_off,
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
    why = attention.words(
        Rank.NO_DATA if one.silent else Rank.LATE,
        switched_off=False,
        in_is_busier=True,
        errors_per_s=0,
        age_s=one.age_s,
        quality=0,
    )
    return SummaryRow(
        device=one.table.device,
        name="",
        alias=f"{one.view.status.reason or 'not answering'}; {len(one.table.rows)} interfaces",
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
