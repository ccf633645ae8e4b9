from __future__ import annotations

import asyncio

import pytest

from server.core.model import DeviceState
from server.hub import LatestQueue, Pending, Removed
from tests.support.frames import block, blocked, event, frame, status, table

R1, R2 = table("xe-0"), table("xe-0", device="r2")


def queue(*devices: str, events: bool = True, most_events: int = 256) -> LatestQueue:
    return LatestQueue(set(devices).__contains__, lambda: events, most_events)


@pytest.mark.gen_test
async def test_a_reader_that_keeps_up_gets_each_frame_with_none_missed() -> None:
    reader = queue("r1")
    for seq in range(3):
        reader.offer(block(R1, seq))
        (newest, missed) = (await reader.take()).frames["r1"]
        assert (newest.seq, missed) == (seq, 0)


@pytest.mark.gen_test
async def test_a_slow_reader_gets_the_newest_frame_of_each_device_and_how_many_it_replaced() -> None:
    reader = queue("r1", "r2")
    for seq in range(5):
        reader.offer(block(R1, seq))
    reader.offer(block(R2, 70))
    taken = await reader.take()
    assert {device: (one.seq, missed) for device, (one, missed) in taken.frames.items()} == {"r1": (4, 4), "r2": (70, 0)}


@pytest.mark.gen_test
async def test_what_was_missed_is_counted_anew_after_each_take() -> None:
    reader = queue("r1")
    reader.offer(block(R1, 1))
    reader.offer(block(R1, 2))
    await reader.take()
    reader.offer(block(R1, 3))
    assert (await reader.take()).frames["r1"][1] == 0


@pytest.mark.gen_test
async def test_devices_that_are_not_followed_cost_nothing_and_wake_nobody() -> None:
    reader = queue("r1")
    waiting = asyncio.ensure_future(reader.take())
    for item in (frame(R2, 1), status("r2"), Removed("r2")):
        reader.offer(blocked(item))
    await asyncio.sleep(0)
    assert not waiting.done()
    reader.offer(status("r1"))
    taken = await waiting
    assert list(taken.statuses) == ["r1"]
    assert not taken.frames
    assert not taken.removed


@pytest.mark.gen_test
async def test_only_the_newest_status_of_a_device_waits() -> None:
    reader = queue("r1")
    reader.offer(status(state=DeviceState.DOWN))
    reader.offer(newest := status(state=DeviceState.UP))
    assert (await reader.take()).statuses == {"r1": newest}


@pytest.mark.gen_test
async def test_events_wait_in_order_up_to_a_bound_and_the_lost_are_counted() -> None:
    reader = queue(most_events=3)
    for number in range(5):
        reader.offer(event(f"event {number}"))
    taken = await reader.take()
    assert [one.text for one in taken.events] == ["event 2", "event 3", "event 4"]
    assert taken.lost_events == 2
    reader.offer(event("next"))
    assert (await reader.take()).lost_events == 0


@pytest.mark.gen_test
async def test_events_are_kept_only_for_those_who_want_them() -> None:
    reader = queue("r1", events=False)
    reader.offer(event())
    reader.wake()
    assert not await reader.take()


@pytest.mark.gen_test
async def test_a_removed_device_leaves_nothing_else_behind() -> None:
    reader = queue("r1")
    reader.offer(block(R1, 1))
    reader.offer(status())
    reader.offer(Removed("r1"))
    taken = await reader.take()
    assert taken == Pending(removed={"r1"})


@pytest.mark.gen_test
async def test_a_device_that_came_back_before_the_reader_looked_is_not_removed() -> None:
    reader = queue("r1")
    reader.offer(Removed("r1"))
    reader.offer(status())
    reader.offer(block(R1, 9))
    taken = await reader.take()
    assert taken.removed == set()
    assert taken.frames["r1"][0].seq == 9


@pytest.mark.gen_test
async def test_forgetting_a_device_drops_all_that_waits_for_it_and_nothing_else() -> None:
    reader = queue("r1", "r2")
    reader.offer(block(R1, 1))
    reader.offer(status("r1"))
    reader.offer(block(R2, 1))
    reader.forget("r1")
    reader.forget("r9")
    taken = await reader.take()
    assert (list(taken.frames), taken.statuses) == (["r2"], {})


@pytest.mark.gen_test
async def test_a_device_that_was_removed_and_forgotten_may_be_followed_anew() -> None:
    reader = queue("r1")
    reader.offer(Removed("r1"))
    reader.forget("r1")
    reader.wake()
    assert (await reader.take()).removed == set()


@pytest.mark.gen_test
async def test_wake_lets_a_waiting_reader_look_though_nothing_came() -> None:
    reader = queue("r1")
    waiting = asyncio.ensure_future(reader.take())
    await asyncio.sleep(0)
    reader.wake()
    assert not await waiting


@pytest.mark.gen_test
async def test_after_a_take_the_reader_waits_again() -> None:
    reader = queue("r1")
    reader.offer(block(R1, 1))
    await reader.take()
    waiting = asyncio.ensure_future(reader.take())
    await asyncio.sleep(0)
    assert not waiting.done()
    waiting.cancel()


@pytest.mark.parametrize(
    "pending",
    [
        Pending(frames={"r1": (frame(R1, 1), 0)}),
        Pending(statuses={"r1": status()}),
        Pending(removed={"r1"}),
        Pending(lost_events=1),
    ],
)
def test_pending_is_true_when_it_holds_anything(pending: Pending) -> None:
    assert pending
    assert not Pending()
