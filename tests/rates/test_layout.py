from __future__ import annotations

from itertools import product

import numpy as np

from server.rates.layout import Layout, cross, selector
from tests.rates.build import ERRORS, IN, LOAD, OUT, STATUS, table


def test_positions_in_a_row_are_a_slice_and_others_an_array() -> None:
    assert selector([2, 3, 4]) == slice(2, 5)
    scattered, none = selector([0, 2]), selector([])
    assert isinstance(scattered, np.ndarray)
    assert scattered.tolist() == [0, 2]
    assert isinstance(none, np.ndarray)
    assert none.tolist() == []


def test_positions_of_two_axes_index_their_product() -> None:
    of = np.arange(30).reshape(5, 6)
    for first, second in product(([1, 2], [0, 3]), ([2, 3], [5, 1])):
        assert of[cross(selector(first), selector(second))].tolist() == of[np.ix_(first, second)].tolist()


def test_counters_are_found_among_other_columns_in_any_order() -> None:
    of = table(2, metrics=(IN, STATUS, OUT, LOAD, ERRORS), speed_bps=1000)
    layout = Layout.of(of.metrics, (4, 1, 0), of.counter_bits, of.speeds_bps())
    assert isinstance(layout.counters, np.ndarray)
    assert layout.counters.tolist() == [0, 2]
    assert layout.metric_numbers.tolist() == [4, 0]
    assert layout.others == (1,)
    assert layout.scale.tolist() == [[1.0], [8.0]]
    assert layout.line_factor.tolist() == [[0.0], [1.0]]
    assert layout.over_bps.tolist() == [1050.0, 1050.0]
