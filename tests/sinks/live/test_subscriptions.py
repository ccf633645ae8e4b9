from __future__ import annotations

from typing import Any

import pytest

from server.core.model import DeviceState
from server.hub import Removed
from server.sinks.live import subscriptions
from server.sinks.live.subscriptions import Refused
from server.sinks.live.writer import Message
from tests.sinks.live.followers import follower, next_of, told
from tests.sinks.live.world import World
from tests.support.frames import DOWN, START_S, UP, block, blocked, frame, status, table

OF = table("a", "b")


@pytest.fixture
def world() -> World:
    world = World()
    world.up("r1")
    return world


def kinds(messages: list[Message]) -> list[str]:
    return [one["type"] for one in told(messages)]


# -- the snapshot


def test_a_snapshot_brings_the_asked_past_and_the_state_of_the_device(world: World) -> None:
    for seq in range(5):
        world.publish(block(OF, seq, oper_status=[UP, DOWN], in_bps=[seq, 10 + seq], out_bps=[None, 5.0]))
    snapshot, device = told(follower(world, interfaces=["b", "a"], history_s=2.0).begin())
    assert (snapshot["type"], snapshot["seq"], snapshot["resumed"]) == ("snapshot", 4, False)
    assert [(facts["name"], facts["oper_status"]) for facts in snapshot["interfaces"]] == [("b", "down"), ("a", "up")]
    assert snapshot["times"] == [START_S + 2, START_S + 3, START_S + 4]
    assert snapshot["values"] == [[[12, 13, 14], [2, 3, 4]], [[5, 5, 5], [None, None, None]]]
    assert (device["type"], device["state"]) == ("device", "up")


def test_without_history_the_snapshot_holds_the_newest_frame_alone(world: World) -> None:
    for seq in range(3):
        world.publish(block(OF, seq))
    assert told(follower(world, history_s=0.0).begin())[0]["times"] == [START_S + 2]


def test_all_interfaces_are_those_of_the_table_in_its_order(world: World) -> None:
    world.publish(block(OF))
    assert [one["name"] for one in told(follower(world).begin())[0]["interfaces"]] == ["a", "b"]


def test_what_is_asked_for_twice_is_given_once(world: World) -> None:
    world.publish(block(OF))
    one = follower(world, interfaces=["b", "a", "b"], metrics=["out_bps", "in_bps", "out_bps"])
    snapshot = told(one.begin())[0]
    assert ([each["name"] for each in snapshot["interfaces"]], snapshot["metrics"]) == (["b", "a"], ["out_bps", "in_bps"])
    assert next_of(world, one, frame(OF, 1, in_bps=[1, 2], out_bps=[3, 4]))[-1]["values"] == [[4, 3], [2, 1]]


def test_a_metric_that_was_not_due_is_told_as_that(world: World) -> None:
    world.publish(block(OF, 0, in_bps=1.0, in_errors_per_s=0.0), frame(OF, 1, in_bps=[None, 2.0]))
    one = follower(world, interfaces=["a"], metrics=["in_bps", "in_errors_per_s"])
    snapshot = told(one.begin())[0]
    assert snapshot["values"] == [[[1, None]], [[0, None]]]
    assert snapshot["not_due"] == [[], [1]]
    assert next_of(world, one, frame(OF, 2, in_bps=3.0))[-1]["values"] == [[3], []]


def test_no_interfaces_is_a_subscription_to_the_device_alone(world: World) -> None:
    world.publish(block(OF))
    one = follower(world, interfaces=[])
    snapshot = told(one.begin())[0]
    assert (snapshot["interfaces"], snapshot["values"], len(snapshot["times"])) == ([], [[], []], 1)
    assert next_of(world, one, frame(OF, 1))[-1]["values"] == [[], []]


@pytest.mark.parametrize(("rows", "samples"), [(1, 20), (4, 10), (40, 1), (100, 1)])
def test_a_snapshot_is_never_larger_than_its_cap_but_for_one_tick(
    world: World, monkeypatch: pytest.MonkeyPatch, rows: int, samples: int
) -> None:
    monkeypatch.setattr(subscriptions, "MOST_SNAPSHOT_VALUES", 80)
    of = table(*(f"e{number}" for number in range(rows)))
    for seq in range(20):
        world.publish(block(of, seq))
    snapshot = told(follower(world).begin())[0]
    assert snapshot["times"] == [START_S + seq for seq in range(20 - samples, 20)]
    assert {len(row) for metric in snapshot["values"] for row in metric} == {samples}
    assert {len(late) for late in snapshot["not_due"]} == {0}


