from __future__ import annotations

import numpy as np

from server.core.model import Row, Table
from server.sources.snmp import mib
from server.sources.snmp.announcer import Announcer
from server.sources.snmp.outcome import Outcome
from server.sources.snmp.plan import Plan, Shape, Values
from tests.sources.snmp.recorder import Recorder, device

DOWN = 2


def slow_tick(status: int, *names: str) -> Outcome:
    """A tick that read this ifOperStatus of all these interfaces."""
    rows = tuple(Row(name, index) for index, name in enumerate(names, 1))
    bits = np.full((len(mib.METRICS), len(rows)), 64, np.uint8)
    plan = Plan(Table("r1", 1, rows, mib.METRICS, bits), np.zeros(len(rows), np.bool_), Shape(40, 24))
    values = Values.empty((mib.OPER_STATUS,), np.zeros(len(rows), np.uint64))
    values.values[:], values.valid[:] = status, True
    return Outcome(plan, (mib.OPER_STATUS,), values, 1.0, slow=True)


def test_an_interface_that_changed_while_its_table_did_is_an_event_and_one_that_went_is_forgotten() -> None:
    recorder = Recorder()
    announcer = Announcer(device(161), 1.0, recorder)
    announcer.interfaces(slow_tick(mib.UP, "eth1", "eth2"))
    announcer.interfaces(slow_tick(DOWN, "eth1", "eth3"))
    assert [(event.kind, event.row) for event in recorder.events] == [("interface_down", "eth1")]
    announcer.interfaces(slow_tick(DOWN, "eth1", "eth2"))
    assert len(recorder.events) == 1, "eth2 is a new one"


def test_no_more_names_are_kept_than_the_table_has() -> None:
    announcer = Announcer(device(161), 1.0, Recorder())
    for version in range(5):
        announcer.interfaces(slow_tick(mib.UP, *(f"tunnel{version}.{number}" for number in range(10))))
        assert len(announcer._oper) == 10
