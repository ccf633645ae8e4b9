"""Model to message: how rows, frames, windows and states look on the wire."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from server.core.model import Event, Floats, Frame, Quality, Table
from server.core.ports import DeviceView, Window
from server.sinks.live.messages import DeviceChanged, EventBody, InterfaceFacts, Number, Samples, Snapshot

_WITHOUT_SAMPLE = Quality.INVALID | Quality.RESET
_DECIMALS = 3  # of a bit or a packet per second; keeps JSON short


def numbers(values: Floats | NDArray[np.float32]) -> list[Number]:
    """Numbers for JSON: NaN stays NaN, which msgspec writes as null."""
    rounded: list[Number] = np.round(values.astype(np.float64), _DECIMALS).tolist()
    return rounded


def columns(values: Floats) -> list[list[Number]]:
    """The same of (columns, rows)."""
    rounded: list[list[Number]] = values.round(_DECIMALS).tolist()
    return rounded


def optional(value: float | None) -> Number:
    """NaN as None."""
    return None if value is None or math.isnan(value) else value


def state_name(view: DeviceView, table: Table, shown: str, row: int) -> str | None:
    """The newest state of a row in words; None where it is not known, or known of another version of the table only."""
    metric = next((metric for metric in table.metrics if metric.shown == shown), None)
    if metric is None or shown not in view.newest or view.table is not table:
        return None
    return metric.state_name(float(view.newest[shown][row]))


def cadences(frame: Frame, rows: NDArray[np.intp], last: Sequence[Number]) -> list[Number]:
    """How often the counters of these rows are refreshed, in seconds as shown; None where they are as new as the poll.

    Where only the device's cadence is known, a row that has no sample in this frame keeps its `last`.
    """
    if frame.row_cadence_s is not None:
        return [None if math.isnan(cadence_s) else round(cadence_s, 1) for cadence_s in frame.row_cadence_s[rows].tolist()]
    if frame.cadence_s is None:
        return [None] * len(rows)
    shown = round(frame.cadence_s, 1)
    quality = frame.quality[rows].tolist()
    return [
        shown if bits & Quality.ESTIMATED else before if bits & _WITHOUT_SAMPLE else None
        for bits, before in zip(quality, last, strict=True)
    ]


def facts(
    view: DeviceView, table: Table, rows: NDArray[np.intp], cadences_s: Sequence[Number] | None = None
) -> list[InterfaceFacts]:
    """The facts of these rows, with the newest known status, and the cadence of each where that is given."""
    found = []
    for number, place in enumerate(rows.tolist()):
        row = table.rows[place]
        found.append(
            InterfaceFacts(
                name=row.name,
                alias=row.alias,
                description=row.description,
                role=row.role,
                circuit=row.circuit,
                kind=row.kind,
                index=row.index,
                speed_bps=row.speed_bps,
                admin_status=state_name(view, table, "admin_status", place),
                oper_status=state_name(view, table, "oper_status", place),
                ambiguous=row.ambiguous,
                cadence_s=cadences_s[number] if cadences_s is not None else None,
            )
        )
    return found


def samples(identity: int, frame: Frame, shown: Sequence[str], rows: NDArray[np.intp]) -> Samples:
    """One frame's values of these rows (-1: a row that is gone, which has no sample)."""
    positions = {frame.table.metrics[column].shown: position for position, column in enumerate(frame.columns)}
    due = [positions.get(name) for name in shown]
    found = columns(_cells(frame.values, rows, np.nan))
    values = [[] if position is None else found[position] for position in due]
    quality = _cells(frame.quality, rows, 0).tolist()
    return Samples(identity, frame.seq, frame.wall_s, round(frame.span_s, 3), values, quality)


def _cells(cells: NDArray[Any], rows: NDArray[np.intp], missing: float) -> NDArray[Any]:
    """These rows of (..., rows), `missing` where the row is -1; there may be no row at all."""
    there = rows >= 0
    if there.all():
        return cells[..., rows]
    found = np.full((*cells.shape[:-1], len(rows)), missing, dtype=cells.dtype)
    found[..., there] = cells[..., rows[there]]
    return found


def snapshot(
    identity: int, frame: Frame, shown: Sequence[str], interfaces: list[InterfaceFacts], *, past: Window, resumed: bool
) -> Snapshot:
    """The past of a subscription, up to `frame`."""
    return Snapshot(
        id=identity,
        seq=frame.seq,
        device=frame.table.device,
        metrics=list(shown),
        interfaces=interfaces,
        times=past.times_s.tolist(),
        values=np.round(past.values.astype(np.float64), _DECIMALS).tolist(),
        not_due=[np.flatnonzero(~due).tolist() for due in past.due],
        interval_s=frame.interval_s,
        resumed=resumed,
    )


def device_changed(identity: int, view: DeviceView) -> DeviceChanged:
    """How a device answers now."""
    status = view.status
    return DeviceChanged(
        id=identity,
        device=status.device,
        address=status.address,
        state=status.state.value,
        reason=status.reason,
        since=status.since_s,
        interval_s=status.interval_s,
        cadence_s=view.frame.cadence_s if view.frame else None,
        engine=status.engine,
        engine_why=status.engine_why,
        note=view.table.note if view.table else "",
        facts=dict(view.table.facts if view.table else status.facts),
        last_sample=view.last_sample_s,
    )


def event_body(event: Event) -> EventBody:
    """An event as the pages show it."""
    return EventBody(event.wall_s, event.kind, event.severity.value, event.device, event.row, event.text, event.author)