# -- what comes after it


def test_each_newer_frame_is_one_message_with_the_next_seq(world: World) -> None:
    world.publish(block(OF, 0))
    one = follower(world, interfaces=["b"])
    one.begin()
    for seq in range(1, 4):
        (message,) = next_of(world, one, frame(OF, seq, quality=[0, 16], span_s=1.25))
        assert (message["type"], message["seq"], message["time"]) == ("samples", seq, START_S + seq)
        assert message["values"] == [[1000.0 * seq + 1], [(1000.0 * seq + 1) / 2]]
        assert (message["quality"], message["span_s"]) == ([16], 1.25)


def test_a_frame_that_the_snapshot_holds_already_is_not_told_again(world: World) -> None:
    world.publish(blocked(newest := frame(OF, 4)))
    one = follower(world)
    one.begin()
    assert one.frame(newest, 0) == []
    assert one.frame(frame(OF, 3), 0) == []


def test_missed_frames_are_announced_before_the_newest(world: World) -> None:
    world.publish(block(OF, 0))
    one = follower(world)
    one.begin()
    assert [(each["type"], each.get("missed")) for each in next_of(world, one, frame(OF, 4), missed=3)] == [
        ("resync", 3),
        ("samples", None),
    ]


def test_a_frame_that_was_dropped_for_the_reader_but_is_in_the_snapshot_was_not_missed(world: World) -> None:
    world.publish(block(OF, 0), frame(OF, 1))
    one = follower(world)
    one.begin()  # the queue of its page holds frame 1 for an older subscription ...
    newer = next_of(world, one, frame(OF, 2), missed=1)  # ... and frame 2 replaced it
    assert [each["type"] for each in newer] == ["samples"]
    assert [each.get("missed") for each in next_of(world, one, frame(OF, 5), missed=4)] == [2, None]


def test_a_changed_status_is_told_before_the_samples_that_came_with_it(world: World) -> None:
    world.publish(block(OF, 0, in_bps=1.0, oper_status=UP))
    one = follower(world, interfaces=["b", "a"])
    one.begin()
    assert [each["type"] for each in next_of(world, one, frame(OF, 1, in_bps=1.0, oper_status=UP))] == ["samples"]
    changed, samples = next_of(world, one, frame(OF, 2, in_bps=1.0, oper_status=[DOWN, UP]))
    assert (changed["type"], samples["type"]) == ("table", "samples")
    assert [(each["name"], each["oper_status"]) for each in changed["interfaces"]] == [("b", "up"), ("a", "down")]
    assert [each["type"] for each in next_of(world, one, frame(OF, 3, in_bps=1.0))] == ["samples"]


def test_a_renumbered_table_is_told_and_values_follow_the_names(world: World) -> None:
    world.publish(block(OF, 0, in_bps=1.0, oper_status=UP))
    one = follower(world, interfaces=["a", "b"], metrics=["in_bps"])
    one.begin()
    moved = table("b", "a", version=2, first_index=500)
    changed, samples = next_of(world, one, frame(moved, 1, in_bps=[20.0, 10.0]))
    assert [(each["name"], each["index"], each["oper_status"]) for each in changed["interfaces"]] == [
        ("a", 501, "up"),
        ("b", 500, "up"),
    ]
    assert samples["values"] == [[10.0, 20.0]]


def test_a_new_version_that_says_the_same_is_not_told(world: World) -> None:
    world.publish(block(OF, 0))
    one = follower(world)
    one.begin()
    assert [each["type"] for each in next_of(world, one, frame(table("a", "b", version=2), 1))] == ["samples"]


def test_all_interfaces_with_other_rows_are_a_new_snapshot(world: World) -> None:
    world.publish(block(OF, 0), frame(OF, 1))
    one = follower(world, metrics=["in_bps"])
    one.begin()
    grown = table("new", "b", version=2)
    snapshot, device = next_of(world, one, frame(grown, 2))
    assert ([each["name"] for each in snapshot["interfaces"]], snapshot["seq"]) == (["new", "b"], 2)
    assert snapshot["values"] == [[[None, None, 2000], [1, 1001, 2001]]]
    assert device["type"] == "device"
    assert [each["type"] for each in next_of(world, one, frame(grown, 3))] == ["samples"]


