from __future__ import annotations

import gc
import random
import weakref

import numpy as np
import pytest

from server.core.blocks import Frames
from server.core.model import DeviceState, Frame, Table
from server.hub import Removed
from server.sinks.inventory.inventory import Inventory
from tests.support.frames import START_S, UP, block, event, frame, status, table


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


def test_a_burst_is_no_news_of_the_inventory() -> None:
    inventory, of = known(), table("a", "b")
    inventory.offer(block(of, 0, in_bps=1.0))
    inventory.offer(Frames.of([frame(table("a"), 1, in_bps=9.0)], burst=True))
    view = inventory.device("r1")
    assert view is not None
    assert view.table is of
    assert view.newest["in_bps"].tolist() == [1.0, 1.0]


# -- blocks of many devices


class Plain:
    """The newest of one device, by metric and row name."""

    def __init__(self) -> None:
        self.table: Table | None = None
        self.newest: dict[str, dict[str, float]] = {}
        self.last_sample_s: float | None = None
        self.seq = -1

    def add(self, one: Frame) -> None:
        names = [row.name for row in one.table.rows]
        for shown, cells in self.newest.items():
            self.newest[shown] = {name: cells.get(name, np.nan) for name in names}
        for position, column in enumerate(one.columns):
            self.newest[one.table.metrics[column].shown] = dict(zip(names, one.values[position].tolist(), strict=True))
        if not np.isnan(one.values).all():
            self.last_sample_s = one.wall_s
        self.table, self.seq = one.table, one.seq


@pytest.mark.parametrize("seed", range(10))
def test_each_device_of_a_block_has_what_a_plain_account_of_it_has(seed: int) -> None:
    chance, devices = random.Random(seed), ("r1", "r2", "r3", "r4")
    inventory, plain, tables = known(*devices), {device: Plain() for device in devices}, dict[str, Table]()
    for seq in range(80):
        due = chance.choice([("in_bps",), ("in_bps", "out_bps"), ("in_bps", "oper_status"), ("oper_status", "admin_status")])
        frames = []
        for device in chance.sample(devices, chance.randint(1, 4)):
            if device not in tables or chance.random() < 0.1:
                names = chance.sample("abcde", chance.randint(0, 4))
                tables[device] = table(*names, device=device, version=seq)
            rows = len(tables[device].rows)
            cells = {shown: [chance.choice([1.0, 2.0, 7.0, None]) for _ in range(rows)] for shown in due}
            frames.append(frame(tables[device], seq, **cells))
            plain[device].add(frames[-1])
        inventory.offer(Frames.of(frames))
        for view in inventory.devices():
            wanted = plain[view.status.device]
            assert view.table is wanted.table
            assert view.last_sample_s == wanted.last_sample_s
            assert (view.frame.seq if view.frame else -1) == wanted.seq
            found = (
                {}
                if view.table is None
                else {
                    shown: dict(zip([row.name for row in view.table.rows], cells.tolist(), strict=True))
                    for shown, cells in view.newest.items()
                }
            )
            assert {shown: cells for shown, cells in found.items() if cells} == pytest.approx(
                {shown: pytest.approx(cells, nan_ok=True) for shown, cells in wanted.newest.items() if cells}
            )


def test_blocks_whose_columns_have_all_come_anew_are_let_go() -> None:
    inventory, of = known(), table("a")
    for seq in range(50):
        inventory.offer(block(of, seq, in_bps=1.0, oper_status=UP) if seq % 5 == 0 else block(of, seq, in_bps=2.0))
        assert len(inventory._entries["r1"].older) <= 1


def test_a_silent_device_does_not_hold_the_blocks_of_its_neighbours() -> None:
    devices = [f"r{number}" for number in range(20)]
    inventory, tables = known(*devices), [table("a", "b", device=device) for device in devices]
    slow = Frames.of([frame(of, 0, in_bps=1.0, oper_status=UP) for of in tables])
    fast = Frames.of([frame(of, 1, in_bps=2.0) for of in tables])
    held = [weakref.ref(slow.values), weakref.ref(fast.values)]
    inventory.offer(slow)
    inventory.offer(fast)
    del slow, fast
    for seq in range(2, 100):
        inventory.offer(Frames.of([frame(of, seq, in_bps=3.0, oper_status=UP) for of in tables[1:]]))
    gc.collect()
    assert [one() for one in held] == [None, None]
    view = inventory.device("r0")
    assert view is not None
    assert view.frame is not None
    assert (view.frame.seq, view.newest["in_bps"].tolist(), view.newest["oper_status"].tolist()) == (1, [2.0] * 2, [UP] * 2)


def test_the_list_of_devices_can_be_cut_and_counted_without_looking_at_each() -> None:
    views = known("r1", "r2", "r3").devices()
    assert len(views) == 3
    assert [one.status.device for one in views[1:]] == ["r2", "r3"]
    assert views[-1].status.device == "r3"
