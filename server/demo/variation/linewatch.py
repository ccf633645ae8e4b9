"""An snmpsim variation module: values that are exact functions of the time since the demo's epoch.

snmpsim executes each file of this folder, which therefore is no package, and calls `init`, `variate` and `shutdown`. A
record `OID|TAG:linewatch|{...}` has one of

    {"counter": {...}}    a `traffic.CounterSpec`: the counter's value now
    {"cleared": 600}      ifCounterDiscontinuityTime of counters that begin anew every so many seconds
    {"uptime": true}      sysUpTime
    {"status": [40, 5]}   ifOperStatus of a line that is down for 5 s in each 40 s: up(1) or down(2)
    {"value": "text"}     what stands there (a number or text)

and, where a row has another ifIndex after a reboot, `"boots": [0, 2]`: the record exists only in boots of which the
remainder of division by 2 is 0. The agent's own behaviour (`behaviour.Behaviour`) comes as the module's options, the epoch
from the environment.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from functools import cache
from typing import Any

from pysnmp.error import PySnmpError
from snmpsim.error import NoDataNotification

from server.core.clock import boot_ns
from server.demo.behaviour import EPOCH_VARIABLE, LAUNCHER_VARIABLE, Behaviour, boot_at, is_silent, uptime_ticks
from server.demo.traffic import NS, CounterSpec, is_out, octets_at, restarts_at

_UP, _DOWN = 1, 2
_module: dict[str, Any] = globals().setdefault("moduleContext", {})  # snmpsim puts it here for what a module keeps


class NoAnswer(NoDataNotification, PySnmpError):  # type: ignore[misc]  # both bases are untyped
    """Leaves a request unanswered: snmpsim hands a NoDataNotification on, and pysnmp drops the request at a PySnmpError."""


def init(**context: Any) -> None:
    """Take the agent's behaviour from the module's options and the epoch from the environment."""
    _module["behaviour"] = Behaviour(**json.loads(context.get("options") or "{}"))
    _module["epoch_ns"] = int(os.environ[EPOCH_VARIABLE])
    if os.environ.get(LAUNCHER_VARIABLE):
        threading.Thread(target=_end_with_launcher, name="launcher", daemon=True).start()


def variate(oid: Any, tag: str, text: str, **context: Any) -> tuple[Any, str, Any]:
    """The value of one record now."""
    behaviour: Behaviour = _module["behaviour"]
    elapsed_ns = boot_ns() - _module["epoch_ns"]
    if is_silent(behaviour, elapsed_ns):
        raise NoAnswer()
    kind, what, boots = _record(text)
    missing = not context["nextFlag"] and not context["exactMatch"]
    if missing or context["setFlag"] or (boots and boot_at(behaviour, elapsed_ns) % boots[1] != boots[0]):
        # noSuchInstance to a GET; to a GETNEXT it is endOfMibView, at which snmpsim goes on to the next record
        return context["origOid"], tag, context["errorStatus"]
    return oid, tag, _value(kind, what, behaviour, elapsed_ns)


def shutdown(**_context: Any) -> None:
    """Nothing is kept."""


def _end_with_launcher() -> None:
    """Standard input is a pipe that only the launcher holds: its end means that the launcher is gone, however it died."""
    sys.stdin.buffer.read()
    os._exit(0)


@cache
def _record(text: str) -> tuple[str, Any, tuple[int, int] | None]:
    given = json.loads(text)
    boots = given.pop("boots", None)
    ((kind, what),) = given.items()
    return kind, CounterSpec(**what) if kind == "counter" else what, tuple(boots) if boots else None


def _value(kind: str, what: Any, behaviour: Behaviour, elapsed_ns: int) -> int | bytes:
    match kind:
        case "counter":
            return octets_at(what, elapsed_ns)
        case "uptime":
            return uptime_ticks(behaviour, elapsed_ns)
        case "cleared":
            begin_ns = restarts_at(what, elapsed_ns) * round(what * NS)
            return uptime_ticks(behaviour, begin_ns) if begin_ns else 0
        case "status":
            every_s, outage_s = what
            return _DOWN if is_out(every_s, outage_s, elapsed_ns) else _UP
        case "value":
            return what if isinstance(what, int) else str(what).encode()
        case _:
            raise ValueError(f"{kind!r} is no kind of record")
