"""All devices as columns, once a second: what every summary is cut from.

`survey` is pure: the fleet in, `Survey` out, which holds nothing of the fleet that can change. One serves all browsers.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.core.model import DeviceState, Floats, Mask, Table
from server.sinks.live import attention
from server.sinks.live.attention import Rank
from server.sinks.live.columns import DeviceColumns
from server.sinks.live.fleet import Fleet
from server.sinks.live.messages import Totals
from server.sinks.live.roster import LOST, NOBODY, Member
from server.sinks.live.shapes import optional
from server.sinks.live.sums import LATE_INTERVALS, NO_DATA_INTERVALS, Sums


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The newest values of all rows; NaN is no sample that may be shown now. A row is nobody's where `owner` is 0."""

    owner: NDArray[np.intp]
    place: NDArray[np.intp]
    role: NDArray[np.int32]
    in_bps: Floats
    out_bps: Floats
    in_percent: Floats
    out_percent: Floats
    errors_per_s: Floats
    down: Mask
    rank: NDArray[np.int8]
    quality: NDArray[np.uint8]
    status: NDArray[np.float32]  # (2, rows): oper, admin


@dataclass(frozen=True, slots=True, eq=False)
class Devices:
    """The same of all devices, by their numbers."""

    age_s: Floats  # NaN: there was no sample yet
    stale: Mask  # its newest sample is late, or it has none
    silent: Mask  # and so late that it counts as lost
    interval_s: Floats
    cadence_s: Floats
    reply_ms: Floats
    before: NDArray[np.int64]  # how many rows stand before its first one in the order of the members


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """One second of everything. `members` are in the order in which they are shown; `roles` has the codes of `Rows.role`."""

    time_s: float
    members: tuple[Member, ...]
    rows: Rows
    devices: Devices
    sums: Sums
    totals: Totals
    roles: dict[str, int]
    layout: int  # the same as that of another survey: rows stand where they stood, and are what they were

    def span(self, member: Member) -> slice:
        """Where this device's rows stand."""
        return slice(member.start, member.start + (len(member.table.rows) if member.table else 0))

    def age_s(self, member: Member) -> float | None:
        return optional(float(self.devices.age_s[member.number]))


def survey(fleet: Fleet, found: Sums, now_s: float) -> Survey:
    """Put the newest of all devices side by side, with the sums of this moment."""
    roster, used = fleet.roster, fleet.roster.used_rows
    known = roster.devices
    age_s = np.maximum(0.0, now_s - known.last_sample_s)
    late = ~(age_s <= LATE_INTERVALS * known.interval_s)
    silent = known.lost | ~(age_s <= NO_DATA_INTERVALS * known.interval_s)
    devices = Devices(
        age_s=age_s,
        stale=late | silent,
        silent=silent,
        interval_s=_intervals_s(known),
        cadence_s=known.cadence_s.copy(),
        reply_ms=np.round(known.reply_s * 1000, 1),
        before=roster.order(),
    )
    rows = _rows(fleet, used, late, silent)
    totals = _totals(roster.members(), rows, devices, found, now_s)
    return Survey(now_s, roster.members(), rows, devices, found, totals, dict(roster.roles), roster.layout)


def _intervals_s(known: DeviceColumns) -> Floats:
    """The measured time between frames; the configured one where there were none yet."""
    found: Floats = np.where(np.isnan(known.spacing_s), known.status_interval_s, known.spacing_s)
    return found.round(2)


def _rows(fleet: Fleet, used: int, late: Mask, silent: Mask) -> Rows:
    """The newest values of all rows, without those that are too old to be shown as live."""
    held = fleet.roster.rows
    owner = held.owner[:used].copy()
    late_rows = late[owner]
    in_bps, out_bps = held.shown_bps[0, :used].copy(), held.shown_bps[1, :used].copy()
    in_bps[late_rows] = out_bps[late_rows] = np.nan
    speeds_bps = held.speed_bps[:used]
    in_percent, out_percent = 100 * in_bps / speeds_bps, 100 * out_bps / speeds_bps
    errors = np.nan_to_num(held.errors_per_s[0, :used]) + np.nan_to_num(held.errors_per_s[1, :used])
    oper_down, switched_off = held.no_traffic[:, :used]
    down = oper_down | switched_off
    line_down = oper_down & ~switched_off & held.described[:used]
    rank = attention.ranks(in_percent, out_percent, errors, down=down, line_down=line_down)
    if late_rows.any():
        rank[late_rows] = np.where(silent[owner[late_rows]], Rank.NO_DATA, Rank.LATE)
    return Rows(
        owner=owner,
        place=held.place[:used].copy(),
        role=held.role[:used].copy(),
        in_bps=in_bps,
        out_bps=out_bps,
        in_percent=in_percent,
        out_percent=out_percent,
        errors_per_s=errors,
        down=down,
        rank=rank,
        quality=held.quality[:used].copy(),
        status=held.status[:, :used].copy(),
    )


def _totals(members: tuple[Member, ...], rows: Rows, devices: Devices, all_rows: Sums, now_s: float) -> Totals:
    states = Counter(member.status.state for member in members)
    numbers = np.array([member.number for member in members], dtype=np.intp)
    heard = np.array([member.number for member in members if member.status.state not in LOST], dtype=np.intp)
    owned = rows.owner != NOBODY
    silent = devices.silent[rows.owner] & owned
    interfaces, no_data = int(np.count_nonzero(owned)), int(np.count_nonzero(silent))
    down = int(np.count_nonzero(rows.down & owned & ~silent))
    urgent = (rows.rank > Rank.NORMAL) & owned & ~devices.stale[rows.owner]
    replies_ms, ages_s = devices.reply_ms[numbers], np.round(devices.age_s[heard], 1)
    replies_ms, ages_s = replies_ms[~np.isnan(replies_ms)], ages_s[~np.isnan(ages_s)]
    return Totals(
        time=now_s,
        in_bps=all_rows.in_bps,
        out_bps=all_rows.out_bps,
        interfaces=interfaces,
        counted=all_rows.counted,
        up=interfaces - no_data - down,
        down=down,
        no_data=no_data,
        attention=int(np.count_nonzero(devices.stale[numbers])) + int(np.count_nonzero(urgent)),
        devices=len(members),
        devices_up=states[DeviceState.UP],
        devices_late=states[DeviceState.LATE],
        devices_lost=sum(states[state] for state in LOST),
        interval_s=float(np.median(devices.interval_s[heard])) if len(heard) else None,
        reply_p99_ms=round(float(np.percentile(replies_ms, 99)), 1) if len(replies_ms) else None,
        oldest_sample_s=float(ages_s.max()) if len(ages_s) else None,
    )


def status_name(found: Survey, table: Table, kind: int, row: int) -> str | None:
    """The newest status of a row in words, `kind` 0 is oper_status and 1 admin_status; None where it is not known."""
    shown = ("oper_status", "admin_status")[kind]
    metric = next((metric for metric in table.metrics if metric.shown == shown), None)
    return metric.state_name(float(found.rows.status[kind, row])) if metric else None
