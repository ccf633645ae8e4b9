"""Slow readers, over real sockets."""

from __future__ import annotations

import logging
import struct
from collections.abc import Callable
from typing import Any

import pytest

from server.web.application import MOST_MESSAGE_BYTES
from tests.sinks.live.raw_reader import RawReader
from tests.sinks.live.world import Open, World
from tests.support.frames import block, table

WIDE = table(*(f"interface-{number}" for number in range(2000)), device="r2")


@pytest.mark.gen_test
async def test_a_longer_frame_closes_with_1009_before_it_is_read(raw: Callable[[], RawReader]) -> None:
    one = raw()
    await one.open()
    assert (await one.read())["type"] == "hello"
    await one.announce(MOST_MESSAGE_BYTES + 1)
    first, body = await one.frame()
    assert (first, struct.unpack("!H", body[:2])) == (0x88, (1009,))
    with pytest.raises((EOFError, ConnectionError)):
        await one.frame()


@pytest.mark.gen_test(timeout=90)
async def test_a_reader_that_slept_gets_only_the_newest_and_costs_no_memory(
    world: World, raw: Callable[[], RawReader], browse: Open
) -> None:
    world.publish(block(WIDE, 0))
    sleeper, awake = raw(), await browse()
    await sleeper.open()
    await sleeper.say(type="subscribe", id=1, device="r2")
    await awake.say("subscribe", id=1, device="r2", interfaces=["interface-7"], metrics=["in_bps"])
    await awake.next("snapshot")
    frames = 400
    for seq in range(1, frames + 1):
        world.publish(block(WIDE, seq))
        assert (await awake.next("samples"))["values"] == [[1000.0 * seq + 7]]  # the others do not notice
    held, seen, size = 0, list[int](), 0
    while not seen or seen[-1] < frames:
        message = await sleeper.read()
        held += message["bytes"]
        match message["type"]:
            case "snapshot":
                seen.append(message["seq"])
            case "resync":
                seen += range(seen[-1] + 1, seen[-1] + 1 + message["missed"])
                missed = message["missed"]
            case "samples":
                size = message["bytes"]
                seen.append(message["seq"])
    assert seen == list(range(seen[0], frames + 1))
    assert missed > frames / 2
    assert world.metrics.dropped >= missed
    # all that lay between the two ends: socket buffers, the one being written, and the newest
    assert held < 40 * size
    assert frames * size > 10_000_000


class TestStalled:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"stalled_s": 0.1}

    @pytest.mark.gen_test
    async def test_a_reader_that_takes_nothing_is_cut_and_the_others_go_on(
        self, world: World, raw: Callable[[], RawReader], browse: Open, caplog: pytest.LogCaptureFixture
    ) -> None:
        world.publish(block(WIDE, 0))
        stalled, awake = raw(), await browse()
        await stalled.open()
        await stalled.say(type="subscribe", id=1, device="r2")
        await awake.say("subscribe", id=1, device="r2", interfaces=["interface-7"])
        await awake.next("snapshot")
        seq = 0
        with caplog.at_level(logging.INFO, "linewatch"):
            while not world.metrics.gone.is_set():
                seq += 1
                world.publish(block(WIDE, seq))
                assert (await awake.next("samples"))["seq"] == seq
        assert world.metrics.browsers_now == 1
        assert "a browser took nothing for 0.1 s; closed" in caplog.text
        with pytest.raises((EOFError, ConnectionError)):
            await stalled.read_all()
