from __future__ import annotations

import pytest

from server.sources.snmp.alias import parse_alias


@pytest.mark.parametrize(
    ("alias", "role", "circuit"),
    [
        ("Core: waw1-cr1 et-0/0/1 [100G] {C-1042}", "core", "C-1042"),
        ("Peering: DE-CIX port A [40G] (note)", "peering", ""),
        ("Cust: Harbour Freight [10G] {40017}", "customer", "40017"),
        ("transit:Nord", "transit", ""),
        ("uplink to somewhere", "", ""),
        ("https://example.net/x", "", ""),
        ("{only-circuit}", "", "only-circuit"),
        ("Core: {} {x", "core", ""),
        ("", "", ""),
    ],
)
def test_role_and_circuit_are_read_from_an_alias(alias: str, role: str, circuit: str) -> None:
    assert parse_alias(alias) == (role, circuit)
