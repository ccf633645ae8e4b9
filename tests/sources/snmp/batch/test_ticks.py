"""When slow columns are asked, over many ticks and at any phase."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from server.sources.snmp.batch import ticks
from server.sources.snmp.batch.lanes import Lanes

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
