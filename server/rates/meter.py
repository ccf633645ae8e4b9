"""The meter of one device: Readings in, Frames out."""

from __future__ import annotations

import numpy as np

from server.core.model import Event, Frame, Mask, Reading, Table
from server.rates.cadence import Cadence, Mode
from server.rates.cells import Cells, Memory
from server.rates.estimate import estimate, is_answered, is_new_refresh, settle
from server.rates.layout import Layout
from server.rates.quality import judge
from server.rates.resets import leap_event, reset_events, restart_event, stamps_changed
from server.rates.tick import Tick, compare
from server.rates.timing import NEVER, DeviceClock, moments


class RateMeter:
    """Turns one device's Readings into Frames. One per device; all mutable state is here.

    A counter's value in a Frame is `Metric.scale` x its growth / the true time between; gauges and states pass through. A
    missed cell is NaN, and so is one that has nothing to be compared with. While a new device is watched for its refresh
    cadence (3 ticks, up to 15 s; to 90 s only while a slow pattern shows) the counters due at every tick are NaN with
    quality PLAIN: nothing is wrong with them, they are just not known to be true yet.

    A rediscovery makes a table with a greater version. Another table without one comes from a source that began anew, maybe
    with another box: nothing that was known of the device counts for it.
    """

    def __init__(self, device: str, next_seq: int = 0) -> None:
        self._device = device
        self._next_seq = next_seq
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._number = 0  # of Readings
        self._clock = DeviceClock()
        self._cadence = Cadence()
        self._memory: Memory | None = None
        self._layouts: dict[tuple[int, ...], Layout] = {}  # of the newest table
        self._fresh_ns = 0  # the first answer of the last fresh tick

    @property
    def next_seq(self) -> int:
        """The `seq` of the next Frame."""
        return self._next_seq

    def advance(self, reading: Reading) -> tuple[Frame, list[Event]]:
        """Take the device's next Reading. Returns its Frame, and what is to be told of resets."""
        memory = self._adopt(reading.table)
        layout = self._layout(reading)
        usual_ticks = memory.usual_ticks(layout.metric_numbers, self._number)
        self._number += 1
        when = moments(self._clock, reading)
        tick = compare(reading, layout, when, memory, usual_ticks=usual_ticks, cadence_s=self._cadence.period_s)
        reset, events = self._take_out_resets(tick, memory)
        if when.middle_s is not None:
            self._watch(tick, memory.cells, when.middle_s)
        self._remember(tick, memory.cells)
        return self._frame(tick, reset), events

    def _adopt(self, table: Table) -> Memory:
        memory = self._memory
        if memory is not None and memory.table is table:
            return memory
        if memory is None or table.version <= memory.table.version:
            self._begin_anew()
            memory = Memory.of(table)
        else:
            memory = memory.moved_to(table)
        self._memory = memory
        self._layouts.clear()
        return memory

    def _layout(self, reading: Reading) -> Layout:
        layout = self._layouts.get(reading.columns)
        if layout is None:
            layout = self._layouts[reading.columns] = Layout.of(reading.table, reading.columns)
        return layout

    def _take_out_resets(self, tick: Tick, memory: Memory) -> tuple[Mask | None, list[Event]]:
        """(rows,) that were reset, None for none, and the events. None of a reset row's older values is a base any more."""
        reading, when = tick.reading, tick.when
        memory.faster = tick.growth.faster
        reset = stamps_changed(memory, reading, tick.present)
        if tick.growth.reset is not None:
            fallen: Mask = np.logical_or.reduce(tick.growth.reset, axis=0)
            reset = fallen if reset is None else reset | fallen
        if when.restarted:
            reset = np.ones(len(reading.table.rows), dtype=np.bool_)
            if when.leap_s:
                events = [leap_event(self._device, reading.wall_s, when.leap_s)]
            else:
                events = [restart_event(self._device, reading.wall_s, when.up_s)]
            self._cadence.restart(when.first_ns / 1e9)
        elif reset is None or not reset.any():
            return None, []
        else:
            events = reset_events(self._device, reading.wall_s, reading.table, reset)
        tick.usable = tick.usable & ~reset
        tick.rate[:, reset] = np.nan
        memory.cells.known[:, reset] = False
        memory.faster = memory.faster & ~reset  # what it grew across a reset says nothing of its speed
        return reset, events

    def _watch(self, tick: Tick, cells: Cells, middle_s: float) -> None:
        """Follow the device's cadence; where it has one, replace the plain rates by estimates."""
        cadence, interval_s, at = self._cadence, tick.reading.interval_s, tick.layout.metrics
        grew = tick.fast_growth()
        if (tick.present & tick.fast).any() and not (tick.usable & tick.fast).any():
            cadence.restart(middle_s)  # an outage
        some_grew = bool(grew.any())
        fresh = some_grew and is_new_refresh(grew, tick, cells, cadence.refreshes, self._fresh_ns)
        if some_grew:
            cells.streak[at] += grew
        if fresh:
            self._fresh_ns = tick.when.first_ns
            since_s = float(cells.seen_ns[at][grew].max()) / 1e9
            cadence.poll(float(tick.times_ns[grew].min()) / 1e9, since_s, interval_s, cells.in_step)
        elif some_grew:
            cadence.late_part()
        elif is_answered(tick, cells):
            cadence.poll(middle_s, None, interval_s, cells.in_step)
        if tick.present.any():  # time without counters is no time to learn in
            cadence.end_learning(middle_s, interval_s, cells.in_step)
        if cadence.mode is Mode.CADENCE:
            estimate(tick, grew, cells, cadence, silence=cadence.silence(middle_s, interval_s), fresh=fresh)
        else:
            settle(tick, grew, cells, cadence, fresh)

    def _remember(self, tick: Tick, cells: Cells) -> None:
        at = tick.layout.metrics
        held = tick.rate if tick.held is None else tick.held
        if tick.growth.unsure is not None:
            tick.rate[tick.growth.unsure] = np.nan
            held[tick.growth.unsure] = np.nan
        now = tick.reading.values[tick.layout.counters]
        cells.value[at] = np.where(tick.advance, now, cells.value[at])
        cells.time_ns[at] = np.where(tick.advance, tick.times_ns, cells.time_ns[at])
        cells.seen_ns[at] = np.where(tick.present, tick.times_ns, cells.seen_ns[at])
        cells.rate[at] = np.where(tick.present, held, cells.rate[at])
        cells.known[at] |= tick.present

    def _frame(self, tick: Tick, reset: Mask | None) -> Frame:
        mode, reading = self._cadence.mode, tick.reading
        if mode is Mode.LEARNING:
            tick.rate = np.where(tick.fast, np.nan, tick.rate)
        shown = ~np.isnan(tick.rate)
        values = np.full(reading.values.shape, np.nan)
        values[tick.layout.counters] = tick.rate
        for position in tick.layout.others:
            came = reading.valid[position] & (tick.when.times_ns[position] != NEVER)
            values[position, came] = reading.values[position, came]
        in_cadence = mode is Mode.CADENCE
        frame = Frame(
            table=reading.table,
            seq=self._next_seq,
            wall_s=reading.wall_s,
            span_s=_span_s(tick, shown, reading.interval_s),
            columns=reading.columns,
            values=values,
            quality=judge(tick, shown, reset, in_cadence),
            interval_s=reading.interval_s,
            cadence_s=self._cadence.period_s if in_cadence else None,
            reply_s=tick.when.reply_s,
        )
        self._next_seq += 1
        return frame


def _span_s(tick: Tick, shown: Mask, interval_s: float) -> float:
    """What the fast rates were measured over: the median over their cells, or the interval when there is none."""
    spans_s = tick.span_s[shown if tick.all_fast else shown & tick.fast]
    return float(np.median(spans_s)) if spans_s.size else interval_s
