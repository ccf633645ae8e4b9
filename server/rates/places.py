"""Who is who: where the memory of each device is, and what stays the same for a block of the same devices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from server.core.blocks import Readings
from server.core.model import Metric, Table
from server.rates.arena import Arena
from server.rates.cadence import Cadence
from server.rates.cells import Memory
from server.rates.layout import Layout, Selector, cross, selector
from server.rates.segments import Groups, Segments
from server.rates.timing import DeviceClock
from server.rates.units import Device, Unit

_Key = tuple[tuple[Table, ...], tuple[int, ...]]
_ROWS_OF_PLANS = 4  # times the rows that there are: so many plans are kept


@dataclass(slots=True, eq=False)
class Plan:
    """What stays the same for all blocks of these tables with these columns, and what mostly does.

    `rows` and `slots` are the devices' in the arena, `at` indexes counters x rows there, and `due_at` counters x slots.
    `segments` are the devices' rows in the block, `groups` those of the `units`, which have the `unit_slots`. `owners`
    (units,) are the units' devices; None where each device is one unit. `looks` (devices,) as in `Device`.
    """

    devices: tuple[Device, ...]
    parts: tuple[tuple[Unit, ...], ...]
    units: tuple[Unit, ...]
    owners: NDArray[np.intp] | None
    arena: Arena
    segments: Segments
    groups: Segments
    unit_slots: Selector
    looks: NDArray[np.int64]
    layout: Layout
    rows: Selector
    slots: Selector
    at: tuple[Selector, Selector]
    due_at: tuple[Selector, Selector]
    clocks: list[DeviceClock]
    _asked: bytes = b""
    _answers: Segments | None = None

    def answers(self, device: NDArray[np.intp]) -> Segments:
        """The answers of each device, which are (chunks,) of these devices."""
        asked = device.tobytes()
        if self._answers is None or self._asked != asked:
            self._answers = Segments(np.searchsorted(device, np.arange(len(self.devices) + 1)))
            self._asked = asked
        return self._answers

    def of_units(self, of_devices: NDArray[Any]) -> NDArray[Any]:
        """(units,): what is said of their devices, (devices,)."""
        return of_devices if self.owners is None else of_devices[self.owners]

    @property
    def rows_planned(self) -> int:
        """Of all its devices."""
        return int(self.segments.starts[-1])

    def rows_of(self, device: int) -> slice:
        """A device's rows in the block."""
        starts = self.segments.starts
        return slice(int(starts[device]), int(starts[device + 1]))


class Scattered(ValueError):
    """The devices of a block are in several arenas. `groups` are the positions of those that are together."""

    def __init__(self, arenas: Sequence[Arena]) -> None:
        super().__init__("the devices of this block are in several arenas")
        together: dict[int, list[int]] = {}
        for position, arena in enumerate(arenas):
            together.setdefault(id(arena), []).append(position)
        self.groups = list(together.values())


