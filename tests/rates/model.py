"""A slow, exact model of the rates of a device that refreshes its counters at every poll: one cell at a time, Fractions.

It says the rules again in other words, so that the fast code can be compared with it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from server.core.model import Chunk, Metric, Quality, Reading

TICK_NS = 10_000_000
RESET = (None, Quality.RESET)


@dataclass
class Clock:
    """The device's clock, as an offset range in exact ns."""

    low: Fraction | None = None
    high: Fraction = Fraction(0)
    sent: int = 0
    received: int = 0
    raw: int = 0
    total: int = 0
    moved: int = 0
    leapt: bool = False

    def place(self, chunk: Chunk) -> tuple[Fraction, bool]:
        raw = chunk.device_ticks
        if raw is None:
            return Fraction(chunk.sent_ns + chunk.received_ns, 2), False
        restarted = False
        if self.low is None:
            self.total, self.moved = raw, chunk.sent_ns
        else:
            shortest, longest = chunk.sent_ns - self.received, chunk.received_ns - self.sent
            middle = (shortest + longest) / 2 / TICK_NS
            wraps: int = round((self.raw + middle - raw) / 2**32)
            step = raw + wraps * 2**32 - self.raw
            elapsed = step * TICK_NS
            if elapsed < shortest - 30 * 10**9 or elapsed < min(0, shortest) - 2 * TICK_NS:
                restarted = raw != self.raw
            elif elapsed > max(longest, chunk.received_ns - self.moved) + 30 * 10**9:
                restarted = True
            if restarted:
                forward = (raw - self.raw) * TICK_NS
                self.leapt = forward > max(longest, chunk.received_ns - self.moved) + 30 * 10**9
            if raw != self.raw:
                self.moved = chunk.sent_ns
            self.total = raw if restarted else self.total + step
        device = self.total * TICK_NS
        low, high = Fraction(chunk.sent_ns - device - TICK_NS), Fraction(chunk.received_ns - device)
        if self.low is not None and not restarted:
            age = Fraction(max(0, chunk.sent_ns - self.sent), 10_000)
            if max(low, self.low - age) <= min(high, self.high + age):
                low, high = max(low, self.low - age), min(high, self.high + age)
        self.low, self.high = low, high
        self.sent, self.received, self.raw = chunk.sent_ns, chunk.received_ns, raw
        first, last = max(chunk.sent_ns, device + low), min(chunk.received_ns, device + high + TICK_NS)
        return (first + last) / 2, restarted


@dataclass
class Base:
    """The value that the next one is compared with."""

    value: int
    at: Fraction
    shown_bps: Fraction | None = None


@dataclass
class Outcome:
    """What a Frame should say."""

    values: dict[tuple[int, int], Fraction | None] = field(default_factory=dict)
    quality: dict[int, Quality] = field(default_factory=dict)
    reset_rows: set[str] = field(default_factory=set)
    restarted: bool = False
    leapt: bool = False


