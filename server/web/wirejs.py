"""The messages of a WebSocket as checked JSDoc, so that the pages and the server cannot drift apart.

`python -m server.web.wirejs server.sinks.live.messages > static/js/wire.js` writes the file; a test fails when it is stale.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterator
from enum import IntFlag
from types import ModuleType

import msgspec
import msgspec.inspect as shapes

from server.core.model import Quality

_PLAIN: dict[type[shapes.Type], str] = {
    shapes.NoneType: "null",
    shapes.BoolType: "boolean",
    shapes.IntType: "number",
    shapes.FloatType: "number",
    shapes.StrType: "string",
}


def generate(module: ModuleType, flags: type[IntFlag]) -> str:
    """The text of `wire.js`: a typedef for each struct and union of `module`, and `flags` as a frozen object."""
    structs = [value for value in vars(module).values() if _is_struct(value) and value.__module__ == module.__name__]
    sent_by_browser = _members(module.ClientMessage)
    lines = [
        f"// Generated from {module.__name__.replace('.', '/')}.py by server/web/wirejs.py. Do not edit.",
        "",
        f"/** {inspect.getdoc(flags)} */",
        f"export const {flags.__name__} = Object.freeze({{",
        *(f"  {flag.name}: {flag.value}," for flag in flags.__members__.values()),
        "});",
    ]
    for struct in structs:
        lines += ["", *_typedef(struct, struct in sent_by_browser)]
    for union in ("ClientMessage", "ServerMessage"):
        names = "|".join(member.__name__ for member in _members(getattr(module, union)))
        lines += ["", f"/** @typedef {{{names}}} {union} */"]
    return "\n".join(lines) + "\n"


def _is_struct(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, msgspec.Struct)


def _members(union: object) -> list[type]:
    whole = shapes.type_info(union)
    assert isinstance(whole, shapes.UnionType)
    return [member.cls for member in whole.types if isinstance(member, shapes.StructType)]


def _typedef(struct: type, sent_by_browser: bool) -> Iterator[str]:
    """A field may be left out where the browser sends it and it has a default, or where the server omits defaults."""
    shape = shapes.type_info(struct)
    assert isinstance(shape, shapes.StructType)
    may_omit = sent_by_browser or shape.cls.__struct_config__.omit_defaults
    yield "/**"
    for line in (inspect.getdoc(struct) or "").splitlines() if struct.__doc__ else ():
        yield f" * {line}".rstrip()
    yield f" * @typedef {{object}} {struct.__name__}"
    if shape.tag is not None:
        yield f' * @property {{"{shape.tag}"}} {shape.tag_field}'
    for field in shape.fields:
        name = f"[{field.encode_name}]" if may_omit and not field.required else field.encode_name
        yield f" * @property {{{_js_type(field.type)}}} {name}"
    yield " */"


def _js_type(shape: shapes.Type) -> str:
    match shape:
        case shapes.StructType():
            return shape.cls.__name__
        case shapes.LiteralType():
            return "|".join(f'"{value}"' for value in shape.values)
        case shapes.UnionType():
            return "|".join(_js_type(member) for member in shape.types)
        case shapes.ListType():
            inner = _js_type(shape.item_type)
            several = isinstance(shape.item_type, shapes.UnionType | shapes.LiteralType)
            return f"({inner})[]" if several else f"{inner}[]"
        case shapes.DictType():
            return f"Object<{_js_type(shape.key_type)}, {_js_type(shape.value_type)}>"
        case _ if type(shape) in _PLAIN:
            return _PLAIN[type(shape)]
    raise TypeError(f"wirejs knows no JavaScript type for {shape}")


if __name__ == "__main__":
    sys.stdout.write(generate(importlib.import_module(sys.argv[1]), Quality))
