"""Pages: one jinja2 template each."""

from __future__ import annotations

from typing import Any

import jinja2
from tornado.web import HTTPError

from server import __version__
from server.web.assets import StaticFiles
from server.web.handlers import ApiError, BaseHandler


class Pages:
    """Renders templates, with what each of them needs to find its files."""

    def __init__(self, templates: str, files: StaticFiles, prefix: str) -> None:
        self._files = files
        self._prefix = prefix
        self._jinja = jinja2.Environment(
            loader=jinja2.FileSystemLoader(templates), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
        )

    def render(self, template: str, nonce: str, **values: Any) -> str:
        """HTML of one template. `values` are its own variables."""
        return self._jinja.get_template(template).render(
            static=self._files.url,
            import_map=self._files.import_map,
            preload=self._files.preload,
            prefix=self._prefix,
            nonce=nonce,
            version=__version__,
            **values,
        )


class PageHandler(BaseHandler):
    """A page that takes its data from the WebSocket; the template knows only which page it is and the names in the path."""

    def initialize(self, pages: Pages, page: str) -> None:
        self._pages = pages
        self._page = page

    def get(self, **names: str) -> None:
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(self._pages.render(f"{self._page}.html", self.nonce, page=self._page, **names))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        write_error_page(self, self._pages, status_code, **kwargs)


class MissingPageHandler(BaseHandler):
    """Whatever no route matches: a page for a browser, JSON under `/api/`."""

    def initialize(self, pages: Pages) -> None:
        self._pages = pages

    def check_xsrf_cookie(self) -> None:
        """Nothing is changed here."""

    def prepare(self) -> None:
        raise HTTPError(404)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        if "/api/" in self.request.path:
            super().write_error(status_code, **kwargs)
        else:
            write_error_page(self, self._pages, status_code, **kwargs)


def write_error_page(handler: BaseHandler, pages: Pages, status: int, **kwargs: Any) -> None:
    """An error as a page."""
    error = kwargs.get("exc_info", (None, None, None))[1]
    text = "There is no page at this address." if status == 404 else "The server could not make this page."
    if isinstance(error, ApiError):
        text = error.message
    handler.set_header("Content-Type", "text/html; charset=utf-8")
    handler.finish(pages.render("error.html", handler.nonce, page="error", error_code=status, error_text=text))