class Model:
    """The rules, cell by cell. Bases are kept by names, so renumbering is a matter of forgetting."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.bases: dict[tuple[str, str], Base] = {}
        self.facts: dict[str, int] = {}
        self.bits: dict[tuple[str, str], int] = {}
        self.stamps: dict[str, int] = {}
        self.faster: set[str] = set()

    def advance(self, reading: Reading) -> Outcome:
        """What is to be shown of this Reading."""
        outcome = Outcome()
        self._forget(reading)
        when, outcome.restarted = self._place(reading)
        outcome.leapt = outcome.restarted and self.clock.leapt
        table = reading.table
        for number, row in enumerate(table.rows):
            outcome.quality[number] = self._row(reading, outcome, number, row.name, when)
        return outcome

    def _forget(self, reading: Reading) -> None:
        """Rows that are gone or have another index, and cells of other bits, have no past."""
        now = {row.name: row.index for row in reading.table.rows}
        for name in list(self.stamps):
            if now.get(name) != self.facts.get(name):
                del self.stamps[name]
        for name, metric in list(self.bases):
            if now.get(name) != self.facts.get(name):
                del self.bases[name, metric]
        self.faster = {name for name in self.faster if now.get(name) == self.facts.get(name)}
        self.facts = now
        for position, metric_facts in enumerate(reading.table.metrics):
            for number, row in enumerate(reading.table.rows):
                key, bits = (row.name, metric_facts.name), int(reading.table.counter_bits[position, number])
                if self.bits.get(key, bits) != bits:
                    self.bases.pop(key, None)
                self.bits[key] = bits

    def _place(self, reading: Reading) -> tuple[dict[tuple[int, int], Fraction], bool]:
        when: dict[tuple[int, int], Fraction] = {}
        ever = False
        for chunk in sorted(reading.chunks, key=lambda one: one.sent_ns):
            at, restarted = self.clock.place(chunk)
            if restarted:
                when.clear()
                ever = True
            for column in chunk.columns:
                for row in chunk.rows.tolist():
                    when[column, row] = at
        return when, ever

    def _row(
        self, reading: Reading, outcome: Outcome, number: int, name: str, when: dict[tuple[int, int], Fraction]
    ) -> Quality:
        quality = Quality.PLAIN
        present: dict[int, Metric] = {}
        rates: dict[int, tuple[Fraction | None, Quality]] = {}
        reset = outcome.restarted
        for position, metric_number in enumerate(reading.columns):
            metric = reading.table.metrics[metric_number]
            outcome.values[position, number] = None
            if not reading.table.counter_bits[metric_number, number]:
                continue
            if not reading.valid[position, number] or (position, number) not in when:
                if not (reading.valid[position, number] and outcome.restarted):
                    quality |= Quality.INVALID
                continue
            present[position] = metric
        if reading.discontinuity is not None and present:
            stamp = int(reading.discontinuity[number])
            if self.stamps.get(name, stamp) != stamp:
                reset = True
            self.stamps[name] = stamp
        for falls in (False, True):
            for position in present:
                if self._shows_more(reading, position, number, name, when[position, number], falls=falls):
                    self.faster.add(name)
        for position in present:
            verdict = self._cell(reading, position, number, name, when[position, number])
            if verdict == RESET:
                reset = True
            elif verdict is not None:
                rates[position] = verdict
        if reset:
            outcome.reset_rows.add(name)
            quality |= Quality.RESET
            rates.clear()
            self.faster.discard(name)
            for key in [key for key in self.bases if key[0] == name]:
                del self.bases[key]
        for position, metric in present.items():
            key = (name, metric.name)
            base = Base(int(reading.values[position, number]), when[position, number])
            if position in rates:
                rate, flags = rates[position]
                quality |= flags
                outcome.values[position, number] = rate
                if rate is not None and metric.line_bits:
                    base.shown_bps = rate * metric.line_bits / Fraction(metric.scale)
            self.bases[key] = base
        return quality

    def _shows_more(self, reading: Reading, position: int, number: int, name: str, at: Fraction, *, falls: bool) -> bool:
        """Whether a 32-bit counter rose, or `falls` and wrapped, by more than the stated speed of its row explains."""
        metric = reading.table.metrics[reading.columns[position]]
        base = self.bases.get((name, metric.name))
        speed = reading.table.rows[number].speed_bps
        now = int(reading.values[position, number])
        if int(reading.table.counter_bits[reading.columns[position], number]) != 32 or not speed or base is None:
            return False
        verdict = self._cell(reading, position, number, name, at)
        if (now < base.value) != falls or verdict is None or verdict == RESET:
            return False
        span = (at - base.at) / 10**9
        return (now - base.value) % 2**32 * metric.line_bits > Fraction(105, 100) * speed * span

    def _cell(
        self, reading: Reading, position: int, number: int, name: str, at: Fraction
    ) -> tuple[Fraction | None, Quality] | None:
        metric = reading.table.metrics[reading.columns[position]]
        base = self.bases.get((name, metric.name))
        if base is None:
            return None
        bits = int(reading.table.counter_bits[reading.columns[position], number])
        speed = reading.table.rows[number].speed_bps
        interval = Fraction(reading.interval_s)
        span = (at - base.at) / 10**9
        if span <= 0 or span > Fraction(7, 2) * interval:
            return None
        now = int(reading.values[position, number])
        grown = (now - base.value) % 2**bits
        flags = Quality.PLAIN
        shown = base.shown_bps or Fraction(0)
        if now < base.value:
            if metric.line_bits:
                most = max(Fraction(11, 10) * self._bound(bits, speed, name, 10**13), Fraction(3, 2) * shown)
                wrap = grown * metric.line_bits <= most * span + 100_000
            else:
                wrap = bits == 32 and grown < 2**27
            if not wrap:
                return RESET
            flags |= Quality.WRAPPED
        fastest = max(Fraction(self._bound(bits, speed, name, 0)), shown)
        if bits == 32 and metric.line_bits and fastest * span > 2**32 * metric.line_bits:
            return None, Quality.INVALID
        rate = grown * Fraction(metric.scale) / span
        if span > Fraction(3, 2) * interval:
            flags |= Quality.LATE
        if speed and metric.line_bits and grown * metric.line_bits / span > Fraction(105, 100) * speed:
            flags |= Quality.OVER_SPEED
        return rate, flags

    def _bound(self, bits: int, speed: int, name: str, unknown_64: int) -> int:
        """What the line may carry: a 32-bit counter that is faster than its speed says is one of unknown speed."""
        if bits == 32:
            return max(speed, 10**9) if not speed or name in self.faster else speed
        return speed or unknown_64
