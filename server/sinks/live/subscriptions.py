"""What one browser follows. A `DeviceFollower` turns the frames of one device into the messages of one subscription.

State of a follower: the row set it shows, the newest seq it has sent, the facts it has told. Changed only by its methods,
which never wait.
"""

from __future__ import annotations

import msgspec
import numpy as np

from server.core.model import Frame, Table
from server.core.ports import DeviceView, HistoryReader, InventoryReader, Window
from server.hub import Stream
from server.sinks.live import shapes
from server.sinks.live.messages import Failure, InterfaceFacts, Number, Resync, Subscribe, TableChanged
from server.sinks.live.rowsets import RowSet, RowSets
from server.sinks.live.writer import Message

MOST_SNAPSHOT_VALUES = 200_000


class Refused(Exception):
    """A subscription cannot be; the browser is told by this message."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class DeviceFollower:
    """One subscription to interfaces of one device: snapshot first, then each newer frame once."""

    def __init__(
        self, asked: Subscribe, epoch: str, inventory: InventoryReader, history: HistoryReader, sets: RowSets
    ) -> None:
        self.stream: Stream = (asked.device, False)
        self._id = asked.id
        self._asked = asked
        self._head = samples_head(asked.id)
        self._metrics = list(dict.fromkeys(asked.metrics))
        self._inventory = inventory
        self._history = history
        self._sets = sets
        self._resume_after = asked.since_seq if asked.epoch == epoch else -1
        self._rows: RowSet | None = None
        self._table: Table | None = None
        self._facts: list[InterfaceFacts] = []
        self._cadences: list[Number] = []
        self._cadence_s: float | None = None
        self._seq = -1

    def begin(self) -> list[Message]:
        """The first messages. A device without an answer yet gives its state now, its snapshot with the first frame."""
        view = known_device(self._asked, self._inventory)
        if view.frame is None or view.table is None:
            return [shapes.device_changed(self._id, view)]
        return self._snapshot(view, view.frame)

    def frame(self, frame: Frame, missed: int) -> list[Message]:
        """The messages of a newer frame, after `missed` others that could not be sent in time."""
        if frame.seq <= self._seq:
            return []
        rows = self._rows
        moved = frame.table is not self._table
        if rows is None or (moved and self._are_others(frame.table, rows)):
            view = self._inventory.device(self.stream[0])
            return self._snapshot(view, frame) if view else []
        text = rows.samples(frame)
        missed = min(missed, frame.seq - self._seq - 1)  # some of them may be in the snapshot already
        messages: list[Message] = [Resync(self._id, missed)] if missed else []
        if moved or missed or rows.has_new_states or rows.cadences is not self._cadences or self._has_new_cadence(frame):
            messages += self._changes(rows, frame)
        messages.append(msgspec.Raw(self._head + text))
        self._seq = frame.seq
        return messages

    def status(self) -> list[Message]:
        """See `state`."""
        return state(self._asked, self._inventory)

    def end(self) -> None:
        """Let go of what is shared. To be called once, when the subscription ends."""
        if self._rows is not None:
            self._sets.release(self._rows)
            self._rows = None

    def _are_others(self, table: Table, rows: RowSet) -> bool:
        """Whether all interfaces are asked for, and are others now."""
        return self._asked.interfaces == "*" and tuple(row.name for row in table.rows) != rows.names

    def _changes(self, rows: RowSet, frame: Frame) -> list[Message]:
        """A new table, status or cadence is told before the samples that came with it."""
        view = self._inventory.device(self.stream[0])
        if view is None:
            return []
        messages: list[Message] = []
        told = self._tell(rows, view, frame)
        if told is not self._facts and told != self._facts:
            messages.append(TableChanged(self._id, told))
        self._facts = told
        if self._has_new_cadence(frame):
            messages.append(shapes.device_changed(self._id, view))
        self._cadence_s = frame.cadence_s
        return messages

    def _tell(self, rows: RowSet, view: DeviceView, frame: Frame) -> list[InterfaceFacts]:
        facts = rows.facts(view, frame)
        self._table, self._cadences = frame.table, rows.cadences
        return facts

    def _has_new_cadence(self, frame: Frame) -> bool:
        """Whether the cadence would be shown differently."""
        if frame.cadence_s is None or self._cadence_s is None:
            return frame.cadence_s is not self._cadence_s
        return round(frame.cadence_s, 1) != round(self._cadence_s, 1)

    def _snapshot(self, view: DeviceView, frame: Frame) -> list[Message]:
        names = chosen(self._asked, self._metrics, frame.table)
        self.end()  # of rows that were others
        self._rows = rows = self._sets.hold(self.stream, names, self._metrics)
        self._facts = self._tell(rows, view, frame)
        self._cadence_s = frame.cadence_s
        past, resumed = self._past(rows, frame)
        self._seq = frame.seq
        first = shapes.snapshot(self._id, frame, self._metrics, self._facts, past=past, resumed=resumed)
        return [first, shapes.device_changed(self._id, view)]

    def _past(self, rows: RowSet, frame: Frame) -> tuple[Window, bool]:
        """What the ring holds of the asked time, up to `frame`; or only what is newer than the seq to resume from."""
        most = max(1, MOST_SNAPSHOT_VALUES // max(1, len(self._metrics) * len(rows.names)))
        after, self._resume_after = self._resume_after, -1
        if 0 <= after <= frame.seq <= after + most:
            past = self._history.window(frame.table, self._metrics, rows.rows, -np.inf)
            newer = past.seqs > after
            if newer.sum() == frame.seq - after:
                return Window(past.seqs[newer], past.times_s[newer], past.values[..., newer], past.due[:, newer]), True
        past = self._history.window(frame.table, self._metrics, rows.rows, frame.wall_s - self._asked.history_s - 1e-3)
        return Window(past.seqs[-most:], past.times_s[-most:], past.values[..., -most:], past.due[:, -most:]), False


def samples_head(identity: int) -> bytes:
    """The beginning of a `samples` message, up to what `RowSet.samples` gives."""
    return b'{"type":"samples","id":%d,' % identity


def known_device(asked: Subscribe, inventory: InventoryReader) -> DeviceView:
    """The device that is asked for; raises Refused."""
    view = inventory.device(asked.device)
    if view is None:
        raise Refused(Failure(asked.id, "unknown_device", f"no device is named {asked.device!r}"))
    return view


def state(asked: Subscribe, inventory: InventoryReader) -> list[Message]:
    """The message of how the device answers now; none where it is not configured any more."""
    view = inventory.device(asked.device)
    return [shapes.device_changed(asked.id, view)] if view else []


def chosen(asked: Subscribe, metrics: list[str], table: Table) -> list[str]:
    """The names of the rows that are asked for; raises Refused where the table lacks one of them, or one of `metrics`."""
    known = table.index_of()
    names = list(known) if asked.interfaces == "*" else list(dict.fromkeys(asked.interfaces))
    if missing := [name for name in names if name not in known]:
        text = f"{asked.device} has no interface named {', '.join(map(repr, missing[:5]))}"
        raise Refused(Failure(asked.id, "unknown_interface", text))
    has = {metric.shown for metric in table.metrics}
    if unknown := [name for name in metrics if name not in has]:
        text = f"{asked.device} has no metric named {unknown[0]!r}; it has {', '.join(sorted(has))}"
        raise Refused(Failure(asked.id, "unknown_metric", text))
    return names
