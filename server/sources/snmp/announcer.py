"""Tells the rest of Linewatch, and the log, when a device or an interface changes its state."""

from __future__ import annotations

from collections.abc import Iterable

from server.core.clock import wall_s
from server.core.log import logger
from server.core.model import DeviceState, DeviceStatus, Event, Severity, Table
from server.core.ports import Emit
from server.sources.snmp import mib
from server.sources.snmp.health import Judgement
from server.sources.snmp.outcome import Outcome
from server.sources.snmp.settings import DeviceSettings

_log = logger("snmp")
_EVENTS = {
    DeviceState.UP: ("device_up", Severity.INFO),
    DeviceState.LATE: ("device_late", Severity.WARNING),
    DeviceState.DOWN: ("device_down", Severity.CRITICAL),
    DeviceState.AUTH_FAILED: ("auth_failed", Severity.CRITICAL),
    DeviceState.BAD_REPLIES: ("bad_replies", Severity.WARNING),
}
_WORDS = {
    DeviceState.UP: "up",
    DeviceState.LATE: "late",
    DeviceState.DOWN: "down",
    DeviceState.AUTH_FAILED: "refuses the credentials",
    DeviceState.BAD_REPLIES: "bad replies",
}
_MOST_EVENTS = 5  # of interfaces in one tick; more are told as one


class Announcer:
    """Emits a device's status when it changes, with an event and a line in the log when its state does.

    An event's text does not name the device or the row: the event has them as fields.
    """

    def __init__(self, settings: DeviceSettings, interval_s: float, emit: Emit) -> None:
        self.facts: tuple[tuple[str, str], ...] = ()
        self.interval_s = self._configured_s = interval_s
        self._settings = settings
        self._engine = ("", "")
        self._emit = emit
        self._told: DeviceStatus | None = None
        self._oper: dict[str, int] = {}  # newest ifOperStatus by name, of the rows of `_table`
        self._table: Table | None = None

    def engine(self, name: str, why: str) -> bool:
        """What polls it from now on, and why it is not what would by itself; told with the next `health`.

        Whether that is another than before.
        """
        before, self._engine = self._engine, (name, why)
        return before != self._engine

    def health(self, judgement: Judgement) -> None:
        """Tell how it answers, where anything of it changed."""
        told = self._told
        now = (judgement.state, judgement.reason, self.facts, self.interval_s, *self._engine)
        if told is not None and now == (told.state, told.reason, told.facts, told.interval_s, told.engine, told.engine_why):
            return
        changed = told is None or told.state is not judgement.state
        since_s = wall_s() if changed or told is None else told.since_s
        where = f"{self._settings.address}:{self._settings.port}"
        status = DeviceStatus(
            self._settings.name,
            where,
            "snmp",
            judgement.state,
            judgement.reason,
            self.interval_s,
            since_s,
            self._engine[0],
            self.facts,
            self._engine[1],
            self._configured_s,
        )
        self._told = status
        self._emit.status(status)
        if changed and told is not None:
            self._change(told.state, judgement)

    def _change(self, before: DeviceState, judgement: Judgement) -> None:
        kind, severity = _EVENTS[judgement.state]
        name = self._settings.name
        text = _WORDS[judgement.state] + (f": {judgement.reason}" if judgement.reason else "")
        fine = judgement.state is DeviceState.UP
        _log.log(20 if fine else 30, "%s: %s", name, text)
        if not (fine and before is DeviceState.STARTING):
            self._emit.event(Event(wall_s(), kind, text, severity, device=name))

    def interfaces(self, outcome: Outcome) -> None:
        """Compare ifOperStatus, where it was asked and is trusted, with the last time; rows are known by name."""
        position = outcome.values.position.get(mib.OPER_STATUS)
        if position is None or not outcome.trusted:
            return
        self._follow(outcome.plan.table)
        changes: list[tuple[str, int]] = []
        values, valids = outcome.values.values[position].tolist(), outcome.values.valid[position].tolist()
        for row, value, valid in zip(outcome.plan.table.rows, values, valids, strict=True):
            if not valid:
                continue
            before = self._oper.get(row.name)
            self._oper[row.name] = value
            if before is not None and (before == mib.UP) != (value == mib.UP):
                changes.append((row.name, value))
        self._tell(changes)

    def _follow(self, table: Table) -> None:
        if table is not self._table:
            names = {row.name for row in table.rows}
            self._oper = {name: status for name, status in self._oper.items() if name in names}
            self._table = table

    def _tell(self, changes: Iterable[tuple[str, int]]) -> None:
        names = dict(mib.METRICS[mib.OPER_STATUS].states)
        for up in (False, True):
            some = [change for change in changes if (change[1] == mib.UP) is up]
            kind, severity = ("interface_up", Severity.INFO) if up else ("interface_down", Severity.WARNING)
            if len(some) > _MOST_EVENTS:
                text = f"{len(some)} interfaces went {'up' if up else 'down'}"
                details = {"rows": [name for name, _ in some]}
                self._emit.event(Event(wall_s(), kind, text, severity, device=self._settings.name, details=details))
                continue
            for name, value in some:
                text = names.get(value, str(value))
                self._emit.event(Event(wall_s(), kind, text, severity, device=self._settings.name, row=name))
