"""What a refused request means, and what the operator should check."""

from __future__ import annotations

from server.core.errors import AuthFailed, NoAnswer, SourceError, UnknownHost
from server.sources.snmp.message import ErrorStatus

UNREADABLE = "answers come, but none of them can be read"
SILENT_REFUSAL = (
    "the device answers engine ID discovery but not requests: check snmp.privacy (protocol, key, and whether "
    "the device wants it), snmp.context and the access rights of the user"
)
# The words of the checks that answers and their cells can fail.
CHECKS = (
    "address",
    "community",
    "count",
    "duplicate",
    "engine_id",
    "error_status",
    "flood",
    "late",
    "malformed",
    "oid",
    "order",
    "pdu_type",
    "request_id",
    "security",
    "size",
    "truncated",
    "type",
    "unpaired",
    "version",
)
_NO_RIGHTS = (
    "the device knows these credentials and lets them read nothing: check there what they may read, "
    "and at which security level"
)
# RFC 3414 section 3.2, usmStats.
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


def nothing_listens(port: int) -> NoAnswer:
    """Silence, and ICMP said that the port is closed. That may be forged: it words a silence, and never makes one."""
    return NoAnswer(f"no answer: nothing listens on UDP port {port} there")


def check_access(error_status: int) -> None:
    """Raises AuthFailed where a Response's error-status says that these credentials may not read."""
    if error_status in (ErrorStatus.NO_ACCESS, ErrorStatus.AUTHORIZATION_ERROR):
        raise AuthFailed(_NO_RIGHTS)


def word_for(error: SourceError) -> str:
    """The word under which a poll that failed like this is counted."""
    kinds = ((AuthFailed, "auth_failed"), (UnknownHost, "unknown_host"), (NoAnswer, "no_answer"))
    return next((word for kind, word in kinds if isinstance(error, kind)), "bad_reply")
