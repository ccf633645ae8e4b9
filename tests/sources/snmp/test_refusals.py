from __future__ import annotations

import re
from pathlib import Path

import pytest

from server.core.errors import AuthFailed, BadReply, NoAnswer, SourceError, UnknownHost
from server.sources.snmp import refusals
from server.sources.snmp.refusals import CHECKS, word_for

WORDS = re.compile(
    r'(?:BadReply|_bad|bad)\("([a-z_]+)"(?: if \w+ else "([a-z_]+)")?\)'
    r'|(?:one|many)\([^()"]*(?:\[[^]]*\])?[^()"]*, "([a-z_]+)"'
)


def test_every_check_in_the_source_has_a_counter() -> None:
    """They are found by how they are written; a few must be among them, lest the pattern has gone stale."""
    files = Path(refusals.__file__).parent.rglob("*.py")
    found = {word for file in files for pair in WORDS.findall(file.read_text()) for word in pair if word}
    assert {"oid", "malformed", "late", "duplicate", "order", "unpaired", "engine_id", "security"} <= found
    assert found <= set(CHECKS)


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (NoAnswer("x"), "no_answer"),
        (AuthFailed("x"), "auth_failed"),
        (BadReply("x"), "bad_reply"),
        (UnknownHost("x"), "unknown_host"),
    ],
)
def test_a_failed_poll_is_counted_under_its_kind(error: SourceError, word: str) -> None:
    assert word_for(error) == word
