from __future__ import annotations

import numpy as np

from server.core.model import DeviceState
from server.hub import Removed
from server.sinks.inventory.inventory import Inventory
from tests.support.frames import START_S, UP, block, event, status, table


def known(*devices: str) -> Inventory:
    inventory = Inventory()
    for device in devices or ("r1",):
        inventory.offer(status(device, DeviceState.STARTING))
    return inventory


def test_devices_stand_in_the_order_in_which_they_were_first_heard_of() -> None:
    inventory = known("r2", "r1", "r3")
    inventory.offer(status("r1", DeviceState.UP))
    assert [(one.status.device, one.status.state.value) for one in inventory.devices()] == [
        ("r2", "starting"),
        ("r1", "up"),
        ("r3", "starting"),
    ]


def test_before_the_first_answer_there_is_only_a_status() -> None:
    view = known().device("r1")
    assert view is not None
    assert (view.table, view.frame, view.newest, view.quality, view.last_sample_s) == (None, None, {}, None, None)


def test_an_unknown_device_is_none() -> None:
    assert known().device("r9") is None


def test_each_metric_keeps_its_newest_values_though_slow_ones_come_less_often() -> None:
    inventory, of = known(), table("a", "b")
    inventory.offer(block(of, 0, in_bps=[1.0, 2.0], oper_status=UP))
    inventory.offer(block(of, 1, in_bps=[3.0, None], quality=[0, 4]))
    view = inventory.device("r1")
    assert view is not None
    np.testing.assert_array_equal(view.newest["in_bps"], [3.0, np.nan])
    np.testing.assert_array_equal(view.newest["oper_status"], [UP, UP])
    assert view.frame is not None
    assert view.frame.seq == 1
    assert view.table is of
    assert view.quality is not None
    assert view.quality.tolist() == [0, 4]


def test_the_last_sample_is_that_of_the_newest_frame_that_held_one() -> None:
    inventory, of = known(), table("a", "b")
    inventory.offer(block(of, 0, in_bps=[None, 2.0]))
    inventory.offer(block(of, 1, in_bps=[None, None]))
    view = inventory.device("r1")
    assert view is not None
    assert view.last_sample_s == START_S


def test_slow_values_follow_their_rows_by_name_to_a_new_table() -> None:
    inventory = known()
    inventory.offer(block(table("a", "b"), 0, in_bps=1.0, in_errors_per_s=[5.0, 6.0]))
    new = table("b", "new", "a", version=2)
    inventory.offer(block(new, 1, in_bps=[7.0, 8.0, 9.0]))
    view = inventory.device("r1")
    assert view is not None
    np.testing.assert_array_equal(view.newest["in_errors_per_s"], [6.0, np.nan, 5.0])
    np.testing.assert_array_equal(view.newest["in_bps"], [7.0, 8.0, 9.0])


def test_a_table_without_rows_and_the_rows_coming_back_are_no_fault() -> None:
    inventory = known()
    inventory.offer(block(table("a"), 0, in_bps=1.0, in_errors_per_s=5.0))
    inventory.offer(block(table(version=2), 1, in_bps=[]))
    inventory.offer(block(table("a", version=3), 2, in_bps=2.0))
    view = inventory.device("r1")
    assert view is not None
    assert view.newest["in_bps"].tolist() == [2.0]
    assert "in_errors_per_s" not in view.newest or np.isnan(view.newest["in_errors_per_s"]).all()


def test_a_view_does_not_change_when_a_newer_frame_comes() -> None:
    inventory, of = known(), table("a")
    inventory.offer(block(of, 0, in_bps=1.0))
    view = inventory.device("r1")
    inventory.offer(block(of, 1, in_bps=2.0))
    assert view is not None
    assert view.newest["in_bps"].tolist() == [1.0]


def test_a_late_frame_of_a_removed_device_does_not_bring_it_back() -> None:
    inventory = known("r1", "r2")
    inventory.offer(Removed("r1"))
    inventory.offer(Removed("r1"))
    inventory.offer(block(table("a"), 0))
    assert [one.status.device for one in inventory.devices()] == ["r2"]


def test_events_are_no_news_of_the_inventory() -> None:
    inventory = known()
    inventory.offer(event())
    assert len(inventory.devices()) == 1


def test_waiting_counts_the_devices_that_were_not_tried_yet() -> None:
    inventory = known("r1", "r2", "r3")
    assert inventory.waiting() == 3
    inventory.offer(status("r1", DeviceState.UP))
    inventory.offer(status("r2", DeviceState.DOWN, "no answer"))
    assert inventory.waiting() == 1
    inventory.offer(Removed("r3"))
    assert inventory.waiting() == 0
