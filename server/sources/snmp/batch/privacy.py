"""Encrypting and decrypting scoped PDUs with a localised key (RFC 3414 section 8, RFC 3826, and the drafts for longer keys).

Not to be shared between threads: a cipher context is kept and fed from message to message.
"""

from __future__ import annotations

import secrets
import struct
from typing import Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from server.core.errors import BadReply
from server.sources.snmp.engine import Unsupported
from server.sources.snmp.settings import PrivacyProtocol

SALT_OCTETS = 8
_AES_BLOCK, _DES_BLOCK = 16, 8
_AES_KEYS: dict[PrivacyProtocol, int] = {
    "AES": 16,
    "AES192": 24,
    "AES256": 32,
    "AES192-BLUMENTHAL": 24,
    "AES256-BLUMENTHAL": 32,
}
_DES_KEYS: dict[PrivacyProtocol, int] = {"DES": 8, "3DES": 24}
_IV = struct.Struct(">IIQ")
_DES_SALT = struct.Struct(">II")


class Privacy(Protocol):
    """Ciphers scoped PDUs of one device. A salt differs in every message."""

    most_padding: int  # octets that a plaintext may have after its scoped PDU

    def size(self, octets: int) -> int:
        """Octets of the ciphertext of so many octets."""
        ...

    def encrypt(self, plaintext: bytes, boots: int, time_s: int) -> tuple[bytes, bytes]:
        """(ciphertext, salt) of a message with these engine boots and time."""
        ...

    def decrypt(self, ciphertext: bytes, boots: int, time_s: int, salt: bytes) -> bytes:
        """The plaintext, with its padding. Raises BadReply where the lengths are impossible."""
        ...


def privacy_of(protocol: PrivacyProtocol, key: bytes) -> Privacy:
    """`key` is localised, and at least as long as the protocol wants it. Raises Unsupported."""
    try:
        if protocol in _AES_KEYS:
            return AesCfb(key[: _AES_KEYS[protocol]])
        octets = _DES_KEYS[protocol]
        return DesCbc(key[:octets], key[octets : octets + _DES_BLOCK])
    except (UnsupportedAlgorithm, ValueError) as error:
        raise Unsupported(f"snmp.privacy: {protocol} is not available here: {error}") from None


class AesCfb:
    """CFB128-AES (RFC 3826).

    CFB synchronises itself: its state is the block of ciphertext before. So one context serves all messages, with a block
    before each that sets the initialisation vector; a new context for each message takes three times as long.
    """

    most_padding = 0

    def __init__(self, key: bytes) -> None:
        cipher = Cipher(algorithms.AES(key), CFB(bytes(_AES_BLOCK)))
        self._decryptor = cipher.decryptor()
        self._encryptor = cipher.encryptor()
        self._block = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305  of single blocks
        self._last = bytes(_AES_BLOCK)
        self._salt = secrets.randbits(64)

    def size(self, octets: int) -> int:
        return octets

    def encrypt(self, plaintext: bytes, boots: int, time_s: int) -> tuple[bytes, bytes]:
        self._salt = self._salt + 1 & 0xFFFFFFFFFFFFFFFF
        vector = _IV.pack(boots, time_s, self._salt)
        # What, encrypted after the last block, gives the vector.
        before = int.from_bytes(self._block.update(self._last), "big") ^ int.from_bytes(vector, "big")
        end = _AES_BLOCK + len(plaintext)
        out = self._encryptor.update(before.to_bytes(_AES_BLOCK, "big") + plaintext + bytes(-end % _AES_BLOCK))
        self._last = out[-_AES_BLOCK:]
        return out[_AES_BLOCK:end], vector[SALT_OCTETS:]

    def decrypt(self, ciphertext: bytes, boots: int, time_s: int, salt: bytes) -> bytes:
        if len(salt) != SALT_OCTETS:
            raise BadReply("malformed")
        end = _AES_BLOCK + len(ciphertext)
        vector = _IV.pack(boots, time_s, int.from_bytes(salt, "big"))
        return self._decryptor.update(vector + ciphertext + bytes(-end % _AES_BLOCK))[_AES_BLOCK:end]


class DesCbc:
    """CBC-DES (RFC 3414 section 8) and 3DES-EDE (its draft), by the length of the key."""

    most_padding = _DES_BLOCK  # some pad a whole block

    def __init__(self, key: bytes, pre_vector: bytes) -> None:
        """`pre_vector` is what the salt is combined with: the last 8 octets of the localised key."""
        if len(pre_vector) != _DES_BLOCK:
            raise ValueError("the key is too short")
        self._cipher = TripleDES(key * (24 // len(key)))  # DES is 3DES with three equal keys
        self._pre_vector = int.from_bytes(pre_vector, "big")
        self._salt = secrets.randbits(32)
        self._context(bytes(_DES_BLOCK)).encryptor()

    def size(self, octets: int) -> int:
        return octets + -octets % _DES_BLOCK

    def encrypt(self, plaintext: bytes, boots: int, time_s: int) -> tuple[bytes, bytes]:  # noqa: ARG002
        self._salt = self._salt + 1 & 0xFFFFFFFF
        salt = _DES_SALT.pack(boots, self._salt)
        padded = plaintext + bytes(-len(plaintext) % _DES_BLOCK)
        return self._context(salt).encryptor().update(padded), salt

    def decrypt(self, ciphertext: bytes, boots: int, time_s: int, salt: bytes) -> bytes:  # noqa: ARG002
        if len(salt) != SALT_OCTETS or len(ciphertext) % _DES_BLOCK:
            raise BadReply("malformed")
        return self._context(salt).decryptor().update(ciphertext)

    def _context(self, salt: bytes) -> Cipher[modes.CBC]:
        vector = self._pre_vector ^ int.from_bytes(salt, "big")
        return Cipher(self._cipher, modes.CBC(vector.to_bytes(_DES_BLOCK, "big")))
