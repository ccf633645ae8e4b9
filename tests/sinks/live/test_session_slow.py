"""Slow, stalled and broken browsers."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from server.sinks.live import shapes, subscriptions
from server.sinks.live.messages import Heartbeat
from tests.sinks.live.world import NewPage, seqs
from tests.support.frames import START_S, block, table

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
async def test_a_browser_that_takes_nothing_is_cut(page: NewPage, caplog: pytest.LogCaptureFixture) -> None:
    one = page(stalled_s=0.02)
    await one.settle()
    one.paper.ready.clear()
    one.say("subscribe", id=1, device="r1")
    with caplog.at_level(logging.INFO, "linewatch"):
        await one.pump
    assert one.paper.aborted
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
    assert not one.paper.aborted


@pytest.mark.gen_test
async def test_a_browser_that_is_gone_ends_the_writing_quietly(page: NewPage, caplog: pytest.LogCaptureFixture) -> None:
    one = page()
    await one.settle()
    one.paper.broken = True
    one.session.say(Heartbeat(START_S))
    await one.pump
    assert not one.paper.aborted
    assert not caplog.records


@pytest.mark.gen_test
async def test_a_fault_of_ours_cuts_the_browser_so_that_it_comes_back(
    page: NewPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("broken on purpose")

    one = page()
    await one.ask(id=1, device="r1")
    monkeypatch.setattr(shapes, "samples", fail)
    one.world.publish(block(OF, 1))
    with pytest.raises(RuntimeError, match="broken on purpose"):
        await one.pump
    assert one.paper.aborted


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
