from __future__ import annotations

from pathlib import Path

import jinja2
import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.web import Application

from server import __version__
from server.web.assets import StaticFiles
from server.web.handlers import ApiError, BaseHandler
from server.web.pages import PageHandler, Pages
from server.web.routes import Route
from tests.web.site import FILES, TEMPLATES, page_routes, site, write


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    files = StaticFiles(write(tmp_path / "static", FILES), "/lw")
    return Pages(str(write(tmp_path / "templates", TEMPLATES)), files, "/lw")


class Refusing(PageHandler):
    def get(self, **names: str) -> None:
        raise ApiError(404, "unknown_device", f"No device is named {names['device']}.")


@pytest.fixture
def app(tmp_path: Path, pages: Pages) -> Application:
    refusing = Route("/refusing/{device}", Refusing, {"pages": pages, "page": "device"})
    return site(tmp_path, [*page_routes(pages, ["overview", "device", "broken"]), refusing])


def test_a_template_has_what_it_needs_to_find_its_files(pages: Pages) -> None:
    html = pages.render("overview.html", "a-nonce", page="overview")
    for part in ('"uplot": "/lw/static/vendor', 'src="/lw/static/js/main.js?v=', 'nonce="a-nonce"', "data-page=overview"):
        assert part in html
    assert f"data-version={__version__}" in html


def test_a_variable_that_is_not_there_is_an_error_and_not_an_empty_text(pages: Pages) -> None:
    with pytest.raises(jinja2.UndefinedError):
        pages.render("broken.html", "a-nonce", page="broken")


@pytest.mark.gen_test
async def test_a_name_in_the_path_reaches_the_page_as_text_and_never_as_markup(
    http_client: AsyncHTTPClient, base_url: str
) -> None:
    answer = await http_client.fetch(f"{base_url}/device/%3Cscript%3E%22r1%2Fa")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.body.decode() == "<h1>&lt;script&gt;&#34;r1/a</h1>"


@pytest.mark.gen_test
async def test_an_error_page_shows_the_text_of_our_own_errors_escaped(http_client: AsyncHTTPClient, base_url: str) -> None:
    answer = await http_client.fetch(f"{base_url}/refusing/%3Cb%3E", raise_error=False)
    assert answer.code == 404
    assert '<title>404</title><p id="told">No device is named &lt;b&gt;.</p>' in answer.body.decode()


@pytest.mark.gen_test
async def test_a_page_that_cannot_be_made_says_so(
    http_client: AsyncHTTPClient, base_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await http_client.fetch(f"{base_url}/broken", raise_error=False)
    assert answer.code == 500
    assert "The server could not make this page." in answer.body.decode()
    assert "no_such_variable" not in answer.body.decode()
    assert "no_such_variable" in caplog.text


def test_every_handler_of_ours_is_a_base_handler() -> None:
    assert issubclass(PageHandler, BaseHandler)
