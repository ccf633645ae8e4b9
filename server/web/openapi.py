"""The OpenAPI 3.1 document, made from the routes themselves: what has no `Operation` is not in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from server import __version__
from server.web.handlers import BaseHandler, ErrorAnswer
from server.web.routes import Operation, Route

_PARAMETER = re.compile(r"\{(\w+)\}")


def document(routes: Sequence[Route], prefix: str) -> dict[str, Any]:
    """Describe every route that has an operation."""
    described = [(route.path, route.operation) for route in routes if route.operation]
    structs = [operation.answer for _, operation in described if not isinstance(operation.answer, str)]
    _, components = msgspec.json.schema_components([*structs, ErrorAnswer], ref_template="#/components/schemas/{name}")
    return {
        "openapi": "3.1.0",
        "info": {"title": "Linewatch", "version": __version__, "license": {"name": "Apache-2.0"}},
        "servers": [{"url": prefix or "/"}],
        "paths": {path: {"get": _operation(path, operation)} for path, operation in described},
        "components": {"schemas": components},
    }


def _operation(path: str, operation: Operation) -> dict[str, Any]:
    if isinstance(operation.answer, str):
        content: dict[str, Any] = {operation.answer: {}}
    else:
        content = {"application/json": {"schema": _reference(operation.answer.__name__)}}
    answers = {200: operation.summary, **operation.also}
    responses: dict[str, Any] = {
        str(status): {"description": meaning, "content": content} for status, meaning in answers.items()
    }
    for status, meaning in operation.errors.items():
        responses[str(status)] = {
            "description": meaning,
            "content": {"application/json": {"schema": _reference(ErrorAnswer.__name__)}},
        }
    names = _PARAMETER.findall(path)
    parameters = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]
    return {"summary": operation.summary, "parameters": parameters, "responses": responses}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


class OpenApiHandler(BaseHandler):
    """Serves the document."""

    def initialize(self, routes: Sequence[Route], prefix: str) -> None:
        self._routes = routes
        self._prefix = prefix

    def get(self) -> None:
        self.answer(document(self._routes, self._prefix))
