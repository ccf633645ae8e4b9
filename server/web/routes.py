"""What a part gives the application: routes, and what the API's document says of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tornado.web import RequestHandler


@dataclass(frozen=True, slots=True)
class Operation:
    """One REST operation (GET) for the OpenAPI document. `answer` is the msgspec Struct of its body, or a content type.

    `errors` are the statuses that come with an error's body, `also` those other than 200 that come with the answer's.
    """

    summary: str
    answer: Any
    errors: dict[int, str] = field(default_factory=dict)
    also: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Route:
    """A path such as `/api/v1/devices/{device}`, its handler, and what the handler is initialised with.

    A `{name}` matches one path segment, percent-decoded.
    """

    path: str
    handler: type[RequestHandler]
    needs: dict[str, Any] = field(default_factory=dict)
    operation: Operation | None = None
