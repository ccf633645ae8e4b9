"""Text that a device controls: made harmless before anything else sees it."""

from __future__ import annotations

import unicodedata

LONGEST = 255
# Controls, format characters (bidirectional overrides, zero width), lone surrogates, line and paragraph separators.
_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def clean(raw: bytes) -> str:
    """An OCTET STRING as text: UTF-8, or Latin-1 where it is not; without control and bidi characters, at most 255 long."""
    raw = raw[: 4 * LONGEST]
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    kept = "".join(" " if char in "\t\r\n" else char for char in text if _is_kept(char))
    return kept.strip()[:LONGEST]


def _is_kept(char: str) -> bool:
    return char in "\t\r\n" or unicodedata.category(char) not in _DROPPED
