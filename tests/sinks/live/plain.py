"""What the board must know, kept as plainly as can be: one object for each row, no arrays. The fleet is held against it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from server.core.model import DeviceState, DeviceStatus, Frame, Table
from server.sinks.live.attention import Rank

NAN = math.nan
LOST = {DeviceState.DOWN, DeviceState.AUTH_FAILED, DeviceState.BAD_REPLIES}
NO_TRAFFIC = {2.0, 6.0, 7.0}  # of oper_status
SWITCHED_OFF = 2.0


@dataclass
class PlainRow:
    newest: dict[str, float] = field(default_factory=dict)
    sample: list[tuple[float, float]] = field(default_factory=lambda: [(NAN, -math.inf)] * 2)
    quality: int = 0
    sums: list[list[float]] = field(default_factory=lambda: [[], []])
    closed: dict[int, list[float]] = field(default_factory=dict)


class PlainDevice:
    def __init__(self, status: DeviceStatus) -> None:
        self.status = status
        self.table: Table | None = None
        self.rows: dict[str, PlainRow] = {}
        self.frame: Frame | None = None
        self.last_sample_s = NAN
        self.slot = -1
        self.pace_s = 0.0
        self.rates_s = -math.inf
        self.spacing_s: float | None = None

    def add(self, frame: Frame) -> None:
        names = [row.name for row in frame.table.rows]
        self.rows = {name: self.rows.get(name, PlainRow()) for name in names}
        if self.frame is not None and 0 < (apart_s := frame.wall_s - self.frame.wall_s) <= 10 * frame.interval_s:
            self.spacing_s = apart_s if self.spacing_s is None else 0.8 * self.spacing_s + 0.2 * apart_s
        self.table, self.frame = frame.table, frame
        self.advance(int(frame.wall_s // 5))
        if self.slot < 0:
            self.slot = int(frame.wall_s // 5)
        some, rates = False, False
        for position, column in enumerate(frame.columns):
            shown = frame.table.metrics[column].shown
            for name, value in zip(names, frame.values[position].tolist(), strict=True):
                row = self.rows[name]
                row.newest[shown] = value
                if math.isnan(value):
                    continue
                some = True
                if shown in {"in_bps", "out_bps"}:
                    rates, direction = True, ("in_bps", "out_bps").index(shown)
                    row.sample[direction] = value, frame.wall_s
                    row.sums[direction].append(value)
        for name, quality in zip(names, frame.quality.tolist(), strict=True):
            self.rows[name].quality = quality
        if some:
            self.last_sample_s = frame.wall_s
        if rates:
            if 0 < (apart_s := frame.wall_s - self.rates_s) <= 10 * frame.interval_s:
                known_s = self.pace_s or frame.interval_s
                self.pace_s = known_s + 0.2 * (apart_s - known_s)
            self.rates_s = frame.wall_s

    def advance(self, slot: int) -> None:
        if self.slot < 0 or slot in {self.slot, self.slot - 1}:
            return
        for row in self.rows.values():
            if slot < self.slot:
                row.closed = {}
            else:
                row.closed[self.slot] = [sum(held) / len(held) if held else NAN for held in row.sums]
            row.sums = [[], []]
        self.slot = slot

    def spark(self, name: str) -> list[list[float]]:
        closed = self.rows[name].closed
        return [[closed.get(slot, [NAN, NAN])[way] for slot in range(self.slot - 60, self.slot)] for way in range(2)]

    # -- at a second

    def age_s(self, now_s: float) -> float:
        return NAN if math.isnan(self.last_sample_s) else max(0.0, now_s - self.last_sample_s)

    def late(self, now_s: float) -> bool:
        return not self.age_s(now_s) <= 2.5 * self._interval_s()

    def silent(self, now_s: float) -> bool:
        return self.status.state in LOST or not self.age_s(now_s) <= 10 * self._interval_s()

    def _interval_s(self) -> float:
        return self.frame.interval_s if self.frame else self.status.interval_s

    def shown(self, name: str, column: str, now_s: float) -> float:
        return NAN if self.late(now_s) else self.rows[name].newest.get(column, NAN)

    def percent(self, name: str, now_s: float) -> tuple[float, float]:
        assert self.table is not None
        speed = next(row.speed_bps for row in self.table.rows if row.name == name)
        if not speed:
            return NAN, NAN
        return 100 * self.shown(name, "in_bps", now_s) / speed, 100 * self.shown(name, "out_bps", now_s) / speed

    def down(self, name: str) -> bool:
        newest = self.rows[name].newest
        return newest.get("oper_status") in NO_TRAFFIC or newest.get("admin_status") == SWITCHED_OFF

    def rank(self, name: str, now_s: float) -> Rank:
        assert self.table is not None
        if self.late(now_s):
            return Rank.NO_DATA if self.silent(now_s) else Rank.LATE
        newest = self.rows[name].newest
        described = any(row.role for row in self.table.rows if row.name == name)
        if newest.get("oper_status") in NO_TRAFFIC and newest.get("admin_status") != SWITCHED_OFF and described:
            return Rank.LINE_DOWN
        errors = [newest.get(f"{way}_errors_per_s", NAN) for way in ("in", "out")]
        if sum(value for value in errors if not math.isnan(value)) >= 1:
            return Rank.ERRORS
        busier = max([value for value in self.percent(name, now_s) if not math.isnan(value)], default=0.0)
        if busier >= 80:
            return Rank.FULL if busier >= 90 else Rank.HIGH
        return Rank.DOWN if self.down(name) else Rank.NORMAL

    def sums(self, now_s: float) -> tuple[list[float], int, bool]:
        """In and out, how many rows are in them, whether one is late."""
        step_s, found, counted, any_late = max(self._interval_s(), self.pace_s), [NAN, NAN], set[str](), False
        for way in range(2):
            known, late = [], False
            for name, row in self.rows.items():
                value, came_s = row.sample[way]
                if abs(now_s - came_s) <= 2.5 * step_s:
                    known.append(value)
                    counted.add(name)
                elif 0 < now_s - came_s <= 10 * step_s:
                    late = True
            found[way] = sum(known) if known and not late else NAN
            any_late = any_late or late
        return found, len(counted), any_late


class PlainBoard:
    def __init__(self) -> None:
        self.devices: dict[str, PlainDevice] = {}

    def status(self, status: DeviceStatus) -> None:
        if one := self.devices.get(status.device):
            one.status = status
        else:
            self.devices[status.device] = PlainDevice(status)

    def frame(self, frame: Frame) -> None:
        if one := self.devices.get(frame.table.device):
            one.add(frame)

    def removed(self, device: str) -> None:
        self.devices.pop(device, None)

    def refresh(self, now_s: float) -> None:
        for one in self.devices.values():
            one.advance(int(now_s // 5))

    def movers(self, now_s: float) -> list[tuple[float, str, str, str]]:
        """All changes within a minute, the biggest first: by how much, device, row, direction."""
        found = []
        for device, one in self.devices.items():
            for name, row in one.rows.items():
                for way, word in enumerate(("in", "out")):
                    was = row.closed.get(one.slot - 12, [NAN, NAN])[way]
                    change = abs(one.shown(name, f"{word}_bps", now_s) - was)
                    if change > 0:
                        found.append((change, device, name, word))
        return sorted(found, reverse=True)

    def chosen(
        self, now_s: float, sort: str, *, descending: bool, show: str, words: str, only: str
    ) -> list[tuple[str, str]]:
        """Device and row (empty: the whole device) in the asked order."""
        found = []
        for position, (device, one) in enumerate(self.devices.items()):
            gone = one.late(now_s) or one.silent(now_s)
            roles = {row.name: row.role for row in one.table.rows} if one.table else {}
            if only not in {"", device}:
                continue
            if gone and not only and not words:
                if show in {"all", "attention"} or show in roles.values():
                    found.append((device, "", one, position, -1))
                continue
            for place, name in enumerate(one.rows):
                if show == "attention" and one.rank(name, now_s) <= Rank.NORMAL:
                    continue
                if show not in {"all", "attention"} and roles[name] != show:
                    continue
                if all(word in f"{device} {name}" for word in words.split()):
                    found.append((device, name, one, position, place))

        def key(row: tuple[str, str, PlainDevice, int, int]) -> tuple[float | str, ...]:
            device, name, one, _, place = row
            value = [one.shown(name, f"{way}_bps", now_s) if name else NAN for way in ("in", "out")]
            percent = [_or_less(each) for each in (one.percent(name, now_s) if name else (NAN, NAN))]
            rank = one.rank(name, now_s) if name else Rank.NO_DATA if one.silent(now_s) else Rank.LATE
            match sort:
                case "in":
                    return (_or_less(value[0]),)
                case "out":
                    return (_or_less(value[1]),)
                case "utilisation":
                    return (max(percent),)
                case "name":
                    return device, place
                case _:
                    return rank, max(percent)

        found.sort(key=lambda row: (row[3], row[4]))
        found.sort(key=key, reverse=descending)
        return [(device, name) for device, name, *_ in found]


def _or_less(value: float) -> float:
    return -1.0 if math.isnan(value) else value
