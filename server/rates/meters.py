"""The meters of all devices: blocks of Readings in, blocks of Frames out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from server.core.blocks import Frames, Readings
from server.core.log import logger
from server.core.model import Event, Floats, Mask
from server.rates.cards import look, needs_look, put_out
from server.rates.doubts import settle_doubts
from server.rates.estimate import estimate
from server.rates.modes import Mode
from server.rates.part import Unfit, check, part
from server.rates.places import Places, Plan, Scattered
from server.rates.quality import judge
from server.rates.resets import take_out_resets
from server.rates.tick import Tick, compare
from server.rates.timing import NEVER, moments
from server.rates.units import LOOK_TICKS
from server.rates.watch import Watch

_log = logger("rates")
_EAGER_TICKS = 4  # between looks for line cards where rows are in doubt


class Meters:
    """Turns the Readings of devices into Frames. Of each device it remembers what its next ones are compared with.

    A counter's value in a Frame is `Metric.scale` x its growth / the true time between; gauges and states pass through. A
    missed cell is NaN, and so is one that has nothing to be compared with. While a row of a new device is watched for the
    cadence of its refreshes (3 ticks, up to 15 s; to 90 s only while a slow pattern shows) its counters due at every tick
    are NaN with quality PLAIN: nothing is wrong with them, they are just not known to be true yet.

    A rediscovery makes a table with a greater version. Another table without one comes from a source that began anew, maybe
    with another box: nothing that was known of the device counts for it. A device's bursts are a stream of their own.
    """

    def __init__(self) -> None:
        self._places = Places()
        self._failing: set[str] = set()  # devices of which this was logged
        self._has_parted = False  # a block went device by device, and that was logged

    def advance(self, readings: Readings) -> tuple[list[Frames], list[Event]]:
        """Take the next tick of some devices. Returns their Frames, and what is to be told of resets.

        A device whose values cannot be turned into rates costs its own tick only: it is left out, and begins anew.
        """
        try:
            check(readings)
        except Unfit as error:
            return self._fail_all(readings, error)
        if suspects := self._suspects(readings):
            return self._in_parts(readings, suspects)
        try:
            plan = self._places.plan(readings)
        except Scattered as error:
            return self._in_parts(readings, error.groups)
        except Exception as error:
            if len(readings) == 1:
                return self._fail_all(readings, error)
            self._tell_of_block(error)
            return self._in_parts(readings, [[device] for device in range(len(readings))])
        try:
            frames, events, failed = self._measure(readings, plan)
        except Exception as error:
            return self._fail_all(readings, error)
        if self._failing:
            self._failing -= {table.device for device, table in enumerate(readings.tables) if device not in failed}
        for device, why in failed.items():
            self._fail(readings, device, why)
        if failed:
            kept = [frame for device, frame in enumerate(frames) if device not in failed]
            return [Frames.of(kept, burst=readings.burst)] if kept else [], events
        return [frames], events

    def forget(self, device: str) -> None:
        """The device is gone. Should it come back, its Frames go on with a `seq` that was never used."""
        for burst in (False, True):
            self._places.forget(device, burst)

    def _suspects(self, readings: Readings) -> list[list[int]]:
        """How to part a block that holds devices whose last tick failed, which may fail again: each of them alone."""
        if not self._failing or len(readings) == 1:
            return []
        failing = [device for device, table in enumerate(readings.tables) if table.device in self._failing]
        rest = [device for device in range(len(readings)) if device not in failing]
        return [[device] for device in failing] + [rest] * bool(rest) if failing else []

    def _in_parts(self, readings: Readings, groups: list[list[int]]) -> tuple[list[Frames], list[Event]]:
        found = [self.advance(part(readings, group)) for group in groups]
        return [frames for some, _ in found for frames in some], [event for _, events in found for event in events]

    def _tell_of_block(self, error: Exception) -> None:
        if not self._has_parted:
            self._has_parted = True
            _log.error("a block of devices makes no sense as one; such go device by device from now on", exc_info=error)

    def _fail_all(self, readings: Readings, error: Exception) -> tuple[list[Frames], list[Event]]:
        for device in range(len(readings)):
            self._fail(readings, device, error)
        return [], []

    def _fail(self, readings: Readings, device: int, error: Exception) -> None:
        name = readings.tables[device].device
        if name not in self._failing:
            self._failing.add(name)
            _log.error("no rates from a reading of %s; it starts anew with the next", name, exc_info=error)
        self._places.forget(name, readings.burst)

    def _measure(self, readings: Readings, plan: Plan) -> tuple[Frames, list[Event], dict[int, Exception]]:
        arena = plan.arena
        usual_ticks = arena.dues.usual_ticks(plan.due_at, arena.number[plan.slots])
        arena.number[plan.slots] += 1
        when = moments(plan.clocks, readings, plan.answers(readings.chunks.device))
        tick = compare(readings, plan, when, usual_ticks)
        reset, events = take_out_resets(tick)
        watch = Watch.of(tick)
        failed = watch.follow(tick)
        estimated = estimate(tick, watch)
        _remember(tick)
        doubted = settle_doubts(tick, watch)
        frames = _frames(tick, reset, estimated, doubted)
        self._look(tick, watch.strays, eager=doubted is not None, failed=failed)
        return frames, events, failed

    def _look(self, tick: Tick, strays: Mask | None, *, eager: bool, failed: dict[int, Exception]) -> None:
        """Part devices where line cards show, or rows turn out to be of another than was thought."""
        plan = tick.plan
        ticks = plan.arena.number[plan.slots] + plan.looks
        due = ticks % LOOK_TICKS == 0
        if eager:
            due |= np.array([device.doubts for device in plan.devices]) & (ticks % _EAGER_TICKS == 0)
        if plan.owners is not None:
            due |= np.array([device.has_lapsed for device in plan.devices])
        if strays is not None:
            due |= plan.segments.any(strays)
        for number in np.flatnonzero(due).tolist():
            device, own = plan.devices[number], plan.rows_of(number)
            try:
                if strays is not None and strays[own].any():
                    self._places.part(device, *put_out(device, strays[own]))
                elif needs_look(device) and (parts := look(device, tick.readings.interval_s.item(number))) is not None:
                    self._places.part(device, *parts)
            except Exception as error:
                failed[number] = error


def _remember(tick: Tick) -> None:
    plan, cells = tick.plan, tick.plan.arena.cells
    held = tick.rate if tick.held is None else tick.held
    if tick.growth.unsure is not None:
        tick.rate[tick.growth.unsure] = np.nan
        held[tick.growth.unsure] = np.nan
    now = tick.readings.values[plan.layout.counters]
    _put(cells.value, plan, now, tick.advance)
    _put(cells.time_ns, plan, tick.times_ns, tick.advance)
    _put(cells.seen_ns, plan, tick.times_ns, tick.present)
    _put(cells.rate, plan, held, tick.present)
    cells.known[plan.at] |= tick.present


def _put(kept: NDArray[np.generic], plan: Plan, new: NDArray[np.generic], where: Mask) -> None:
    kept[plan.at] = new if where.all() else np.where(where, new, kept[plan.at])


def _frames(tick: Tick, reset: Mask | None, estimated: Mask | None, doubted: Mask | None) -> Frames:
    readings, plan, times_ns = tick.readings, tick.plan, tick.when.times_ns
    modes = [unit.cadence.mode for unit in plan.units]
    if doubted is not None or Mode.LEARNING in modes:
        hidden = plan.groups.spread(np.array([mode is Mode.LEARNING for mode in modes]))
        if doubted is not None:
            hidden |= doubted
        tick.rate[np.broadcast_to(tick.fast & hidden, tick.rate.shape)] = np.nan
    shown = ~np.isnan(tick.rate)
    values = tick.rate
    if plan.layout.others:
        values = np.full(readings.values.shape, np.nan)
        values[plan.layout.counters] = tick.rate
    for position in plan.layout.others:
        came = readings.valid[position] & (times_ns[position] != NEVER)
        values[position, came] = readings.values[position, came]
    seqs = np.array([device.next_seq for device in plan.devices], dtype=np.int64)
    for device in plan.devices:
        device.next_seq += 1
    periods_s = np.full(len(modes), np.nan)
    if Mode.CADENCE in modes:
        cadences = [unit.cadence for unit in plan.units]
        periods_s[:] = [cadence.period_s if cadence.mode is Mode.CADENCE else np.nan for cadence in cadences]
    return Frames(
        tables=readings.tables,
        starts=plan.segments.starts,
        columns=readings.columns,
        seqs=seqs,
        wall_s=readings.wall_s,
        span_s=_spans_s(tick, shown),
        interval_s=readings.interval_s,
        cadence_s=periods_s if plan.owners is None else _longest_s(periods_s, plan.owners, len(readings)),
        row_cadence_s=None if plan.owners is None else plan.groups.spread(periods_s),
        reply_s=tick.when.reply_s,
        values=values,
        quality=judge(tick, shown, reset, estimated),
        burst=readings.burst,
    )


def _spans_s(tick: Tick, shown: Mask) -> Floats:
    """What the fast rates were measured over: the median over a device's cells, or the interval when there is none."""
    spans_s = tick.plan.segments.median(tick.span_s, shown & tick.fast)
    return np.where(np.isnan(spans_s), tick.readings.interval_s, spans_s)


def _longest_s(periods_s: Floats, owners: NDArray[np.intp], devices: int) -> Floats:
    """(devices,) the longest period of each device's units."""
    longest_s = np.full(devices, np.nan)
    np.fmax.at(longest_s, owners, periods_s)
    return longest_s
