from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.web import Application

from server.core.blocks import Frames
from server.core.model import DeviceState, Quality
from server.sinks.inventory import handlers
from server.sinks.inventory.inventory import Inventory
from tests.support.frames import DOWN, UP, block, frame, status, table
from tests.web.site import site

NAMES = ("et-0/0/2", "Vlan100:1,2", "ä/ö %20", "quiet")
FACTS = {"et-0/0/2": {"alias": "Core: waw1-cr1", "role": "core", "circuit": "C-1", "kind": "ethernet"}}


@pytest.fixture
def inventory() -> Inventory:
    return Inventory()


@pytest.fixture
def app(tmp_path: Path, inventory: Inventory) -> Application:
    return site(tmp_path, handlers.routes(inventory))


class Api:
    """GET over real HTTP."""

    def __init__(self, client: AsyncHTTPClient, base_url: str) -> None:
        self._client, self._base_url = client, base_url

    async def get(self, path: str) -> tuple[int, Any]:
        answer = await self._client.fetch(f"{self._base_url}{path}", raise_error=False)
        assert answer.headers["Content-Type"] == "application/json"
        return answer.code, json.loads(answer.body)


@pytest.fixture
def api(http_client: AsyncHTTPClient, base_url: str) -> Api:
    return Api(http_client, base_url)


def answering(inventory: Inventory, age_s: float = 0.0) -> None:
    """A device whose newest frame is `age_s` old."""
    inventory.offer(status(engine="batched", facts=(("sysName", "before"),)))
    of = table(*NAMES, facts=FACTS, speed_bps=[10**11, 0, 1, 2], note="32-bit counters", system=(("sysName", "fra1"),))
    inventory.offer(
        block(
            of,
            7,
            wall_s=time.time() - age_s,
            cadence_s=5.0,
            reply_s=0.0123,
            in_bps=[4.1e9, 2.0, 3.0, None],
            out_bps=[5.0, 6.0, 7.0, None],
            oper_status=[UP, DOWN, 7.0, None],
            admin_status=[UP, UP, DOWN, 99.0],
            in_errors_per_s=[0.5, None, 0.0, 0.0],
            quality=[Quality.LATE | Quality.ESTIMATED, 0, 0, Quality.INVALID],
        )
    )


@pytest.mark.gen_test
async def test_devices_are_listed_with_their_state_and_reason(api: Api, inventory: Inventory) -> None:
    answering(inventory)
    inventory.offer(status("r2", DeviceState.AUTH_FAILED, "wrong community", since_s=12.5, interval_s=30.0))
    code, body = await api.get("/api/v1/devices")
    assert code == 200
    first, second = body["devices"]
    assert first["last_sample"] == pytest.approx(time.time(), abs=5)
    del first["last_sample"]
    assert first == {
        "name": "r1",
        "address": "192.0.2.1:161",
        "state": "up",
        "reason": "answers",
        "since": 1795201230.0,
        "interfaces": 4,
        "interval_s": 1.0,
        "configured_interval_s": 1.0,
        "cadence_s": 5.0,
        "reply_ms": 12.3,
        "source": "snmp",
        "engine": "batched",
        "engine_why": "",
        "note": "32-bit counters",
        "facts": {"sysName": "fra1"},
    }
    assert (second["state"], second["reason"], second["since"]) == ("auth_failed", "wrong community", 12.5)
    assert (second["interfaces"], second["last_sample"], second["reply_ms"], second["cadence_s"]) == (0, None, None, None)


@pytest.mark.gen_test
async def test_without_devices_the_list_is_empty(api: Api) -> None:
    assert await api.get("/api/v1/devices") == (200, {"devices": []})


@pytest.mark.gen_test
async def test_one_device_is_what_the_list_says_of_it(api: Api, inventory: Inventory) -> None:
    answering(inventory)
    _, listed = await api.get("/api/v1/devices")
    assert await api.get("/api/v1/devices/r1") == (200, listed["devices"][0])


@pytest.mark.gen_test
async def test_interfaces_are_listed_with_their_facts_and_newest_values(api: Api, inventory: Inventory) -> None:
    answering(inventory)
    code, body = await api.get("/api/v1/devices/r1/interfaces")
    assert (code, body["device"]) == (200, "r1")
    first, second, third, quiet = body["interfaces"]
    assert first.pop("time") == pytest.approx(time.time(), abs=5)
    assert first == {
        "name": "et-0/0/2",
        "alias": "Core: waw1-cr1",
        "description": "",
        "role": "core",
        "circuit": "C-1",
        "kind": "ethernet",
        "index": 1,
        "speed_bps": 10**11,
        "admin_status": "up",
        "oper_status": "up",
        "in_bps": 4.1e9,
        "out_bps": 5.0,
        "rates": {"in_errors_per_s": 0.5, "out_errors_per_s": None},
        "quality": ["late", "estimated"],
        "cadence_s": 5.0,
    }
    assert (second["oper_status"], second["rates"]["in_errors_per_s"], second["quality"]) == ("down", None, [])
    assert (third["oper_status"], third["admin_status"]) == ("lowerLayerDown", "down")
    assert (quiet["in_bps"], quiet["oper_status"], quiet["admin_status"], quiet["quality"]) == (
        None,
        None,
        None,
        ["invalid"],
    )


@pytest.mark.gen_test
async def test_each_interface_tells_how_often_its_own_counters_are_refreshed(api: Api, inventory: Inventory) -> None:
    inventory.offer(status())
    one = frame(table("a", "b", "c"), wall_s=time.time(), cadence_s=5.0, in_bps=1.0, quality=Quality.ESTIMATED)
    inventory.offer(Frames.of([dataclasses.replace(one, row_cadence_s=np.array([3.0, 5.0, np.nan]))]))
    _, body = await api.get("/api/v1/devices/r1/interfaces")
    assert [each["cadence_s"] for each in body["interfaces"]] == [3.0, 5.0, None]


