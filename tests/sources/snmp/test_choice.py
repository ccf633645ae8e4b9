from __future__ import annotations

from typing import Any

import pytest

from server.core.model import DeviceState
from server.sources.snmp.choice import Choice, Engines
from server.sources.snmp.engine import Unsupported

BATCH: Any = type("Batch", (), {"name": "batch"})()
PYSNMP: Any = type("Pysnmp", (), {"name": "pysnmp"})()
ENGINES = Engines(BATCH, PYSNMP)
BAD, UP = DeviceState.BAD_REPLIES, DeviceState.UP


@pytest.mark.parametrize(("setting", "engine"), [("auto", BATCH), ("batch", BATCH), ("pysnmp", PYSNMP)])
def test_auto_begins_with_the_batch_engine(setting: str, engine: object) -> None:
    assert Choice(setting, ENGINES).engine is engine


def test_auto_goes_to_pysnmp_where_the_batch_engine_cannot_and_says_why() -> None:
    choice = Choice("auto", ENGINES)
    assert choice.refused(Unsupported("no DES here"))
    assert (choice.engine, choice.why) == (PYSNMP, "no DES here")
    assert not choice.refused(Unsupported("nor here"))


def test_a_fixed_engine_is_kept_whatever_happens() -> None:
    choice = Choice("batch", ENGINES)
    assert not choice.refused(Unsupported("no DES here"))
    assert not choice.reconsider(BAD, "malformed", 0.0)
    assert choice.engine is BATCH


def test_unreadable_answers_are_tried_with_pysnmp_and_left_there_when_it_can_read_them() -> None:
    choice = Choice("auto", ENGINES)
    assert not choice.reconsider(UP, "", 0.0)
    assert choice.reconsider(BAD, "answers come, but none of them can be read", 10.0)
    assert choice.engine is PYSNMP
    assert "cannot read" in choice.why
    assert not choice.reconsider(UP, "", 12.0)
    assert not choice.reconsider(BAD, "again", 100.0)
    assert choice.engine is PYSNMP


def test_where_pysnmp_cannot_read_them_either_the_batch_engine_goes_on_and_the_trial_is_not_repeated_soon() -> None:
    choice = Choice("auto", ENGINES)
    assert choice.reconsider(BAD, "malformed", 10.0)
    assert not choice.reconsider(BAD, "malformed", 20.0)
    assert choice.reconsider(BAD, "malformed", 41.0)
    assert (choice.engine, choice.why) == (BATCH, "")
    assert not choice.reconsider(BAD, "malformed", 50.0)
    assert choice.reconsider(BAD, "malformed", 700.0)