def test_a_row_that_vanished_keeps_its_place_with_null_and_comes_back_there(world: World) -> None:
    world.publish(block(OF, 0, in_bps=[1, 2], oper_status=UP))
    one = follower(world, interfaces=["a", "b"], metrics=["in_bps"])
    one.begin()
    changed, samples = next_of(world, one, frame(table("b", version=2), 1, in_bps=[22.0]))
    assert [(each["name"], each["oper_status"]) for each in changed["interfaces"]] == [("a", None), ("b", "up")]
    assert (samples["values"], samples["quality"]) == ([[None, 22.0]], [0, 0])
    changed, samples = next_of(world, one, frame(table("c", "a", "b", version=3), 2, in_bps=[3.0, 1.0, 2.0]))
    assert [each["name"] for each in changed["interfaces"]] == ["a", "b"]
    assert samples["values"] == [[1.0, 2.0]]


def test_a_device_that_lost_all_its_rows_gives_nulls(world: World) -> None:
    world.publish(block(OF, 0))
    one = follower(world, interfaces=["a", "b"], metrics=["in_bps"])
    one.begin()
    assert next_of(world, one, frame(table(version=2), 1, in_bps=[]))[-1]["values"] == [[None, None]]


def test_another_cadence_is_told_once(world: World) -> None:
    world.publish(block(OF, 0))
    one = follower(world)
    one.begin()
    for seq, (cadence_s, told_of) in enumerate(
        [(None, False), (5.02, True), (5.03, False), (5.2, True), (None, True), (None, False)], start=1
    ):
        messages = next_of(world, one, frame(OF, seq, cadence_s=cadence_s))
        assert [each["cadence_s"] for each in messages if each["type"] == "device"] == ([cadence_s] if told_of else [])
        assert messages[-1]["type"] == "samples"


def test_another_cadence_of_a_row_is_told_by_its_facts_and_once(world: World) -> None:
    world.publish(block(OF, 0, cadence_s=5.0, quality=[16, 0]))
    one = follower(world)
    assert [each["cadence_s"] for each in told(one.begin())[0]["interfaces"]] == [5.0, None]
    for seq, (quality, cadences) in enumerate(
        [([16, 0], None), ([16, 4], None), ([16, 16], [5.0, 5.0]), ([16, 16], None), ([0, 16], [None, 5.0])], start=1
    ):
        messages = next_of(world, one, frame(OF, seq, cadence_s=5.0, quality=quality))
        tables = [[facts["cadence_s"] for facts in each["interfaces"]] for each in messages if each["type"] == "table"]
        assert tables == ([cadences] if cadences else [])
        assert messages[-1]["type"] == "samples"


def test_a_state_is_told_as_it_is_now(world: World) -> None:
    world.publish(block(OF, 0))
    one = follower(world)
    one.begin()
    world.publish(status(state=DeviceState.DOWN, reason="no answer for 3 s"))
    (message,) = told(one.status())
    assert (message["state"], message["reason"], message["last_sample"]) == ("down", "no answer for 3 s", START_S)


# -- a device that has not answered yet, or is not there any more


def test_before_the_first_answer_there_is_the_state_and_then_the_snapshot(world: World) -> None:
    one = follower(world, interfaces=["b"])
    assert kinds(one.begin()) == ["device"]
    world.publish(blocked(first := frame(OF, 0)))
    assert kinds(one.frame(first, 0)) == ["snapshot", "device"]
    assert [each["type"] for each in next_of(world, one, frame(OF, 1))] == ["samples"]


def test_names_are_checked_when_the_first_answer_tells_them(world: World) -> None:
    one = follower(world, interfaces=["no-such"])
    one.begin()
    world.publish(blocked(first := frame(OF, 0)))
    with pytest.raises(Refused) as refused:
        one.frame(first, 0)
    assert refused.value.failure.code == "unknown_interface"


def test_a_removed_device_has_no_state_to_tell(world: World) -> None:
    world.publish(block(OF, 0))
    one = follower(world)
    one.begin()
    world.publish(Removed("r1"))
    assert one.status() == []


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        ({"device": "r9"}, "unknown_device", "no device is named 'r9'"),
        ({"interfaces": ["a", "x", "y"]}, "unknown_interface", "r1 has no interface named 'x', 'y'"),
        ({"metrics": ["in_bps", "rtt_ms"]}, "unknown_metric", "r1 has no metric named 'rtt_ms'; it has admin_status, "),
    ],
)
def test_what_is_not_there_is_refused_in_words(world: World, words: dict[str, Any], code: str, text: str) -> None:
    world.publish(block(OF))
    with pytest.raises(Refused) as refused:
        follower(world, **words).begin()
    failure = refused.value.failure
    assert (failure.id, failure.code) == (1, code)
    assert failure.message.startswith(text)
    assert str(refused.value) == failure.message
