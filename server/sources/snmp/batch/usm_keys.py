"""Signing and verifying messages of the user-based security model with a localised key (RFC 3414 section 6, RFC 7860)."""

from __future__ import annotations

import hashlib
from typing import Protocol, Self

from server.sources.snmp.engine import Unsupported
from server.sources.snmp.settings import AuthProtocol

# Protocol to hash and octets that a message carries of its HMAC.
_HASHES: dict[AuthProtocol, tuple[str, int]] = {
    "MD5": ("md5", 12),
    "SHA": ("sha1", 12),
    "SHA224": ("sha224", 16),
    "SHA256": ("sha256", 24),
    "SHA384": ("sha384", 32),
    "SHA512": ("sha512", 48),
}
_INNER = bytes(octet ^ 0x36 for octet in range(256))
_OUTER = bytes(octet ^ 0x5C for octet in range(256))


class _Hash(Protocol):
    @property
    def block_size(self) -> int: ...

    def copy(self) -> Self: ...

    def update(self, data: bytes | bytearray, /) -> None: ...

    def digest(self) -> bytes: ...


class Digest:
    """The HMAC of one localised key. Its two hash states are made once and copied for each message (RFC 2104 section 4)."""

    def __init__(self, protocol: AuthProtocol, key: bytes) -> None:
        """Raises Unsupported where this machine's cryptography refuses the hash, as a FIPS one refuses MD5."""
        name, self.octets = _HASHES[protocol]
        self._inner, self._outer = _state(name, key, _INNER), _state(name, key, _OUTER)

    def of(self, message: bytes | bytearray) -> bytes:
        """The `octets` that a message carries; it bears zeros in their place."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()[: self.octets]


def _state(name: str, key: bytes, pad: bytes) -> _Hash:
    try:
        state: _Hash = hashlib.new(name)
    except ValueError as error:
        raise Unsupported(f"snmp.auth: {name} is not available here: {error}") from None
    state.update(key.ljust(state.block_size, b"\0").translate(pad))
    return state
