from __future__ import annotations

import msgspec
import numpy as np

from server.core.model import Severity
from server.core.ports import Window
from server.sinks.inventory.inventory import Inventory
from server.sinks.live import shapes
from tests.support.frames import DOWN, START_S, UP, block, event, frame, status, table

NAN = float("nan")


def rows(*places: int) -> np.ndarray:
    return np.array(places, dtype=np.intp)


def test_a_missed_sample_is_null_on_the_wire_and_zero_is_zero() -> None:
    of = table("a", "b", "c")
    message = shapes.samples(7, frame(of, 3, in_bps=[0.0, None, 4.1e9], quality=[0, 4, 8]), ["in_bps"], rows(2, 1, 0))
    assert msgspec.json.encode(message) == (
        b'{"type":"samples","id":7,"seq":3,"time":1795201233.0,"span_s":1.0,'
        b'"values":[[4100000000.0,null,0.0]],"quality":[8,4,0]}'
    )


def test_a_metric_that_was_not_due_has_an_empty_list() -> None:
    assert shapes.samples(1, frame(table("a"), in_bps=1.0), ["out_bps", "in_bps"], rows(0)).values == [[], [1.0]]


def test_a_row_that_is_gone_has_no_sample_even_when_the_table_has_none_left() -> None:
    for of, cells in ((table("a"), [5.0]), (table(), [])):
        message = shapes.samples(1, frame(of, in_bps=cells, quality=[1] * len(cells)), ["in_bps"], rows(-1, -1))
        assert np.isnan(np.array(message.values, dtype=np.float64)).all()
        assert message.quality == [0, 0]


def test_numbers_are_rounded_to_what_a_page_can_show() -> None:
    assert shapes.numbers(np.array([1.23456, 1e12])) == [1.235, 1e12]
    assert shapes.samples(1, frame(table("a"), span_s=1.00049), ["in_bps"], rows(0)).span_s == 1.0


def test_optional_makes_nan_none() -> None:
    assert [shapes.optional(value) for value in (None, NAN, 0.0, 2.5)] == [None, None, 0.0, 2.5]


def test_a_snapshot_tells_which_nulls_are_gaps_and_which_were_not_asked_for() -> None:
    of = table("a")
    past = Window(
        np.array([1, 2]),
        np.array([10.0, 11.0]),
        np.array([[[1.0, NAN]], [[NAN, 5.0]]], np.float32),
        np.array([[1, 1], [0, 1]], bool),
    )
    message = shapes.snapshot(1, frame(of, 2), ["in_bps", "in_errors_per_s"], [], past=past, resumed=False)
    body = msgspec.json.decode(msgspec.json.encode(message))
    assert body["values"] == [[[1.0, None]], [[None, 5.0]]]
    assert body["not_due"] == [[], [0]]
    assert (body["times"], body["seq"], body["device"], body["resumed"]) == ([10.0, 11.0], 2, "r1", False)


def test_facts_tell_the_newest_known_status_of_each_row() -> None:
    inventory, of = Inventory(), table("a", "b", facts={"b": {"alias": "to waw1", "ambiguous": True}})
    inventory.offer(status())
    inventory.offer(block(of, oper_status=[UP, None], admin_status=[UP, DOWN]))
    view = inventory.device("r1")
    assert view is not None
    first, second = shapes.facts(view, of, rows(0, 1))
    assert (first.name, first.index, first.oper_status, first.admin_status, first.ambiguous) == ("a", 1, "up", "up", False)
    assert (second.alias, second.oper_status, second.admin_status, second.ambiguous) == ("to waw1", None, "down", True)
    other = shapes.facts(view, table("a", "b", version=2), rows(0))
    assert (other[0].oper_status, other[0].admin_status) == (None, None)


def test_a_device_is_told_with_or_without_a_frame() -> None:
    inventory, of = Inventory(), table("a", note="truncated", system=(("sysName", "fra1"),))
    inventory.offer(status(facts=(("sysName", "before"),), engine="batched", engine_why="asked for"))
    view = inventory.device("r1")
    assert view is not None
    bare = shapes.device_changed(3, view)
    assert (bare.facts, bare.note, bare.last_sample, bare.cadence_s) == ({"sysName": "before"}, "", None, None)
    inventory.offer(block(of, cadence_s=5.0))
    view = inventory.device("r1")
    assert view is not None
    whole = shapes.device_changed(3, view)
    assert (whole.facts, whole.note, whole.last_sample, whole.cadence_s) == ({"sysName": "fra1"}, "truncated", START_S, 5.0)
    assert (whole.id, whole.device, whole.engine, whole.interval_s) == (3, "r1", "batched", 1.0)
    assert (bare.engine_why, whole.engine_why) == ("asked for", "asked for")


def test_an_event_is_told_in_plain_words() -> None:
    body = shapes.event_body(event("xe-0 went down", row="xe-0", severity=Severity.CRITICAL))
    assert (body.severity, body.device, body.interface, body.text) == ("critical", "r1", "xe-0", "xe-0 went down")
