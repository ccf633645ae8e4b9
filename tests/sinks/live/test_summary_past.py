"""What the summary knows of the past: trend, changes, sparks, and what the board keeps."""

from __future__ import annotations

from server.hub import Removed
from server.sinks.live.sparks import SLOTS
from tests.sinks.live.summaries import CORE, G, asked, network
from tests.sinks.live.world import World
from tests.support.frames import START_S, block, event, frame, table

# -- the trend and what changed most


def test_the_first_message_brings_the_trend_and_those_after_it_do_not() -> None:
    world = network()
    world.board.refresh(START_S + 1)
    follower = asked(world)
    first = follower.begin()
    assert first.trend is not None
    assert first.trend.times == [START_S, START_S + 1]
    assert first.trend.in_bps == [10.55 * G, 10.55 * G]
    assert follower.next().trend is None


def test_the_biggest_changes_within_a_minute_are_told_biggest_first() -> None:
    world, of = World(), table("a", "b", "c", device="r1")
    world.up("r1")
    for second in range(80):
        late = second >= 70
        world.publish(
            frame(of, second, in_bps=[1 * G, 9 * G if late else 1 * G, 2 * G], out_bps=[1 * G if late else 5 * G, 0.0, None])
        )
        world.board.refresh(START_S + second)
    told = [(mover.name, mover.direction, mover.was_bps, mover.now_bps) for mover in asked(world).next().movers]
    assert told == [("b", "in", 1 * G, 9 * G), ("a", "out", 5 * G, 1 * G)]


def test_a_row_that_has_no_data_now_is_no_change() -> None:
    world, of = World(), table("a")
    world.up("r1")
    for second in range(80):
        world.publish(block(of, second, in_bps=1 * G if second < 70 else [None]))
        world.board.refresh(START_S + second)
    assert asked(world).next().movers == []


def test_at_most_seven_changes_are_told() -> None:
    world, of = World(), table(*(f"e{number}" for number in range(20)))
    world.up("r1")
    for second in range(80):
        world.publish(block(of, second, in_bps=[number * G * (second > 70) for number in range(20)]))
        world.board.refresh(START_S + second)
    assert [mover.name for mover in asked(world).next().movers] == [f"e{number}" for number in range(19, 12, -1)]


# -- sparks


def test_sparks_come_with_a_new_row_and_then_once_for_each_slot_that_closes() -> None:
    world = World()
    world.up("r1")
    of, begin_s = table("a"), START_S  # a multiple of the slot
    follower, with_sparks = asked(world), []
    for second in range(16):
        world.publish(block(of, second, wall_s=begin_s + second, in_bps=float(second)))
        world.board.refresh(begin_s + second)
        if (sparks := follower.next().rows[0].spark_in) is not None:
            with_sparks.append((second, sparks))
    assert [second for second, _ in with_sparks] == [0, 5, 10, 15]
    newest = with_sparks[-1][1]
    assert len(newest) == SLOTS
    assert newest[-3:] == [2.0, 7.0, 12.0]


def test_a_row_that_left_the_page_and_came_back_brings_its_sparks_again() -> None:
    world = World()
    world.up("r1")
    of = table("a", "b")
    follower = asked(world, sort="in", limit=1)
    told = []
    for second, cells in enumerate(([2.0, 1.0], [2.0, 1.0], [1.0, 2.0], [2.0, 1.0])):
        world.publish(block(of, second, in_bps=cells))
        world.board.refresh(START_S + second)
        row = follower.next().rows[0]
        told.append((row.name, row.spark_in is not None))
    assert told == [("a", True), ("a", False), ("b", True), ("a", True)]


def test_a_table_that_changes_after_the_second_gives_no_row_the_sparks_of_another() -> None:
    world = network()
    assert len(world.board.survey.members) == 3  # somebody looks at this second
    world.publish(block(table("xe-1", device="core1", version=2), 1, wall_s=START_S + 0.5, in_bps=5.0))
    rows = asked(world, only_device="core1").next().rows
    assert len(rows) == 3
    assert [row.spark_in for row in rows] == [None] * 3


def test_each_subscription_gets_its_own_sparks() -> None:
    world = network()
    first, second = asked(world, filter="waw1"), asked(world, filter="waw1")
    assert first.next().rows[0].spark_in is not None
    assert second.next().rows[0].spark_out is not None


# -- what the board keeps


def test_the_interval_that_is_shown_is_the_measured_one_and_an_outage_is_no_interval() -> None:
    world, of = World(), table("a")
    world.up("r1")
    times = [0.0, 1.2, 2.4, 3.6, 3603.6, 3604.8]
    for seq, wall_s in enumerate(times):
        world.publish(block(of, seq, wall_s=START_S + wall_s))
    world.board.refresh(START_S + times[-1])
    assert asked(world).next().devices[0].interval_s == 1.2


def test_a_clock_that_was_set_back_shows_no_negative_interval_and_sparks_begin_anew() -> None:
    world, of = World(), table("a")
    world.up("r1")
    for seq in range(20):
        world.publish(block(of, seq, in_bps=5.0))
        world.board.refresh(START_S + seq)
    follower = asked(world)
    assert any(follower.next().rows[0].spark_in or [])
    for seq in range(20, 24):
        world.publish(block(of, seq, wall_s=START_S - 3600 + seq, in_bps=7.0))
        world.board.refresh(START_S - 3600 + seq)
    found = follower.next()
    assert found.devices[0].interval_s == 1.0
    row = found.rows[0]
    assert (row.in_bps, row.age_s) == (7.0, 0.0)
    assert row.spark_in is not None
    assert 5.0 not in row.spark_in


def test_a_removed_device_leaves_the_board() -> None:
    world = network()
    world.publish(Removed("core1"), event())
    world.board.refresh(START_S)
    assert world.board.fleet.roster.member("core1") is None
    assert {row.device for row in asked(world).next().rows} == {"edge1", "dead1"}


def test_a_late_frame_of_a_device_that_was_removed_and_came_back_is_no_fault() -> None:
    world = network()
    world.publish(Removed("core1"), frame(CORE, 1))
    world.up("core1")
    world.board.refresh(START_S + 1)
    (row,) = [row for row in asked(world).next().rows if row.device == "core1"]
    assert (row.whole_device, row.age_s) == (True, None)


def test_rows_of_a_new_table_are_shown_from_their_first_frame_on() -> None:
    world = network()
    new = table("xe-9", "xe-0", device="core1", version=2)
    world.publish(block(new, 1, wall_s=START_S + 1, in_bps=[1.0, 2.0]))
    world.board.refresh(START_S + 1)
    found = asked(world, only_device="core1", sort="name", descending=False).next()
    assert [row.name for row in found.rows] == ["xe-9", "xe-0"]
    assert all(row.spark_in is not None for row in found.rows)
    assert [row.oper_status for row in found.rows] == [None, "up"]
