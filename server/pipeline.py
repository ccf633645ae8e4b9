"""The flow, on one screen: what a source emits becomes what the hub publishes.

source ──Readings──▶ rates ──Frames──▶ hub ──▶ inventory, history, live, events
source ──DeviceStatus, Event─────────▶ hub
"""

from __future__ import annotations

from server.core.blocks import Readings
from server.core.log import logger
from server.core.model import DeviceStatus, Event
from server.hub import Hub, Removed
from server.rates import Meters

_log = logger("pipeline")


class Pipeline:
    """What sources call (`core.ports.Emit`)."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._meters = Meters()

    def readings(self, readings: Readings) -> None:
        """Raw counters in, rates out."""
        blocks, events = self._meters.advance(readings)
        for frames in blocks:
            self._hub.publish(frames)
        for event in events:
            _log.warning("%s: %s", f"{event.device} {event.row}".rstrip(), event.text)
            self._hub.publish(event)

    def status(self, status: DeviceStatus) -> None:
        self._hub.publish(status)

    def event(self, event: Event) -> None:
        self._hub.publish(event)

    def removed(self, device: str) -> None:
        self._meters.forget(device)
        self._hub.publish(Removed(device))
