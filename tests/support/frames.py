"""Builders of what flows through the hub, with defaults that a test may leave out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from server.core.blocks import Frames
from server.core.model import DeviceState, DeviceStatus, Event, Frame, Metric, MetricKind, Row, Severity, Table

OPER = ((1, "up"), (2, "down"), (3, "testing"), (4, "unknown"), (5, "dormant"), (6, "notPresent"), (7, "lowerLayerDown"))
METRICS: tuple[Metric, ...] = (
    Metric("in_octets", "in_bps", MetricKind.COUNTER, scale=8.0, line_bits=8),
    Metric("out_octets", "out_bps", MetricKind.COUNTER, scale=8.0, line_bits=8),
    Metric("oper_status", "oper_status", MetricKind.STATE, states=OPER),
    Metric("admin_status", "admin_status", MetricKind.STATE, states=OPER[:3]),
    Metric("in_errors", "in_errors_per_s", MetricKind.COUNTER),
    Metric("out_errors", "out_errors_per_s", MetricKind.COUNTER),
)
UP, DOWN = 1.0, 2.0
START_S = 1_795_201_230.0  # Unix time of the frame with seq 0

Cells = float | Sequence[float | None]


def table(
    *names: str,
    device: str = "r1",
    version: int = 1,
    speed_bps: int | Sequence[int] = 10**10,
    facts: Mapping[str, Mapping[str, Any]] | None = None,
    first_index: int = 1,
    metrics: tuple[Metric, ...] = METRICS,
    note: str = "",
    system: tuple[tuple[str, str], ...] = (),
) -> Table:
    """Rows by names. `facts` holds more `Row` fields by row name: `{"xe-0": {"alias": "Core: fra2"}}`."""
    speeds = [speed_bps] * len(names) if isinstance(speed_bps, int) else speed_bps
    rows = tuple(
        Row(**{"name": name, "index": first_index + place, "speed_bps": speeds[place], **(facts or {}).get(name, {})})
        for place, name in enumerate(names)
    )
    bits = np.array([[0 if metric.states else 64] * len(rows) for metric in metrics], dtype=np.uint8)
    return Table(device, version, rows, metrics, bits.reshape(len(metrics), len(rows)), system, note)


def frame(
    of: Table,
    seq: int = 0,
    *,
    wall_s: float | None = None,
    span_s: float | None = None,
    interval_s: float = 1.0,
    cadence_s: float | None = None,
    reply_s: float | None = 0.01,
    quality: int | Sequence[int] = 0,
    **shown: Cells,
) -> Frame:
    """One tick: the metrics that are given were due, one number for all rows or a list (None: no sample).

    Without any, in and out are due and every cell is another number: see `traffic`. The wall clock follows `seq`.
    """
    given = shown or {"in_bps": traffic(of, seq), "out_bps": traffic(of, seq, 0.5)}
    places = {metric.shown: place for place, metric in enumerate(of.metrics)}
    rows = len(of.rows)
    values = np.full((len(given), rows), np.nan)
    for column, cells in enumerate(given.values()):
        values[column] = cells if isinstance(cells, int | float) else [np.nan if cell is None else cell for cell in cells]
    return Frame(
        table=of,
        seq=seq,
        wall_s=START_S + seq * interval_s if wall_s is None else wall_s,
        span_s=interval_s if span_s is None else span_s,
        columns=tuple(places[name] for name in given),
        values=values,
        quality=np.full(rows, quality, dtype=np.uint8) if isinstance(quality, int) else np.array(quality, dtype=np.uint8),
        interval_s=interval_s,
        cadence_s=cadence_s,
        reply_s=reply_s,
    )


def block(*args: Any, **more: Any) -> Frames:
    """A block of one device; takes what `frame` does."""
    return Frames.of([frame(*args, **more)])


def blocked(item: Any) -> Any:
    """An item as the hub has it: a frame is a block of one device."""
    return Frames.of([item]) if isinstance(item, Frame) else item


def traffic(of: Table, seq: int, share: float = 1.0) -> list[float]:
    """A number of bit/s for each row that tells its row and seq."""
    return [share * (1000.0 * seq + place) for place in range(len(of.rows))]


def status(
    device: str = "r1",
    state: DeviceState = DeviceState.UP,
    reason: str = "answers",
    *,
    address: str = "192.0.2.1:161",
    interval_s: float = 1.0,
    since_s: float = START_S,
    **more: Any,
) -> DeviceStatus:
    return DeviceStatus(device, address, "snmp", state, reason, interval_s, since_s, **more)


def event(
    text: str = "xe-0 went down", *, device: str = "r1", row: str = "", severity: Severity = Severity.WARNING
) -> Event:
    return Event(START_S, "oper_status", text, severity, device, row)
