"""The flow, on one screen: what a source emits becomes what the hub publishes.

source ──Reading──▶ rates ──Frame──▶ hub ──▶ inventory, history, live, events
source ──DeviceStatus, Event───────▶ hub
"""

from __future__ import annotations

from server.core.blocks import Frames, Readings
from server.core.log import logger
from server.core.model import DeviceStatus, Event, Frame, Reading
from server.hub import Hub, Removed
from server.rates import RateMeter

_log = logger("pipeline")


class Pipeline:
    """What sources call (`core.ports.Emit`). State: one rate meter for each device."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._meters: dict[str, RateMeter] = {}
        self._failing: set[str] = set()  # of which this was logged
        self._next_seqs: dict[str, int] = {}  # of devices that were removed: a seq is never used twice

    def readings(self, readings: Readings) -> None:
        """Raw counters in, rates out."""
        found = [self._advance(readings.reading(device)) for device in range(len(readings))]
        frames = [frame for frame, _ in found if frame is not None]
        if frames:
            self._hub.publish(Frames.of(frames, burst=readings.burst))
        for event in (event for _, events in found for event in events):
            _log.warning("%s: %s", f"{event.device} {event.row}".rstrip(), event.text)
            self._hub.publish(event)

    def _advance(self, reading: Reading) -> tuple[Frame | None, list[Event]]:
        """A reading that cannot be turned into rates costs that tick only."""
        device = reading.table.device
        meter = self._meters.get(device)
        if meter is None:
            meter = self._meters[device] = RateMeter(device, self._next_seqs.pop(device, 0))
        try:
            frame, events = meter.advance(reading)
        except Exception:
            if device not in self._failing:
                self._failing.add(device)
                _log.exception("no rates from a reading of %s; it starts anew with the next", device)
            self._forget(device)
            return None, []
        self._failing.discard(device)
        return frame, events

    def status(self, status: DeviceStatus) -> None:
        self._hub.publish(status)

    def event(self, event: Event) -> None:
        self._hub.publish(event)

    def removed(self, device: str) -> None:
        self._forget(device)
        self._hub.publish(Removed(device))

    def _forget(self, device: str) -> None:
        if meter := self._meters.pop(device, None):
            self._next_seqs[device] = meter.next_seq + 1
