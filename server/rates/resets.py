"""Counters that began anew: which rows, and what the operator is told."""

from __future__ import annotations

import numpy as np

from server.core.model import Event, Mask, Reading, Severity, Table
from server.rates.cells import Memory

_MOST_EVENTS = 5  # more rows at once are one event


def stamps_changed(memory: Memory, reading: Reading, present: Mask) -> Mask | None:
    """(rows,) whose discontinuity stamp differs from the one before; None when none does. Takes note of the new stamps.

    Only a row of which some counter is `present` (counters, rows) was heard: the stamp of another means nothing.
    """
    stamp = reading.discontinuity
    if stamp is None:
        return None
    heard = present.any(axis=0)
    changed = heard & memory.stamped & (stamp != memory.stamp)
    memory.stamp = np.where(heard, stamp, memory.stamp)
    memory.stamped = memory.stamped | heard
    return changed if changed.any() else None


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
