"""A follower of one device, and its messages as a browser reads them."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from server.core.model import Frame
from server.sinks.live.messages import Subscribe
from server.sinks.live.rowsets import RowSets
from server.sinks.live.subscriptions import DeviceFollower
from server.sinks.live.writer import Message
from tests.sinks.live.world import EPOCH, World
from tests.support.frames import blocked


def follower(world: World, **words: Any) -> DeviceFollower:
    asked = Subscribe(**{"id": 1, "device": "r1", "history_s": 900.0, **words})
    return DeviceFollower(asked, EPOCH, world.inventory, world.history, RowSets())


def told(messages: list[Message]) -> list[dict[str, Any]]:
    """As a browser reads them."""
    return [json.loads(msgspec.json.encode(message)) for message in messages]


def next_of(world: World, one: DeviceFollower, newer: Frame, missed: int = 0) -> list[dict[str, Any]]:
    world.publish(blocked(newer))
    return told(one.frame(newer, missed))
