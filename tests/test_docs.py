"""The references say what the code does."""

from __future__ import annotations

import re
import typing
from pathlib import Path

import msgspec
import pytest

from docs.__main__ import pages
from server.sinks.live import messages

DOCS = Path(__file__).resolve().parent.parent / "docs"


@pytest.mark.parametrize("name", ["configuration.md", "rest.md"])
def test_a_generated_page_is_what_the_code_says_now(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == pages()[name], "run: .venv/bin/python -m docs"


def test_every_key_of_the_configuration_is_explained() -> None:
    silent = re.findall(r"^\| `(\w+)` \|.*\|  \|$", pages()["configuration.md"], re.MULTILINE)
    assert silent == []


def test_every_message_of_the_socket_and_its_fields_are_explained() -> None:
    text = (DOCS / "websocket.md").read_text(encoding="utf-8")
    for message in [*typing.get_args(messages.ServerMessage), *typing.get_args(messages.ClientMessage)]:
        info = msgspec.inspect.type_info(message)
        assert isinstance(info, msgspec.inspect.StructType)
        assert str(info.tag) in text, f"{info.tag} is not in docs/websocket.md"
        for field in info.fields:
            assert re.search(rf"[`\"]{field.name}[`\"]", text), f"{info.tag}.{field.name} is not in docs/websocket.md"


def test_links_between_the_pages_lead_somewhere() -> None:
    for page in [*DOCS.glob("**/*.md"), *DOCS.parent.glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"
