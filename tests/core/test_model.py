from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from server.core.model import Quality
from tests.support.frames import METRICS, frame, table


def test_a_state_has_a_name_only_when_it_is_there_and_known() -> None:
    oper = METRICS[2]
    assert [oper.state_name(value) for value in (1.0, 7.0, 99.0, float("nan"))] == ["up", "lowerLayerDown", None, None]


def test_rows_are_found_by_name() -> None:
    assert table("a", "b:1/2").index_of() == {"a": 0, "b:1/2": 1}


def test_an_unknown_speed_is_nan() -> None:
    np.testing.assert_array_equal(table("a", "b", speed_bps=[0, 10**11]).speeds_bps(), [np.nan, 1e11])


def test_a_frame_gives_a_metric_by_its_shown_name_and_none_when_it_was_not_due() -> None:
    one = frame(table("a", "b"), out_bps=[1.0, None], in_bps=5.0)
    np.testing.assert_array_equal(one.column("in_bps"), [5.0, 5.0])
    np.testing.assert_array_equal(one.column("out_bps"), [1.0, np.nan])
    assert one.column("oper_status") is None
    assert one.column("no_such_metric") is None


def test_model_values_cannot_be_changed() -> None:
    for value, field in ((table("a"), "version"), (frame(table("a")), "seq"), (METRICS[0], "name")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, field, 7)


def test_quality_bits_fit_the_frame_and_stay_what_they_are_on_the_wire() -> None:
    assert {flag.name: flag.value for flag in Quality} == {
        "LATE": 1,
        "RESET": 2,
        "INVALID": 4,
        "WRAPPED": 8,
        "ESTIMATED": 16,
        "OVER_SPEED": 32,
    }
    assert max(Quality) <= np.iinfo(np.uint8).max