@pytest.mark.gen_test
async def test_without_a_period_of_its_own_an_estimated_row_has_that_of_its_device(api: Api, inventory: Inventory) -> None:
    inventory.offer(status())
    inventory.offer(block(table("a", "b"), wall_s=time.time(), cadence_s=5.0, in_bps=1.0, quality=[Quality.ESTIMATED, 0]))
    _, body = await api.get("/api/v1/devices/r1/interfaces")
    assert [each["cadence_s"] for each in body["interfaces"]] == [5.0, None]


@pytest.mark.gen_test
async def test_a_device_says_why_it_is_not_polled_as_it_would_be_by_itself(api: Api, inventory: Inventory) -> None:
    inventory.offer(status(engine="pysnmp", engine_why="its answers come out of order"))
    _, body = await api.get("/api/v1/devices/r1")
    assert (body["engine"], body["engine_why"]) == ("pysnmp", "its answers come out of order")


@pytest.mark.gen_test
async def test_a_long_list_of_devices_is_whole_and_in_order(api: Api, inventory: Inventory) -> None:
    names = [f"r{number}" for number in range(501)]
    for name in names:
        inventory.offer(status(name))
    _, body = await api.get("/api/v1/devices")
    assert [each["name"] for each in body["devices"]] == names


@pytest.mark.gen_test
@pytest.mark.parametrize("name", NAMES)
async def test_one_interface_is_found_by_its_name_percent_encoded(api: Api, inventory: Inventory, name: str) -> None:
    answering(inventory)
    code, body = await api.get(f"/api/v1/devices/r1/interfaces/{quote(name, safe='')}")
    assert (code, body["name"]) == (200, name)


@pytest.mark.gen_test
async def test_a_plus_in_a_path_is_a_plus(api: Api, inventory: Inventory) -> None:
    inventory.offer(status())
    inventory.offer(block(table("a+b", "a b"), 0))
    code, body = await api.get("/api/v1/devices/r1/interfaces/a+b")
    assert (code, body["name"]) == (200, "a+b")


@pytest.mark.gen_test
async def test_values_that_are_too_old_are_null_and_never_the_last_value(api: Api, inventory: Inventory) -> None:
    answering(inventory, age_s=2.6)
    _, body = await api.get("/api/v1/devices/r1/interfaces/et-0%2F0%2F2")
    assert (body["in_bps"], body["out_bps"], body["time"]) == (None, None, None)
    assert set(body["rates"].values()) == {None}


@pytest.mark.gen_test
async def test_values_of_a_slow_device_are_fresh_for_two_and_a_half_of_its_own_intervals(
    api: Api, inventory: Inventory
) -> None:
    inventory.offer(status(interval_s=60.0))
    inventory.offer(block(table("a"), 0, wall_s=time.time() - 140, interval_s=60.0, in_bps=5.0))
    _, body = await api.get("/api/v1/devices/r1/interfaces/a")
    assert body["in_bps"] == 5.0


@pytest.mark.gen_test
async def test_a_device_that_has_not_answered_has_no_interfaces(api: Api, inventory: Inventory) -> None:
    inventory.offer(status(state=DeviceState.STARTING))
    assert await api.get("/api/v1/devices/r1/interfaces") == (200, {"device": "r1", "interfaces": []})


@pytest.mark.gen_test
@pytest.mark.parametrize("path", ["r9", "r9/interfaces", "r9/interfaces/a", "50%25%20<b>"])
async def test_an_unknown_device_is_404_and_says_where_the_list_is(api: Api, inventory: Inventory, path: str) -> None:
    answering(inventory)
    code, body = await api.get(f"/api/v1/devices/{quote(path, safe='/%')}")
    assert (code, set(body), set(body["error"])) == (404, {"error"}, {"code", "message"})
    assert body["error"]["code"] == "unknown_device"
    assert "GET /api/v1/devices" in body["error"]["message"]


@pytest.mark.gen_test
async def test_an_unknown_interface_is_404_and_names_it(api: Api, inventory: Inventory) -> None:
    answering(inventory)
    code, body = await api.get("/api/v1/devices/r1/interfaces/et-9%2F100%25")
    assert code == 404
    assert body == {"error": {"code": "unknown_interface", "message": "r1 has no interface named et-9/100%."}}


@pytest.mark.gen_test
async def test_a_path_that_is_no_utf8_is_a_bad_request(api: Api) -> None:
    code, body = await api.get("/api/v1/devices/%ff")
    assert (code, body["error"]["code"]) == (400, "bad_request")


@pytest.mark.gen_test
async def test_the_process_is_healthy_as_soon_as_it_answers(api: Api, inventory: Inventory) -> None:
    inventory.offer(status(state=DeviceState.DOWN))
    assert await api.get("/healthz") == (200, {"status": "ok"})


@pytest.mark.gen_test
async def test_it_is_ready_once_every_device_has_been_tried(api: Api, inventory: Inventory) -> None:
    inventory.offer(status("r1", DeviceState.STARTING))
    inventory.offer(status("r2", DeviceState.STARTING))
    assert await api.get("/readyz") == (503, {"ready": False, "devices": 2, "waiting": 2})
    inventory.offer(status("r1", DeviceState.UP))
    inventory.offer(status("r2", DeviceState.DOWN, "no answer"))
    assert await api.get("/readyz") == (200, {"ready": True, "devices": 2, "waiting": 0})
