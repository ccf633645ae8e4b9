"""The JSDoc of the messages."""

from __future__ import annotations

import sys
import types
from enum import IntFlag
from pathlib import Path

import msgspec
import pytest

from server.core.model import Quality
from server.sinks.live import messages
from server.web import wirejs

WIRE_JS = Path(__file__).parents[2] / "static" / "js" / "wire.js"


class Flags(IntFlag):
    """What it says."""

    ONE = 1
    TWO = 2


def module_with(*structs: type, **unions: object) -> types.ModuleType:
    module = types.ModuleType(__name__)
    for struct in structs:
        setattr(module, struct.__name__, struct)
    for name, union in unions.items():
        setattr(module, name, union)
    return module


def test_the_committed_file_is_what_the_messages_make() -> None:
    fresh = wirejs.generate(messages, Quality)
    assert WIRE_JS.read_text() == fresh, (
        "static/js/wire.js is stale; run: python -m server.web.wirejs server.sinks.live.messages > static/js/wire.js"
    )


class Ask(msgspec.Struct, tag="ask"):
    """Asks.

    Second line.
    """

    id: int
    names: list[str] = msgspec.field(default_factory=list)


class End(msgspec.Struct, tag="end"):
    id: int


class Inner(msgspec.Struct):
    facts: dict[str, str]
    ready: bool = False


class Told(msgspec.Struct, tag="told"):
    inner: Inner
    numbers: list[list[float | None]]
    nothing: None = None


class Sparse(msgspec.Struct, tag="sparse", omit_defaults=True):
    spark: list[float] | None = None


def test_each_kind_of_field_has_its_type_and_only_what_may_be_absent_is_optional() -> None:
    text = wirejs.generate(
        module_with(Ask, End, Inner, Told, Sparse, ClientMessage=Ask | End, ServerMessage=Told | Sparse), Flags
    )
    for line in (
        "/** What it says. */",
        "  ONE: 1,",
        " * Asks.",
        " * Second line.",
        ' * @property {"ask"} type',
        " * @property {number} id",
        " * @property {string[]} [names]",
        " * @property {Object<string, string>} facts",
        " * @property {boolean} ready",
        " * @property {Inner} inner",
        " * @property {(number|null)[][]} numbers",
        " * @property {null} nothing",
        " * @property {number[]|null} [spark]",
        "/** @typedef {Ask|End} ClientMessage */",
        "/** @typedef {Told|Sparse} ServerMessage */",
    ):
        assert line in text.splitlines(), line
    assert " *\n" in text, "an empty line of a docstring carries no space at its end"


class Odd(msgspec.Struct, tag="odd"):
    raw: bytes


def test_a_type_that_json_does_not_have_is_refused() -> None:
    with pytest.raises(TypeError, match="no JavaScript type"):
        wirejs.generate(module_with(Ask, End, Odd, ClientMessage=Ask | End, ServerMessage=Odd | End), Flags)


def test_a_frozen_object_holds_every_quality_bit() -> None:
    text = wirejs.generate(sys.modules[messages.__name__], Quality)
    for flag in Quality.__members__.values():
        assert f"  {flag.name}: {flag.value}," in text
