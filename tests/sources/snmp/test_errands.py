from __future__ import annotations

import asyncio

import pytest

from server.core.errors import NoAnswer
from server.sources.snmp.errands import Errands


async def _run(errands: Errands, outcome: bool | Exception, most_pause_s: float = 300.0) -> float:
    """Have an errand run that ends like this; how long the next has to wait then, in s."""

    async def errand() -> bool:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    errands.send(errand, lambda: most_pause_s, lambda error: pytest.fail(str(error)))
    while errands.busy:
        await asyncio.sleep(0)
    return max(0.0, errands._soonest_s - asyncio.get_running_loop().time())


@pytest.mark.gen_test
async def test_errands_that_are_in_vain_are_sent_less_and_less_often_and_others_are_not(io_loop: object) -> None:
    errands = Errands("r1")
    pauses = [await _run(errands, False), await _run(errands, NoAnswer("no")), await _run(errands, False, 5.0)]
    assert pauses == pytest.approx([2.0, 4.0, 5.0], abs=0.5)
    assert await _run(errands, True) == pytest.approx(1.0, abs=0.5)
    assert await _run(errands, True) == pytest.approx(1.0, abs=0.5)


@pytest.mark.gen_test
async def test_a_new_reason_need_not_wait_even_where_it_comes_while_an_errand_is_under_way(io_loop: object) -> None:
    errands, going, end = Errands("r1"), asyncio.Event(), asyncio.Event()

    async def errand() -> bool:
        going.set()
        await end.wait()
        return False

    for _ in range(5):
        await _run(errands, False)
    errands.at_once()
    now_s = asyncio.get_running_loop().time()
    assert errands.may_begin(now_s)
    errands.send(errand, lambda: 300.0, lambda error: pytest.fail(str(error)))
    await going.wait()
    errands.at_once()
    assert not errands.may_begin(now_s)
    end.set()
    while errands.busy:
        await asyncio.sleep(0)
    assert errands.may_begin(now_s)
    await errands.close()
