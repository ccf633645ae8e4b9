"""From the hub to the browsers: each published item reaches those who follow it, and costs nothing for all others.

State: who follows which stream, and who follows events; changed only by `follow`, `leave` and their likes.
"""

from __future__ import annotations

from typing import Protocol

from server.core.blocks import Frames
from server.core.log import logger
from server.core.model import DeviceStatus, Event, Frame
from server.hub import Item, Removed, Stream
from server.sinks.live.rowsets import RowSets

_log = logger("live")


class Reader(Protocol):
    """One browser, as it is told of what it follows. None of these wait or raise."""

    def frame(self, stream: Stream, frame: Frame) -> None: ...

    def status(self, status: DeviceStatus) -> None: ...

    def removed(self, device: str) -> None: ...

    def event(self, event: Event) -> None: ...

    def flush(self) -> None:
        """That was all of this moment: write it."""
        ...


class Fanout:
    """The one subscriber of the hub for all browsers."""

    def __init__(self) -> None:
        self.rows = RowSets()
        self._followers: dict[bool, dict[str, dict[Reader, None]]] = {False: {}, True: {}}  # by burst, then by device
        self._of_events: dict[Reader, None] = {}
        self._has_failed = False  # and that was logged

    def follow(self, stream: Stream, reader: Reader) -> None:
        """Tell `reader` of this stream from now on."""
        device, burst = stream
        self._followers[burst].setdefault(device, {})[reader] = None

    def leave(self, stream: Stream, reader: Reader) -> None:
        device, burst = stream
        readers = self._followers[burst].get(device, {})
        readers.pop(reader, None)
        if not readers:
            self._followers[burst].pop(device, None)

    def follow_events(self, reader: Reader) -> None:
        self._of_events[reader] = None

    def leave_events(self, reader: Reader) -> None:
        self._of_events.pop(reader, None)

    def offer(self, item: Item) -> None:
        match item:
            case Frames():
                told = self._frames(item)
            case DeviceStatus():
                told = self._of_device(item.device)
                for reader in told:
                    reader.status(item)
            case Removed():
                told = self._of_device(item.device)
                for reader in told:
                    reader.removed(item.device)
            case Event():
                told = dict(self._of_events)
                for reader in told:
                    reader.event(item)
        for reader in told:
            reader.flush()

    def _frames(self, frames: Frames) -> dict[Reader, None]:
        """Encode what is watched, and put it before those who watch it."""
        followed = self._followers[frames.burst]
        if not followed:
            return {}
        watched = [(place, frames.frame(place)) for place, table in enumerate(frames.tables) if table.device in followed]
        self._encode(frames, watched)
        told: dict[Reader, None] = {}
        for _, frame in watched:
            device = frame.table.device
            stream = device, frames.burst
            for reader in followed[device]:
                reader.frame(stream, frame)
            told.update(followed[device])
        return told

    def _encode(self, frames: Frames, watched: list[tuple[int, Frame]]) -> None:
        """All at once; where that fails each reader encodes what it follows, so that a fault is that of one alone."""
        try:
            self.rows.encode(frames, watched)
        except Exception:
            if not self._has_failed:
                self._has_failed = True
                _log.exception("a block could not be encoded as one; its devices are, one by one")

    def _of_device(self, device: str) -> dict[Reader, None]:
        return {**self._followers[False].get(device, {}), **self._followers[True].get(device, {})}
