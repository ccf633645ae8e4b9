"""A small network and its summary, as a browser reads it."""

from __future__ import annotations

from typing import Any

import msgspec

from server.core.model import DeviceState, Quality
from server.sinks.live.messages import Subscribe, Summary
from server.sinks.live.summary import SummaryFollower
from tests.sinks.live.world import World
from tests.support.frames import DOWN, START_S, UP, block, frame, status, table

G = 1e9
CORE = table(
    "xe-0",
    "xe-1",
    "xe-2",
    device="core1",
    facts={
        "xe-0": {"role": "core", "alias": "Core: waw1-cr1", "circuit": "C-7"},
        "xe-1": {"role": "peering", "alias": "Peering: DE-CIX"},
        "xe-2": {"role": "core", "description": "spare Port"},
    },
)
EDGE = table("ge-0", "ge-1", device="edge1", speed_bps=[10**9, 0])


def network(now_s: float = START_S) -> World:
    """Two devices that answer and one that does not, surveyed at the second of their newest frame."""
    world = World()
    world.up("core1", "edge1")
    world.publish(status("dead1", DeviceState.DOWN, "no answer for 60 s"))
    world.publish(
        frame(CORE, wall_s=now_s, in_bps=[8.5 * G, 1 * G, None], out_bps=[1 * G, 2 * G, None], oper_status=[UP, UP, DOWN])
    )
    world.publish(
        frame(EDGE, wall_s=now_s, in_bps=[0.95 * G, 0.1 * G], out_bps=[0.0, 0.3 * G], quality=[0, Quality.OVER_SPEED])
    )
    world.publish(block(table("a", "b", device="dead1"), wall_s=now_s - 60, in_bps=5 * G))
    world.board.refresh(now_s)
    return world


class Asked:
    """A subscription, and what a browser reads of its messages."""

    def __init__(self, follower: SummaryFollower) -> None:
        self._follower = follower

    def begin(self) -> Summary:
        return msgspec.json.decode(msgspec.json.encode(self._follower.begin()), type=Summary)

    def next(self) -> Summary:
        return msgspec.json.decode(msgspec.json.encode(self._follower.next()), type=Summary)


def asked(world: World, **words: Any) -> Asked:
    return Asked(SummaryFollower(Subscribe(id=2, summary=True, **words), world.board))
