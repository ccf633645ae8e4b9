"""Rows that are not shown yet, since nobody knows how they are refreshed: the zeros of one that stands would be lies."""

from __future__ import annotations

import numpy as np

from server.core.model import Mask
from server.rates.cadence import LEARN_MOST_S, LEARN_POLLS, LEARN_S, SLOW_POLLS_S
from server.rates.groups import is_plain, is_waiting
from server.rates.modes import Mode
from server.rates.tick import Tick
from server.rates.units import DOUBT, Device
from server.rates.watch import Watch

_IN_STEP = 4  # refreshes of its unit at which it grew


def settle_doubts(tick: Tick, watch: Watch) -> Mask | None:
    """(rows,) that are in doubt after this tick, None for none. A row is known when it grew at three polls in a row, when it
    is in step with a unit whose cadence is known, or when it has had time enough to show a pattern and shows none."""
    plan = tick.plan
    if not any(device.doubts for device in plan.devices):
        return None
    memory, spread = plan.arena.rows, plan.segments.spread
    since_s, grew, heard = memory.doubt_s[plan.rows].copy(), memory.grew[plan.rows], memory.heard[plan.rows]
    doubted, now_s = since_s > 0, spread(tick.when.middle_s)  # NaN, without an answer, compares as false
    begun = (since_s == DOUBT) | np.logical_or.reduce(watch.present & ~watch.usable, axis=0)
    np.copyto(since_s, now_s, where=doubted & begun & ~np.isnan(now_s))
    age_s, interval_s = now_s - since_s, spread(tick.readings.interval_s)
    slow = plan.groups.spread(np.array([unit.cadence.mode is Mode.CADENCE for unit in plan.units]))
    in_step = np.logical_or.reduce(plan.arena.cells.streak[watch.at] >= _IN_STEP, axis=0) | (grew == 0)
    doubted &= ~(is_plain(grew, heard) | (slow & in_step) | (interval_s > SLOW_POLLS_S))
    waited = doubted & (age_s >= np.maximum(LEARN_S, LEARN_POLLS * interval_s))
    for number in np.flatnonzero(plan.segments.any(waited)).tolist():
        rows, device = plan.rows_of(number), plan.devices[number]
        patient = waited[rows] & (age_s[rows] <= LEARN_MOST_S)
        waited[rows] &= ~is_waiting(grew[rows], patient, beside_cards=device.group is not None)
    doubted &= ~waited
    since_s[~doubted] = 0.0
    memory.doubt_s[plan.rows] = since_s
    _tell(plan.devices, plan.segments.any(doubted))
    return doubted


def _tell(devices: tuple[Device, ...], doubts: Mask) -> None:
    for device, some in zip(devices, doubts.tolist(), strict=True):
        device.doubts = some
