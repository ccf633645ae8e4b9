"""What one browser follows. A `DeviceFollower` turns the frames of one device into the messages of one subscription.

State of a follower: the rows it shows, the newest seq it has sent, the facts it has told. Changed only by its methods, which
never wait.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from server.core.model import Frame, Table
from server.core.ports import DeviceView, HistoryReader, InventoryReader, Window
from server.sinks.live import shapes
from server.sinks.live.messages import Failure, InterfaceFacts, Resync, Subscribe, TableChanged

MOST_SNAPSHOT_VALUES = 200_000

Message = msgspec.Struct


class Refused(Exception):
    """A subscription cannot be; the browser is told by this message."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class DeviceFollower:
    """One subscription to interfaces of one device: snapshot first, then each newer frame once."""

    def __init__(self, asked: Subscribe, epoch: str, inventory: InventoryReader, history: HistoryReader) -> None:
        self.device = asked.device
        self._id = asked.id
        self._asked = asked
        self._metrics = list(dict.fromkeys(asked.metrics))
        self._inventory = inventory
        self._history = history
        self._resume_after = asked.since_seq if asked.epoch == epoch else -1
        self._table: Table | None = None
        self._names: list[str] = []
        self._rows: NDArray[np.intp] = np.zeros(0, dtype=np.intp)
        self._facts: list[InterfaceFacts] = []
        self._cadence_s: float | None = None
        self._seq = -1

    def begin(self) -> list[Message]:
        """The first messages. A device without an answer yet gives its state now, its snapshot with the first frame."""
        view = self._view()
        if view.frame is None or view.table is None:
            return [shapes.device_changed(self._id, view)]
        return self._snapshot(view, view.table, view.frame)

    def frame(self, frame: Frame, missed: int) -> list[Message]:
        """The messages of a newer frame, after `missed` others that could not be sent in time."""
        view = self._inventory.device(self.device)
        if view is None or frame.seq <= self._seq:
            return []
        if self._table is None:
            return self._snapshot(view, frame.table, frame)
        messages: list[Message] = []
        moved = frame.table is not self._table
        if moved:
            if self._asked.interfaces == "*" and [row.name for row in frame.table.rows] != self._names:
                return self._snapshot(view, frame.table, frame)
            self._follow(frame.table)
        missed = min(missed, frame.seq - self._seq - 1)  # some of them may be in the snapshot already
        if missed:
            messages.append(Resync(self._id, missed))
        messages += self._changes(view, frame, facts_may_differ=moved or missed > 0 or _holds_states(frame))
        messages.append(shapes.samples(self._id, frame, self._metrics, self._rows))
        self._seq = frame.seq
        return messages

    def status(self) -> list[Message]:
        """The message of a changed state."""
        view = self._inventory.device(self.device)
        return [shapes.device_changed(self._id, view)] if view else []

    def _view(self) -> DeviceView:
        view = self._inventory.device(self.device)
        if view is None:
            raise Refused(Failure(self._id, "unknown_device", f"no device is named {self.device!r}"))
        return view

    def _changes(self, view: DeviceView, frame: Frame, *, facts_may_differ: bool) -> list[Message]:
        """A new table, status or cadence is told before the samples that came with it."""
        messages: list[Message] = []
        if facts_may_differ and (told := self._told(view, frame.table)) != self._facts:
            self._facts = told
            messages.append(TableChanged(self._id, told))
        if _differ(frame.cadence_s, self._cadence_s):
            self._cadence_s = frame.cadence_s
            messages.append(shapes.device_changed(self._id, view))
        return messages

    def _snapshot(self, view: DeviceView, table: Table, frame: Frame) -> list[Message]:
        asked = self._asked.interfaces
        names = [row.name for row in table.rows] if asked == "*" else list(dict.fromkeys(asked))
        known = table.index_of()
        if missing := [name for name in names if name not in known]:
            text = f"{self.device} has no interface named {', '.join(map(repr, missing[:5]))}"
            raise Refused(Failure(self._id, "unknown_interface", text))
        metrics = {metric.shown for metric in table.metrics}
        if unknown := [name for name in self._metrics if name not in metrics]:
            text = f"{self.device} has no metric named {unknown[0]!r}; it has {', '.join(sorted(metrics))}"
            raise Refused(Failure(self._id, "unknown_metric", text))
        self._names = names
        self._follow(table)
        self._facts = self._told(view, table)
        self._cadence_s = frame.cadence_s
        past, resumed = self._past(table, frame)
        self._seq = frame.seq
        first = shapes.snapshot(self._id, frame, self._metrics, self._facts, past=past, resumed=resumed)
        return [first, shapes.device_changed(self._id, view)]

    def _past(self, table: Table, frame: Frame) -> tuple[Window, bool]:
        """What the ring holds of the asked time, up to `frame`; or only what is newer than the seq to resume from."""
        most = max(1, MOST_SNAPSHOT_VALUES // max(1, len(self._metrics) * len(self._rows)))
        after, self._resume_after = self._resume_after, -1
        if 0 <= after <= frame.seq <= after + most:
            past = self._history.window(table, self._metrics, self._rows, -np.inf)
            newer = past.seqs > after
            if newer.sum() == frame.seq - after:
                return Window(past.seqs[newer], past.times_s[newer], past.values[..., newer], past.due[:, newer]), True
        past = self._history.window(table, self._metrics, self._rows, frame.wall_s - self._asked.history_s - 1e-3)
        return Window(past.seqs[-most:], past.times_s[-most:], past.values[..., -most:], past.due[:, -most:]), False

    def _follow(self, table: Table) -> None:
        self._table = table
        known = table.index_of()
        self._rows = np.array([known.get(name, -1) for name in self._names], dtype=np.intp)

    def _told(self, view: DeviceView, table: Table) -> list[InterfaceFacts]:
        """Facts in the order of the snapshot; a row that is gone keeps what was last known of it, with no status."""
        now = iter(shapes.facts(view, table, self._rows[self._rows >= 0]))
        return [
            next(now) if row >= 0 else msgspec.structs.replace(self._facts[place], oper_status=None, admin_status=None)
            for place, row in enumerate(self._rows.tolist())
        ]


def _holds_states(frame: Frame) -> bool:
    """Whether a status was read in this tick; between such ticks no status can have changed."""
    return any(frame.table.metrics[column].states for column in frame.columns)


def _differ(a: float | None, b: float | None) -> bool:
    """Whether two cadences would be shown differently."""
    if a is None or b is None:
        return a is not b
    return round(a, 1) != round(b, 1)
