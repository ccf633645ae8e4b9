from __future__ import annotations

import pytest

from server.core.model import DeviceState
from server.sinks.live.messages import Summary
from tests.sinks.live.summaries import G, asked, network
from tests.sinks.live.world import World
from tests.support.frames import DOWN, START_S, UP, block, status, table


def names(summary: Summary) -> list[str]:
    return [f"{row.device}:{row.name}" for row in summary.rows]


# -- which rows, in which order


def test_what_wants_attention_comes_first_a_line_that_is_down_before_all() -> None:
    found = asked(network()).next()
    assert names(found) == ["core1:xe-2", "edge1:ge-0", "core1:xe-0", "dead1:", "core1:xe-1", "edge1:ge-1"]
    assert [row.attention and row.attention.text for row in found.rows] == [
        "Line down",
        "In over 90%",
        "In over 80%",
        "No data 60 s",
        None,
        "Above stated speed",
    ]


@pytest.mark.parametrize(
    ("sort", "descending", "order"),
    [
        ("in", True, ["core1:xe-0", "core1:xe-1", "edge1:ge-0", "edge1:ge-1", "core1:xe-2", "dead1:"]),
        ("in", False, ["core1:xe-2", "dead1:", "edge1:ge-1", "edge1:ge-0", "core1:xe-1", "core1:xe-0"]),
        ("out", True, ["core1:xe-1", "core1:xe-0", "edge1:ge-1", "edge1:ge-0", "core1:xe-2", "dead1:"]),
        ("utilisation", True, ["edge1:ge-0", "core1:xe-0", "core1:xe-1", "core1:xe-2", "edge1:ge-1", "dead1:"]),
        ("name", False, ["core1:xe-0", "core1:xe-1", "core1:xe-2", "dead1:", "edge1:ge-0", "edge1:ge-1"]),
        ("name", True, ["edge1:ge-1", "edge1:ge-0", "dead1:", "core1:xe-2", "core1:xe-1", "core1:xe-0"]),
    ],
)
def test_rows_are_sorted_as_asked_and_equal_ones_keep_their_place(sort: str, descending: bool, order: list[str]) -> None:
    assert names(asked(network(), sort=sort, descending=descending).next()) == order


def test_an_unknown_sort_is_by_attention() -> None:
    assert names(asked(network(), sort="no such").next()) == names(asked(network()).next())


@pytest.mark.parametrize(
    ("words", "rows"),
    [
        ({"filter": "core: WAW1"}, {"core1:xe-0"}),
        ({"filter": "edge1"}, {"edge1:ge-0", "edge1:ge-1"}),
        ({"filter": "spare xe"}, {"core1:xe-2"}),
        ({"filter": "dead1"}, {"dead1:a", "dead1:b"}),
        ({"filter": "waw1 de-cix"}, set()),
        ({"show": "core"}, {"core1:xe-0", "core1:xe-2"}),
        ({"show": "core", "filter": "waw1"}, {"core1:xe-0"}),
        ({"show": "attention"}, {"core1:xe-2", "core1:xe-0", "edge1:ge-0", "dead1:"}),
        ({"only_device": "edge1"}, {"edge1:ge-0", "edge1:ge-1"}),
        ({"only_device": "dead1"}, {"dead1:a", "dead1:b"}),
        ({"only_device": "no such"}, set()),
    ],
)
def test_a_filter_shows_the_rows_that_have_every_word(words: dict[str, str], rows: set[str]) -> None:
    found = asked(network(), **words).next()
    assert set(names(found)) == rows
    assert found.matched == len(rows)


def test_attention_in_the_totals_is_the_number_of_rows_that_its_filter_shows() -> None:
    world = network()
    assert world.board.survey.totals.attention == asked(world, show="attention").next().matched == 4


