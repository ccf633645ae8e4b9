"""Counters that began anew: which rows, and what the operator is told."""

from __future__ import annotations

import numpy as np

from server.core.blocks import NO_STAMP
from server.core.model import Event, Mask, Severity, Table
from server.rates.tick import Tick

_MOST_EVENTS = 5  # more rows at once are one event


def take_out_resets(tick: Tick) -> tuple[Mask | None, list[Event]]:
    """(rows,) that were reset, None for none, and the events. None of a reset row's older values is a base any more."""
    plan, restarts = tick.plan, tick.when.restarts
    memory = plan.arena.rows
    reset = _stamps_changed(tick)
    if tick.growth.reset is not None:
        fallen: Mask = np.logical_or.reduce(tick.growth.reset, axis=0)
        reset = fallen if reset is None else reset | fallen
    if restarts and reset is None:
        reset = np.zeros(plan.rows_planned, dtype=np.bool_)
    if reset is None or not (restarts or reset.any()):
        memory.faster[plan.rows] = tick.growth.faster
        return None, []
    events = list[Event]()
    for device in sorted({*restarts, *np.flatnonzero(plan.segments.any(reset)).tolist()}):
        rows = plan.rows_of(device)
        events += _events(tick, device, reset[rows])
        if device in restarts:
            reset[rows] = True
            for unit in plan.devices[device].units:
                unit.cadence.restart(int(tick.when.first_ns[device]) / 1e9)
    tick.usable = tick.usable & ~reset
    tick.rate[:, reset] = np.nan
    numbers = np.arange(plan.rows.start, plan.rows.stop) if isinstance(plan.rows, slice) else plan.rows
    plan.arena.cells.known[:, numbers[reset]] = False
    memory.faster[plan.rows] = tick.growth.faster & ~reset  # what it grew across a reset says nothing of its speed
    return reset, events


def _stamps_changed(tick: Tick) -> Mask | None:
    """(rows,) whose discontinuity stamp differs from the one before; None when none does. Takes note of the new stamps.

    Only the stamp of a row of which some counter is present was heard, and only where it is one.
    """
    readings, plan = tick.readings, tick.plan
    if not readings.stamped.any():
        return None
    memory, rows, stamp = plan.arena.rows, plan.rows, readings.discontinuity
    heard = np.logical_or.reduce(tick.present, axis=0) & (stamp != NO_STAMP)
    if not readings.stamped.all():
        heard &= plan.segments.spread(readings.stamped)
    before, stamped = memory.stamp[rows], memory.stamped[rows]
    changed: Mask = heard & stamped & (stamp != before)
    if changed.any() or not stamped.all():
        memory.stamp[rows] = np.where(heard, stamp, before)
        memory.stamped[rows] = stamped | heard
    return changed if changed.any() else None


def _events(tick: Tick, device: int, reset: Mask) -> list[Event]:
    table, wall_s = tick.plan.devices[device].table, float(tick.readings.wall_s[device])
    restart = tick.when.restarts.get(device)
    if restart is None:
        return reset_events(table.device, wall_s, table, reset)
    if restart.leap_s:
        return [leap_event(table.device, wall_s, restart.leap_s)]
    return [restart_event(table.device, wall_s, restart.up_s)]


def restart_event(device: str, wall_s: float, up_s: float) -> Event:
    """The device restarted."""
    text = f"restarted; it has been up for {_duration(up_s)}"
    return Event(wall_s, "restarted", text, Severity.WARNING, device, details={"up_s": up_s})


def leap_event(device: str, wall_s: float, leap_s: float) -> Event:
    """The device's clock went ahead of the time that passed: its counters are others than before."""
    text = f"its clock jumped ahead by {_duration(leap_s)}: another device or engine seems to answer at this address"
    return Event(wall_s, "clock_jumped", text, Severity.WARNING, device, details={"leap_s": leap_s})


def reset_events(device: str, wall_s: float, table: Table, rows: Mask) -> list[Event]:
    """Rows (rows,) of the device began to count anew: an event each, or one for all when they are many."""
    numbers = np.flatnonzero(rows).tolist()
    if len(numbers) > _MOST_EVENTS:
        text = f"the counters of {len(numbers)} rows began anew"
        return [Event(wall_s, "counters_reset", text, device=device, details={"rows": len(numbers)})]
    names = [table.rows[number].name for number in numbers]
    return [Event(wall_s, "counters_reset", "the counters began anew", device=device, row=name) for name in names]


def _duration(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3_600, "hours"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
