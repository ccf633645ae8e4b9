"""A browser that comes back."""

from __future__ import annotations

from typing import Any

import pytest

from server.sinks.live import subscriptions
from server.sinks.live.messages import Subscribe
from tests.sinks.live.followers import follower, next_of, told
from tests.sinks.live.world import EPOCH, World
from tests.support.frames import METRICS, START_S, block, frame, table

OF = table("a", "b")


@pytest.fixture
def world() -> World:
    world = World()
    world.up("r1")
    return world


def resumed(world: World, **words: Any) -> dict[str, Any]:
    return told(follower(world, metrics=["in_bps"], interfaces=["a"], **words).begin())[0]


def test_a_browser_that_comes_back_gets_only_what_it_missed(world: World) -> None:
    for seq in range(6):
        world.publish(block(OF, seq))
    snapshot = resumed(world, epoch=EPOCH, since_seq=3)
    assert (snapshot["resumed"], snapshot["seq"]) == (True, 5)
    assert snapshot["times"] == [START_S + 4, START_S + 5]
    assert snapshot["values"] == [[[4000, 5000]]]


@pytest.mark.parametrize("since", [5, 0])
def test_coming_back_with_nothing_missed_or_from_the_very_first(world: World, since: int) -> None:
    for seq in range(6):
        world.publish(block(OF, seq))
    snapshot = resumed(world, epoch=EPOCH, since_seq=since)
    assert (snapshot["resumed"], len(snapshot["times"])) == (True, 5 - since)


@pytest.mark.parametrize(
    "words",
    [
        {"epoch": "another start of the server", "since_seq": 3},
        {"epoch": "", "since_seq": 3},
        {"epoch": EPOCH},
        {"epoch": EPOCH, "since_seq": 6},
        {"epoch": EPOCH, "since_seq": -7},
    ],
)
def test_a_browser_whose_past_is_not_of_this_server_gets_everything(world: World, words: dict[str, Any]) -> None:
    for seq in range(6):
        world.publish(block(OF, seq))
    snapshot = resumed(world, **words)
    assert (snapshot["resumed"], len(snapshot["times"])) == (False, 6)


def test_what_is_gone_from_memory_cannot_be_resumed(world: World) -> None:
    world.history._most = 64
    for seq in range(80):
        world.publish(block(OF, seq))
    assert not resumed(world, epoch=EPOCH, since_seq=10)["resumed"]
    assert resumed(world, epoch=EPOCH, since_seq=15)["resumed"]


def test_a_resume_that_would_be_larger_than_the_cap_is_a_snapshot(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "MOST_SNAPSHOT_VALUES", 10)
    for seq in range(30):
        world.publish(block(OF, seq))
    snapshot = resumed(world, epoch=EPOCH, since_seq=3)
    assert (snapshot["resumed"], len(snapshot["times"])) == (False, 10)
    assert resumed(world, epoch=EPOCH, since_seq=19)["resumed"]


def test_a_resume_from_a_seq_that_was_never_sent_does_not_shorten_a_later_snapshot(world: World) -> None:
    world.publish(block(OF, 0), frame(OF, 1))
    one = follower(world, epoch=EPOCH, since_seq=2)
    one.begin()
    snapshot = next_of(world, one, frame(table("a", "c", version=2), 2))[0]
    assert (snapshot["type"], snapshot["resumed"], len(snapshot["times"])) == ("snapshot", False, 3)


def test_the_metrics_of_the_builder_are_those_that_are_subscribed_by_default() -> None:
    assert Subscribe(id=1).metrics == [METRICS[0].shown, METRICS[1].shown]
