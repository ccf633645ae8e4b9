"""The messages of the WebSocket `/ws`, both ways. `static/js/wire.js` is generated from these.

Times are Unix seconds of the server. A number that is null is a missed sample: never zero, never the last value.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Number = float | None


class Subscribe(msgspec.Struct, tag="subscribe", forbid_unknown_fields=True):
    """Ask for a device's interfaces, for the summary of all devices, or for events.

    `id` is the browser's own number. `interfaces` is a list of names or "*". `metrics` narrows the columns. `history_s` is
    how much of the past the snapshot brings. `epoch` and `since_seq` resume after a reconnect. `burst_s` above 0 asks for
    these interfaces every so many seconds, in a stream of its own. `filter`, `sort`, `descending`, `offset` and `limit`
    choose the rows of a summary.
    """

    id: int
    device: str = ""
    interfaces: list[str] | Literal["*"] = "*"
    metrics: list[str] = msgspec.field(default_factory=lambda: ["in_bps", "out_bps"])
    history_s: float = 0.0
    epoch: str = ""
    since_seq: int = -1
    burst_s: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    summary: bool = False
    events: bool = False
    filter: Annotated[str, msgspec.Meta(max_length=200)] = ""
    show: str = "all"
    only_device: str = ""
    sort: str = "attention"
    descending: bool = True
    offset: int = 0
    limit: int = 100


class Unsubscribe(msgspec.Struct, tag="unsubscribe", forbid_unknown_fields=True):
    id: int


class InterfaceFacts(msgspec.Struct):
    """What a row is. `speed_bps` 0 is unknown; a status null is unknown.

    `cadence_s` is how often the device refreshes the counters of this row; null where they are as new as the polls.
    """

    name: str
    alias: str
    description: str
    role: str
    circuit: str
    kind: str
    index: int
    speed_bps: int
    admin_status: str | None
    oper_status: str | None
    ambiguous: bool = False
    cadence_s: Number = None


class Hello(msgspec.Struct, tag="hello"):
    protocol: int
    epoch: str
    server_time: float
    interval_s: float
    version: str


class Snapshot(msgspec.Struct, tag="snapshot"):
    """The past of a subscription. `values` is metrics x interfaces x times. `resumed`: only what came after `since_seq`.

    `not_due` lists for each metric the positions in `times` at which it was not asked for: a null there is no gap.
    """

    id: int
    seq: int
    device: str
    metrics: list[str]
    interfaces: list[InterfaceFacts]
    times: list[float]
    values: list[list[list[Number]]]
    not_due: list[list[int]]
    interval_s: float
    resumed: bool = False


class Samples(msgspec.Struct, tag="samples"):
    """One tick: `values` is metrics x interfaces in the order of the snapshot; `quality` a bit set per interface.

    A metric that was not due in this tick has an empty list. `rowsets.py` writes these, in the same order of fields.
    """

    id: int
    seq: int
    time: float
    span_s: float
    values: list[list[Number]]
    quality: list[int]


class TableChanged(msgspec.Struct, tag="table"):
    """The facts of the subscribed interfaces changed; same order as the snapshot. Rows that are gone keep their place."""

    id: int
    interfaces: list[InterfaceFacts]


class Resync(msgspec.Struct, tag="resync"):
    """`missed` frames were not sent because this browser read too slowly. They are not gaps."""

    id: int
    missed: int


class DeviceChanged(msgspec.Struct, tag="device"):
    """The state of a subscribed device. `last_sample` is when its newest sample came (null: none yet).

    `engine` is how it is polled, `engine_why` why not as it would be by itself (empty: it is).
    """

    id: int
    device: str
    address: str
    state: str
    reason: str
    since: float
    interval_s: float
    cadence_s: Number
    engine: str
    engine_why: str
    note: str
    facts: dict[str, str]
    last_sample: Number


class EventBody(msgspec.Struct):
    time: float
    kind: str
    severity: str
    device: str
    interface: str
    text: str
    author: str


class EventMessage(msgspec.Struct, tag="event"):
    id: int
    event: EventBody


class Totals(msgspec.Struct):
    """All devices together. `in_bps` and `out_bps` sum the `counted` interfaces whose newest sample is not late; null
    while one is late and not yet given up. `attention` counts the rows that the filter of that name shows."""

    time: float
    in_bps: Number
    out_bps: Number
    interfaces: int
    counted: int
    up: int
    down: int
    no_data: int
    attention: int
    devices: int
    devices_up: int
    devices_late: int
    devices_lost: int
    interval_s: Number
    reply_p99_ms: Number
    oldest_sample_s: Number


class DeviceLine(msgspec.Struct):
    """One device of the summary. `ports` is one small number per interface, for the port map: -2 no data, -1 down,
    else the utilisation in percent of the busier direction (0 to 100), 101 where the speed is unknown."""

    name: str
    address: str
    state: str
    reason: str
    interfaces: int
    in_bps: Number
    out_bps: Number
    interval_s: float
    cadence_s: Number
    reply_ms: Number
    age_s: Number
    ports: list[int]


class Attention(msgspec.Struct):
    """Why a row wants to be looked at. `level`: critical, warning, stale, down, or note."""

    level: str
    text: str


class SummaryRow(msgspec.Struct, omit_defaults=True):
    """One interface of the summary, or a whole device that does not answer (`whole_device`).

    `spark_in` and `spark_out` are 60 means of 5 s, oldest first, sent when the row is new to this subscription and each time
    a 5 s slot closes; absent otherwise.
    """

    device: str
    name: str
    alias: str
    role: str
    circuit: str
    speed_bps: int
    oper_status: str | None
    in_bps: Number
    out_bps: Number
    in_percent: Number
    out_percent: Number
    age_s: Number
    quality: int
    attention: Attention | None
    whole_device: bool = False
    spark_in: list[Number] | None = None
    spark_out: list[Number] | None = None


class Mover(msgspec.Struct):
    """A big change within 60 s in one direction (`in` or `out`)."""

    device: str
    name: str
    direction: str
    was_bps: float
    now_bps: float


class Trend(msgspec.Struct):
    """Totals of the past, oldest first."""

    times: list[float]
    in_bps: list[Number]
    out_bps: list[Number]


class Summary(msgspec.Struct, tag="summary"):
    """All devices, once a second. `matched` rows pass the filter; `rows` are those from `offset` on. `trend` comes once."""

    id: int
    totals: Totals
    devices: list[DeviceLine]
    rows: list[SummaryRow]
    offset: int
    matched: int
    movers: list[Mover]
    trend: Trend | None = None


class Heartbeat(msgspec.Struct, tag="heartbeat"):
    server_time: float


class Failure(msgspec.Struct, tag="error"):
    """What a browser's message did wrong. `id` is null where the message had none."""

    id: int | None
    code: str
    message: str


ClientMessage = Subscribe | Unsubscribe
ServerMessage = (
    Hello | Snapshot | Samples | TableChanged | Resync | DeviceChanged | EventMessage | Summary | Heartbeat | Failure
)
