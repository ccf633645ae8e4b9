"""`GET /api/v1/devices`, one device, its interfaces; and the process's own `healthz` and `readyz`."""

from __future__ import annotations

import asyncio
import math

import msgspec

from server.core.clock import wall_s
from server.core.model import Frame, Quality, Row, Table
from server.core.ports import DeviceView, InventoryReader
from server.sinks.inventory.inventory import Inventory
from server.web.handlers import ApiError, BaseHandler
from server.web.routes import Operation, Route

Number = float | None
LATE_INTERVALS = 2.5
_AT_ONCE = 200  # devices that are described in one turn of the loop


class Device(msgspec.Struct):
    """A device as it answers now. `cadence_s` is its own refresh period where that is slower than the polls. `engine_why`
    says why it is not polled as it would be by itself; empty: it is."""

    name: str
    address: str
    state: str
    reason: str
    since: float
    interfaces: int
    interval_s: float
    configured_interval_s: float
    cadence_s: Number
    reply_ms: Number
    last_sample: Number
    source: str
    engine: str
    engine_why: str
    note: str
    facts: dict[str, str]


class DeviceList(msgspec.Struct):
    devices: list[Device]


class Interface(msgspec.Struct):
    """An interface and its newest values; null is no sample, never zero. `quality` lists what to know of them. `cadence_s`
    is how often its counters are refreshed where that is slower than the polls."""

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
    in_bps: Number
    out_bps: Number
    rates: dict[str, Number]
    quality: list[str]
    cadence_s: Number
    time: Number


class InterfaceList(msgspec.Struct):
    device: str
    interfaces: list[Interface]


class Health(msgspec.Struct):
    status: str


class Readiness(msgspec.Struct):
    """`waiting` counts the devices that were not tried yet."""

    ready: bool
    devices: int
    waiting: int


def device_body(view: DeviceView) -> Device:
    """What the API says of a device."""
    status, frame = view.status, view.frame
    return Device(
        name=status.device,
        address=status.address,
        state=status.state.value,
        reason=status.reason,
        since=status.since_s,
        interfaces=len(view.table.rows) if view.table else 0,
        interval_s=status.interval_s,
        configured_interval_s=status.configured_interval_s or status.interval_s,
        cadence_s=frame.cadence_s if frame else None,
        reply_ms=round(frame.reply_s * 1000, 1) if frame and frame.reply_s is not None else None,
        last_sample=view.last_sample_s,
        source=status.source,
        engine=status.engine,
        engine_why=status.engine_why,
        note=view.table.note if view.table else "",
        facts=dict(view.table.facts if view.table else status.facts),
    )


def interface_bodies(view: DeviceView, now_s: float) -> list[Interface]:
    """What the API says of each interface of a device. Values older than 2.5 intervals are not given."""
    if view.table is None or view.frame is None:
        return []
    fresh = now_s - view.frame.wall_s <= LATE_INTERVALS * view.status.interval_s
    return [_interface(view, view.table, row, place, fresh) for place, row in enumerate(view.table.rows)]


def _interface(view: DeviceView, table: Table, row: Row, place: int, fresh: bool) -> Interface:
    states: dict[str, str | None] = {}
    rates: dict[str, Number] = {}
    for metric in table.metrics:
        value = float(view.newest[metric.shown][place]) if metric.shown in view.newest else math.nan
        if metric.states:
            states[metric.shown] = metric.state_name(value) if fresh else None
        else:
            rates[metric.shown] = value if fresh and not math.isnan(value) else None
    quality = Quality(int(view.quality[place])) if view.quality is not None else Quality.PLAIN
    return Interface(
        name=row.name,
        alias=row.alias,
        description=row.description,
        role=row.role,
        circuit=row.circuit,
        kind=row.kind,
        index=row.index,
        speed_bps=row.speed_bps,
        admin_status=states.get("admin_status"),
        oper_status=states.get("oper_status"),
        in_bps=rates.pop("in_bps", None),
        out_bps=rates.pop("out_bps", None),
        rates=rates,
        quality=[flag.name.lower() for flag in quality if flag.name],
        cadence_s=_cadence_s(view.frame, place) if view.frame else None,
        time=view.frame.wall_s if view.frame and fresh else None,
    )


def _cadence_s(frame: Frame, place: int) -> Number:
    """What this row's counters are refreshed in; that of its device where only that is known."""
    if frame.row_cadence_s is not None:
        own_s = float(frame.row_cadence_s[place])
        return None if math.isnan(own_s) else own_s
    return frame.cadence_s if frame.quality[place] & Quality.ESTIMATED else None


class _InventoryHandler(BaseHandler):
    def initialize(self, inventory: InventoryReader) -> None:
        self._inventory = inventory

    def _found(self, name: str) -> DeviceView:
        view = self._inventory.device(name)
        if view is None:
            raise ApiError(404, "unknown_device", f"No device is named {name}; GET /api/v1/devices lists them.")
        return view


class DevicesHandler(_InventoryHandler):
    async def get(self) -> None:
        views, bodies = self._inventory.devices(), list[Device]()
        for begin in range(0, len(views), _AT_ONCE):
            bodies += [device_body(view) for view in views[begin : begin + _AT_ONCE]]
            await asyncio.sleep(0)
        self.answer(DeviceList(bodies))


class DeviceHandler(_InventoryHandler):
    def get(self, device: str) -> None:
        self.answer(device_body(self._found(device)))


class InterfacesHandler(_InventoryHandler):
    def get(self, device: str) -> None:
        self.answer(InterfaceList(device, interface_bodies(self._found(device), wall_s())))


class InterfaceHandler(_InventoryHandler):
    def get(self, device: str, interface: str) -> None:
        for body in interface_bodies(self._found(device), wall_s()):
            if body.name == interface:
                return self.answer(body)
        raise ApiError(404, "unknown_interface", f"{device} has no interface named {interface}.")


class HealthHandler(BaseHandler):
    """The process lives and its loop turns."""

    def get(self) -> None:
        self.answer(Health("ok"))


class ReadyHandler(BaseHandler):
    """200 once every device has been tried once, else 503."""

    def initialize(self, inventory: Inventory) -> None:
        self._inventory = inventory

    def get(self) -> None:
        devices, waiting = len(self._inventory.devices()), self._inventory.waiting()
        self.set_status(503 if waiting else 200)
        self.answer(Readiness(waiting == 0, devices, waiting))


def routes(inventory: Inventory) -> list[Route]:
    """What this part serves."""
    needs = {"inventory": inventory}
    unknown = {404: "There is no such device."}
    return [
        Route("/api/v1/devices", DevicesHandler, needs, Operation("All devices and how they answer.", DeviceList)),
        Route("/api/v1/devices/{device}", DeviceHandler, needs, Operation("One device.", Device, unknown)),
        Route(
            "/api/v1/devices/{device}/interfaces",
            InterfacesHandler,
            needs,
            Operation("The interfaces of a device with their newest values.", InterfaceList, unknown),
        ),
        Route(
            "/api/v1/devices/{device}/interfaces/{interface}",
            InterfaceHandler,
            needs,
            Operation("One interface.", Interface, {404: "There is no such device or interface."}),
        ),
        Route("/healthz", HealthHandler, {}, Operation("The process lives.", Health)),
        Route(
            "/readyz",
            ReadyHandler,
            needs,
            Operation("Whether every device has been tried once.", Readiness, also={503: "Some were not tried yet."}),
        ),
    ]
