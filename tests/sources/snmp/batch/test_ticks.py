"""Of ticks, what needs no agent: when slow columns are due, and when a tick is over."""

from __future__ import annotations

import itertools
from unittest.mock import Mock

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from server.sources.snmp.batch import ticks
from server.sources.snmp.batch.lanes import Lanes
from server.sources.snmp.batch.slots import Slots

_MS = 1_000_000


@given(
    st.integers(1, 20).map(lambda tenths: tenths * 100 * _MS),
    st.integers(1, 30),
    st.integers(0, 10**15),
)
def test_slow_ticks_are_as_far_apart_as_was_set_at_any_phase(interval: int, ticks_apart: int, first: int) -> None:
    lanes = Lanes()
    numbers = np.array([lanes.new()])
    lanes.interval[numbers], lanes.slow_interval[numbers] = interval, interval * ticks_apart
    slow, due = [], 0
    for tick in range(100):
        began = first + tick * interval
        if due <= began:
            slow.append(tick)
            due = int(ticks._next_slow(lanes, numbers, np.array([began]))[0])
    assert {after - before for before, after in itertools.pairwise(slow[1:])} <= {ticks_apart}
    assert slow[0] == 0
    assert len(slow) >= 100 // ticks_apart


def test_a_tick_of_which_more_may_have_come_than_was_taken_in_has_as_much_time_again_and_no_more() -> None:
    slots = Slots(lambda *_: None)
    try:
        of = ticks.Ticks(slots)
        number = of.lanes.new()
        of.members[number] = Mock(slots=np.zeros(0, np.intp))
        of.lanes.deadline[number], of.lanes.budget[number], of.lanes.open[number] = 100 * _MS, 90 * _MS, 1
        slots.behind = True
        assert of.over(150 * _MS).tolist() == []
        assert of.over(200 * _MS).tolist() == [number]
        of.lanes.deadline[number], of.lanes.open[number] = 100 * _MS, 1
        slots.behind = False
        assert of.over(100 * _MS).tolist() == [number]
    finally:
        slots.close()
