"""All rows of all devices side by side, as they are now: what the summary is cut from.

To put a small block into its places costs nearly as much as to put a large one, and blocks are small: so they wait until
there are some, or until somebody looks (`settle`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from server.core.blocks import Frames
from server.core.model import DeviceStatus, Floats, Table
from server.sinks.live.columns import Places, rows_of, some_of
from server.sinks.live.roster import Roster
from server.sinks.live.sparks import Sparks
from server.sinks.live.sums import NO_DATA_INTERVALS, SMOOTHING

ROWS_AT_ONCE = 8192
DIRECTIONS = ("in_bps", "out_bps")
_FAST = frozenset(DIRECTIONS)
STATES = ("oper_status", "admin_status")
ERRORS = ("in_errors_per_s", "out_errors_per_s")
_NO_TRAFFIC = frozenset({"down", "notPresent", "lowerLayerDown"})  # states of oper_status and admin_status


class Fleet:
    """State: the roster with its columns, the sparks, and the blocks that wait."""

    def __init__(self) -> None:
        self.roster = Roster()
        self.sparks = Sparks(self.roster.devices)
        self._waiting: list[Frames] = []
        self._waiting_tables: set[Table] = set()
        self._waiting_rows = 0

    def frames(self, frames: Frames) -> None:
        """Take the newest of these devices."""
        if not all(map(self.roster.by_table.__contains__, frames.tables)):
            self.settle()  # in the order in which they came: a new table moves rows
            self._settle(frames)
            return
        if self._waiting and not self._fits(frames):
            self.settle()
        self._waiting.append(frames)
        self._waiting_tables.update(frames.tables)
        self._waiting_rows += frames.values.shape[1]
        if self._waiting_rows >= ROWS_AT_ONCE:
            self.settle()

    def _fits(self, frames: Frames) -> bool:
        first = self._waiting[0]
        same = frames.columns == first.columns and (frames.metrics is first.metrics or frames.metrics == first.metrics)
        return same and self._waiting_tables.isdisjoint(frames.tables)

    def status(self, status: DeviceStatus) -> None:
        self.settle()
        self.roster.hear(status)

    def removed(self, device: str) -> None:
        self.settle()
        held = self.roster.remove(device)
        if held is not None:
            self.sparks.freed(held)

    def settle(self) -> None:
        """Put what waits into its places."""
        waiting, self._waiting = self._waiting, []
        self._waiting_tables.clear()
        self._waiting_rows = 0
        if waiting:
            self._settle(waiting[0] if len(waiting) == 1 else joined(waiting))

    def _settle(self, frames: Frames) -> None:
        known = list(map(self.roster.by_table.get, frames.tables))
        if None in known:
            known = [self._number(table) for table in frames.tables]
            if None in known:  # devices of which there is no status: they were just removed
                kept = [frames.frame(place) for place, number in enumerate(known) if number is not None]
                if kept:
                    self._settle(Frames.of(kept))
                return
        numbers = np.array(known, dtype=np.intp)
        devices, counts = self.roster.devices, np.diff(frames.starts)
        rows = rows_of(devices.start[numbers], counts)
        shown = {frames.metrics[column].shown: frames.values[place] for place, column in enumerate(frames.columns)}
        sampled = frames.sampled()
        self._time(numbers, frames, sampled)
        devices.interval_s[numbers] = frames.interval_s
        devices.cadence_s[numbers] = frames.cadence_s
        devices.reply_s[numbers] = frames.reply_s
        self.roster.rows.quality[rows] = frames.quality
        self.sparks.arrive(numbers, frames.wall_s, self.roster.used_rows)
        self._put_rates(rows, np.repeat(frames.wall_s, counts), [shown.get(name) for name in DIRECTIONS])
        fast = shown.keys() == _FAST
        came = sampled if fast else frames.sampled(*DIRECTIONS)
        self._measure_pace(numbers[came], frames.wall_s[came])
        if not fast:
            self._put_slow(frames, rows, shown)

    def _number(self, table: Table) -> int | None:
        """The number of the table's device, which now has the rows of this table."""
        member = self.roster.member(table.device)
        if member is None or member.table is table:
            return member.number if member else None
        old, sources, new = self.roster.place(member, table)
        if old.start < old.stop:
            self.sparks.moved(old, sources, new)
        return member.number

    def _time(self, numbers: NDArray[np.intp], frames: Frames, sampled: NDArray[np.bool_]) -> None:
        """When these devices' newest frames and samples came, and how far apart their frames are."""
        devices = self.roster.devices
        apart_s, known_s = frames.wall_s - devices.frame_s[numbers], devices.spacing_s[numbers]
        mean_s = np.where(np.isnan(known_s), apart_s, (1 - SMOOTHING) * known_s + SMOOTHING * apart_s)
        # else it is the first, an outage, or the wall clock stepped
        usual = (apart_s > 0) & (apart_s <= NO_DATA_INTERVALS * frames.interval_s)
        devices.spacing_s[numbers] = np.where(usual, mean_s, known_s)
        devices.frame_s[numbers] = frames.wall_s
        devices.last_sample_s[numbers] = np.where(sampled, frames.wall_s, devices.last_sample_s[numbers])

    def _measure_pace(self, numbers: NDArray[np.intp], wall_s: Floats) -> None:
        """How far apart the rates of these devices are, which have just sent some: more than the interval where one answers
        slowly."""
        devices = self.roster.devices
        apart_s, known_s = wall_s - devices.rates_s[numbers], devices.pace_s[numbers]
        interval_s = devices.interval_s[numbers]
        base_s = np.where(known_s > 0, known_s, interval_s)
        usual = (apart_s > 0) & (apart_s <= NO_DATA_INTERVALS * interval_s)
        mean_s = base_s + SMOOTHING * (apart_s - base_s)
        devices.pace_s[numbers] = np.where(usual, mean_s, known_s)
        devices.rates_s[numbers] = wall_s

    def _put_rates(self, rows: Places, wall_s: Floats, rates: Sequence[Floats | None]) -> None:
        held = self.roster.rows
        for direction, values in enumerate(rates):
            if values is None:
                continue
            held.shown_bps[direction][rows] = values
            present = ~np.isnan(values)
            came, values_bps, came_s = rows, values, wall_s
            if not present.all():
                came, values_bps, came_s = some_of(rows, present), values[present], wall_s[present]
            held.sample_bps[direction][came] = values_bps
            held.sample_s[direction][came] = came_s
            self.sparks.add(direction, came, values_bps)

    def _put_slow(self, frames: Frames, rows: Places, shown: dict[str, Floats]) -> None:
        held, metrics = self.roster.rows, {metric.shown: metric for metric in frames.metrics}
        for kind, name in enumerate(STATES):
            if name in shown:
                held.status[kind][rows] = shown[name]
                stopped = [value for value, word in metrics[name].states if word in _NO_TRAFFIC]
                held.no_traffic[kind][rows] = np.isin(shown[name], stopped)
        for direction, name in enumerate(ERRORS):
            if name in shown:
                held.errors_per_s[direction][rows] = shown[name]


def joined(blocks: Sequence[Frames]) -> Frames:
    """One block of these, which have the same columns and no device twice."""
    ends = np.cumsum([0, *(block.values.shape[1] for block in blocks)])
    return Frames(
        tables=tuple(table for block in blocks for table in block.tables),
        starts=np.concatenate([*(block.starts[:-1] + end for block, end in zip(blocks, ends, strict=False)), ends[-1:]]),
        columns=blocks[0].columns,
        seqs=np.concatenate([block.seqs for block in blocks]),
        wall_s=np.concatenate([block.wall_s for block in blocks]),
        span_s=np.concatenate([block.span_s for block in blocks]),
        interval_s=np.concatenate([block.interval_s for block in blocks]),
        cadence_s=np.concatenate([block.cadence_s for block in blocks]),
        reply_s=np.concatenate([block.reply_s for block in blocks]),
        values=np.concatenate([block.values for block in blocks], axis=1),
        quality=np.concatenate([block.quality for block in blocks]),
    )
