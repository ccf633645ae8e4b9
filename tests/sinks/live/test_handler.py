"""The live sink over real sockets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPClientError

from server import __version__
from server.core.model import DeviceState
from server.core.tasks import cancel, spawn
from server.hub import Removed
from server.sinks.live import handler
from server.web.application import MOST_MESSAGE_BYTES
from tests.sinks.live.world import Open, World
from tests.support.frames import START_S, block, event, frame, status, table

OF = table("a", "b")


# -- a page's life


@pytest.mark.gen_test
async def test_the_server_speaks_first_and_tells_protocol_epoch_and_time(world: World, browse: Open) -> None:
    hello = await (await browse()).read()
    assert hello is not None
    assert hello.pop("server_time") == pytest.approx(time.time(), abs=5)
    assert hello == {
        "type": "hello",
        "protocol": 1,
        "epoch": world.sink.epoch,
        "interval_s": 1.0,
        "version": __version__,
    }
    assert len(world.sink.epoch) >= 16
    assert World().sink.epoch != world.sink.epoch


@pytest.mark.gen_test
async def test_nothing_is_lost_or_doubled_between_the_snapshot_and_what_follows(world: World, browse: Open) -> None:
    one = await browse()
    await one.say("subscribe", id=1, device="r1", interfaces=["a"], metrics=["in_bps"], history_s=900)
    seen: list[int] = []
    for seq in range(1, 30):  # published while the subscription is on its way, taken, answered, and after it was read
        world.publish(block(OF, seq))
        await asyncio.sleep(0)
        if seq == 20:
            snapshot = await one.next("snapshot")
            seen += [round(at - START_S) for at in snapshot["times"]]
            assert seen[-1] == snapshot["seq"]
    while seen[-1] < 29:
        message = await one.read()
        assert message is not None
        assert message["type"] in {"samples", "device", "resync"}
        if message["type"] == "samples":
            assert message["values"] == [[1000.0 * message["seq"]]]
            seen.append(message["seq"])
        elif message["type"] == "resync":
            seen += range(seen[-1] + 1, seen[-1] + 1 + message["missed"])
    assert seen == list(range(30))


@pytest.mark.gen_test
async def test_a_missed_sample_is_null_in_the_text_itself(world: World, browse: Open) -> None:
    one = await browse()
    await one.say("subscribe", id=1, device="r1", metrics=["in_bps"])
    await one.next("snapshot")
    assert '"values":[[[1.0],[null]]]' in one.texts[-1]
    world.publish(block(OF, 1, in_bps=[None, 0.0]))
    await one.next("samples")
    assert '"values":[[null,0.0]]' in one.texts[-1]
    assert "NaN" not in "".join(one.texts)


@pytest.mark.gen_test
async def test_two_browsers_get_the_same_frames(world: World, browse: Open) -> None:
    both = [await browse(), await browse()]
    assert world.metrics.browsers_now == 2
    for one in both:
        await one.say("subscribe", id=1, device="r1")
        await one.next("snapshot")
    for seq in range(1, 5):
        world.publish(block(OF, seq))
        first, second = [await one.next("samples") for one in both]
        assert first == second
        assert first["seq"] == seq


@pytest.mark.gen_test
async def test_a_browser_that_comes_back_goes_on_where_it_stopped(world: World, browse: Open) -> None:
    one = await browse()
    hello = await one.next("hello")
    await one.say("subscribe", id=1, device="r1")
    upto = (await one.next("snapshot"))["seq"]
    one.close()
    await world.metrics.gone.wait()
    world.publish(block(OF, 1), frame(OF, 2))
    again = await browse()
    assert (await again.next("hello"))["epoch"] == hello["epoch"]
    await again.say("subscribe", id=1, device="r1", epoch=hello["epoch"], since_seq=upto)
    snapshot = await again.next("snapshot")
    assert (snapshot["resumed"], snapshot["times"]) == (True, [START_S + 1, START_S + 2])


@pytest.mark.gen_test
async def test_table_device_event_and_error_reach_a_page(world: World, browse: Open) -> None:
    one = await browse()
    await one.say("subscribe", id=1, device="r1")
    await one.say("subscribe", id=2, events=True)
    await one.say("subscribe", id=3, device="r9")
    assert (await one.next("error"))["code"] == "unknown_device"
    world.publish(event("xe-0 went down"))
    assert (await one.next("event"))["event"]["text"] == "xe-0 went down"
    world.publish(block(table("a", "b", version=2, first_index=100), 1))
    assert [each["index"] for each in (await one.next("table"))["interfaces"]] == [100, 101]
    world.publish(status(state=DeviceState.DOWN, reason="no answer"))
    assert (await one.next("device"))["state"] == "down"
    world.publish(Removed("r1"))
    assert (await one.next("error"))["message"] == "r1 was removed from the configuration"


@pytest.mark.gen_test
async def test_a_browser_that_left_is_let_go(world: World, browse: Open) -> None:
    one = await browse()
    await one.say("subscribe", id=1, device="r1")
    await one.next("snapshot")
    one.close()
    await world.metrics.gone.wait()
    assert (world.metrics.browsers_now, world.sink._sessions) == (0, {})
    fanout = world.sink._fanout
    assert (fanout._followers, fanout.rows._sets) == ({False: {}, True: {}}, {})
    world.publish(block(OF, 1))


# -- the second's beat


@pytest.mark.gen_test
async def test_each_second_those_who_follow_the_summary_are_told(
    world: World, browse: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "wall_s", lambda: START_S + 1)
    one = await browse()
    await one.say("subscribe", id=2, summary=True)
    assert (await one.next("summary"))["totals"]["devices"] == 0  # the board has not been looked at yet
    task = spawn("live", world.sink.run())
    summary = await one.next("summary")
    assert (summary["totals"]["time"], summary["totals"]["in_bps"]) == (START_S + 1, 1.0)
    await cancel(task)


@pytest.mark.gen_test
async def test_a_heartbeat_comes_every_twenty_seconds_to_all(
    world: World, browse: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ticks(interval_s: float) -> AsyncIterator[int]:
        for tick in range(61):
            yield tick

    monkeypatch.setattr(handler, "every", ticks)
    monkeypatch.setattr(handler, "wall_s", lambda: START_S)
    both = [await browse(), await browse()]
    for one in both:
        await one.next("hello")
    await world.sink.run()
    for one in both:
        for _ in range(3):
            assert await one.read() == {"type": "heartbeat", "server_time": START_S}
    world.sink.close()
    assert [await one.read() for one in both] == [None, None]
    assert handler.HEARTBEAT_S == 20


@pytest.mark.gen_test
async def test_when_the_server_stops_every_browser_is_sent_away_with_1001(world: World, browse: Open) -> None:
    both = [await browse(), await browse()]
    for one in both:
        await one.next("hello")
    world.sink.close()
    assert [await one.until_closed() for one in both] == [(1001, "the server stops")] * 2


# -- what may not be


@pytest.mark.gen_test
async def test_bad_messages_are_answered_and_the_fifth_closes_with_1008(browse: Open) -> None:
    one = await browse()
    for _ in range(4):
        await one.raw('{"type": "subscribe", "id": 8, "device": 3}')
        error = await one.next("error")
        assert (error["id"], error["code"]) == (8, "malformed")
    await one.raw("é" * 300)
    code, reason = await one.until_closed()
    assert code == 1008
    assert reason


@pytest.mark.gen_test
async def test_a_binary_frame_is_read_as_text_is(browse: Open) -> None:
    one = await browse()
    await one.raw(b'{"type": "subscribe", "id": 1, "device": "r1"}')
    assert (await one.next("snapshot"))["id"] == 1
    await one.raw(b"\x00\xff")
    assert (await one.next("error"))["code"] == "malformed"


@pytest.mark.gen_test
async def test_a_frame_of_64_kib_is_taken(browse: Open) -> None:
    one = await browse()
    whole = '{"type": "unsubscribe", "id": 1}'
    await one.raw(whole + " " * (MOST_MESSAGE_BYTES - len(whole)))
    await one.say("subscribe", id=1, device="r1")
    await one.next("snapshot")
    assert MOST_MESSAGE_BYTES == 65536


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "https://127.0.0.1.evil.example",
        "http://127.0.0.1",
        "http://127.0.0.1:1",
        "http://localhost:{port}",
        "file://127.0.0.1:{port}",
        "null",
        "",
    ],
)
async def test_a_page_of_another_site_may_not_open_a_socket(world: World, browse: Open, http_port: int, origin: str) -> None:
    headers = {"Origin": origin.format(port=http_port), "Sec-Fetch-Site": "cross-site"}
    with pytest.raises(HTTPClientError) as refused:
        await browse(**headers)
    assert refused.value.code == 403
    assert world.metrics.browsers_now == 0


@pytest.mark.gen_test
async def test_a_page_of_ours_may_and_so_may_a_program(browse: Open, http_port: int) -> None:
    assert await (await browse(Origin=f"http://127.0.0.1:{http_port}")).next("hello")
    assert await (await browse()).next("hello")


@pytest.mark.gen_test
async def test_another_host_name_finds_no_socket(browse: Open) -> None:
    with pytest.raises(HTTPClientError) as refused:
        await browse(Host="evil.example", Origin="http://evil.example")
    assert refused.value.code == 404


@pytest.mark.gen_test
async def test_what_is_no_websocket_is_told_so(http_client: AsyncHTTPClient, base_url: str) -> None:
    answer = await http_client.fetch(f"{base_url}/ws", raise_error=False)
    assert answer.code == 400
    assert b"WebSocket" in answer.body
