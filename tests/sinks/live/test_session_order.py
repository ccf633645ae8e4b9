"""Whatever happens, in whatever order: each seq once."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.sinks.live.world import EPOCH, Page, World
from tests.support.frames import START_S, block, table, traffic

_DEVICES = st.sampled_from(["r1", "r1", "r2"])
_IDS = st.integers(1, 3)
_PUBLISH = st.tuples(st.just("publish"), _DEVICES, st.booleans())
_SUBSCRIBE = st.tuples(st.just("subscribe"), _IDS, _DEVICES)
_READ = st.tuples(st.sampled_from(["read all", "read all", "read one", "stall", "turn"]), st.just(0), st.just(""))
STEPS = st.one_of(
    _PUBLISH,
    _PUBLISH,
    _SUBSCRIBE,
    _READ,
    _READ,
    st.tuples(st.sampled_from(["resume", "unsubscribe"]), _IDS, st.just("")),
)


class Reader:
    """A browser that keeps account: for each subscription, which seqs of which device it has been given."""

    def __init__(self) -> None:
        self.device: dict[int, str] = {}
        self.upto: dict[int, int] = {}
        self.resumes: set[tuple[int, str, int]] = set()  # id, device and since_seq of each that was asked for

    def read(self, message: dict[str, Any]) -> None:
        identity = message.get("id", -1)
        match message["type"]:
            case "snapshot":
                of, seq = message["device"], message["seq"]
                seqs = [round(time_s - START_S) for time_s in message["times"]]
                since = seq - len(seqs)
                assert seqs == list(range(since + 1, seq + 1))
                assert (identity, of, since) in self.resumes if message["resumed"] else since == -1
                assert message["values"][0][0] == [1000.0 * one for one in seqs]
                self.device[identity], self.upto[identity] = of, seq
            case "resync":
                assert message["missed"] > 0
                self.upto[identity] += message["missed"]
            case "samples":
                self.upto[identity] += 1
                assert message["seq"] == self.upto[identity]
                assert message["values"][0] == [1000.0 * message["seq"]]
            case "error":
                raise AssertionError(message)
            case _:
                pass


_OF_R1 = ("publish", "r1", False)


def _read(how: str) -> tuple[str, Any, Any]:
    return how, 0, ""


# a frame that waits for an older subscription is in the snapshot of a newer one, and is replaced before it is taken
_OVERLAP = [_OF_R1, ("subscribe", 1, "r1"), _read("read all"), _read("stall"), _OF_R1, _read("turn"), _read("turn")]
_OVERLAP += [("subscribe", 2, "r1"), _OF_R1, _read("read one"), _read("read one"), _OF_R1, _read("read all")]


@example(steps=_OVERLAP)
@settings(max_examples=200, deadline=None)
@given(steps=st.lists(STEPS, min_size=10, max_size=60))
def test_every_published_seq_reaches_each_subscription_once_or_is_announced_as_missed(
    steps: list[tuple[str, Any, Any]],
) -> None:
    loop = asyncio.new_event_loop()  # asyncio.run would throw away the loop that pytest-tornado puts back
    try:
        loop.run_until_complete(_play(steps))
    finally:
        loop.close()


async def _play(steps: list[tuple[str, Any, Any]]) -> None:
    world = World(messages_per_s=10_000)
    world.up("r1", "r2")
    one = Page(world)
    try:
        await _play_on(world, one, steps)
        assert not one.paper.aborted.is_set()
    finally:
        await one.end()


async def _play_on(world: World, one: Page, steps: list[tuple[str, Any, Any]]) -> None:
    tables = {device: table("a", device=device) for device in ("r1", "r2")}
    published = dict.fromkeys(tables, -1)
    reader, alive = Reader(), dict[int, str]()

    def publish(device: str, renumber: bool) -> None:
        if renumber:
            tables[device] = table("a", device=device, version=tables[device].version + 1, first_index=published[device] + 9)
        published[device] += 1
        of = tables[device]
        world.publish(block(of, published[device], in_bps=traffic(of, published[device]), out_bps=0.0))

    def account() -> None:
        for message in one.paper.take():
            reader.read(message)

    for word, first, second in steps:
        match word:
            case "publish":
                publish(first, second)
            case "subscribe":
                alive[first] = second
                one.say("subscribe", id=first, device=second, history_s=900)
            case "resume" if first not in alive and first in reader.device:
                alive[first] = reader.device[first]
                since = reader.upto[first]
                reader.resumes.add((first, alive[first], since))
                one.say("subscribe", id=first, device=alive[first], history_s=900, epoch=EPOCH, since_seq=since)
            case "unsubscribe":
                alive.pop(first, None)
                one.say("unsubscribe", id=first)
            case "read one":
                one.paper.ready.set()
                await asyncio.sleep(0)
                one.paper.ready.clear()
            case "read all":
                one.paper.ready.set()
                await one.written()
            case "stall":
                one.paper.ready.clear()
            case "turn":
                await asyncio.sleep(0)
        account()
    one.paper.ready.set()
    await one.written()
    account()
    for identity, device in alive.items():
        if published[device] >= 0:
            assert (reader.device[identity], reader.upto[identity]) == (device, published[device])