class Places:
    """All devices, each with a place in an arena. A device's bursts are a stream of their own, and so a device here."""

    def __init__(self) -> None:
        self._devices: dict[tuple[str, bool], Device] = {}
        self._of_table: dict[Table, Device] = {}  # the newest of each device
        self._next_seqs: dict[tuple[str, bool], int] = {}  # of devices that are gone: a seq is never used twice
        self._arenas: dict[tuple[Metric, ...], list[Arena]] = {}
        self._rows = 0
        self._plans: dict[_Key, tuple[int, Plan]] = {}  # with the version it held at; the one used longest ago first
        self._planned_rows = 0
        self._version = 0  # rises when any device changes its place

    def plan(self, readings: Readings) -> Plan:
        """The plan of this block; its devices' places are made or renewed where their tables are new.

        Raises Scattered where these devices have no plan together, and ValueError or IndexError where the tables or
        columns make no sense, or a device stands there twice.
        """
        key = readings.tables, readings.columns
        found = self._plans.pop(key, None)
        if found is not None:
            version, plan = found
            if version == self._version or self._holds(plan, readings.tables):
                self._plans[key] = self._version, plan
                return plan
            self._planned_rows -= plan.rows_planned
        if len({table.device for table in readings.tables}) < len(readings):
            raise ValueError("a block has each device once")
        room = self._room(readings)
        devices = tuple(self._of_table.get(table) or self._adopt(table, readings.burst, room) for table in readings.tables)
        plan = self._make(devices, readings.columns)
        self._plans[key] = self._version, plan
        self._planned_rows += plan.rows_planned
        while self._planned_rows > _ROWS_OF_PLANS * self._rows and len(self._plans) > 1:
            _, oldest = self._plans.pop(next(iter(self._plans)))
            self._planned_rows -= oldest.rows_planned
        return plan

    def _room(self, readings: Readings) -> Arena:
        """An arena in which all devices of a block that are new find room, so that they are together."""
        known, burst = self._devices, readings.burst
        if any(table.metrics != readings.tables[0].metrics for table in readings.tables):
            raise ValueError("the devices of a block have the same metrics")
        rows = sum(len(table.rows) for table in readings.tables if (table.device, burst) not in known)
        arenas = self._arenas.setdefault(readings.tables[0].metrics, [])
        arena = next((arena for arena in arenas if arena.has_room(rows)), None)
        if arena is None:
            arenas.append(arena := Arena(len(readings.tables[0].metrics)))
        return arena

    def _holds(self, plan: Plan, tables: tuple[Table, ...]) -> bool:
        there = zip(tables, plan.devices, plan.parts, strict=True)
        return all(self._of_table.get(table) is device and device.units is part for table, device, part in there)

    def part(self, device: Device, group: NDArray[np.intp], cadences: Sequence[Cadence]) -> None:
        """Part a device into other units; as `Device.part`."""
        device.part(group, cadences)
        self._version += 1

    def forget(self, name: str, burst: bool) -> None:
        """The device is gone, or begins anew with its next tick."""
        device = self._devices.pop((name, burst), None)
        if device is not None:
            self._next_seqs[name, burst] = device.next_seq + 1
            self._leave(device)

    def _leave(self, device: Device) -> None:
        device.arena.drop(device.table, device.begin, device.slots)
        del self._of_table[device.table]
        self._rows -= len(device.table.rows)
        self._version += 1

    def _adopt(self, table: Table, burst: bool, room: Arena) -> Device:
        """A table that was not seen before: of a new device, or the new one of a known device, which stays where it is."""
        if table.counter_bits.shape != (len(table.metrics), len(table.rows)):
            raise ValueError("counter_bits is (metrics, rows)")
        old = self._devices.get((table.device, burst))
        arena = room if old is None or old.table.metrics != table.metrics else old.arena
        if old is None:
            next_seq = self._next_seqs.pop((table.device, burst), 0)
            device = Device.new(table, arena, arena.add(Memory.of(table)), next_seq)
        elif table.version <= old.table.version:
            self._leave(old)
            device = Device.new(table, arena, arena.add(Memory.of(table)), old.next_seq)
        else:
            memory = old.arena.memory(old.table, old.begin, old.slot).moved_to(table)
            number, fresh_ns = int(old.arena.number[old.slot]), old.arena.fresh_ns[old.slots].tolist()
            self._leave(old)
            device = old.moved_to(table, arena, arena.add(memory, number), fresh_ns)
        self._devices[table.device, burst] = self._of_table[table] = device
        self._rows += len(table.rows)
        self._version += 1
        return device

    def _make(self, devices: tuple[Device, ...], columns: tuple[int, ...]) -> Plan:
        arena, metrics = devices[0].arena, devices[0].table.metrics
        if any(device.arena is not arena for device in devices):
            raise Scattered([device.arena for device in devices])
        segments = Segments(np.cumsum([0, *(len(device.table.rows) for device in devices)], dtype=np.intp))
        begins = np.array([device.begin for device in devices], dtype=np.intp)
        rows = selector(segments.spread(begins - segments.starts[:-1]) + np.arange(segments.starts[-1]))
        slots = selector(np.array([device.slot for device in devices], dtype=np.intp))
        bits: NDArray[np.uint8] = np.concatenate([device.table.counter_bits for device in devices], axis=1)
        layout = Layout.of(metrics, columns, bits, np.concatenate([device.speeds_bps for device in devices]))
        units = tuple(unit for device in devices for unit in device.units)
        owners, groups = None, segments
        if len(units) > len(devices):
            counts = np.array([len(device.units) for device in devices])
            owners, first = np.repeat(np.arange(len(devices)), counts), np.cumsum(counts) - counts
            of = np.concatenate([device.groups() for device in devices]) + segments.spread(first)
            groups = Groups(of, len(units))
        return Plan(
            devices=devices,
            parts=tuple(device.units for device in devices),
            units=units,
            owners=owners,
            arena=arena,
            segments=segments,
            groups=groups,
            unit_slots=selector(np.array([unit.slot for unit in units], dtype=np.intp)),
            looks=np.array([device.look for device in devices], dtype=np.int64),
            layout=layout,
            rows=rows,
            slots=slots,
            at=cross(layout.metrics, rows),
            due_at=cross(layout.metrics, slots),
            clocks=[device.clock for device in devices],
        )
