"""Meaning in an interface alias: `Role: Name [speed] (note) {circuit}`."""

from __future__ import annotations

import re

_ROLE = re.compile(r"\s*([A-Za-z][A-Za-z0-9-]{0,19})\s*:(?!//)")
_CIRCUIT = re.compile(r"\{([^{}]{1,64})\}")
_SAME = {
    "backbone": "core",
    "cust": "customer",
    "peer": "peering",
    "ix": "peering",
    "ixp": "peering",
    "upstream": "transit",
}


def parse_alias(alias: str) -> tuple[str, str]:
    """(role, circuit) of an alias, each empty where it has none. A role is lower case: `core`, `peering`, `customer`, ..."""
    role = _ROLE.match(alias)
    circuit = _CIRCUIT.search(alias)
    word = role.group(1).lower() if role else ""
    return _SAME.get(word, word), circuit.group(1).strip() if circuit else ""
