"""A subscription to a few interfaces that are polled faster than their device: a stream of its own, with no past.

State of a follower: what ends the burst, the row set it shows, the newest seq it has sent. Its methods never wait.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np

from server.core.model import Frame
from server.core.ports import DeviceView, InventoryReader, PollControl, Window
from server.hub import Stream
from server.sinks.live import shapes
from server.sinks.live.messages import Failure, InterfaceFacts, Resync, Subscribe
from server.sinks.live.rowsets import RowSet, RowSets
from server.sinks.live.subscriptions import Refused, chosen, known_device, samples_head, state
from server.sinks.live.writer import Message


class BurstFollower:
    """One subscription to a burst: the device's state, then snapshot and samples with the first frame of these rows."""

    def __init__(self, asked: Subscribe, inventory: InventoryReader, control: PollControl | None, sets: RowSets) -> None:
        self.stream: Stream = (asked.device, True)
        self._id = asked.id
        self._asked = asked
        self._head = samples_head(asked.id)
        self._metrics = list(dict.fromkeys(asked.metrics))
        self._inventory = inventory
        self._control = control
        self._sets = sets
        self._stop: Callable[[], None] | None = None
        self._names: list[str] = []
        self._rows: RowSet | None = None
        self._seq = -1

    def begin(self) -> list[Message]:
        """Ask for the burst; the first message. Raises Refused where the device, a row or the burst cannot be had."""
        view = known_device(self._asked, self._inventory)
        if self._control is None:
            raise self._refused("nothing here can be polled faster")
        if view.table is None:
            raise self._refused(f"{self._asked.device} has not answered yet")
        self._names = chosen(self._asked, self._metrics, view.table)
        if not self._names:
            raise self._refused("a burst needs interfaces")
        try:
            self._stop = self._control.burst(self._asked.device, frozenset(self._names), self._asked.burst_s)
        except ValueError as error:
            raise self._refused(str(error)) from error
        return [shapes.device_changed(self._id, view)]

    def frame(self, frame: Frame, missed: int) -> list[Message]:
        """The messages of a newer frame, after `missed` others that could not be sent in time.

        Frames from before the burst held all of these rows are passed over; rows that are gone later have no sample.
        """
        messages: list[Message] = []
        if self._rows is None:
            view = self._inventory.device(self.stream[0])
            if view is None or not frame.table.index_of().keys() >= set(self._names):
                return []
            messages.append(self._snapshot(view, frame))
            self._rows = self._sets.hold(self.stream, self._names, self._metrics)
        elif frame.seq <= self._seq:
            return []
        elif missed := min(missed, frame.seq - self._seq - 1):
            messages.append(Resync(self._id, missed))
        messages.append(msgspec.Raw(self._head + self._rows.samples(frame)))
        self._seq = frame.seq
        return messages

    def status(self) -> list[Message]:
        """See `state`."""
        return state(self._asked, self._inventory)

    def end(self) -> None:
        """End the burst. To be called once, when the subscription ends."""
        if self._stop is not None:
            self._stop()
            self._stop = None
        if self._rows is not None:
            self._sets.release(self._rows)
            self._rows = None

    def _snapshot(self, view: DeviceView, frame: Frame) -> Message:
        """Which rows these are, and nothing of their past: it ends just before `frame`."""
        metrics, rows = len(self._metrics), len(self._names)
        nothing = Window(
            np.zeros(0, dtype=np.int64),
            np.zeros(0),
            np.zeros((metrics, rows, 0), dtype=np.float32),
            np.zeros((metrics, 0), dtype=np.bool_),
        )
        return msgspec.structs.replace(
            shapes.snapshot(self._id, frame, self._metrics, self._facts(view, frame), past=nothing, resumed=False),
            seq=frame.seq - 1,
        )

    def _facts(self, view: DeviceView, frame: Frame) -> list[InterfaceFacts]:
        """Facts and status as the ordinary ticks know them; a row that is new there has those of the burst."""
        table = frame.table if view.table is None else view.table
        known = table.index_of()
        if not known.keys() >= set(self._names):
            table, known = frame.table, frame.table.index_of()
        return shapes.facts(view, table, np.array([known[name] for name in self._names], dtype=np.intp))

    def _refused(self, text: str) -> Refused:
        return Refused(Failure(self._id, "no_burst", text))
