"""Subscriptions to what is polled faster than its device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from server.core.blocks import Frames
from server.core.model import DeviceState, Table
from server.hub import Removed
from server.sinks.live import shapes
from tests.sinks.live.world import NewPage, Page, World, seqs
from tests.support.frames import UP, block, frame, status, table

OF = table("a", "b", "c")
BURST = table("a", "b")  # what the source polls fast, of its own numbering


class Control:
    """A source that can be asked for bursts: what runs, and why the next may not."""

    def __init__(self) -> None:
        self.running: list[tuple[str, frozenset[str], float]] = []
        self.refuses = ""

    def burst(self, device: str, rows: frozenset[str], interval_s: float) -> Callable[[], None]:
        if self.refuses:
            raise ValueError(self.refuses)
        asked = device, rows, interval_s
        self.running.append(asked)
        return lambda: self.running.remove(asked)


@pytest.fixture
def control() -> Control:
    return Control()


@pytest.fixture
def world(control: Control) -> World:
    world = World(control=control)
    world.up("r1", "r2")
    world.publish(block(OF, 7, in_bps=1.0, oper_status=UP))
    return world


def burst(of: Table = BURST, seq: int = 100, **more: Any) -> Frames:
    return Frames.of([frame(of, seq, interval_s=0.2, **more)], burst=True)


async def ask(one: Page, **words: Any) -> list[dict[str, Any]]:
    return await one.ask(**{"id": 5, "device": "r1", "interfaces": ["b"], "burst_s": 0.2, "metrics": ["in_bps"], **words})


@pytest.mark.gen_test
async def test_a_burst_begins_with_the_state_then_an_empty_past_and_each_sample(
    page: NewPage, world: World, control: Control
) -> None:
    one = page(world)
    (device,) = await ask(one)
    assert (device["type"], device["id"], device["state"]) == ("device", 5, "up")
    assert control.running == [("r1", frozenset({"b"}), 0.2)]
    world.publish(burst(seq=100))
    snapshot, samples = await one.settle()
    assert (snapshot["type"], snapshot["id"], snapshot["seq"], snapshot["interval_s"]) == ("snapshot", 5, 99, 0.2)
    assert (snapshot["times"], snapshot["values"], snapshot["not_due"]) == ([], [[[]]], [[]])
    assert [(facts["name"], facts["oper_status"]) for facts in snapshot["interfaces"]] == [("b", "up")]
    assert (samples["type"], samples["id"], samples["seq"], samples["values"]) == ("samples", 5, 100, [[100_001]])
    world.publish(burst(seq=101))
    assert seqs(await one.settle(), 5) == [("samples", 101)]


@pytest.mark.gen_test
async def test_ticks_and_bursts_of_one_device_never_meet(page: NewPage, world: World) -> None:
    one = page(world)
    await one.ask(id=1, device="r1", interfaces=["b"], metrics=["in_bps"])
    await ask(one)
    world.publish(burst(seq=100), block(OF, 8), burst(seq=101), block(OF, 9))
    messages = await one.settle()
    assert seqs(messages, 1) == [("samples", 8), ("samples", 9)]
    assert seqs(messages, 5) == [("snapshot", 99), ("samples", 100), ("samples", 101)]


@pytest.mark.gen_test
async def test_frames_from_before_the_burst_held_all_rows_are_passed_over(page: NewPage, world: World) -> None:
    one = page(world)
    await ask(one, interfaces=["a", "b"])
    world.publish(burst(table("a"), 100))
    assert await one.settle() == []
    world.publish(burst(BURST, 101))
    assert seqs(await one.settle(), 5) == [("snapshot", 100), ("samples", 101)]


@pytest.mark.gen_test
async def test_a_row_that_is_gone_later_has_no_sample_and_others_have(page: NewPage, world: World) -> None:
    one = page(world)
    await ask(one, interfaces=["a", "b"])
    world.publish(burst(BURST, 101))
    await one.settle()
    world.publish(burst(table("c", "b"), 102, in_bps=[7.0, 8.0]))
    (samples,) = await one.settle()
    assert (samples["values"], samples["quality"]) == ([[None, 8.0]], [0, 0])


@pytest.mark.gen_test
async def test_all_interfaces_are_those_of_the_device(page: NewPage, world: World, control: Control) -> None:
    one = page(world)
    await ask(one, interfaces="*")
    assert control.running == [("r1", frozenset({"a", "b", "c"}), 0.2)]


@pytest.mark.gen_test
async def test_a_slow_reader_is_told_how_many_it_missed(page: NewPage, world: World) -> None:
    one = page(world)
    await ask(one)
    world.publish(burst(seq=100))
    await one.settle()
    one.paper.ready.clear()
    for seq in range(101, 106):
        world.publish(burst(seq=seq))
    one.paper.ready.set()
    assert seqs(await one.settle(), 5) == [("samples", 101), ("resync", 3), ("samples", 105)]


@pytest.mark.gen_test
async def test_what_waited_before_the_first_frame_was_not_missed(page: NewPage, world: World) -> None:
    one = page(world)
    await ask(one)
    one.paper.ready.clear()
    world.publish(status(state=DeviceState.LATE))  # this is on its way
    for seq in range(101, 104):
        world.publish(burst(seq=seq))
    one.paper.ready.set()
    assert seqs(await one.settle(), 5) == [("snapshot", 102), ("samples", 103)]


@pytest.mark.gen_test
@pytest.mark.parametrize("how", ["unsubscribe", "replace", "leave", "remove"])
async def test_a_burst_ends_with_its_subscription(page: NewPage, world: World, control: Control, how: str) -> None:
    one = page(world)
    await ask(one)
    await ask(one, id=6, interfaces=["a"])
    match how:
        case "unsubscribe":
            one.say("unsubscribe", id=5)
        case "replace":
            await one.ask(id=5, device="r1", interfaces=["b"])
        case "leave":
            world.sink.closed(one.paper)
        case "remove":
            world.publish(Removed("r1"))
    ended = how in {"leave", "remove"}
    assert control.running == ([] if ended else [("r1", frozenset({"a"}), 0.2)])
    await one.settle()
    world.publish(burst(seq=100))
    told = await one.settle()
    assert {message["id"] for message in told} == (set() if ended else {6})
    assert world.sink._fanout.rows._sets.keys() <= {("r1", False), ("r1", True)}


@pytest.mark.gen_test
async def test_a_fault_of_ours_leaves_no_burst_behind(
    page: NewPage, world: World, control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = page(world)
    monkeypatch.setattr(shapes, "device_changed", None)
    assert await ask(one) == []
    assert one.paper.aborted.is_set()
    assert control.running == []


@pytest.mark.gen_test
async def test_a_removed_device_is_told_once_to_each_subscription(page: NewPage, world: World) -> None:
    one = page(world)
    await one.ask(id=1, device="r1")
    await ask(one)
    world.publish(Removed("r1"))
    assert [(each["id"], each["code"]) for each in await one.settle()] == [(1, "unknown_device"), (5, "unknown_device")]


@pytest.mark.gen_test
async def test_a_subscription_that_is_left_does_not_take_the_others_status_away(page: NewPage, world: World) -> None:
    one = page(world)
    await one.ask(id=1, device="r1")
    await ask(one)
    one.paper.ready.clear()
    one.world.publish(block(OF, 8))  # this is on its way
    world.publish(status(state=DeviceState.LATE))
    one.say("unsubscribe", id=5)
    one.paper.ready.set()
    assert [(each["type"], each["id"]) for each in await one.settle()] == [("samples", 1), ("device", 1)]


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        ({"device": "r9"}, "unknown_device", "no device is named 'r9'"),
        ({"interfaces": ["x"]}, "unknown_interface", "r1 has no interface named 'x'"),
        ({"metrics": ["rtt_ms"]}, "unknown_metric", "r1 has no metric named 'rtt_ms'"),
        ({"device": "r2"}, "no_burst", "r2 has not answered yet"),
        ({"interfaces": []}, "no_burst", "a burst needs interfaces"),
    ],
)
async def test_what_cannot_be_is_refused_in_words_and_asks_for_nothing(
    page: NewPage, world: World, control: Control, words: dict[str, Any], code: str, text: str
) -> None:
    one = page(world)
    (error,) = await ask(one, **words)
    assert (error["type"], error["id"], error["code"]) == ("error", 5, code)
    assert error["message"].startswith(text)
    assert control.running == []


@pytest.mark.gen_test
async def test_what_the_source_refuses_is_told_in_its_words(page: NewPage, world: World, control: Control) -> None:
    control.refuses = "r1 is polled by pysnmp, which is too slow for bursts"
    one = page(world)
    (error,) = await ask(one)
    assert (error["code"], error["message"]) == ("no_burst", control.refuses)
    control.refuses = ""
    assert [each["type"] for each in await ask(one)] == ["device"]


@pytest.mark.gen_test
async def test_without_a_source_that_can_there_is_no_burst(page: NewPage) -> None:
    (error,) = await ask(page(), interfaces=["a"])
    assert (error["id"], error["code"]) == (5, "no_burst")


@pytest.mark.gen_test
@pytest.mark.parametrize("burst_s", [-1, "0.2", None])
async def test_a_spacing_that_is_none_is_malformed(page: NewPage, world: World, control: Control, burst_s: Any) -> None:
    (error,) = await ask(page(world), burst_s=burst_s)
    assert (error["id"], error["code"]) == (5, "malformed")
    assert control.running == []


@pytest.mark.gen_test
async def test_a_row_that_the_ordinary_table_lacks_by_now_has_the_facts_of_the_burst(page: NewPage, world: World) -> None:
    one = page(world)
    await ask(one)
    world.publish(block(table("z", version=2), 8), burst(table("b", first_index=77), seq=100))
    snapshot = (await one.settle())[0]
    assert [(facts["name"], facts["index"], facts["oper_status"]) for facts in snapshot["interfaces"]] == [("b", 77, None)]


@pytest.mark.gen_test
async def test_a_burst_does_not_tell_ordinary_subscriptions_anything(page: NewPage, world: World) -> None:
    one = page(world)
    await one.ask(id=1, device="r1")
    world.publish(burst(seq=500))
    assert await one.settle() == []
    assert world.metrics.dropped == 0
