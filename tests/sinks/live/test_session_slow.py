"""Slow, stalled and broken browsers."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from server.hub import Removed
from server.sinks.live import subscriptions
from server.sinks.live.messages import Heartbeat
from server.sinks.live.rowsets import RowSets
from server.sinks.live.writer import JOINED_BYTES
from tests.sinks.live.world import NewPage, seqs
from tests.support.frames import DOWN, START_S, UP, block, table

OF = table("a", "b")


@pytest.mark.gen_test
async def test_a_slow_reader_gets_the_newest_and_how_many_it_missed(page: NewPage) -> None:
    one = page()
    await one.ask(id=1, device="r1")
    await one.ask(id=2, device="r1")
    one.paper.ready.clear()
    for seq in range(1, 8):
        one.world.publish(block(OF, seq))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    one.paper.ready.set()
    messages = await one.settle()
    assert seqs(messages, 1) == seqs(messages, 2) == [("samples", 1), ("resync", 5), ("samples", 7)]
    assert one.world.metrics.dropped == 5


@pytest.mark.gen_test
async def test_a_slow_reader_is_told_of_a_status_that_came_with_a_frame_it_missed(page: NewPage) -> None:
    one = page()
    one.world.publish(block(OF, 1, in_bps=1.0, oper_status=UP))
    await one.ask(id=1, device="r1")
    one.paper.ready.clear()
    one.session.say(Heartbeat(START_S))
    one.world.publish(block(OF, 2, in_bps=1.0, oper_status=[UP, DOWN]), block(OF, 3, in_bps=1.0))
    one.paper.ready.set()
    messages = [each for each in await one.settle() if each["type"] != "heartbeat"]
    assert [each["type"] for each in messages] == ["resync", "table", "samples"]
    assert [facts["oper_status"] for facts in messages[1]["interfaces"]] == ["up", "down"]


@pytest.mark.gen_test
async def test_what_waits_for_a_subscription_that_a_slow_reader_takes_back_is_not_missed(page: NewPage) -> None:
    one = page()
    await one.ask(id=1, device="r1")
    one.paper.ready.clear()
    one.session.say(Heartbeat(START_S))
    one.world.publish(*(block(OF, seq) for seq in range(1, 6)))
    one.say("unsubscribe", id=1)
    one.paper.ready.set()
    assert [each["type"] for each in await one.settle()] == ["heartbeat"]
    assert one.world.metrics.dropped == 0


@pytest.mark.gen_test
async def test_a_slow_reader_that_asks_for_much_makes_nothing_wait_in_memory(
    page: NewPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    real = subscriptions.DeviceFollower.begin

    def counted(follower: subscriptions.DeviceFollower) -> Any:
        made.append(follower)
        return real(follower)

    monkeypatch.setattr(subscriptions.DeviceFollower, "begin", counted)
    one = page()
    await one.ask(id=0, device="r1")
    one.paper.ready.clear()
    made.clear()
    for round_ in range(10):
        for identity in range(20):
            one.say("subscribe", id=identity, device="r1", history_s=900 + round_)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert len(made) <= 1
    one.paper.ready.set()
    messages = await one.settle()
    assert len([each for each in messages if each["type"] == "snapshot"]) <= 21


@pytest.mark.gen_test
async def test_what_waits_for_a_slow_reader_goes_in_writes_of_a_bounded_size_and_in_order(page: NewPage) -> None:
    one = page(messages_per_s=10_000)
    await one.settle()
    one.paper.ready.clear()
    one.session.say(Heartbeat(START_S))
    for number in range(1000):
        one.session.say(Heartbeat(START_S + number))
    before = one.paper.writes
    one.paper.ready.set()
    told = await one.settle()
    assert [each["server_time"] for each in told] == [START_S, *(START_S + number for number in range(1000))]
    size = sum(map(len, one.paper.raw[1:]))
    assert size / JOINED_BYTES <= one.paper.writes - before <= size / JOINED_BYTES + 2


@pytest.mark.gen_test
async def test_a_browser_that_takes_nothing_is_cut(page: NewPage, caplog: pytest.LogCaptureFixture) -> None:
    one = page(stalled_s=0.02)
    await one.settle()
    one.paper.ready.clear()
    one.say("subscribe", id=1, device="r1")
    with caplog.at_level(logging.INFO, "linewatch"):
        await one.paper.aborted.wait()
    assert "a browser took nothing for 0.02 s; closed" in caplog.text


@pytest.mark.gen_test
async def test_a_browser_that_is_slow_but_reads_is_not_cut(page: NewPage) -> None:
    one = page(stalled_s=0.05)
    await one.ask(id=1, device="r1")
    for seq in range(1, 6):
        one.paper.ready.clear()
        one.world.publish(block(OF, seq))
        await asyncio.sleep(0.02)  # less than it takes to be cut, and more in all
        one.paper.ready.set()
        assert seqs(await one.settle()) == [("samples", seq)]
    assert not one.paper.aborted.is_set()


@pytest.mark.gen_test
async def test_a_browser_that_is_gone_ends_the_writing_quietly(page: NewPage, caplog: pytest.LogCaptureFixture) -> None:
    one = page()
    await one.ask(id=1, device="r1")
    one.paper.broken = True
    one.session.say(Heartbeat(START_S))
    one.world.publish(block(OF, 1))
    one.paper.broken = False
    one.world.publish(block(OF, 2))
    assert await one.settle() == []
    assert not one.paper.aborted.is_set()
    assert not caplog.records


@pytest.mark.gen_test
async def test_a_browser_that_goes_while_it_is_written_to_ends_the_writing_quietly(
    page: NewPage, caplog: pytest.LogCaptureFixture
) -> None:
    one = page()
    one.paper.ready.clear()
    one.session.say(Heartbeat(START_S))
    one.paper.broken = True
    one.paper.ready.set()
    await one.settle()
    one.paper.broken = False
    one.session.say(Heartbeat(START_S))
    assert await one.settle() == []
    assert not one.paper.aborted.is_set()
    assert not caplog.records


@pytest.mark.gen_test
@pytest.mark.parametrize("is_slow", [False, True])
async def test_a_fault_of_ours_cuts_that_browser_so_that_it_comes_back_and_no_other(
    page: NewPage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, is_slow: bool
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("broken on purpose")

    one = page()
    other = page(one.world)
    await one.ask(id=1, device="r1")
    await other.ask(id=1, device="r1")
    (faulty,) = one.session._devices._by_id.values()
    monkeypatch.setattr(faulty, "frame", fail)
    if is_slow:
        one.paper.ready.clear()
        one.session.say(Heartbeat(START_S))
    one.world.publish(block(OF, 1))
    one.paper.ready.set()
    await one.paper.aborted.wait()
    assert "broken on purpose" in caplog.text
    assert seqs(await other.settle()) == [("samples", 1)]
    assert not other.paper.aborted.is_set()


@pytest.mark.gen_test
async def test_a_block_that_cannot_be_encoded_as_one_is_encoded_device_by_device(
    page: NewPage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    one = page()
    await one.ask(id=1, device="r1")
    monkeypatch.setattr(RowSets, "encode", None)
    for seq in (1, 2):
        one.world.publish(block(OF, seq))
        assert seqs(await one.settle()) == [("samples", seq)]
    assert len(caplog.records) == 1


@pytest.mark.gen_test
async def test_two_browsers_get_the_same_frames_however_slow_one_of_them_is(page: NewPage) -> None:
    fast = page()
    slow = page(fast.world)
    for one in (fast, slow):
        await one.ask(id=1, device="r1")
    slow.paper.ready.clear()
    given = []
    for seq in range(1, 5):
        fast.world.publish(block(OF, seq))
        given += await fast.settle()
    assert seqs(given) == [("samples", seq) for seq in range(1, 5)]
    slow.paper.ready.set()
    late = await slow.settle()
    assert late[-1] == given[-1]


@pytest.mark.gen_test
async def test_a_slow_reader_gets_nothing_of_a_device_that_was_removed_meanwhile_but_that(page: NewPage) -> None:
    one = page()
    await one.ask(id=1, device="r1")
    one.paper.ready.clear()
    one.session.say(Heartbeat(START_S))
    one.world.publish(block(OF, 1), Removed("r1"), block(OF, 2))  # the last was on its way
    one.paper.ready.set()
    assert [(each["type"], each.get("code")) for each in await one.settle()] == [
        ("heartbeat", None),
        ("error", "unknown_device"),
    ]
