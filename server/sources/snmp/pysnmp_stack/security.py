"""Credentials in pysnmp's words, and pysnmp's refusals in ours."""

from __future__ import annotations

from typing import Any

from pysnmp.entity import config

from server.sources.snmp.refusals import words_for
from server.sources.snmp.settings import Auth, Privacy, SnmpV1V2, SnmpV3

_AUTH = {
    "MD5": config.USM_AUTH_HMAC96_MD5,
    "SHA": config.USM_AUTH_HMAC96_SHA,
    "SHA224": config.USM_AUTH_HMAC128_SHA224,
    "SHA256": config.USM_AUTH_HMAC192_SHA256,
    "SHA384": config.USM_AUTH_HMAC256_SHA384,
    "SHA512": config.USM_AUTH_HMAC384_SHA512,
}
_PRIVACY = {
    "DES": config.USM_PRIV_CBC56_DES,
    "3DES": config.USM_PRIV_CBC168_3DES,
    "AES": config.USM_PRIV_CFB128_AES,
    "AES192": config.USM_PRIV_CFB192_AES,
    "AES256": config.USM_PRIV_CFB256_AES,
    "AES192-BLUMENTHAL": config.USM_PRIV_CFB192_AES_BLUMENTHAL,
    "AES256-BLUMENTHAL": config.USM_PRIV_CFB256_AES_BLUMENTHAL,
}
_MOST_PAUSE_S = 600.0


def usm_keys(credentials: SnmpV3) -> tuple[Any, str | None, Any, str | None]:
    """(authentication protocol, key, privacy protocol, key) as pysnmp names them; a key is None where there is none."""
    auth, privacy = credentials.auth, credentials.privacy
    return (
        _AUTH[auth.protocol] if auth is not None else config.USM_AUTH_NONE,
        _key(auth),
        _PRIVACY[privacy.protocol] if privacy is not None else config.USM_PRIV_NONE,
        _key(privacy),
    )


def _key(part: Auth | Privacy | None) -> str | None:
    return part.key.get_secret_value() if part is not None else None


def overhead(credentials: SnmpV1V2 | SnmpV3) -> int:
    """Octets of an answer around its varbinds, at most."""
    if isinstance(credentials, SnmpV1V2):
        return 40 + len(credentials.community.get_secret_value().encode())
    # Header 60, engine ID twice 64, user, digest 48, salt 8, padding 8, context.
    return 190 + len(credentials.user) + len(credentials.context)


def anew_pause_s(times: int) -> float:
    """How long a device keeps its engine ID at least, after it had this many new ones: each costs memory or time."""
    return min(_MOST_PAUSE_S, 2.0 ** min(times, 10)) if times else 0.0


def name_of(indication: Any) -> str:
    """The name of a pysnmp error indication, as RFC 3414 has it: `unknownUserName`, say."""
    name = indication if isinstance(indication, str) else type(indication).__name__
    return name[:1].lower() + name[1:]


def words(indication: Any) -> str:
    """What to tell the operator about an error indication."""
    return words_for(name_of(indication), str(indication))
