from __future__ import annotations

from dataclasses import replace

import numpy as np

from server.rates.cells import Dues, Memory
from server.rates.layout import Selector
from tests.rates.build import ERRORS, IN, OUT, table, with_row


def numbered() -> Memory:
    """Three rows, two metrics, every base a different number."""
    memory = Memory.of(table(names=["a", "b", "c"]))
    memory.cells.known[:] = True
    memory.cells.value[:] = np.arange(6, dtype=np.uint64).reshape(2, 3)
    memory.rows.stamp[:], memory.rows.stamped[:] = [7, 8, 9], True
    memory.rows.faster[:] = True
    memory.rows.grew[:] = [1, 2, 3]
    return memory


def test_bases_follow_the_names_of_rows_and_metrics() -> None:
    new = table(names=["new", "c", "a"], metrics=(ERRORS, OUT, IN), version=2)
    new = with_row(with_row(new, 1, index=3), 2, index=1)
    moved = numbered().moved_to(new)
    assert moved.cells.known.tolist() == [[False] * 3, [False, True, True], [False, True, True]]
    assert moved.cells.value[1:, 1:].tolist() == [[5, 3], [2, 0]]
    assert moved.rows.stamp[1:].tolist() == [9, 7]
    assert moved.rows.grew.tolist() == [0, 3, 1]
    assert moved.rows.stamped.tolist() == [False, True, True]


def test_a_row_with_another_index_has_no_past() -> None:
    moved = numbered().moved_to(with_row(table(names=["a", "b", "c"]), 1, index=50))
    assert moved.cells.known.tolist() == [[True, False, True]] * 2
    assert moved.rows.stamped.tolist() == [True, False, True]


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
    dues = Dues.empty(2, 3)
    fast, both = (slice(0, 1), np.array([0, 2])), (slice(0, 2), np.array([0, 2]))

    def usual(at: tuple[Selector, Selector], *numbers: int) -> list[list[int]]:
        return dues.usual_ticks(at, np.array(numbers)).tolist()  # type: ignore[no-any-return]

    assert usual(both, 0, 7) == [[0, 0], [0, 0]]
    for number in range(1, 10):
        assert usual(fast, number, number + 7) == [[1, 1]]
    assert usual(both, 10, 20) == [[1, 4], [10, 13]]
    assert usual(both, 13, 21) == [[3, 4], [10, 13]]
    assert usual(both, 14, 22) == [[3, 1], [3, 1]]


def test_a_row_is_known_to_be_faster_than_it_states_until_it_states_another_speed() -> None:
    moved = numbered().moved_to(with_row(table(names=["c", "a"]), 1, index=1, speed_bps=5))
    assert moved.rows.faster.tolist() == [False, False]  # c has another index, a another speed
    assert numbered().moved_to(table(names=["a", "new"])).rows.faster.tolist() == [True, False]
