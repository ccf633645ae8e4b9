"""What all handlers share: security headers, errors as JSON or as a page, JSON answers."""

from __future__ import annotations

import secrets
from typing import Any

import msgspec
from tornado.web import HTTPError, RequestHandler

from server.core.log import logger

_log = logger("web")
_encoder = msgspec.json.Encoder()


class ErrorBody(msgspec.Struct):
    code: str
    message: str


class ErrorAnswer(msgspec.Struct):
    """Every error of the API has this body."""

    error: ErrorBody


class ApiError(HTTPError):
    """An HTTP error with a code that programs can test and a text that people can use."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status, message)
        self.code = code
        self.message = message


class BaseHandler(RequestHandler):
    """Headers and errors. Handlers get what they need through `initialize`."""

    def set_default_headers(self) -> None:
        """Tornado calls this again before an error's answer, so that it has all of them too, with a nonce of its own."""
        self.nonce = secrets.token_urlsafe(16)
        self.set_header(
            "Content-Security-Policy",
            f"default-src 'none'; script-src 'self' 'nonce-{self.nonce}'; style-src 'self'; img-src 'self' data:; "
            "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
            "require-trusted-types-for 'script'",
        )
        self.set_header("Server", "Linewatch")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("Cache-Control", "no-store")

    def head(self, *args: Any, **kwargs: Any) -> Any:
        """What GET answers, without the body."""
        return self.get(*args, **kwargs)

    def check_xsrf_cookie(self) -> None:
        """A method that a handler does not have is refused as such, with or without the cookie."""
        name = str(self.request.method).lower()
        if getattr(type(self), name) is getattr(RequestHandler, name):
            raise HTTPError(405)
        super().check_xsrf_cookie()

    def answer(self, body: Any) -> None:
        """Answer with a msgspec Struct as JSON."""
        self.set_header("Content-Type", "application/json")
        self.finish(_encoder.encode(body))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, ApiError):
            code, message = error.code, error.message
        elif status_code == 404:
            code, message = "not_found", "There is nothing at this address."
        elif status_code == 405:
            code, message = "method_not_allowed", f"{self.request.method} is not possible here."
            self.set_header("Allow", "GET, HEAD")
        elif status_code == 403:
            code, message = "forbidden", "This is not allowed."
        else:
            code, message = "internal" if status_code >= 500 else "bad_request", self._reason
        self.answer(ErrorAnswer(ErrorBody(code, message)))

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        if not isinstance(value, HTTPError):
            _log.error("%s %s failed", self.request.method, self.request.path, exc_info=(typ, value, tb))
