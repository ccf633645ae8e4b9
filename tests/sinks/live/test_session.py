from __future__ import annotations

import asyncio
from typing import Any

import pytest

from server.core.blocks import Frames
from server.core.model import DeviceState
from server.hub import Removed
from server.sinks.live.messages import Heartbeat
from tests.sinks.live.world import EPOCH, NewPage, seqs
from tests.support.frames import START_S, block, event, frame, status, table

OF = table("a", "b")
OTHER = table("x", device="r2")


# -- subscriptions


@pytest.mark.gen_test
async def test_the_first_words_are_the_servers(page: NewPage) -> None:
    one = page()
    (hello,) = one.paper.take()
    assert (hello["type"], hello["epoch"]) == ("hello", EPOCH)


@pytest.mark.gen_test
async def test_a_subscription_begins_with_its_snapshot_and_goes_on_with_each_frame(page: NewPage) -> None:
    one = page()
    assert seqs(await one.ask(id=1, device="r1")) == [("snapshot", 0)]
    for seq in (1, 2):
        one.world.publish(block(OF, seq))
        assert seqs(await one.settle()) == [("samples", seq)]


@pytest.mark.gen_test
async def test_who_keeps_up_is_written_to_in_the_moment_of_publishing_and_once_for_all_of_it(page: NewPage) -> None:
    one = page()
    one.world.publish(block(OTHER, 0))
    for identity, device in enumerate(("r1", "r2", "r1")):
        await one.ask(id=identity, device=device)
    before = one.paper.writes
    one.world.publish(Frames.of([frame(OF, 1), frame(OTHER, 1)]))
    assert sorted((each["id"], each["seq"]) for each in one.paper.take("samples")) == [(0, 1), (1, 1), (2, 1)]
    one.world.publish(status(state=DeviceState.LATE))
    assert [each["id"] for each in one.paper.take("device")] == [0, 2]
    one.session.say(Heartbeat(START_S))
    assert [each["type"] for each in one.paper.take()] == ["heartbeat"]
    assert one.paper.writes == before + 3


@pytest.mark.gen_test
async def test_the_first_messages_of_one_subscription_come_in_a_turn_of_the_loop(page: NewPage) -> None:
    one = page()
    for identity in range(3):
        one.say("subscribe", id=identity, device="r1")
    given = []
    for _ in range(4):
        given.append([each["id"] for each in one.paper.take("snapshot")])
        await asyncio.sleep(0)
    assert given == [[], [0], [1], [2]]


@pytest.mark.gen_test
async def test_subscriptions_to_one_device_are_independent_of_each_other(page: NewPage) -> None:
    one = page()
    await one.ask(id=1, device="r1", interfaces=["a"], metrics=["in_bps"])
    one.world.publish(block(OF, 1))
    await one.settle()
    await one.ask(id=2, device="r1", interfaces=["b"], metrics=["out_bps"])
    one.world.publish(block(OF, 2))
    messages = await one.settle()
    assert [(each["id"], each["values"]) for each in messages] == [(1, [[2000]]), (2, [[1000.5]])]
    one.say("unsubscribe", id=1)
    one.world.publish(block(OF, 3))
    assert [each["id"] for each in await one.settle()] == [2]


@pytest.mark.gen_test
async def test_an_id_that_is_used_anew_replaces_its_subscription(page: NewPage) -> None:
    one = page()
    one.world.publish(block(OTHER, 0))
    await one.ask(id=1, device="r1")
    assert (await one.ask(id=1, device="r2"))[0]["device"] == "r2"
    one.world.publish(block(OF, 1), frame(OTHER, 1))
    assert [each["values"] for each in await one.settle()] == [[[1000], [500]]]
    assert [each["type"] for each in await one.ask(id=1, summary=True)] == ["summary"]
    one.world.publish(block(OTHER, 2))
    assert await one.settle() == []


@pytest.mark.gen_test
async def test_after_unsubscribing_nothing_comes_and_what_is_not_there_is_no_error(page: NewPage) -> None:
    one = page()
    await one.ask(id=1, device="r1")
    one.say("unsubscribe", id=1)
    one.say("unsubscribe", id=1)
    one.say("unsubscribe", id=99)
    one.world.publish(block(OF, 1), frame(OF, 2), status(state=DeviceState.DOWN))
    assert await one.settle() == []
    assert one.world.metrics.dropped == 0  # nor did they wait for it


@pytest.mark.gen_test
async def test_a_subscription_that_is_taken_back_before_it_began_is_never_heard_of(page: NewPage) -> None:
    one = page()
    one.say("subscribe", id=1, device="r1")
    one.say("unsubscribe", id=1)
    one.world.publish(block(OF, 1))
    assert await one.settle() == []


@pytest.mark.gen_test
async def test_what_subscriptions_share_is_let_go_when_their_rows_are_others_and_when_they_end(page: NewPage) -> None:
    one = page()
    fanout = one.world.sink._fanout
    for identity in (1, 2):
        await one.ask(id=identity, device="r1")
    one.world.publish(block(table("a", "b", "new", version=2), 1))
    assert [each["seq"] for each in one.paper.take("snapshot")] == [1, 1]
    assert len(fanout.rows._sets["r1", False]) == 1
    for identity in (1, 2):
        one.say("unsubscribe", id=identity)
    assert (fanout.rows._sets, fanout._followers) == ({}, {False: {}, True: {}})


@pytest.mark.gen_test
async def test_history_is_given_up_to_the_cap_of_the_settings(page: NewPage) -> None:
    one = page(history_s=60.0)
    for seq in range(1, 100):
        one.world.publish(block(OF, seq))
    assert len((await one.ask(id=1, device="r1", history_s=1e300))[0]["times"]) == 61
    assert len((await one.ask(id=1, device="r1", history_s=-5))[0]["times"]) == 1


