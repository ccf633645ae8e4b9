from __future__ import annotations

from unittest.mock import patch

import numpy as np

from server.core.model import Row, Table
from server.sources.snmp import mib
from server.sources.snmp.batch import bundle
from server.sources.snmp.batch.sheet import Sheet
from server.sources.snmp.plan import Plan, Shape


def sheet(name: str, first_slot: int, rows: int = 3) -> Sheet:
    of = tuple(Row(f"p{index}", index) for index in range(1, rows + 1))
    table = Table(name, 1, of, mib.METRICS, np.full((len(mib.METRICS), rows), 64, np.uint8))
    plan = Plan(table, np.zeros(rows, np.bool_), Shape(60))
    return Sheet.of(plan, plan.fast_metrics, plan.fast, np.arange(first_slot, first_slot + len(plan.fast)))


def test_each_cell_is_where_its_own_sheet_has_it() -> None:
    sheets = sheet("r1", 10), sheet("r2", 20)
    joined = bundle.Bundle.of(sheets)
    for device, own in enumerate(sheets):
        rows = joined.rows(device)
        assert np.array_equal(joined.slot[:, rows], own.slot)
        assert np.array_equal(joined.place[:, rows], own.place)
        assert np.array_equal(joined.asks[joined.carried[:, rows]], own.slot)
    assert joined.ask_device.tolist() == [0, 1]


def test_the_same_sheets_are_joined_once_and_what_is_too_much_is_forgotten() -> None:
    bundles, first, second = bundle.Bundles(), (sheet("r1", 10),), (sheet("r2", 20),)
    made = bundles.of(first)
    assert bundles.of(first) is made
    assert bundles.of(second) is not made
    assert bundles.of(first) is made
    with patch.object(bundle, "_MOST_CELLS", made.slot.size * 2):
        bundles.of((*first, *second))
        assert bundles.of(first) is not made
