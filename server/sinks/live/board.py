"""All devices as columns, once a second: what every summary is cut from.

`survey` is pure: inventory in, `Survey` out. One survey serves all browsers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.core.model import DeviceState, Floats, Mask, Table
from server.core.ports import DeviceView
from server.sinks.live import attention
from server.sinks.live.attention import Rank
from server.sinks.live.messages import DeviceLine, Totals
from server.sinks.live.shapes import optional
from server.sinks.live.sums import LATE_INTERVALS, NO_DATA_INTERVALS, NOTHING, DeviceSums, Sum, total

_LOST = {DeviceState.DOWN, DeviceState.AUTH_FAILED, DeviceState.BAD_REPLIES}
_NO_TRAFFIC = {"down", "notPresent", "lowerLayerDown"}  # states of oper_status and admin_status


@dataclass(frozen=True, slots=True, eq=False)
class DeviceColumns:
    """One device's rows, newest values. All arrays are (rows,); NaN is no sample that may be shown now."""

    view: DeviceView
    table: Table
    in_bps: Floats
    out_bps: Floats
    in_percent: Floats
    out_percent: Floats
    errors_per_s: Floats
    down: NDArray[np.bool_]
    rank: NDArray[np.int8]
    age_s: float | None
    stale: bool  # its newest sample is late, or it has none
    silent: bool  # and so late that it counts as lost


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """One second of everything."""

    time_s: float
    devices: list[DeviceColumns]
    lines: list[DeviceLine]
    totals: Totals


def survey(
    views: Sequence[DeviceView], now_s: float, spacing_s: Mapping[str, float], sums: Mapping[str, DeviceSums]
) -> Survey:
    """Put the newest of all devices side by side. By device: the measured time between its frames, and its sums."""
    devices = [columns(view, now_s) for view in views]
    by_device = [sums[one.table.device].at(now_s) if one.table.device in sums else NOTHING for one in devices]
    lines = [_line(one, spacing_s, own) for one, own in zip(devices, by_device, strict=True)]
    return Survey(now_s, devices, lines, _totals(devices, lines, total(by_device), now_s))


def columns(view: DeviceView, now_s: float) -> DeviceColumns:
    """One device's newest values, without those that are too old to be shown as live."""
    table = view.table or _no_rows(view.status.device)
    rows = len(table.rows)
    interval_s = view.frame.interval_s if view.frame else view.status.interval_s
    age_s = None if view.last_sample_s is None else max(0.0, now_s - view.last_sample_s)
    stale = age_s is None or age_s > LATE_INTERVALS * interval_s
    silent = view.status.state in _LOST or age_s is None or age_s > NO_DATA_INTERVALS * interval_s

    def newest(shown: str) -> Floats:
        values = view.newest.get(shown)
        return np.full(rows, np.nan) if values is None else values

    nothing = np.full(rows, np.nan)
    in_bps, out_bps = (nothing, nothing) if stale else (newest("in_bps"), newest("out_bps"))
    speeds = table.speeds_bps()
    in_percent, out_percent = 100 * in_bps / speeds, 100 * out_bps / speeds
    errors = np.nan_to_num(newest("in_errors_per_s")) + np.nan_to_num(newest("out_errors_per_s"))
    oper_down, switched_off = (_no_traffic(table, newest(shown), shown) for shown in ("oper_status", "admin_status"))
    described = np.array([bool(row.role) for row in table.rows], dtype=np.bool_)
    down = oper_down | switched_off
    line_down = oper_down & ~switched_off & described
    rank = attention.ranks(in_percent, out_percent, errors, down=down, line_down=line_down)
    if stale:
        rank[:] = Rank.NO_DATA if silent else Rank.LATE
    return DeviceColumns(
        view, table, in_bps, out_bps, in_percent, out_percent, errors, down, rank, age_s, stale or silent, silent
    )


def _no_traffic(table: Table, values: Floats, shown: str) -> Mask:
    """(rows,) whether this state says that no traffic can pass."""
    states = next((metric.states for metric in table.metrics if metric.shown == shown), ())
    return np.isin(values, [value for value, name in states if name in _NO_TRAFFIC])


def _no_rows(device: str) -> Table:
    """The table of a device that has not answered yet."""
    return Table(device, 0, (), (), np.zeros((0, 0), dtype=np.uint8))


def _line(one: DeviceColumns, spacing_s: Mapping[str, float], own: Sum) -> DeviceLine:
    status, frame = one.view.status, one.view.frame
    return DeviceLine(
        name=status.device,
        address=status.address,
        state=status.state.value,
        reason=status.reason,
        interfaces=len(one.table.rows),
        in_bps=own.in_bps,
        out_bps=own.out_bps,
        interval_s=round(spacing_s.get(status.device, status.interval_s), 2),
        cadence_s=frame.cadence_s if frame else None,
        reply_ms=round(frame.reply_s * 1000, 1) if frame and frame.reply_s is not None else None,
        age_s=None if one.age_s is None else round(one.age_s, 1),
        ports=_ports(one),
    )


def _ports(one: DeviceColumns) -> list[int]:
    busier = np.fmax(one.in_percent, one.out_percent)
    present = ~np.isnan(one.in_bps) | ~np.isnan(one.out_bps)
    codes = np.where(np.isnan(busier), 101, np.clip(np.nan_to_num(busier), 0, 100))
    codes = np.where(present, codes, -2)
    codes = np.where(one.down, -1, codes)
    found: list[int] = (np.where(one.silent, -2, codes)).astype(int).tolist()
    return found


def _totals(devices: list[DeviceColumns], lines: list[DeviceLine], all_rows: Sum, now_s: float) -> Totals:
    interfaces = sum(len(one.table.rows) for one in devices)
    states = [one.view.status.state for one in devices]
    replies = [line.reply_ms for line in lines if line.reply_ms is not None]
    ages = [line.age_s for line, state in zip(lines, states, strict=True) if line.age_s is not None and state not in _LOST]
    intervals = [line.interval_s for line, state in zip(lines, states, strict=True) if state not in _LOST]
    silent = sum(len(one.table.rows) for one in devices if one.silent)
    down = sum(int(one.down.sum()) for one in devices if not one.silent)
    lost = sum(state in _LOST for state in states)
    return Totals(
        time=now_s,
        in_bps=all_rows.in_bps,
        out_bps=all_rows.out_bps,
        interfaces=interfaces,
        counted=all_rows.counted,
        up=interfaces - silent - down,
        down=down,
        no_data=silent,
        attention=sum(1 if one.stale else int((one.rank > Rank.NORMAL).sum()) for one in devices),
        devices=len(devices),
        devices_up=sum(state is DeviceState.UP for state in states),
        devices_late=sum(state is DeviceState.LATE for state in states),
        devices_lost=lost,
        interval_s=optional(float(np.median(intervals))) if intervals else None,
        reply_p99_ms=round(float(np.percentile(replies, 99)), 1) if replies else None,
        oldest_sample_s=max(ages) if ages else None,
    )
