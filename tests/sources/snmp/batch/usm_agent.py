"""An authoritative SNMP engine (RFC 3414) for tests: its messages are put together from pysnmp's keys and ciphers, and hmac.

What it says can be wrong in each field, and is signed as rightly as the test wants.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from pyasn1.type import univ
from pysnmp.proto.secmod.rfc3414 import SnmpUSMSecurityModel

from server.core.clock import boot_ns
from server.sources.snmp.batch.usm import UsmPeer
from server.sources.snmp.pysnmp_stack.keys import Learned
from server.sources.snmp.pysnmp_stack.security import usm_keys
from server.sources.snmp.settings import SnmpV3
from tests.support.hostile_agent import element, number, oid_content

ENGINE_ID = b"\x80\x00\x1f\x88\x80test-engine"
UP_TIME = (1, 3, 6, 1, 2, 1, 1, 3, 0)
NOT_IN_TIME_WINDOWS = (1, 3, 6, 1, 6, 3, 15, 1, 1, 2, 0)
HASHES = {"MD5": "md5", "SHA": "sha1", "SHA224": "sha224", "SHA256": "sha256", "SHA384": "sha384", "SHA512": "sha512"}
DIGESTS = {"MD5": 12, "SHA": 12, "SHA224": 16, "SHA256": 24, "SHA384": 32, "SHA512": 48}


def credentials(
    auth: str | None = "SHA256",
    privacy: str | None = "AES",
    *,
    auth_key: str = "authentic-key",
    privacy_key: str = "private-key-1",
) -> SnmpV3:
    given = {
        "version": "3",
        "user": "monitor",
        "auth": {"protocol": auth, "key": auth_key} if auth else None,
        "privacy": {"protocol": privacy, "key": privacy_key} if privacy else None,
    }
    return SnmpV3.model_validate(given)


def response(request_id: int, ticks: int = 4711, tag: int = 0xA2, oid: tuple[int, ...] = UP_TIME) -> bytes:
    """A PDU of one varbind."""
    varbind = element(0x30, element(0x06, oid_content(oid)) + element(*number(0x43, ticks)))
    head = b"".join(element(*number(0x02, value)) for value in (request_id, 0, 0))
    return element(tag, head + element(0x30, varbind))


def report(oid: tuple[int, ...] = NOT_IN_TIME_WINDOWS) -> bytes:
    return response(0, 1, 0xA8, oid)


@dataclass(frozen=True)
class Engine:
    """Fields of the messages that it sends; `replace` changes some. `level` None: that of the credentials."""

    snmp: SnmpV3
    engine_id: bytes = ENGINE_ID
    boots: int = 7
    time_s: int = 1_000_000
    user: bytes = b"monitor"
    context_engine_id: bytes = ENGINE_ID
    context: bytes = b""
    level: int | None = None
    padding: bytes = b""
    max_size: int = 65507
    model: int = 3

    def but(self, **fields: Any) -> Engine:
        return replace(self, **fields)

    def message(self, message_id: int, pdu: bytes) -> bytes:
        scoped = element(0x30, element(4, self.context_engine_id) + element(4, self.context) + pdu) + self.padding
        return self.sealed(message_id, scoped)

    def sealed(self, message_id: int, scoped: bytes) -> bytes:
        """A message of these octets in the scoped PDU's place, encrypted and signed as the level says."""
        auth, privacy = self.snmp.auth, self.snmp.privacy
        level = (auth is not None) | 2 * (privacy is not None) if self.level is None else self.level
        data, salt = self._encrypted(scoped) if level & 2 else (scoped, b"")
        octets = DIGESTS[auth.protocol] if auth is not None and level & 1 else 0
        header = element(*number(2, message_id)) + element(*number(2, self.max_size)) + element(4, bytes((level,)))
        security = element(4, self.engine_id) + element(*number(2, self.boots)) + element(*number(2, self.time_s))
        security += element(4, self.user) + element(4, bytes(octets)) + element(4, salt)
        body = (
            element(2, b"\x03")
            + element(0x30, header + element(*number(2, self.model)))
            + element(4, element(0x30, security))
        )
        message = element(0x30, body + (element(4, data) if level & 2 else data))
        if not octets or auth is None:
            return message
        at = len(message) - len(element(4, data) if level & 2 else data) - len(element(4, salt)) - octets
        digest = hmac.new(self.keys[0], message, HASHES[auth.protocol]).digest()[:octets]
        return message[:at] + digest + message[at + octets :]

    @property
    def keys(self) -> tuple[bytes, bytes]:
        return _localised(*usm_keys(self.snmp), self.engine_id)

    def _encrypted(self, scoped: bytes) -> tuple[bytes, bytes]:
        """(ciphertext, salt) by pysnmp's cipher."""
        service = SnmpUSMSecurityModel.PRIV_SERVICES[usm_keys(self.snmp)[2]]
        key = univ.OctetString(self.keys[1])
        encrypted, salt = service.encrypt_data(key, (self.boots, self.time_s, None), scoped)
        return encrypted.asOctets(), salt.asOctets()

    def decrypted(self, ciphertext: bytes, boots: int, time_s: int, salt: bytes) -> bytes:
        """By pysnmp's cipher."""
        service = SnmpUSMSecurityModel.PRIV_SERVICES[usm_keys(self.snmp)[2]]
        given = (boots, time_s, univ.OctetString(salt))
        return bytes(service.decrypt_data(univ.OctetString(self.keys[1]), given, univ.OctetString(ciphertext)))

    def learned(self) -> Learned:
        auth, privacy = self.keys
        answer = self.message(1, response(1))
        return Learned(answer, boot_ns(), self.engine_id, self.user, self.context_engine_id, self.context, auth, privacy)

    def peer(self) -> UsmPeer:
        """What has just talked to this engine."""
        return UsmPeer(self.snmp, self.learned())


@lru_cache(1000)
def _localised(
    auth_protocol: Any, auth_key: str | None, privacy_protocol: Any, privacy_key: str | None, engine_id: bytes
) -> tuple[bytes, bytes]:
    auth, privacy, owner = b"", b"", univ.OctetString(engine_id)
    if auth_key is not None:
        service = SnmpUSMSecurityModel.AUTH_SERVICES[auth_protocol]
        auth = service.localize_key(service.hash_passphrase(auth_key), owner).asOctets()
    if privacy_key is not None:
        privacy_service = SnmpUSMSecurityModel.PRIV_SERVICES[privacy_protocol]
        master = privacy_service.hash_passphrase(auth_protocol, privacy_key)
        privacy = privacy_service.localize_key(auth_protocol, master, owner).asOctets()
    return auth, privacy
