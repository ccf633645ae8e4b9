from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tornado.httpclient import AsyncHTTPClient
from tornado.web import Application

from server import __version__
from server.core.model import DeviceState
from server.core.tasks import cancel, spawn
from server.hub import Removed
from server.sinks.metrics import own
from server.sinks.metrics.own import OwnMetrics
from tests.support.frames import block, event, status, table
from tests.web.site import site

Samples = dict[tuple[str, tuple[str, ...]], float]


@pytest.fixture
def metrics() -> OwnMetrics:
    return OwnMetrics()


@pytest.fixture
def app(tmp_path: Path, metrics: OwnMetrics) -> Application:
    return site(tmp_path, metrics.routes())


class Scrape:
    def __init__(self, client: AsyncHTTPClient, base_url: str) -> None:
        self._client, self._url = client, f"{base_url}/metrics"

    async def __call__(self) -> Samples:
        """Each sample of `/metrics` by name and sorted label values (without the buckets)."""
        answer = await self._client.fetch(self._url)
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        found: Samples = {}
        for family in text_string_to_metric_families(answer.body.decode()):
            assert family.documentation
            for sample in family.samples:
                if "le" not in sample.labels:
                    found[sample.name, tuple(sorted(sample.labels.values()))] = sample.value
        return found


@pytest.fixture
def scrape(http_client: AsyncHTTPClient, base_url: str) -> Scrape:
    return Scrape(http_client, base_url)


@pytest.mark.gen_test
async def test_the_text_parses_and_tells_the_version(scrape: Scrape) -> None:
    assert (await scrape())["linewatch_info", (__version__,)] == 1


@pytest.mark.gen_test
async def test_counters_move_with_what_happens(scrape: Scrape, metrics: OwnMetrics) -> None:
    metrics.polls_answered(["r1"], np.array([0.02]), np.array([0.001]))
    metrics.polls_answered(["r1"], np.array([0.04]), np.array([0.003]))
    metrics.poll_failed("r1", "no_answer")
    metrics.bad_reply("r2", "oid")
    metrics.frames_dropped(3)
    metrics.frames_dropped(0)
    found = await scrape()
    assert found["linewatch_polls_total", ("answered", "r1")] == 2
    assert found["linewatch_polls_total", ("no_answer", "r1")] == 1
    assert found["linewatch_bad_replies_total", ("oid", "r2")] == 1
    assert found["linewatch_frames_dropped_total", ()] == 3
    assert found["linewatch_poll_reply_seconds_count", ()] == 2
    assert found["linewatch_poll_reply_seconds_sum", ()] == pytest.approx(0.06)
    assert found["linewatch_poll_late_seconds_sum", ()] == pytest.approx(0.004)


@pytest.mark.gen_test
async def test_each_check_has_a_counter_of_its_own_from_zero_on(scrape: Scrape, metrics: OwnMetrics) -> None:
    metrics.checks(["oid", "type"])
    metrics.bad_reply("r1", "oid", 3)
    metrics.bad_reply("", "oid")
    found = await scrape()
    assert found["linewatch_reply_checks_failed_total", ("oid",)] == 4
    assert found["linewatch_reply_checks_failed_total", ("type",)] == 0
    assert found["linewatch_bad_replies_total", ("oid", "r1")] == 3


def test_durations_are_counted_up_to_each_bound(metrics: OwnMetrics) -> None:
    metrics.polls_answered(["a", "b", "c"], np.array([0.001, 0.0011, 9.0]), np.zeros(3))
    name = "linewatch_poll_reply_seconds_bucket"
    found = [metrics.registry.get_sample_value(name, {"le": bound}) for bound in ("0.001", "0.002", "5.0", "+Inf")]
    assert found == [1, 2, 2, 3]


@pytest.mark.gen_test
async def test_browsers_come_and_go(scrape: Scrape, metrics: OwnMetrics) -> None:
    metrics.browsers(+1)
    metrics.browsers(+1)
    metrics.browsers(-1)
    assert (await scrape())["linewatch_browsers", ()] == 1


@pytest.mark.gen_test
async def test_a_device_is_up_while_it_answers_late_or_not(scrape: Scrape, metrics: OwnMetrics) -> None:
    for device, state in (("a", DeviceState.UP), ("b", DeviceState.LATE), ("c", DeviceState.DOWN)):
        metrics.offer(status(device, state))
    metrics.offer(status("d", DeviceState.UP))
    metrics.offer(status("d", DeviceState.AUTH_FAILED))
    found = await scrape()
    assert [found["linewatch_device_up", (device,)] for device in "abcd"] == [1, 1, 0, 0]


@pytest.mark.gen_test
async def test_a_removed_device_takes_its_series_with_it_and_only_those(scrape: Scrape, metrics: OwnMetrics) -> None:
    for device in ("r1", "r2"):
        metrics.offer(status(device))
        metrics.polls_answered([device], np.array([0.01]), np.array([0.0]))
        metrics.poll_failed(device, "bad_reply")
        metrics.bad_reply(device, "type")
    metrics.offer(Removed("r1"))
    metrics.offer(Removed("never-seen"))
    labelled = {label for _, labels in await scrape() for label in labels}
    assert labelled == {"r2", "answered", "bad_reply", "type", __version__}


@pytest.mark.gen_test
async def test_frames_and_events_move_nothing(scrape: Scrape, metrics: OwnMetrics) -> None:
    before = await scrape()
    metrics.offer(block(table("a")))
    metrics.offer(event())
    assert await scrape() == before


@pytest.mark.gen_test
async def test_a_blocked_loop_shows_as_lag(scrape: Scrape, metrics: OwnMetrics, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "LAG_INTERVAL_S", 0.01)
    lag = "linewatch_loop_lag_seconds"
    task = spawn("lag", metrics.run())
    while (quiet := await scrape())[f"{lag}_count", ()] < 3:
        pass
    time.sleep(0.2)
    while (after := await scrape())[f"{lag}_count", ()] == quiet[f"{lag}_count", ()]:
        pass
    assert after[f"{lag}_sum", ()] - quiet[f"{lag}_sum", ()] > 0.15
    await cancel(task)
