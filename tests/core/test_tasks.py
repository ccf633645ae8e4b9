from __future__ import annotations

import asyncio
import itertools
import time
from contextvars import Context
from typing import Any

import pytest

from server.core import tasks
from server.core.tasks import cancel, every, spawn, supervise


class FakeTime:
    """The running loop's clock, moved by hand: a timer fires when the clock has come to it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 10.0
        self.woken_at: list[float] = []
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "time", lambda: self.now)
        monkeypatch.setattr(loop, "call_at", self._jump)
        self._loop = loop

    def _jump(self, when: float, *call: Any, context: Context | None = None) -> asyncio.Handle:
        self.now = max(self.now, when)
        self.woken_at.append(when)
        return self._loop.call_soon(*call, context=context)


@pytest.mark.gen_test
async def test_ticks_come_at_whole_intervals_from_the_start_however_long_the_body_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = FakeTime(monkeypatch)
    seen = []
    async for tick in every(1.0):
        seen.append((tick, clock.now))
        clock.now += 0.3 * (tick % 3)
        if tick == 50:
            break
    assert seen == [(tick, 10.0 + tick) for tick in range(51)]


@pytest.mark.gen_test
async def test_the_first_tick_waits_for_the_phase(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeTime(monkeypatch)
    seen = []
    async for tick in every(2.0, phase_s=0.5):
        seen.append((tick, clock.now))
        if tick == 2:
            break
    assert seen == [(0, 10.5), (1, 12.5), (2, 14.5)]


@pytest.mark.gen_test
async def test_ticks_whose_time_passed_while_the_body_ran_are_skipped_with_their_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = FakeTime(monkeypatch)
    seen = []
    async for tick in every(1.0):
        seen.append((tick, clock.now))
        if tick == 1:
            clock.now += 3.4
        if tick >= 6:
            break
    assert seen == [(0, 10.0), (1, 11.0), (5, 15.0), (6, 16.0)]


@pytest.mark.gen_test
async def test_a_body_that_takes_exactly_one_interval_loses_no_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeTime(monkeypatch)
    seen = []
    async for tick in every(1.0):
        seen.append(tick)
        clock.now += 1.0
        if tick == 3:
            break
    assert seen == [0, 1, 2, 3]


@pytest.mark.gen_test
@pytest.mark.parametrize("step_s", [3600.0, -3600.0])
async def test_a_step_of_the_wall_clock_neither_skips_nor_stops_the_ticks(
    monkeypatch: pytest.MonkeyPatch, step_s: float
) -> None:
    real = time.time
    seen = []
    async for tick in every(0.01):
        seen.append(tick)
        monkeypatch.setattr(time, "time", lambda: real() + step_s)
        if len(seen) == 3:
            break
    assert seen[-1] < 100  # a step ahead would have skipped 360,000 ticks, a step back would never have ended


@pytest.mark.gen_test
async def test_a_cancelled_wait_for_a_tick_leaves_no_timer() -> None:
    async def wait() -> None:
        async for _ in every(3600.0):
            pass

    task = spawn("waits", wait())
    await asyncio.sleep(0)
    await cancel(task)
    timers = [timer for timer in asyncio.get_running_loop()._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]
    assert not [timer for timer in timers if timer.when() > asyncio.get_running_loop().time() + 60]


@pytest.mark.gen_test
async def test_a_failed_task_is_logged_by_its_name(caplog: pytest.LogCaptureFixture) -> None:
    async def break_down() -> None:
        raise RuntimeError("broken on purpose")

    task = spawn("fragile", break_down())
    assert task.get_name() == "fragile"
    await asyncio.wait([task])
    await asyncio.sleep(0)
    assert [record.getMessage() for record in caplog.records] == ["task fragile failed"]
    assert "broken on purpose" in caplog.text


@pytest.mark.gen_test
async def test_a_cancelled_or_finished_task_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def end() -> None:
        pass

    await spawn("short", end())
    await cancel(spawn("long", asyncio.sleep(60)))
    await asyncio.sleep(0)
    assert not caplog.records


@pytest.mark.gen_test
async def test_supervised_work_is_logged_and_started_again_after_pauses_that_grow_to_a_limit(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = FakeTime(monkeypatch)
    starts: list[float] = []

    async def work() -> None:
        starts.append(clock.now)
        if len(starts) < 9:
            raise RuntimeError("broken on purpose")

    await supervise("the part", work)
    pauses = [after - before for before, after in itertools.pairwise(starts)]
    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert caplog.records[0].getMessage() == "the part failed; it starts again in 0.5 s"
    assert caplog.records[0].exc_info
    assert len(caplog.records) == 8


@pytest.mark.gen_test
async def test_work_that_ran_well_for_a_minute_starts_again_after_the_first_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeTime(monkeypatch)
    starts: list[float] = []

    async def work() -> None:
        starts.append(clock.now)
        if len(starts) == 5:
            return
        if len(starts) == 4:
            clock.now += 61.0
        raise RuntimeError("broken on purpose")

    await supervise("the part", work)
    assert starts[4] - starts[3] == 61.0 + tasks.RESTART_FIRST_S


@pytest.mark.gen_test
async def test_supervision_ends_by_cancellation() -> None:
    running = asyncio.Event()

    async def work() -> None:
        running.set()
        await asyncio.sleep(60)

    task = spawn("supervisor", supervise("the part", work))
    await running.wait()
    await cancel(task)
    assert task.cancelled()


@pytest.mark.gen_test
async def test_cancel_waits_until_each_task_has_cleaned_up_even_if_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    ended = []

    async def work(name: str) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            ended.append(name)
            if name == "b":
                raise RuntimeError("could not flush")

    running = [spawn(name, work(name)) for name in "abc"]
    await asyncio.sleep(0)
    await cancel(*running)
    assert sorted(ended) == ["a", "b", "c"]
    assert "task b failed" in caplog.text


@pytest.mark.gen_test
async def test_cancelling_nothing_is_no_error() -> None:
    await cancel()


@pytest.mark.gen_test
async def test_who_is_cancelled_while_it_cancels_others_is_cancelled_too() -> None:
    stubborn_may_end = asyncio.Event()

    async def stubborn() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await stubborn_may_end.wait()

    async def stop_it() -> None:
        await cancel(inner)
        raise AssertionError("went on though it was cancelled")

    inner = spawn("stubborn", stubborn())
    outer = spawn("outer", stop_it())
    for _ in range(3):
        await asyncio.sleep(0)
    outer.cancel()
    await asyncio.wait([outer])
    assert outer.cancelled()
    stubborn_may_end.set()
    await asyncio.wait([inner])
