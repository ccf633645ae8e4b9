"""What a refused SNMPv3 request means, and what the operator should check (RFC 3414 section 3.2, usmStats)."""

from __future__ import annotations

_REFUSALS = {
    "unknownUserName": "the device does not know the user: check snmp.user",
    "wrongDigest": "the device refuses the signature: check snmp.auth (protocol and key)",
    "decryptionError": "the device cannot decrypt: check snmp.privacy (protocol and key)",
    "unsupportedSecurityLevel": "the device does not allow this user at this security level: check whether snmp.auth and "
    "snmp.privacy are set as on the device",
    "notInTimeWindow": "the device keeps saying that the time is wrong, after it was asked for its clock: check that no two "
    "devices have one engine ID",
    "unknownEngineID": "the device keeps denying its own engine ID: check that no two devices answer at this address",
}


def words_for(indication: str, text: str) -> str:
    """The words for an error indication such as `unknownUserName`; `text` is said where there are none."""
    return _REFUSALS.get(indication, f"SNMPv3 failed: {text[:120]}")
