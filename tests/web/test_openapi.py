"""The document against the routes: the small toolkit here, the whole API of the program with the sinks that serve it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tornado.httpclient import AsyncHTTPClient
from tornado.web import Application

from server import __version__
from server.core.model import DeviceState
from server.sinks.inventory import handlers as inventory_handlers
from server.sinks.inventory.inventory import Inventory
from server.sinks.metrics.own import OwnMetrics
from server.web.handlers import ErrorAnswer
from server.web.openapi import OpenApiHandler, document
from server.web.routes import Operation, Route
from tests.support.frames import block, status, table
from tests.web.site import site

DESCRIBED = re.compile(r"/(api/.*|healthz|readyz|metrics)$")
NAMES = {"device": "r1", "interface": "et-0%2F0%2F2"}


@pytest.fixture
def inventory() -> Inventory:
    inventory = Inventory()
    inventory.offer(status())
    inventory.offer(block(table("et-0/0/2"), 0))
    return inventory


@pytest.fixture
def routes(inventory: Inventory) -> list[Route]:
    """As the composition root puts them together."""
    api = [*inventory_handlers.routes(inventory), *OwnMetrics().routes()]
    described = Operation("This document.", "application/json")
    api.append(Route("/api/v1/openapi.json", OpenApiHandler, {"routes": api, "prefix": ""}, described))
    return api


@pytest.fixture
def app(tmp_path: Path, routes: list[Route]) -> Application:
    return site(tmp_path, routes, pages=["overview"])


def served(app: Application) -> Iterator[str]:
    """The paths in the application's routing table, as the document writes them."""
    for hosts in app.default_router.rules:
        for rule in getattr(hosts.target, "rules", ()):
            path = rule.matcher.regex.pattern.rstrip("$")
            yield re.sub(r"\\(.)", r"\1", re.sub(r"\(\?P<(\w+)>\[\^/\]\+\)", r"{\1}", path))


async def fetched(client: AsyncHTTPClient, url: str) -> tuple[int, str, bytes]:
    answer = await client.fetch(url, raise_error=False)
    return answer.code, answer.headers["Content-Type"].split(";")[0], answer.body


@pytest.mark.gen_test
async def test_the_document_describes_every_route_of_the_api_and_no_other(
    app: Application, http_client: AsyncHTTPClient, base_url: str
) -> None:
    code, kind, body = await fetched(http_client, f"{base_url}/api/v1/openapi.json")
    assert (code, kind) == (200, "application/json")
    in_table = {path for path in served(app) if DESCRIBED.match(path)}
    assert len(in_table) == 8
    assert set(json.loads(body)["paths"]) == in_table


@pytest.mark.gen_test
async def test_every_operation_answers_with_a_body_of_its_schema(
    routes: list[Route], http_client: AsyncHTTPClient, base_url: str
) -> None:
    for route in routes:
        assert route.operation
        code, kind, body = await fetched(http_client, base_url + route.path.format(**NAMES))
        assert code == 200, route.path
        if isinstance(route.operation.answer, str):
            assert kind == route.operation.answer
        else:
            assert kind == "application/json"
            checked(body, route.operation.answer)


@pytest.mark.gen_test
async def test_every_error_of_an_operation_has_the_body_of_an_error(
    routes: list[Route], http_client: AsyncHTTPClient, base_url: str
) -> None:
    for route in routes:
        assert route.operation
        assert set(route.operation.errors) <= {404}
        for code in route.operation.errors:
            found, _, body = await fetched(http_client, base_url + route.path.format(device="r9", interface="x"))
            assert found == code
            checked(body, ErrorAnswer)


@pytest.mark.gen_test
async def test_an_answer_that_is_not_ready_has_the_body_that_the_document_gives_it(
    routes: list[Route], inventory: Inventory, http_client: AsyncHTTPClient, base_url: str
) -> None:
    inventory.offer(status("r2", DeviceState.STARTING))
    code, _, body = await fetched(http_client, f"{base_url}/readyz")
    assert code == 503
    told = document(routes, "")["paths"]["/readyz"]["get"]["responses"]["503"]
    assert told["content"] == {"application/json": {"schema": {"$ref": "#/components/schemas/Readiness"}}}
    checked(body, inventory_handlers.Readiness)


@pytest.mark.gen_test
async def test_the_metrics_are_what_the_document_calls_them(http_client: AsyncHTTPClient, base_url: str) -> None:
    _, kind, body = await fetched(http_client, f"{base_url}/metrics")
    assert kind == "text/plain"
    assert list(text_string_to_metric_families(body.decode()))


def checked(body: bytes, struct: type) -> None:
    """The body is a `struct`, and has no field that the struct does not."""
    given = json.loads(body)
    assert json.loads(msgspec.json.encode(msgspec.convert(given, struct))) == given


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for key, value in part.items():
            yield from [value] if key == "$ref" else references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def test_every_reference_leads_to_a_schema(routes: list[Route]) -> None:
    made = document(routes, "")
    found = set(references(made))
    assert found == {f"#/components/schemas/{name}" for name in made["components"]["schemas"]}
    assert len(found) > 5


def test_the_document_tells_version_prefix_parameters_and_meanings(routes: list[Route]) -> None:
    made = document(routes, "/linewatch")
    assert (made["openapi"], made["info"]["version"]) == ("3.1.0", __version__)
    assert made["servers"] == [{"url": "/linewatch"}]
    assert document(routes, "")["servers"] == [{"url": "/"}]
    one = made["paths"]["/api/v1/devices/{device}/interfaces/{interface}"]["get"]
    assert [(each["name"], each["in"], each["required"]) for each in one["parameters"]] == [
        ("device", "path", True),
        ("interface", "path", True),
    ]
    assert set(one["responses"]) == {"200", "404"}
    assert one["responses"]["404"]["content"]["application/json"]["schema"]["$ref"].endswith("/ErrorAnswer")
    assert made["paths"]["/metrics"]["get"]["responses"]["200"]["content"] == {"text/plain": {}}


def test_a_route_without_an_operation_is_not_in_the_document() -> None:
    assert document([Route("/ws", OpenApiHandler)], "")["paths"] == {}
