from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.model import Row, Table
from server.sources.snmp import mib
from server.sources.snmp.message import MOST_OCTETS
from server.sources.snmp.plan import MOST_VARBINDS, Ask, Plan, Shape, Values
from server.sources.snmp.wire import Tag, VarBind, encode_oid


def plan(indexes: list[int], in_bits: int = 64, stamped: bool = True, overhead: int = 60) -> Plan:
    rows = tuple(Row(f"p{index}", index) for index in indexes)
    bits = np.full((len(mib.METRICS), len(rows)), 64, np.uint8)
    bits[0] = in_bits
    bits[2:4] = 0
    bits[4:8] = 32
    return Plan(Table("r1", 1, rows, mib.METRICS, bits), np.full(len(rows), stamped), Shape(overhead))


def objects(asks: tuple[Ask, ...]) -> list[bytes]:
    return [cell.oid for ask in asks for cell in ask.cells]


@given(st.lists(st.integers(1, 2**31 - 1), unique=True, max_size=80), st.integers(40, 500))
def test_each_object_is_asked_once_in_answers_that_fit_a_frame(indexes: list[int], overhead: int) -> None:
    made = plan(indexes, overhead=overhead)
    asked = objects(made.fast + made.slow)
    assert len(asked) == len(set(asked)) == len(indexes) * (len(mib.METRICS) + 1)
    for ask in made.fast + made.slow:
        assert len(ask.request.varbinds) == len(ask.cells) + 1 <= MOST_VARBINDS
        # sysUpTime.0: 4 octets of headers, its OID, and 7 of value.
        assert overhead + 4 + len(mib.SYS_UP_TIME) + 7 + sum(cell.octets for cell in ask.cells) <= MOST_OCTETS
        pairs = {(cell.metric, cell.row) for cell in ask.cells if cell.metric is not None}
        assert pairs == {(metric, row) for metric in ask.metrics for row in ask.rows.tolist()}


def test_rows_from_index_0_on_are_asked_one_by_one_for_nothing_is_before_them() -> None:
    table = plan([0, 1, 2, 3, 4]).table
    asks = Plan(table, np.zeros(5, np.bool_), Shape(60, bulk=True)).fast
    assert [ask.bulk for ask in asks] == [()]
    assert Plan(plan([1, 2, 3, 4]).table, np.zeros(4, np.bool_), Shape(60, bulk=True)).fast[0].bulk


def test_twenty_interfaces_take_three_fast_requests() -> None:
    assert [len(ask.cells) for ask in plan(list(range(1, 21))).fast] == [21, 21, 18]


def test_the_columns_follow_the_counter_bits() -> None:
    assert mib._if(10, Tag.COUNTER32).at(b"\x01") in objects(plan([1], in_bits=32).fast)
    assert mib._if_x(6, Tag.COUNTER64).at(b"\x01") in objects(plan([1], in_bits=64).fast)
    none = objects(plan([1], in_bits=0, stamped=False).fast)
    assert none == [mib._if_x(10, Tag.COUNTER64).at(b"\x01")]


def test_a_table_without_rows_still_asks_for_the_clock() -> None:
    made = plan([])
    assert [len(ask.request.varbinds) for ask in made.fast] == [1]
    assert made.slow == ()


def test_halving_makes_smaller_requests_down_to_one_object() -> None:
    made = plan([1, 2, 3])
    for _ in range(6):
        made = made.halved()
    assert max(len(ask.cells) for ask in made.fast + made.slow) <= 2
    assert len(objects(made.fast + made.slow)) == 3 * (len(mib.METRICS) + 1)


def test_a_dropped_object_stays_dropped() -> None:
    gone = mib._if_x(6, Tag.COUNTER64).at(encode_oid((0, 0, 2))[1:])
    made = plan([1, 2]).without(gone).halved()
    assert gone not in objects(made.fast)
    assert len(objects(made.fast)) == 5


def test_a_whole_plan_asks_for_what_was_dropped_again_in_requests_of_the_same_size() -> None:
    gone = mib._if_x(6, Tag.COUNTER64).at(encode_oid((0, 0, 2))[1:])
    halved = plan([1, 2]).halved()
    made = halved.without(gone).whole()
    assert gone in objects(made.fast)
    assert made.shape == halved.shape


@pytest.mark.parametrize(("varbind_tag", "taken"), [(Tag.COUNTER64, True), (Tag.COUNTER32, False)])
def test_a_value_of_the_wrong_type_leaves_its_cell_invalid(varbind_tag: Tag, taken: bool) -> None:
    made = plan([1])
    values = Values.empty(made.fast_metrics, np.zeros(1, np.uint64))
    cell = made.fast[0].cells[1]
    assert values.put(cell, VarBind(cell.oid, varbind_tag, b"\x05")) is taken
    assert values.valid.tolist() == [[False], [taken]]
    assert values.values[1, 0] == (5 if taken else 0)
