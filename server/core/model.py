"""The values that flow through Linewatch, packet to pixel.

Columns, never one Python object per row and tick: 48,000 interfaces a second must stay cheap. Nothing here knows SNMP, and
nothing assumes that a row is an interface.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntFlag, StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.uint64]
Mask = NDArray[np.bool_]


class MetricKind(StrEnum):
    """How a raw value turns into a shown one."""

    COUNTER = "counter"  # only rises, until it wraps or is reset; shown as a rate
    GAUGE = "gauge"  # shown as it is
    STATE = "state"  # a small number with a name


@dataclass(frozen=True, slots=True)
class Metric:
    """One column: the raw value that a source reads, and what the pages call it.

    `name` is the raw column (`in_octets`), `shown` the column of a Frame, unit included (`in_bps`). A counter is shown as
    `scale` x its growth per second. `line_bits` is the least number of bits on the line that one count stands for; 0 says
    that the row's speed puts no bound on this counter.
    """

    name: str
    shown: str
    kind: MetricKind
    scale: float = 1.0
    line_bits: int = 0
    states: tuple[tuple[int, str], ...] = ()

    def state_name(self, value: float) -> str | None:
        """The name of a state value, or None for a missing or unknown one."""
        return None if np.isnan(value) else dict(self.states).get(int(value))


@dataclass(frozen=True, slots=True)
class Row:
    """The facts of one row (an interface, say). Its identity is `name`; `index` may change at any reboot.

    `speed_bps` 0 is unknown. `role` (`core`, `peering`, `customer`, ...) and `circuit` come from an alias of the form
    `Role: Name [speed] (note) {circuit}`. `ambiguous` marks a row whose name another row of the device had too.
    """

    name: str
    index: int
    alias: str = ""
    description: str = ""
    kind: str = ""
    role: str = ""
    circuit: str = ""
    speed_bps: int = 0
    ambiguous: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """What a device's rows and columns are. Immutable: a rediscovery that finds something else makes a new version.

    Another table whose version is not greater than the one before is of another device under the same name.

    `counter_bits` is (metrics, rows): 64 or 32 for a counter, 0 where the row does not have that metric or it is no counter.
    """

    device: str
    version: int
    rows: tuple[Row, ...]
    metrics: tuple[Metric, ...]
    counter_bits: NDArray[np.uint8]
    facts: tuple[tuple[str, str], ...] = ()  # the device's own words: its system name, description, location
    note: str = ""  # what a reader should know of this table: "no ifXTable: 32-bit counters", "truncated at 4,096 rows"

    def index_of(self) -> dict[str, int]:
        """Row number by row name."""
        return {row.name: position for position, row in enumerate(self.rows)}

    def speeds_bps(self) -> Floats:
        """(rows,) stated line speed; NaN where unknown."""
        speeds = np.array([row.speed_bps for row in self.rows], dtype=np.float64)
        speeds[speeds <= 0] = np.nan
        return speeds


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """One answer of a device: the cells that it carried share one moment.

    `sent_ns` and `received_ns` are CLOCK_BOOTTIME. `device_ticks` is the device's own clock in 10 ms (sysUpTime) where the
    source has one. `columns` index the Reading's columns, `rows` (uint32) the table's rows: the chunk carries their product.
    """

    sent_ns: int
    received_ns: int
    device_ticks: int | None
    columns: tuple[int, ...]
    rows: NDArray[np.uint32]


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One device's raw values of one tick, exactly as the device gave them.

    `columns` names the metrics that were due, as positions in `table.metrics`; the others are absent. `values` and `valid`
    are (columns, rows); counters are unsigned, as on the wire. A cell that was due and did not come is not valid.
    `discontinuity` (rows,) is a stamp per row that changes when its counters were reset; None where not read.
    """

    table: Table
    chunks: tuple[Chunk, ...]
    wall_s: float  # Unix time, for display only
    columns: tuple[int, ...]
    values: Counts
    valid: Mask
    interval_s: float
    discontinuity: Counts | None = None


class Quality(IntFlag):
    """What a reader of one row's values should know. 0 is a plain sample."""

    PLAIN = 0
    LATE = 1  # measured over more than 1.5 intervals, because samples between were missed
    RESET = 2  # the counters began anew: no rate can be given
    INVALID = 4  # due and not answered, or answered with nonsense
    WRAPPED = 8  # a counter passed its end and went on from zero: the rate is right
    ESTIMATED = 16  # the device refreshes its counters more slowly than it is asked: mean over its last refresh period
    OVER_SPEED = 32  # above the stated line speed: stated speeds lie


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """What is published: the shown values of one device and tick.

    `seq` rises by one with each frame of a device. `columns` are positions in `table.metrics`; `values` is (columns, rows)
    float64 where NaN is "no sample". `quality` is (rows,) of `Quality` bits. `span_s` is what the rates were measured over.
    `cadence_s` is the device's own refresh period where it is slower than the polls, else None: the longest, where its line
    cards differ. `row_cadence_s` (rows,) is that of each row, NaN where its counters are as new as the poll; None where that
    holds of all rows. `reply_s` is how long the slowest answer took.
    """

    table: Table
    seq: int
    wall_s: float
    span_s: float
    columns: tuple[int, ...]
    values: Floats
    quality: NDArray[np.uint8]
    interval_s: float
    cadence_s: float | None = None
    reply_s: float | None = None
    row_cadence_s: Floats | None = None

    def column(self, shown: str) -> Floats | None:
        """(rows,) values of a shown metric, or None when it is not in this frame."""
        for position, metric in enumerate(self.columns):
            if self.table.metrics[metric].shown == shown:
                values: Floats = self.values[position]
                return values
        return None


class DeviceState(StrEnum):
    """How a device answers. The reason in words stands beside it."""

    STARTING = "starting"
    UP = "up"
    LATE = "late"
    DOWN = "down"
    AUTH_FAILED = "auth_failed"
    BAD_REPLIES = "bad_replies"


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """What a source knows of a device's health. Published on each change, never for each poll.

    `since_s` is Unix time of the last change of `state`; `engine` says how it is polled, and `engine_why` why it is not
    polled as it would be by itself (empty: it is). `interval_s` may be longer than `configured_interval_s`: for a device
    that struggles, or would need more requests than it may be sent.
    """

    device: str
    address: str
    source: str
    state: DeviceState
    reason: str
    interval_s: float
    since_s: float
    engine: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    engine_why: str = ""
    configured_interval_s: float = 0.0


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Event:
    """A change of state: of a device, of one of its rows, or of the program itself (`device` empty)."""

    wall_s: float
    kind: str
    text: str
    severity: Severity = Severity.INFO
    device: str = ""
    row: str = ""
    author: str = ""
    details: dict[str, Any] = field(default_factory=dict)
