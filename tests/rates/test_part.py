from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from server.core.blocks import Readings
from server.core.model import Reading
from server.rates.part import part
from tests.rates.build import chunk, reading, table


def device(number: int, rows: int, answers: int) -> Reading:
    """A device whose `answers` carry a part of its rows each, in both columns; the last row came from none."""
    of = replace(table(rows), device=f"sw{number}")
    parts = np.array_split(np.arange(rows - 1), answers) if rows else []
    chunks = [chunk(10 * number + n, (0, 1), rows_of.tolist(), ticks=n) for n, rows_of in enumerate(parts)]
    stamps = None if number % 2 else [number] * rows
    values = [[100 * number + row for row in range(rows)]] * 2
    return reading(of, number, values, chunks=chunks, interval_s=number + 1, discontinuity=stamps)


@given(
    shapes=st.lists(st.tuples(st.integers(0, 6), st.integers(1, 3)), min_size=1, max_size=5),
    dice=st.randoms(use_true_random=False),
    burst=st.booleans(),
)
def test_a_part_of_a_block_is_the_block_of_those_devices(shapes: list[tuple[int, int]], dice: object, burst: bool) -> None:
    readings = [device(number, rows, answers) for number, (rows, answers) in enumerate(shapes)]
    chosen = dice.sample(range(len(readings)), dice.randint(1, len(readings)))  # type: ignore[attr-defined]
    found = part(Readings.of(readings, burst=burst), chosen)
    truth = Readings.of([readings[number] for number in chosen], burst=burst)
    assert found.tables == truth.tables
    assert found.burst is burst
    for name in ("starts", "wall_s", "interval_s", "values", "valid", "discontinuity", "stamped"):
        np.testing.assert_array_equal(getattr(found, name), getattr(truth, name))
    for name in ("device", "sent_ns", "received_ns", "device_ticks", "carried"):
        np.testing.assert_array_equal(getattr(found.chunks, name), getattr(truth.chunks, name))
