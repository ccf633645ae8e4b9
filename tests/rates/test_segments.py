from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.rates.segments import Groups, Segments


@given(
    widths=st.lists(st.integers(0, 9), max_size=8),
    columns=st.integers(0, 3),
    seed=st.integers(0, 1000),
    alike=st.booleans(),
)
def test_what_holds_of_each_segment_is_what_holds_of_its_part_alone(
    widths: list[int], columns: int, seed: int, alike: bool
) -> None:
    if alike:
        widths = [widths[0]] * len(widths) if widths else []
    dice = np.random.default_rng(seed)
    segments = Segments(np.cumsum([0, *widths], dtype=np.intp))
    mask = dice.random((columns, sum(widths))) < 0.5
    values = dice.normal(size=mask.shape)
    parts = [slice(begin, begin + width) for begin, width in zip(segments.starts.tolist(), widths, strict=False)]
    assert len(segments) == len(widths)
    assert segments.any(mask).tolist() == [bool(mask[:, part].any()) for part in parts]
    assert segments.count(mask).tolist() == [int(mask[:, part].sum()) for part in parts]
    line = dice.integers(-9, 9, sum(widths))
    assert segments.reduce(np.minimum, line, 99).tolist() == [int(line[part].min(initial=99)) for part in parts]
    assert segments.spread(np.arange(len(widths))).tolist() == [n for n, width in enumerate(widths) for _ in range(width)]
    medians = segments.median(values, mask)
    for median, part in zip(medians.tolist(), parts, strict=True):
        counted = values[:, part][mask[:, part]]
        assert median == pytest.approx(float(np.median(counted)) if counted.size else np.nan, nan_ok=True, rel=1e-15)


def test_groups_need_not_be_consecutive_and_may_be_empty() -> None:
    groups = Groups(np.array([2, 0, 2, 0, 3]), 4)
    values = np.array([5, 1, 7, 3, 2])
    assert groups.reduce(np.maximum, values, -1).tolist() == [3, -1, 7, 2]
    assert groups.any(np.array([[False] * 5, [True, False, False, False, False]])).tolist() == [False, False, True, False]
    assert groups.count(np.ones((2, 5), dtype=np.bool_)).tolist() == [4, 0, 4, 2]
    assert groups.spread(np.array([[10, 11, 12, 13]])).tolist() == [[12, 10, 12, 10, 13]]
