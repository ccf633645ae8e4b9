"""What pysnmp knows of one device's user-based security: its engine ID and the keys localised to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pyasn1.type import univ


@dataclass(frozen=True, slots=True)
class Learned:
    """As the newest answer proved it. Keys are localised (RFC 3414 section 2.6), and empty where there are none.

    `answer` is that answer as it came, with the device's snmpEngineBoots and snmpEngineTime of the moment `received_ns`
    (CLOCK_BOOTTIME).
    """

    answer: bytes = field(repr=False)
    received_ns: int
    engine_id: bytes
    user: bytes
    context_engine_id: bytes
    context_name: bytes
    auth_key: bytes = field(repr=False)
    privacy_key: bytes = field(repr=False)


def localised_keys(engine: Any, engine_id: univ.OctetString, user: univ.OctetString) -> tuple[bytes, bytes]:
    """(authentication key, privacy key) of a user at an SNMP engine that was sent a request, from pysnmp's own table."""
    builder = engine.get_mib_builder()
    (entry,) = builder.import_symbols("SNMP-USER-BASED-SM-MIB", "usmUserEntry")
    (keys,) = builder.import_symbols("PYSNMP-USM-MIB", "pysnmpUsmKeyEntry")
    row = entry.getInstIdFromIndices(engine_id, user)
    auth_key, privacy_key = (keys.getNode((*keys.name, column, *row)).syntax for column in (1, 2))
    return auth_key.asOctets(), privacy_key.asOctets()
