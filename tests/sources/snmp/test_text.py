from __future__ import annotations

import pytest

from server.sources.snmp.text import clean


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"Core: a [100G]", "Core: a [100G]"),
        ("Zürich".encode(), "Zürich"),
        ("Zürich".encode("latin-1"), "Zürich"),
        (b"a\x00b\x1b[31mc\x7f", "ab[31mc"),
        ("a\u202eb\u2066c\u200bd\ufeff".encode(), "abcd"),
        (b"two\r\nlines\t", "two  lines"),
        (b"<script>alert(1)</script>", "<script>alert(1)</script>"),
        (b"", ""),
    ],
)
def test_controls_and_bidi_characters_are_dropped_and_words_stay(raw: bytes, text: str) -> None:
    assert clean(raw) == text


def test_a_long_text_is_cut_at_255_characters() -> None:
    assert clean(b"x" * 30_000) == "x" * 255
