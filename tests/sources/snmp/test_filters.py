from __future__ import annotations

from typing import Any

import pytest

from server.sources.snmp.filters import Candidate, accepts
from server.sources.snmp.settings import InterfaceFilter

PORT = Candidate("et-0/0/1", "Core: waw1 [100G]", 6, 1, 1)
DARK = Candidate("ge-2/0/7", "", 6, 1, 7)
SHUT = Candidate("ge-2/0/8", "", 6, 2, 2)
LOOP = Candidate("lo0", "", 24, 1, 1)
ALL = (PORT, DARK, SHUT, LOOP)


@pytest.mark.parametrize(
    ("rules", "kept"),
    [
        ({}, ALL),
        ({"include": [{"name": "^et-"}]}, (PORT,)),
        ({"include": [{"alias": "^Core:"}]}, (PORT,)),
        ({"include": [{"type": "softwareLoopback"}, {"name": "^ge"}]}, (DARK, SHUT, LOOP)),
        ({"include": [{"type": 6, "status": "up"}]}, (PORT,)),
        ({"exclude": [{"status": "down"}]}, (PORT, LOOP)),
        ({"exclude": [{"status": "admin_down"}]}, (PORT, DARK, LOOP)),
        ({"include": [{"status": "admin_up"}], "exclude": [{"name": "lo"}]}, (PORT, DARK)),
        ({"include": [{"name": "et"}], "exclude": [{"name": "et"}]}, ()),
    ],
)
def test_include_and_exclude_rules_choose_interfaces(rules: dict[str, Any], kept: tuple[Candidate, ...]) -> None:
    chosen = InterfaceFilter.model_validate(rules)
    assert tuple(candidate for candidate in ALL if accepts(chosen, candidate)) == kept
