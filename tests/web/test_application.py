from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.web import Application

from server.web import application
from server.web.handlers import ApiError, BaseHandler, ErrorAnswer, ErrorBody
from server.web.routes import Route
from server.web.settings import ServerSettings
from tests.web.site import FILES, Web, assert_safe, nonce_of, site


class Echo(BaseHandler):
    def get(self, first: str, second: str) -> None:
        self.answer(ErrorBody(first, second))


class Failing(BaseHandler):
    def get(self) -> None:
        raise RuntimeError("the secret of the house")


class Refusing(BaseHandler):
    def get(self) -> None:
        raise ApiError(409, "too_late", "100% of it is gone")


class Taking(BaseHandler):
    def get(self) -> None:
        self.answer(ErrorAnswer(ErrorBody("seen", "")))

    def post(self) -> None:
        self.answer(ErrorAnswer(ErrorBody("taken", "")))


ROUTES = [
    Route("/api/v1/echo/{first}/of/{second}", Echo),
    Route("/api/v1/failing", Failing),
    Route("/api/v1/refusing", Refusing),
    Route("/api/v1/taking", Taking),
]
PAGES = ["overview", "device", "broken"]
SERVER: dict[str, Any] = {"allowed_hosts": ("NOC.example", "2001:DB8:0::1")}


@pytest.fixture
def server_settings() -> dict[str, Any]:
    return SERVER


@pytest.fixture
def app(tmp_path: Path, server_settings: dict[str, Any]) -> Application:
    return site(tmp_path, ROUTES, pages=PAGES, **server_settings)


# -- names of the host


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1:8888", "[::1]", "[::1]:80", "noc.example", "Noc.Example:443", "[2001:db8::1]:80"]
)
async def test_loopback_names_and_the_allowed_hosts_are_served(web: Web, host: str) -> None:
    assert (await web("/", Host=host)).code == 200


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "host",
    ["evil.example", "noc.example.evil.example", "evil-noc.example", "nocxexample", "127.0.0.1.evil.example", "[::2]"],
)
@pytest.mark.parametrize("path", ["/", "/api/v1/taking", "/static/js/main.js", "/nothing"])
async def test_any_other_host_name_finds_nothing_of_ours(web: Web, host: str, path: str) -> None:
    answer = await web(path, Host=host)
    assert answer.code == 404
    assert_safe(answer)
    body = json.loads(answer.body)
    assert (set(body), body["error"]["code"]) == ({"error"}, "unknown_host")
    assert "allowed_hosts" in body["error"]["message"]
    assert b"/static/" not in answer.body
    assert host.encode() not in answer.body


@pytest.mark.gen_test
async def test_another_host_name_may_change_nothing_either(web: Web) -> None:
    assert (await web("/api/v1/taking", "POST", Host="evil.example")).code == 404


class TestEveryHost:
    @pytest.fixture
    def server_settings(self) -> dict[str, Any]:
        return {"allowed_hosts": ("*",)}

    @pytest.mark.gen_test
    async def test_a_star_allows_every_name(self, web: Web) -> None:
        assert (await web("/", Host="anything.example")).code == 200


@pytest.mark.parametrize(("host", "name"), [("192.0.2.1", "192.0.2.1"), ("2001:DB8::0:7", "[2001:db8::7]"), ("NOC", "noc")])
def test_the_address_that_is_listened_on_is_an_allowed_name(host: str, name: str) -> None:
    pattern = application.host_pattern(ServerSettings(host=host, allow_anonymous=True))
    assert re.match(pattern, name)
    assert not re.match(pattern, name + "x")


# -- paths


@pytest.mark.gen_test
async def test_each_name_of_a_path_is_one_segment_percent_decoded(web: Web) -> None:
    answer = await web("/api/v1/echo/a%2Fb:c/of/%C3%A4%20+%25")
    assert json.loads(answer.body) == {"code": "a/b:c", "message": "ä +%"}
    assert (await web("/api/v1/echo/a/b/of/c")).code == 404


@pytest.mark.gen_test
async def test_a_path_matches_whole(web: Web) -> None:
    for path in ("/api/v1/taking/", "/api/v1/takingx", "/x/api/v1/taking", "/api/v1x/taking"):
        assert (await web(path)).code == 404, path


class TestPrefix:
    @pytest.fixture
    def server_settings(self) -> dict[str, Any]:
        return {"url_prefix": "/line.watch"}

    @pytest.mark.gen_test
    async def test_everything_is_served_under_the_prefix_and_nothing_beside_it(self, web: Web) -> None:
        assert (await web("/line.watch/api/v1/taking")).code == 200
        for path in ("/", "/api/v1/taking", "/static/js/main.js", "/lineXwatch/api/v1/taking"):
            assert (await web(path)).code == 404, path

    @pytest.mark.gen_test
    async def test_a_page_names_its_files_under_the_prefix(self, web: Web) -> None:
        page = (await web("/line.watch/")).body.decode()
        found = re.search(r'src="(/line\.watch/static/js/main\.js\?v=\w+)"', page)
        assert found
        assert "data-prefix='/line.watch'" in page
        assert (await web(found[1])).body.decode() == FILES["js/main.js"]


