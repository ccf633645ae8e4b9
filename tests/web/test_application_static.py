"""Static files."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tornado.web import Application

from tests.web.site import FILES, Web, assert_safe, site


@pytest.fixture
def app(tmp_path: Path) -> Application:
    return site(tmp_path, pages=["overview"])


@pytest.mark.gen_test
async def test_a_versioned_file_may_be_kept_for_ever_and_any_other_is_asked_for_again(web: Web) -> None:
    kept, asked = await web("/static/js/main.js?v=0123"), await web("/static/js/main.js")
    assert kept.body == asked.body == FILES["js/main.js"].encode()
    assert int(re.sub(r"\D", "", kept.headers["Cache-Control"])) >= 365 * 86400
    assert asked.headers["Cache-Control"] == "no-cache"
    assert "javascript" in kept.headers["Content-Type"]
    assert_safe(kept)
    again = await web("/static/js/main.js", If_None_Match=asked.headers["Etag"])
    assert (again.code, again.body) == (304, b"")


@pytest.mark.gen_test
@pytest.mark.parametrize("path", ["", "js", "js/", "nothing.js", ".secret", "js/../.secret", "js/main.js%00"])
async def test_folders_and_hidden_files_are_not_found(web: Web, path: str) -> None:
    answer = await web(f"/static/{path}?v=1")
    assert answer.code == 404
    assert_safe(answer)
    assert answer.headers["Cache-Control"] == "no-store"
    assert json.loads(answer.body)["error"]["code"] == "not_found"


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "path",
    [
        "../templates/error.html",
        "%2e%2e/templates/error.html",
        "..%2ftemplates/error.html",
        "js/%2e%2e/%2e%2e/templates/error.html",
        "/etc/passwd",
        "link.html",
    ],
)
async def test_whatever_is_outside_the_folder_is_refused_though_a_link_leads_there(
    web: Web, tmp_path: Path, path: str
) -> None:
    (tmp_path / "static/link.html").symlink_to(tmp_path / "templates/error.html")
    answer = await web(f"/static/{path}?v=1")
    assert answer.code == 403
    assert_safe(answer)
    assert answer.headers["Cache-Control"] == "no-store"
    assert json.loads(answer.body)["error"]["code"] == "forbidden"
