"""The Tornado application: routes under the prefix, for the allowed host names only."""

from __future__ import annotations

import errno
import ipaddress
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError, RedirectHandler, RequestHandler, StaticFileHandler

from server.core.errors import StartError
from server.core.log import logger
from server.web.assets import StaticFiles
from server.web.handlers import ApiError, BaseHandler
from server.web.pages import MissingPageHandler, Pages
from server.web.routes import Route
from server.web.settings import ServerSettings

MOST_MESSAGE_BYTES = 64 * 1024
IDLE_CONNECTION_S = 10

_log = logger("web")
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
_PARAMETER = re.compile(r"\\\{(\w+)\\\}")


class StaticHandler(StaticFileHandler, BaseHandler):
    """Static files with the headers of everything else; versioned URLs may be kept for ever."""

    def set_extra_headers(self, path: str) -> None:  # noqa: ARG002 - Tornado's signature
        if "v" not in self.request.arguments:
            self.set_header("Cache-Control", "no-cache")

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        """Only plain files are there: a folder, or what begins with a dot, is not found."""
        hidden = any(part.startswith(".") for part in Path(self.path).parts)
        if hidden or "\0" in self.path or Path(absolute_path).is_dir():
            raise HTTPError(404)
        return super().validate_absolute_path(root, absolute_path)


class WrongHostHandler(BaseHandler):
    """A request for a name that is not in the allow-list (DNS rebinding) learns nothing but that."""

    def check_xsrf_cookie(self) -> None:
        """Nothing is changed here."""

    def prepare(self) -> None:
        text = "This server does not answer to this host name; server.allowed_hosts in its configuration lists the names."
        raise ApiError(404, "unknown_host", text)


def pattern(path: str) -> str:
    """The regular expression of a route's path."""
    return _PARAMETER.sub(r"(?P<\1>[^/]+)", re.escape(path)) + "$"


def host_pattern(settings: ServerSettings) -> str:
    """The regular expression of the Host names that are served (Tornado matches it against the name without port)."""
    if "*" in settings.allowed_hosts:
        return ".*"
    names = {*_LOOPBACK_NAMES, *map(_as_in_a_url, (settings.host, *settings.allowed_hosts))}
    return "(" + "|".join(sorted(re.escape(name) for name in names)) + ")$"


def _as_in_a_url(host: str) -> str:
    """How browsers write a name or an address, and Tornado gives it to the pattern: lower case, IPv6 short in brackets."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host.lower()
    return f"[{address.compressed}]" if address.version == 6 else host


def build(settings: ServerSettings, routes: Sequence[Route], files: StaticFiles, pages: Pages) -> Application:
    """The application of all routes. A request for another host name finds nothing (404)."""
    prefix = re.escape(settings.url_prefix)
    application = Application(
        [],
        default_handler_class=WrongHostHandler,
        xsrf_cookies=True,
        websocket_max_message_size=MOST_MESSAGE_BYTES,
        log_function=_log_request,
        compress_response=True,
    )
    rules: list[tuple[str, type[RequestHandler], dict[str, Any]]] = [
        (prefix + pattern(route.path), route.handler, route.needs) for route in routes
    ]
    rules.append((prefix + "/static/(.*)", StaticHandler, {"path": str(files.folder)}))
    if prefix:
        rules.append((prefix + "$", RedirectHandler, {"url": settings.url_prefix + "/"}))
    rules.append((".*", MissingPageHandler, {"pages": pages}))
    application.add_handlers(host_pattern(settings), rules)
    return application


def serve(application: Application, settings: ServerSettings) -> HTTPServer:
    """Listen. Raises StartError when the address cannot be had."""
    try:
        sockets = bind_sockets(settings.port, settings.host)
    except OSError as error:
        raise StartError(_cannot_listen(settings, error)) from error
    server = HTTPServer(
        application, idle_connection_timeout=IDLE_CONNECTION_S, body_timeout=10, max_header_size=16384, max_body_size=65536
    )
    server.add_sockets(sockets)
    return server


def _cannot_listen(settings: ServerSettings, error: OSError) -> str:
    where = f"{settings.host}:{settings.port}"
    match error.errno:
        case errno.EADDRINUSE:
            return f"port {settings.port} of {settings.host} is in use; stop what holds it, or set another server.port"
        case errno.EACCES:
            return f"no permission to listen on {where}; ports under 1024 need root: set another server.port"
        case errno.EADDRNOTAVAIL:
            return f"{settings.host} is no address of this machine; set another server.host"
        case _:
            return f"cannot listen on {where}: {error.strerror or error}"


def _log_request(handler: RequestHandler) -> None:
    if handler.get_status() >= 500 and handler.get_status() != 503:  # 503 is an answer: not ready yet
        _log.error("%s %s: %d", handler.request.method, handler.request.path, handler.get_status())
    else:
        _log.debug("%s %s: %d", handler.request.method, handler.request.path, handler.get_status())
