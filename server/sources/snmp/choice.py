"""Which engine polls a device, and why it is not the one that would by itself."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from server.core.model import DeviceState
from server.sources.snmp.engine import PollEngine, Session, Unsupported
from server.sources.snmp.plan import Plan, Shape

_TRIAL_S = 30.0  # pysnmp has this long to do better
_PAUSE_S = 600.0  # before it is tried again
_READ_AT_ONCE = 8  # devices: more would hold the ticks of all the others


@dataclass(frozen=True, slots=True)
class Engines:
    """Those that there are, and the places at which devices take turns to have their interfaces read."""

    batch: PollEngine
    pysnmp: PollEngine
    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_READ_AT_ONCE))


class Choice:
    """The engine of one device. `setting` is `auto`, `batch` or `pysnmp`; `auto` is the batch engine while that can.

    State: `engine`, `why` (empty: nothing is to be explained), since when pysnmp is on trial, and when it may be tried.
    """

    def __init__(self, setting: str, engines: Engines) -> None:
        self._engines = engines
        self._auto = setting == "auto"
        self._setting = setting
        self._trial_s: float | None = None
        self._try_from_s = 0.0
        self.engine: PollEngine = engines.pysnmp if setting == "pysnmp" else engines.batch
        self.why = "set in the configuration" if setting == "pysnmp" else ""

    def shape(self, session: Session, known: Plan | None, *, bulk: bool) -> Shape:
        """What this engine can ask at once in a session, and what the device has shown that it can take (`known`)."""
        most, bulk = self.engine.most_varbinds, bulk and self.engine.bulk
        if known is not None:
            most, bulk = min(most, known.shape.most_varbinds), bulk and known.shape.bulk
        return Shape(session.overhead, most, bulk=bulk)

    def refused(self, error: Unsupported) -> bool:
        """The engine cannot poll this device. Whether there is another one to try."""
        self.why = str(error)
        if not self._auto or self.engine is self._engines.pysnmp:
            return False
        self.engine = self._engines.pysnmp
        return True

    def reconsider(self, state: DeviceState, words: str, now_s: float) -> bool:
        """After a tick: whether another engine shall poll from now on.

        pysnmp is tried where the batch engine can read no answer; where pysnmp cannot either, things stay as they were.
        """
        if not self._auto:
            return False
        unreadable = state is DeviceState.BAD_REPLIES
        if self.engine is self._engines.batch:
            if not unreadable or now_s < self._try_from_s:
                return False
            self.engine, self._trial_s = self._engines.pysnmp, now_s
            self.why = f"the batch engine cannot read it: {words}"
            return True
        if self._trial_s is None:
            return False
        if state is DeviceState.UP:
            self._trial_s = None
        elif now_s - self._trial_s > _TRIAL_S:
            self.engine, self.why, self._trial_s = self._engines.batch, "", None
            self._try_from_s = now_s + _PAUSE_S
            return True
        return False
