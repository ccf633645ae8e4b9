"""Takes in what a source emits, and lets a test await it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from server.core.blocks import Readings
from server.core.model import DeviceState, DeviceStatus, Event, Floats, Reading
from server.core.tasks import cancel, spawn
from server.sources.snmp import mib
from server.sources.snmp.settings import DeviceSettings, PollingDefaults
from server.sources.snmp.source import SnmpSource


class Recorder:
    """An Emit and a SelfMetrics at once."""

    def __init__(self) -> None:
        self.given: list[Reading] = []
        self.statuses: list[DeviceStatus] = []
        self.events: list[Event] = []
        self.gone: list[str] = []
        self.bad: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.late_s: list[float] = []
        self._news = asyncio.Event()

    def readings(self, readings: Readings) -> None:
        self.given += [readings.reading(device) for device in range(len(readings))]
        self._news.set()

    def status(self, status: DeviceStatus) -> None:
        self.statuses.append(status)
        self._news.set()

    def event(self, event: Event) -> None:
        self.events.append(event)
        self._news.set()

    def removed(self, device: str) -> None:
        self.gone.append(device)
        self._news.set()

    def polls_answered(self, devices: Sequence[str], reply_s: Floats, late_s: Floats) -> None:
        self.late_s += late_s.tolist()

    def poll_failed(self, device: str, why: str, count: int = 1) -> None:
        self.failed[why] += count
        self._news.set()

    def bad_reply(self, device: str, check: str, count: int = 1) -> None:
        self.bad[check] += count
        self._news.set()

    def checks(self, words: Sequence[str]) -> None: ...

    def browsers(self, change: int) -> None: ...

    def frames_dropped(self, count: int) -> None: ...

    async def until(self, condition: Callable[[], object], timeout_s: float = 30.0) -> None:
        """Wait until `condition` holds, looked at on each emission."""
        try:
            async with asyncio.timeout(timeout_s):
                while not condition():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            last = self.statuses[-1] if self.statuses else None
            raise AssertionError(f"not within {timeout_s} s; {last}, {self.events}, {self.bad}, {self.failed}") from None

    async def more_readings(self, count: int, timeout_s: float = 30.0) -> list[Reading]:
        """The next `count` readings."""
        begin = len(self.given)
        await self.until(lambda: len(self.given) >= begin + count, timeout_s)
        return self.given[begin : begin + count]

    async def state(self, state: DeviceState, timeout_s: float = 30.0) -> DeviceStatus:
        await self.until(lambda: self.statuses and self.statuses[-1].state is state, timeout_s)
        return self.statuses[-1]


def device(port: int, snmp: dict[str, Any] | None = None, **more: Any) -> DeviceSettings:
    """Settings of a device that answers at this port of 127.0.0.1, polled quickly."""
    given = {
        "name": "r1",
        "address": "127.0.0.1",
        "port": port,
        "snmp": snmp or {"version": "2c", "community": "two"},
        "interval_s": 0.25,
        "timeout_s": 0.5,
        **more,
    }
    return DeviceSettings.model_validate(given)


@asynccontextmanager
async def polling(*devices: DeviceSettings) -> AsyncIterator[tuple[Recorder, SnmpSource]]:
    """A running source of these devices."""
    recorder = Recorder()
    source = SnmpSource(PollingDefaults(), devices, recorder, recorder)
    task = spawn("source under test", source.run())
    try:
        yield recorder, source
    finally:
        await cancel(task)
        assert not [name for t in asyncio.all_tasks() if (name := t.get_name()).startswith("snmp")]


def column(reading: Reading, name: str) -> list[int | None]:
    """The values of a metric, None where not valid."""
    position = reading.columns.index(next(at for at, metric in enumerate(mib.METRICS) if metric.name == name))
    pairs = zip(reading.values[position].tolist(), reading.valid[position].tolist(), strict=True)
    return [value if valid else None for value, valid in pairs]
