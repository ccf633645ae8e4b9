"""Write the pages that are made from the code: `python -m docs` writes them, `pages()` gives them to the test."""

from __future__ import annotations

import inspect
import types
import typing
from pathlib import Path
from typing import Any, Literal

import annotated_types
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from server.app import api_document
from server.config import Config

HERE = Path(__file__).resolve().parent
_INTRO = """\
# Configuration

One YAML file, `config.yaml` by default. `./linewatch run --check-config` tells every fault with its line and column. SIGHUP
reads the file anew: devices and polling change whole or not at all, the others are not disturbed; what only a restart can
change is refused with a word that says so.

A **secret** (community, key) is text in quotes, or `{env: NAME}`, or `{file: path}`.

This page is made from the program's own models.
"""
_REST_INTRO = """\
JSON over GET. Errors have the body `{"error": {"code", "message"}}`. Numbers that are null are missing samples, never
zero. A `/` in an interface name is written `%2F`. The machine-readable form is `/api/v1/openapi.json`; this page is made
from it."""


def pages() -> dict[str, str]:
    """The generated pages, by file name."""
    return {"configuration.md": configuration(), "rest.md": rest()}


def configuration() -> str:
    """The reference of config.yaml."""
    parts = [_INTRO]
    waiting: list[tuple[str, type[BaseModel]]] = [("The file", Config)]
    done: set[type[BaseModel]] = set()
    while waiting:
        title, model = waiting.pop(0)
        if model in done:
            continue
        done.add(model)
        parts.append(_model(title, model))
        for name, field in model.model_fields.items():
            waiting += [(_title(name, inner), inner) for inner in _models(field.annotation)]
    return "\n".join(parts)


def _title(name: str, model: type[BaseModel]) -> str:
    return {"SnmpV1V2": "`snmp`, versions 1 and 2c", "SnmpV3": "`snmp`, version 3"}.get(model.__name__, f"`{name}`")


def _model(title: str, model: type[BaseModel]) -> str:
    lines = [
        f"## {title}",
        "",
        inspect.cleandoc(model.__doc__ or ""),
        "",
        "| key | value | default | |",
        "| --- | --- | --- | --- |",
    ]
    lines += [
        f"| `{name}` | {_value(field)} | {_default(field)} | {field.description or ''} |"
        for name, field in model.model_fields.items()
    ]
    return "\n".join(lines) + "\n"


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in typing.get_args(annotation) for model in _models(inner)]


def _value(field: FieldInfo) -> str:
    return f"{_kind(field.annotation)}{_bounds(field.metadata)}"


def _bounds(metadata: list[Any]) -> str:
    found = {}
    for one in metadata:
        for name in ("ge", "gt", "le", "lt"):
            if isinstance(one, getattr(annotated_types, name.capitalize())):
                found[name] = f"{getattr(one, name):g}"
    if "ge" in found and "le" in found:
        return f", {found['ge']} to {found['le']}"
    words = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    return "".join(f", {words[name]} {bound}" for name, bound in found.items())


def _kind(annotation: Any) -> str:
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in inner)
    if origin is typing.Annotated:
        return f"{_kind(inner[0])}{_bounds(list(inner[1:]))}"
    if origin in {typing.Union, types.UnionType}:
        return " or ".join(dict.fromkeys(_kind(one) for one in inner if one is not type(None)))
    if origin is tuple:
        return f"list of {_kind(inner[0])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "keys below"
    names = {str: "text", int: "whole number", float: "number", bool: "`true` or `false`", SecretStr: "secret", Path: "path"}
    return names.get(annotation, str(annotation))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**needed**"
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined or isinstance(value, BaseModel) or value in (None, ""):
        return "–"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:g}`" if isinstance(value, float) else "empty" if value == () else f"`{value}`"


def rest() -> str:
    """The reference of the REST API."""
    document = api_document()
    parts = [
        "# REST",
        "",
        _REST_INTRO,
        "",
    ]
    for path, item in document["paths"].items():
        operation = item["get"]
        parts += [f"## GET `{path}`", "", operation["summary"], ""]
        for status, answer in operation["responses"].items():
            content = answer["content"]
            body = content.get("application/json", {}).get("schema", {}).get("$ref", "").rsplit("/", 1)[-1] or next(
                iter(content)
            )
            parts.append(
                f"- {status}: {answer['description']} Body: {f'[{body}](#{body.lower()})' if body[0].isupper() else body}."
            )
        parts.append("")
    parts += ["# Bodies", ""]
    for name, schema in sorted(document["components"]["schemas"].items()):
        parts += [f"## {name}", "", inspect.cleandoc(schema.get("description", "")), "", "| field | type |", "| --- | --- |"]
        parts += [f"| `{field}` | {_schema(of)} |" for field, of in schema["properties"].items()]
        parts.append("")
    return "\n".join(parts)


def _schema(of: dict[str, Any]) -> str:
    if "$ref" in of:
        name = of["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in of:
        return " or ".join(_schema(one) for one in of["anyOf"])
    if of.get("type") == "array":
        return f"list of {_schema(of.get('items', {}))}"
    if of.get("type") == "object":
        return f"object of {_schema(of.get('additionalProperties', {}))}"
    return str(of.get("type", "any"))


if __name__ == "__main__":
    for name, text in pages().items():
        (HERE / name).write_text(text, encoding="utf-8")
