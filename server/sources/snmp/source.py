"""All SNMP devices: starts, changes and stops their pollers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from server.core.ports import Emit, SelfMetrics
from server.core.tasks import cancel, spawn, supervise
from server.sources.snmp.batch.engine import BatchEngine
from server.sources.snmp.burst import Bursts
from server.sources.snmp.choice import Engines
from server.sources.snmp.poller import Poller
from server.sources.snmp.pysnmp_stack.polling import PysnmpEngine
from server.sources.snmp.refusals import CHECKS
from server.sources.snmp.settings import DeviceSettings, PollingDefaults


@dataclass(frozen=True, slots=True)
class _Polled:
    """A device as it is polled. What it inherits is already in `polling`."""

    settings: DeviceSettings
    polling: PollingDefaults


@dataclass(frozen=True, slots=True, eq=False)
class _Running:
    polled: _Polled
    bursts: Bursts
    task: asyncio.Task[None]


class SnmpSource:
    """Polls devices; each has a task of its own, so that a fault in one never touches another.

    Implements `core.ports.PollControl`.
    """

    def __init__(
        self, defaults: PollingDefaults, devices: Iterable[DeviceSettings], emit: Emit, metrics: SelfMetrics
    ) -> None:
        self._emit = emit
        self._metrics = metrics
        metrics.checks(CHECKS)
        self._batch = BatchEngine(emit, metrics)
        self._engines = Engines(self._batch, PysnmpEngine())
        self._wanted = _by_name(defaults, devices)
        self._running: dict[str, _Running] = {}
        self._changed = asyncio.Event()

    def reconfigure(self, defaults: PollingDefaults, devices: Iterable[DeviceSettings]) -> None:
        """Poll these devices from now on. One whose effective settings are equal is not disturbed."""
        self._wanted = _by_name(defaults, devices)
        self._changed.set()

    async def run(self) -> None:
        """Ends by cancellation, and stops every poller then."""
        batch = spawn("snmp batch engine", supervise("the batch engine", self._batch.run))
        try:
            while True:
                self._changed.clear()
                await self._apply()
                await self._changed.wait()
        finally:
            await self._end(list(self._running))
            await cancel(batch)
            self._batch.close()

    async def _apply(self) -> None:
        wanted = self._wanted
        gone = [name for name in self._running if name not in wanted]
        changed = [name for name, polled in wanted.items() if name in self._running and self._running[name].polled != polled]
        await cancel(*(self._running[name].task for name in changed))
        await self._end(gone)
        for name in gone:
            self._emit.removed(name)
        kept = {name: self._running.pop(name).bursts for name in changed}
        for name, polled in wanted.items():
            if name not in self._running:
                self._running[name] = self._start(polled, kept.get(name) or Bursts(name))

    async def _end(self, names: Iterable[str]) -> None:
        ended = [self._running[name] for name in names]
        await cancel(*(running.task for running in ended))
        for running in ended:
            await running.bursts.close()
            del self._running[running.polled.settings.name]

    def _start(self, polled: _Polled, bursts: Bursts) -> _Running:
        poller = Poller((polled.settings, polled.polling), self._engines, bursts, self._emit, self._metrics)
        name = f"snmp {polled.settings.name}"
        return _Running(polled, bursts, spawn(name, supervise(name, poller.run)))

    def burst(self, device: str, rows: frozenset[str], interval_s: float) -> Callable[[], None]:
        """See `core.ports.PollControl`."""
        running = self._running.get(device)
        if running is None:
            raise ValueError(f"no device is named {device!r}")
        return running.bursts.ask(rows, interval_s)


def _by_name(defaults: PollingDefaults, devices: Iterable[DeviceSettings]) -> dict[str, _Polled]:
    """Own settings that repeat a default make no difference, so they are folded in."""
    unset = dict.fromkeys(PollingDefaults.model_fields)
    return {device.name: _Polled(device.model_copy(update=unset), device.polling(defaults)) for device in devices}
