"""What came of ticks that are over: many devices' answers as one block, and which of them are as usual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.core.blocks import NO_TICKS, NOT_CARRIED, Chunks, Readings
from server.core.clock import boot_ns, wall_s
from server.core.model import Counts, Floats, Mask
from server.sources.snmp.batch.bundle import Bundle
from server.sources.snmp.batch.lanes import Lane, Lanes
from server.sources.snmp.batch.slots import Slots
from server.sources.snmp.mib import OPER_STATUS

_LOOSE = 3000  # ticks of 10 ms that a device's clock and ours may part between two answers; `Uptime` judges the others
_WRAP = 2**32


@dataclass(slots=True, eq=False)
class Harvest:
    """The answers of some lanes that had the same kind of tick, side by side.

    `lanes` (devices,) are their numbers. Rows and columns as in `Readings`, chunks as the bundle's asks. `kept` (asks,): was
    answered well; `answered`: with the device's clock.
    """

    members: Sequence[Lane]
    bundle: Bundle
    lanes: NDArray[np.intp]
    values: Counts
    valid: Mask
    stamps: Counts
    stamp_valid: Mask
    kept: Mask
    answered: Mask
    ticks: NDArray[np.int64]
    sent: NDArray[np.int64]
    received: NDArray[np.int64]

    @classmethod
    def of(cls, members: Sequence[Lane], bundle: Bundle, slots: Slots, came: Mask) -> Harvest:
        """Take in the newest answers of these lanes. `came` (slots,): an answer to this tick's request came."""
        asks, stamp_slot, stamp_place = bundle.asks, bundle.stamp_slot, bundle.stamp_place
        good = came[asks] & (slots.error_status[asks] == 0) & ~slots.reported[asks]
        clock = good & slots.valid[asks, 0]
        return cls(
            members=members,
            bundle=bundle,
            lanes=np.array([lane.number for lane in members], np.intp),
            values=slots.values[bundle.slot, bundle.place],
            valid=slots.valid[bundle.slot, bundle.place] & came[bundle.slot],
            stamps=slots.values[stamp_slot, stamp_place],
            stamp_valid=slots.valid[stamp_slot, stamp_place] & came[stamp_slot] | bundle.unstamped,
            kept=good,
            answered=clock,
            ticks=np.where(clock, slots.values[asks, 0], 0).astype(np.int64),
            sent=slots.sent_ns[asks],
            received=slots.received_ns[asks],
        )

    def as_usual(self, lanes: Lanes, slots: Slots) -> Mask:
        """(devices,) of which nothing has to be told: all was answered, by the same device, and only counters moved."""
        bundle, asks = self.bundle, self.bundle.asks
        odd_ask = ~self.answered | slots.missing[asks] | slots.disordered[asks]
        odd_ask |= ~np.isnan(slots.late_s[asks])
        own = self.lanes[bundle.ask_device]
        step = (self.ticks - lanes.seen_ticks[own] + _WRAP // 2) % _WRAP - _WRAP // 2
        apart = np.abs(step - (self.received - lanes.seen[own]) / 1e7)
        odd_ask |= lanes.heard[own] & ((step < 0) | (apart > _LOOSE))
        usual: Mask = ~np.logical_or.reduceat(odd_ask, bundle.ask_starts)
        usual &= lanes.heard[self.lanes]
        bad_row = (bundle.exists & ~self.valid).any(axis=0) | ~self.stamp_valid
        bad = np.cumsum(np.concatenate([[0], bad_row]))
        usual &= bad[bundle.starts[1:]] == bad[bundle.starts[:-1]]
        if OPER_STATUS in bundle.columns:
            usual &= np.array([self._states_are_as_before(device, slots) for device in range(len(self.members))])
        return usual

    def _states_are_as_before(self, device: int, slots: Slots) -> bool:
        lane, sheet = self.members[device], self.bundle.sheets[device]
        now = self.values[sheet.columns.index(OPER_STATUS), self.bundle.rows(device)]
        if lane.oper is None or not np.array_equal(lane.oper, now):
            return False
        return sheet.last_change is None or lane.last_change == int(slots.values[sheet.last_change])

    def heard(self, lanes: Lanes) -> None:
        """Take note of the devices' clocks."""
        last = np.append(self.bundle.ask_starts[1:], len(self.bundle.asks)) - 1
        known = self.answered[last]
        own = self.lanes[known]
        lanes.heard[own] = True
        lanes.seen_ticks[own] = self.ticks[last][known]
        lanes.seen_sent[own] = self.sent[last][known]
        lanes.seen[own] = self.received[last][known]

    def remember_stamps(self) -> None:
        """Leave the discontinuity times with the lanes: a later tick may miss some."""
        for device, lane in enumerate(self.members):
            if lane.stamped:
                lane.stamps = self.stamps[self.bundle.rows(device)]

    def readings(self, interval_s: Floats) -> Readings:
        """One block of all. `interval_s` (devices,) are those of these ticks."""
        now_ns, now_s = boot_ns(), wall_s()
        received = np.maximum.reduceat(np.where(self.kept, self.received, 0), self.bundle.ask_starts)
        received[received == 0] = now_ns  # nothing came
        stamped = np.array([lane.stamped for lane in self.members])
        return Readings(
            tables=tuple(lane.plan.table for lane in self.members),
            starts=self.bundle.starts,
            columns=self.bundle.columns,
            wall_s=now_s - (now_ns - received) / 1e9,
            interval_s=interval_s,
            values=self.values,
            valid=self.valid,
            chunks=Chunks(
                device=self.bundle.ask_device[self.kept],
                sent_ns=self.sent[self.kept],
                received_ns=self.received[self.kept],
                device_ticks=np.where(self.answered, self.ticks, NO_TICKS)[self.kept],
                carried=self._carried(),
            ),
            discontinuity=self.stamps,
            stamped=stamped,
            burst=self.members[0].target.burst,
        )

    def _carried(self) -> NDArray[np.int32]:
        """(columns, rows) which of the kept answers carried a cell."""
        carried = self.bundle.carried
        if self.kept.all():
            return carried
        place = np.where(self.kept, np.cumsum(self.kept) - 1, NOT_CARRIED).astype(np.int32)
        return np.where(carried == NOT_CARRIED, NOT_CARRIED, place[carried])

    def told(self, device: int, *, trusted: bool) -> None:
        """The lane's owner was told: take over what it says of its rows, and the discontinuity times that are known."""
        rows = self.bundle.rows(device)
        if not trusted:
            self.valid[:, rows] = False
        self.stamps[rows] = self.members[device].stamps

    def remember(self, device: int) -> None:
        """What the lane's next ticks are held against."""
        columns = self.bundle.columns
        if OPER_STATUS in columns:
            self.members[device].oper = self.values[columns.index(OPER_STATUS), self.bundle.rows(device)].copy()

    def reply_s(self) -> Floats:
        """(devices,) how long the slowest answer took."""
        replies: Floats = np.maximum.reduceat(self.received - self.sent, self.bundle.ask_starts) / 1e9
        return replies
