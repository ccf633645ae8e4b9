"""What is encoded once for all says the same as what is encoded for one."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.blocks import Frames
from server.core.model import Frame
from server.sinks.inventory.inventory import Inventory
from server.sinks.live import rowsets, shapes
from server.sinks.live.messages import InterfaceFacts
from server.sinks.live.rowsets import RowSet, RowSets
from server.sinks.live.subscriptions import samples_head
from tests.support.frames import DOWN, UP, block, frame, status, table

NAMES = tuple(f"xe-{number}" for number in range(6))
SHOWN = ("in_bps", "out_bps", "oper_status", "in_errors_per_s")
_CELL = st.one_of(st.none(), st.floats(0, 1e12), st.just(0.0))


@st.composite
def _frames(draw: st.DrawFn) -> Frames:
    """Some devices, with other rows and numbers each."""
    due = draw(st.lists(st.sampled_from(SHOWN), min_size=1, unique=True))
    found = []
    for device in range(draw(st.integers(1, 5))):
        of = table(*draw(st.lists(st.sampled_from(NAMES), unique=True)), device=f"r{device}")
        rows = len(of.rows)
        cells: dict[str, Any] = {name: draw(st.lists(_CELL, min_size=rows, max_size=rows)) for name in due}
        quality = draw(st.lists(st.integers(0, 63), min_size=rows, max_size=rows))
        found.append(frame(of, draw(st.integers(0, 10**9)), quality=quality, **cells))
    return Frames.of(found)


def _asked() -> st.SearchStrategy[list[tuple[int, list[str], list[str]]]]:
    names = st.lists(st.sampled_from(NAMES), unique=True)
    metrics = st.lists(st.sampled_from(SHOWN), unique=True)
    return st.lists(st.tuples(st.integers(0, 4), names, metrics), max_size=8)


@given(frames=_frames(), asked=_asked())
def test_a_block_encoded_as_one_says_what_each_of_its_frames_says(
    frames: Frames, asked: list[tuple[int, list[str], list[str]]]
) -> None:
    sets = RowSets()
    held = [(device, sets.hold((f"r{device}", False), names, shown)) for device, names, shown in asked]
    sets.encode(frames, list(enumerate(frames)))
    for device, rows in held:
        if device < len(frames):
            one = frames.frame(device)
            known = one.table.index_of()
            places = np.array([known.get(name, -1) for name in rows.names], dtype=np.intp)
            alone = msgspec.json.encode(shapes.samples(7, one, rows.metrics, places))
            assert samples_head(7) + rows.samples(one) == alone


@pytest.mark.parametrize("identity", [0, -3, 2**70])
def test_the_text_is_a_samples_message_of_any_subscription(identity: int) -> None:
    of = table("a", "b")
    rows = RowSet(("r1", False), ("b", "a"), ("out_bps", "in_bps"))
    text = samples_head(identity) + rows.samples(frame(of, 3, in_bps=[0.0, None], out_bps=[2.5, 1.0], quality=[0, 4]))
    assert json.loads(text) == {
        "type": "samples",
        "id": identity,
        "seq": 3,
        "time": 1795201233.0,
        "span_s": 1.0,
        "values": [[1.0, 2.5], [None, 0.0]],
        "quality": [4, 0],
    }


class Counted:
    """An encoder that counts what it encodes."""

    def __init__(self) -> None:
        self.count = 0

    def encode(self, message: object) -> bytes:
        self.count += 1
        return msgspec.json.encode(message)


@pytest.mark.parametrize("devices", [1, 5])
def test_who_asks_for_the_same_shares_what_is_encoded_once(monkeypatch: pytest.MonkeyPatch, devices: int) -> None:
    monkeypatch.setattr(rowsets, "_encoder", counted := Counted())
    sets = RowSets()
    held = [sets.hold((f"r{number}", False), ["a"], ["in_bps"]) for number in range(devices) for _ in range(20)]
    found: list[Frame] = [frame(table("a", "b", device=f"r{number}")) for number in range(devices)]
    sets.encode(Frames.of(found), list(enumerate(found)))
    texts = {rows.samples(found[int(rows.stream[0][1:])]) for rows in held}
    assert (counted.count, len(set(map(id, held)))) == (devices, devices)
    assert len(texts) == 1
    other = sets.hold(("r0", False), ["a"], ["out_bps"])
    burst = sets.hold(("r0", True), ["a"], ["in_bps"])
    assert other is not held[0]
    assert burst is not held[0]


def test_rows_that_nobody_holds_are_forgotten() -> None:
    sets = RowSets()
    first, second = (sets.hold(("r1", False), ["a"], ["in_bps"]) for _ in range(2))
    sets.release(first)
    assert sets.hold(("r1", False), ["a"], ["in_bps"]) is second
    sets.release(second)
    sets.release(second)
    assert sets._sets == {}


def _facts(rows: RowSet, inventory: Inventory, newer: Frame) -> list[InterfaceFacts]:
    inventory.offer(Frames.of([newer]))
    view = inventory.device("r1")
    assert view is not None
    return rows.facts(view, newer)


def test_facts_are_the_same_list_until_they_differ() -> None:
    inventory = Inventory()
    inventory.offer(status())
    of = table("a", "b")
    rows = RowSet(("r1", False), ("a", "b"), ("in_bps",))
    first = _facts(rows, inventory, frame(of, 0, in_bps=1.0, oper_status=UP))
    assert _facts(rows, inventory, frame(of, 1, in_bps=1.0, oper_status=UP)) is first
    assert _facts(rows, inventory, frame(table("b", "a", version=2), 2, in_bps=1.0)) is not first
    down = _facts(rows, inventory, frame(of, 3, in_bps=1.0, oper_status=[DOWN, UP]))
    assert [(one.name, one.oper_status) for one in down] == [("a", "down"), ("b", "up")]


def test_a_row_that_is_gone_keeps_its_last_facts_without_status_and_cadence() -> None:
    inventory = Inventory()
    inventory.offer(status())
    rows = RowSet(("r1", False), ("a", "b"), ("in_bps",))
    slow = frame(table("a", "b", speed_bps=7), 0, in_bps=1.0, oper_status=UP, cadence_s=5.0, quality=16)
    assert [one.cadence_s for one in _facts(rows, inventory, slow)] == [5.0, 5.0]
    gone, there = _facts(rows, inventory, frame(table("b", version=2), 1, in_bps=1.0, cadence_s=5.0, quality=16))
    assert (gone.name, gone.speed_bps, gone.oper_status, gone.cadence_s) == ("a", 7, None, None)
    assert (there.oper_status, there.cadence_s) == ("up", 5.0)


def _cadences(rows: RowSet, inventory: Inventory, *frames: Frame) -> list[list[float | None]]:
    return [[one.cadence_s for one in _facts(rows, inventory, newer)] for newer in frames]


def test_each_row_is_told_with_its_own_cadence_as_shown() -> None:
    inventory = Inventory()
    inventory.offer(status())
    rows = RowSet(("r1", False), ("a", "b", "c"), ("in_bps",))
    of = table("c", "b", "a")
    told = [
        msgspec.structs.asdict(one)["cadence_s"]
        for seq, cadences in enumerate([[None, 3.04, 9.96], [None, 2.96, 10.04], [None, 3.06, None]])
        for one in _facts(rows, inventory, _slow(of, seq, cadences))
    ]
    assert told == [10.0, 3.0, None, 10.0, 3.0, None, None, 3.1, None]


def _slow(of: Any, seq: int, cadences: list[float | None]) -> Frame:
    values = np.array([np.nan if one is None else one for one in cadences])
    one = Frames.of([frame(of, seq, in_bps=1.0, cadence_s=10.0)])
    return Frames(**{name: getattr(one, name) for name in one.__slots__} | {"row_cadence_s": values}).frame(0)


def test_cadences_are_the_same_list_until_they_are_shown_differently() -> None:
    rows = RowSet(("r1", False), ("a",), ("in_bps",))
    of = table("a")
    seen: list[list[float | None]] = []
    for seq, cadence_s in enumerate([3.0, 3.04, 3.06, 3.1, None, None]):
        rows.take(frame(of, seq, cadence_s=cadence_s, quality=16))
        if not any(rows.cadences is one for one in seen):
            seen.append(rows.cadences)
    assert seen == [[3.0], [3.1], [None]]


def test_without_cadences_of_rows_the_estimated_ones_have_that_of_the_device() -> None:
    inventory = Inventory()
    inventory.offer(status())
    rows = RowSet(("r1", False), ("a", "b"), ("in_bps",))
    of = table("a", "b")

    def tick(seq: int, quality: list[int], cadence_s: float | None = 3.0) -> Frame:
        return frame(of, seq, in_bps=1.0, quality=quality, cadence_s=cadence_s)

    assert _cadences(
        rows,
        inventory,
        tick(0, [16, 0]),
        tick(1, [4, 4]),  # a missed sample says nothing of the cadence
        tick(2, [16, 2]),
        tick(3, [0, 16]),
        tick(4, [0, 16], None),
    ) == [[3.0, None], [3.0, None], [3.0, None], [None, 3.0], [None, None]]


def test_a_frame_is_taken_once_however_many_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = RowSet(("r1", False), ("a",), ("in_bps",))
    monkeypatch.setattr(rowsets, "_encoder", counted := Counted())
    one = block(table("a"), 1)
    assert rows.samples(one.frame(0)) is rows.samples(one.frame(0))
    assert counted.count == 1
    rows.samples(frame(table("a"), 1))  # another table with the same seq is another frame
    assert counted.count == 2