@pytest.mark.gen_test
async def test_a_device_that_answers_for_the_first_time_gives_its_snapshot_then(page: NewPage) -> None:
    one = page()
    assert [each["type"] for each in await one.ask(id=1, device="r2")] == ["device"]
    one.world.publish(block(OTHER, 0))
    assert [each["type"] for each in await one.settle()] == ["snapshot", "device"]


@pytest.mark.gen_test
async def test_a_change_of_state_reaches_each_subscription_to_that_device(page: NewPage) -> None:
    one = page()
    for identity, device in ((1, "r1"), (2, "r1"), (3, "r2")):
        await one.ask(id=identity, device=device)
    one.world.publish(status(state=DeviceState.LATE, reason="slow"))
    assert [(each["id"], each["state"], each["reason"]) for each in await one.settle()] == [
        (1, "late", "slow"),
        (2, "late", "slow"),
    ]


@pytest.mark.gen_test
async def test_a_removed_device_ends_its_subscriptions_with_an_error_and_no_others(page: NewPage) -> None:
    one = page()
    for identity, device in ((1, "r1"), (2, "r2")):
        await one.ask(id=identity, device=device)
    one.world.publish(Removed("r1"))
    (error,) = await one.settle()
    assert (error["type"], error["id"], error["code"]) == ("error", 1, "unknown_device")
    assert error["message"] == "r1 was removed from the configuration"
    one.world.up("r1")
    one.world.publish(block(OF, 5), frame(OTHER, 0))
    assert {each["id"] for each in await one.settle()} == {2}


@pytest.mark.gen_test
async def test_a_device_that_was_removed_and_came_back_unseen_may_be_followed_at_once(page: NewPage) -> None:
    one = page()
    await one.ask(id=1, device="r1")
    one.world.publish(Removed("r1"))
    one.say("unsubscribe", id=1)
    one.world.up("r1")
    one.world.publish(block(OF, 2))
    assert seqs(await one.ask(id=2, device="r1"), 2) == [("snapshot", 2)]
    one.world.publish(block(OF, 3))
    assert seqs(await one.settle(), 2) == [("samples", 3)]


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("words", "code"),
    [
        ({"device": "r9"}, "unknown_device"),
        ({"device": ""}, "unknown_device"),
        ({"device": "r1", "interfaces": ["no such"]}, "unknown_interface"),
        ({"device": "r1", "metrics": ["no such"]}, "unknown_metric"),
    ],
)
async def test_what_is_unknown_is_refused_with_the_id_and_holds_no_place(
    page: NewPage, words: dict[str, Any], code: str
) -> None:
    one = page(max_subscriptions=1)
    (error,) = await one.ask(id=7, **words)
    assert (error["type"], error["id"], error["code"]) == ("error", 7, code)
    assert seqs(await one.ask(id=8, device="r1"), 8) == [("snapshot", 0)]
    assert one.paper.closed is None


@pytest.mark.gen_test
async def test_an_unknown_interface_of_a_device_that_had_not_answered_is_told_with_its_first_frame(page: NewPage) -> None:
    one = page()
    await one.ask(id=1, device="r2", interfaces=["no such"])
    one.world.publish(block(OTHER, 0))
    assert [(each["id"], each["code"]) for each in await one.settle()] == [(1, "unknown_interface")]
    one.world.publish(block(OTHER, 1))
    assert await one.settle() == []


# -- events and summaries


@pytest.mark.gen_test
async def test_events_come_from_the_recent_past_and_then_as_they_happen(page: NewPage) -> None:
    one = page()
    one.world.publish(event("before"))
    assert [each["event"]["text"] for each in await one.ask(id=3, events=True)] == ["before"]
    one.world.publish(event("now"))
    (message,) = await one.settle()
    assert (message["type"], message["id"], message["event"]["text"]) == ("event", 3, "now")
    one.say("unsubscribe", id=3)
    one.world.publish(event("after"))
    assert await one.settle() == []


@pytest.mark.gen_test
async def test_a_summary_comes_at_once_with_the_trend_and_then_with_each_new_second(page: NewPage) -> None:
    one = page()
    one.world.board.refresh(START_S)
    (first,) = await one.ask(id=2, summary=True, limit=1)
    assert (first["type"], first["id"], len(first["rows"]), first["trend"]["times"]) == ("summary", 2, 1, [START_S])
    assert await one.settle() == []
    one.world.board.refresh(START_S + 1)
    one.session.summary_is_new()
    (second,) = await one.settle()
    assert (second["totals"]["time"], second["trend"]) == (START_S + 1, None)


@pytest.mark.gen_test
async def test_who_follows_no_summary_is_not_woken_for_it(page: NewPage) -> None:
    one = page()
    await one.ask(id=1, device="r1")
    one.session.summary_is_new()
    assert await one.settle() == []


@pytest.mark.gen_test
async def test_a_slow_reader_gets_one_summary_for_all_the_seconds_it_slept(page: NewPage) -> None:
    one = page()
    await one.ask(id=2, summary=True)
    one.paper.ready.clear()
    for second in range(1, 6):
        one.world.board.refresh(START_S + second)
        one.session.summary_is_new()
        await asyncio.sleep(0)
    one.paper.ready.set()
    assert [each["totals"]["time"] for each in await one.settle()][-1] == START_S + 5
    assert len(one.paper.raw) <= 4  # hello, the first, one that was on its way, the newest
