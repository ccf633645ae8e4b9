"""A small site to test against: its own static files and templates in a temporary folder."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.web import Application

from server.web import application
from server.web.assets import VENDOR, StaticFiles
from server.web.pages import PageHandler, Pages
from server.web.routes import Route
from server.web.settings import ServerSettings

TEMPLATES = {
    "error.html": '<title>{{ error_code }}</title><p id="told">{{ error_text }}</p><script nonce="{{ nonce }}"></script>',
    "overview.html": (
        '<script type="importmap" nonce="{{ nonce }}">{{ import_map|safe }}</script>'
        '<script type="module" src="{{ static(\'js/main.js\') }}" nonce="{{ nonce }}"></script>'
        "<body data-page={{ page }} data-prefix='{{ prefix }}' data-version={{ version }}>"
    ),
    "device.html": "<h1>{{ device }}</h1>",
    "broken.html": "{{ no_such_variable }}",
}
FILES = {
    "js/main.js": "import './components/row.js';\n" + "// padding so that compression is worth it\n" * 40,
    "js/components/row.js": "export const row = 1;\n",
    "css/app.css": "body { color: black }\n",
    ".secret": "not for browsers",
    **dict.fromkeys(VENDOR, "/* vendor */\n"),
}


def write(folder: Path, files: dict[str, str]) -> Path:
    """Write text files under `folder`."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def site(folder: Path, routes: Sequence[Route] = (), *, pages: Sequence[str] = (), **server: Any) -> Application:
    """An application with these routes, and `pages` at `/` or `/<page>/{device}`. `server` are its settings."""
    settings = ServerSettings(**server)
    files = StaticFiles(write(folder / "static", FILES), settings.url_prefix)
    shown = Pages(str(write(folder / "templates", TEMPLATES)), files, settings.url_prefix)
    return application.build(settings, [*routes, *page_routes(shown, pages)], files, shown)


def page_routes(shown: Pages, pages: Sequence[str]) -> list[Route]:
    paths = {"overview": "/", "device": "/device/{device}"}
    return [Route(paths.get(page, f"/{page}"), PageHandler, {"pages": shown, "page": page}) for page in pages]


class Web:
    """Requests over real HTTP; no answer is an exception."""

    def __init__(self, client: AsyncHTTPClient, base_url: str) -> None:
        self._client, self._base_url = client, base_url

    async def __call__(self, path: str, method: str = "GET", **headers: str) -> HTTPResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self._client.fetch(
            f"{self._base_url}{path}",
            method=method,
            headers=named,
            body=b"" if method in {"POST", "PUT", "PATCH"} else None,
            raise_error=False,
            follow_redirects=False,
            allow_nonstandard_methods=True,
        )


def nonce_of(answer: HTTPResponse) -> str:
    found = re.search(r"script-src 'self' 'nonce-([\w-]{16,})';", answer.headers["Content-Security-Policy"])
    assert found, answer.headers["Content-Security-Policy"]
    return found[1]


def assert_safe(answer: HTTPResponse) -> None:
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    for rule in ("base-uri 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"):
        assert rule in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Server"] == "Linewatch"