# -- methods


@pytest.mark.gen_test
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_a_method_that_is_not_there_is_405_and_the_answer_names_those_that_are(web: Web, method: str) -> None:
    answer = await web("/api/v1/refusing", method)
    assert answer.code == 405
    assert answer.headers["Allow"] == "GET, HEAD"
    assert json.loads(answer.body) == {"error": {"code": "method_not_allowed", "message": f"{method} is not possible here."}}


@pytest.mark.gen_test
async def test_a_page_too_refuses_other_methods(web: Web) -> None:
    assert (await web("/", "POST")).code == 405


@pytest.mark.gen_test
async def test_a_method_that_changes_something_needs_the_xsrf_cookie(web: Web) -> None:
    answer = await web("/api/v1/taking", "POST")
    assert answer.code == 403
    assert json.loads(answer.body)["error"]["code"] == "forbidden"
    both = {"Cookie": "_xsrf=abc", "X-XSRFToken": "abc"}
    assert json.loads((await web("/api/v1/taking", "POST", **both)).body)["error"]["code"] == "taken"


@pytest.mark.gen_test
@pytest.mark.parametrize("path", ["/", "/api/v1/taking", "/static/js/main.js"])
async def test_head_answers_as_get_does_without_the_body(web: Web, path: str) -> None:
    whole, head = await web(path), await web(path, "HEAD")
    assert (head.code, head.body) == (200, b"")
    assert head.headers["Content-Type"] == whole.headers["Content-Type"]


# -- headers and errors


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/", 200),
        ("/api/v1/taking", 200),
        ("/api/v1/refusing", 409),
        ("/api/v1/failing", 500),
        ("/nothing", 404),
        ("/broken", 500),
    ],
)
async def test_every_answer_errors_too_has_the_security_headers_with_a_fresh_nonce(web: Web, path: str, code: int) -> None:
    first, second = await web(path), await web(path)
    assert first.code == second.code == code
    for answer in (first, second):
        assert_safe(answer)
        assert answer.headers["Cache-Control"] == "no-store"
    assert nonce_of(first) != nonce_of(second)


@pytest.mark.gen_test
@pytest.mark.parametrize("path", ["/", "/nothing", "/broken"])
async def test_the_scripts_of_a_page_and_of_an_error_page_carry_the_nonce_of_its_header(web: Web, path: str) -> None:
    answer = await web(path)
    assert set(re.findall(r'nonce="([^"]*)"', answer.body.decode())) == {nonce_of(answer)}


@pytest.mark.gen_test
async def test_an_error_of_the_api_has_a_code_for_programs_and_a_text_for_people(web: Web) -> None:
    answer = await web("/api/v1/refusing")
    assert answer.headers["Content-Type"] == "application/json"
    assert json.loads(answer.body) == {"error": {"code": "too_late", "message": "100% of it is gone"}}


@pytest.mark.gen_test
async def test_a_fault_of_ours_tells_nothing_to_the_reader_and_everything_to_the_log(
    web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await web("/api/v1/failing")
    assert json.loads(answer.body) == {"error": {"code": "internal", "message": "Internal Server Error"}}
    assert "the secret of the house" in caplog.text
    assert "GET /api/v1/failing failed" in caplog.text
    assert "GET /api/v1/failing: 500" in caplog.text


@pytest.mark.gen_test
async def test_what_a_browser_asked_wrongly_is_not_logged_as_our_fault(web: Web, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "linewatch"):
        await web("/nothing")
        await web("/api/v1/refusing")
    assert not caplog.records


@pytest.mark.gen_test
async def test_a_missing_address_is_a_page_for_browsers_and_json_under_api(web: Web) -> None:
    page, api = await web("/nothing"), await web("/api/v1/nothing")
    assert page.code == api.code == 404
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert '<p id="told">There is no page at this address.</p>' in page.body.decode()
    assert json.loads(api.body) == {"error": {"code": "not_found", "message": "There is nothing at this address."}}


@pytest.mark.gen_test
async def test_a_missing_address_is_404_whatever_the_method(web: Web) -> None:
    for method in ("GET", "HEAD", "POST", "DELETE"):
        assert (await web("/nothing", method)).code == 404, method


@pytest.mark.gen_test
async def test_an_answer_is_compressed_for_those_who_can_read_it(http_client: AsyncHTTPClient, base_url: str) -> None:
    answer = await http_client.fetch(f"{base_url}/static/js/main.js", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["X-Consumed-Content-Encoding"] == "gzip"
    assert answer.headers["Vary"] == "Accept-Encoding"