@pytest.mark.parametrize(
    ("offset", "limit", "rows", "told"),
    [(0, 2, (0, 2), 0), (4, 10, (4, 6), 4), (99, 10, (6, 6), 6), (-5, 1, (0, 1), 0), (0, 0, (0, 0), 0), (0, -1, (0, 0), 0)],
)
def test_a_page_holds_the_rows_from_offset_on(offset: int, limit: int, rows: tuple[int, int], told: int) -> None:
    everything = names(asked(network()).next())
    found = asked(network(), offset=offset, limit=limit).next()
    assert names(found) == everything[slice(*rows)]
    assert (found.offset, found.matched) == (told, 6)


def test_a_page_is_never_longer_than_five_hundred_rows() -> None:
    world = World()
    world.up("big")
    world.publish(block(table(*(f"e{number}" for number in range(600)), device="big")))
    world.board.refresh(START_S)
    found = asked(world, limit=10_000).next()
    assert (len(found.rows), found.matched) == (500, 600)


# -- what is in them


def test_a_row_tells_its_facts_its_rates_and_its_state_in_words() -> None:
    row = asked(network(), filter="waw1").next().rows[0]
    assert (row.device, row.name, row.alias, row.role, row.circuit) == ("core1", "xe-0", "Core: waw1-cr1", "core", "C-7")
    assert (row.in_bps, row.out_bps, row.in_percent, row.out_percent) == (8.5 * G, 1 * G, 85.0, 10.0)
    assert (row.oper_status, row.age_s, row.quality, row.whole_device) == ("up", 0.0, 0, False)


@pytest.mark.parametrize(
    ("oper", "word"), [(UP, "up"), (DOWN, "down"), (7.0, "lowerLayerDown"), (5.0, "dormant"), (None, None)]
)
def test_the_state_of_a_row_is_what_its_device_says_and_never_made_up(oper: float | None, word: str | None) -> None:
    world = World()
    world.up("r1")
    world.publish(block(table("a"), in_bps=1.0, oper_status=[oper]))
    world.board.refresh(START_S)
    assert asked(world).next().rows[0].oper_status == word


def test_a_row_without_a_sample_has_null_and_not_zero() -> None:
    row = asked(network(), filter="spare").next().rows[0]
    assert (row.in_bps, row.out_bps, row.in_percent, row.out_percent) == (None, None, None, None)


def test_a_silent_device_is_one_row_with_its_reason_and_not_one_for_each_interface() -> None:
    found = [row for row in asked(network()).next().rows if row.device == "dead1"]
    assert len(found) == 1
    assert (found[0].whole_device, found[0].name, found[0].oper_status) == (True, "", None)
    assert found[0].alias == "no answer for 60 s; 2 interfaces"
    assert found[0].age_s == 60.0


def test_totals_and_device_lines_are_of_everything_whatever_is_filtered() -> None:
    found = asked(network(), filter="no such").next()
    assert found.rows == []
    assert (found.totals.in_bps, found.totals.counted, found.totals.devices_lost) == (10.55 * G, 4, 1)
    assert [line.name for line in found.devices] == ["core1", "edge1", "dead1"]


def test_a_silent_device_stays_in_the_view_of_the_roles_that_its_rows_have() -> None:
    world = World()
    world.publish(status("dead2", DeviceState.DOWN, "no answer for 60 s"))
    world.publish(block(table("a", device="dead2", facts={"a": {"role": "core"}}), wall_s=START_S - 60))
    world.board.refresh(START_S)
    assert names(asked(world, show="core").next()) == ["dead2:"]
    assert names(asked(world, show="customer").next()) == []


def test_a_device_that_is_late_is_one_row_too_and_says_for_how_long() -> None:
    world = World()
    world.up("r1")
    world.publish(block(table("a", "b"), wall_s=START_S - 4))
    world.board.refresh(START_S)
    found = asked(world).next()
    assert names(found) == ["r1:"]
    assert found.rows[0].attention is not None
    assert found.rows[0].attention.text == "Late 4 s"
    assert names(asked(world, only_device="r1").next()) == ["r1:a", "r1:b"]
