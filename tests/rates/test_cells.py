from __future__ import annotations

from dataclasses import replace

import numpy as np

from server.rates.cells import Memory
from tests.rates.build import ERRORS, IN, OUT, table, with_row


def numbered() -> Memory:
    """Three rows, two metrics, every base a different number."""
    memory = Memory.of(table(names=["a", "b", "c"]))
    memory.cells.known[:] = True
    memory.cells.value[:] = np.arange(6, dtype=np.uint64).reshape(2, 3)
    memory.stamp[:], memory.stamped[:] = [7, 8, 9], True
    memory.faster[:] = True
    return memory


def test_bases_follow_the_names_of_rows_and_metrics() -> None:
    new = table(names=["new", "c", "a"], metrics=(ERRORS, OUT, IN), version=2)
    new = with_row(with_row(new, 1, index=3), 2, index=1)
    moved = numbered().moved_to(new)
    assert moved.cells.known.tolist() == [[False] * 3, [False, True, True], [False, True, True]]
    assert moved.cells.value[1:, 1:].tolist() == [[5, 3], [2, 0]]
    assert moved.stamp[1:].tolist() == [9, 7]
    assert moved.stamped.tolist() == [False, True, True]


def test_a_row_with_another_index_has_no_past() -> None:
    moved = numbered().moved_to(with_row(table(names=["a", "b", "c"]), 1, index=50))
    assert moved.cells.known.tolist() == [[True, False, True]] * 2
    assert moved.stamped.tolist() == [True, False, True]


def test_a_cell_with_other_bits_has_no_base() -> None:
    new = table(names=["a", "b", "c"])
    bits = new.counter_bits.copy()
    bits[1, 2] = 32
    moved = numbered().moved_to(replace(new, counter_bits=bits))
    assert moved.cells.known.tolist() == [[True] * 3, [True, True, False]]


def test_a_table_that_shares_nothing_has_no_past() -> None:
    moved = numbered().moved_to(table(names=["x", "y"], metrics=(ERRORS,)))
    assert not moved.cells.known.any()


def test_how_often_a_metric_is_due_is_the_longer_of_its_last_two_spacings() -> None:
    memory = Memory.of(table(1, metrics=(IN, ERRORS)))
    fast, both = np.array([0]), np.array([0, 1])
    assert memory.usual_ticks(both, 0).tolist() == [0, 0]
    for number in range(1, 10):
        assert memory.usual_ticks(fast, number).tolist() == [1]
    assert memory.usual_ticks(both, 10).tolist() == [1, 10]
    assert memory.usual_ticks(both, 13).tolist() == [3, 10]
    assert memory.usual_ticks(both, 14).tolist() == [3, 3]


def test_a_row_is_known_to_be_faster_than_it_states_until_it_states_another_speed() -> None:
    moved = numbered().moved_to(with_row(table(names=["c", "a"]), 1, index=1, speed_bps=5))
    assert moved.faster.tolist() == [False, False]  # c has another index, a another speed
    assert numbered().moved_to(table(names=["a", "new"])).faster.tolist() == [True, False]
