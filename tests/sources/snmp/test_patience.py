from __future__ import annotations

import numpy as np
import pytest

from server.core.model import Row, Table
from server.sources.snmp import mib
from server.sources.snmp.patience import BackOff, Patience, budget_stride
from server.sources.snmp.plan import Plan, Shape
from server.sources.snmp.settings import PollingDefaults


def plan(rows: int) -> Plan:
    bits = np.full((len(mib.METRICS), rows), 64, np.uint8)
    table = Table("r1", 1, tuple(Row(f"p{number}", number) for number in range(1, rows + 1)), mib.METRICS, bits)
    return Plan(table, np.zeros(rows, np.bool_), Shape(60))


def test_a_tick_ends_before_the_next_but_for_a_device_that_answers_later() -> None:
    patience = Patience(PollingDefaults(interval_s=1.0, timeout_s=2.0, retries=1))
    assert (patience.tries, patience.budget_s) == (2, 0.9)
    patience.saw(1.2)
    assert patience.budget_s == 4.0
    for _ in range(3):
        patience.saw(0.1)
    assert patience.budget_s == 0.9


def test_a_device_that_answers_half_of_its_ticks_is_asked_less_often_and_again_as_before_when_it_is_well() -> None:
    back_off = BackOff(1.0)
    for tick in range(10):
        back_off.saw(tick % 2 == 0)
    assert back_off.stride == 2
    for _ in range(100):
        back_off.saw(False)
    assert back_off.stride == 4
    for _ in range(20):
        back_off.saw(True)
    assert back_off.stride == 1


def test_a_few_lost_answers_slow_nothing_down() -> None:
    back_off = BackOff(1.0)
    for tick in range(200):
        back_off.saw(tick % 10 > 3)
    assert back_off.stride == 1


@pytest.mark.parametrize(("rows", "requests_per_s"), [(4000, 200), (1000, 20)])
def test_a_large_device_gets_no_more_requests_than_its_budget(rows: int, requests_per_s: float) -> None:
    made, polling = plan(rows), PollingDefaults(requests_per_s=requests_per_s)
    stride = budget_stride(made, polling)
    slow_per_s = min(len(made.slow) / 10, requests_per_s / 2)
    assert len(made.fast) / stride + slow_per_s <= requests_per_s < len(made.fast) / (stride - 1) + slow_per_s


def test_a_usual_device_is_polled_at_each_tick() -> None:
    assert budget_stride(plan(48), PollingDefaults()) == 1
