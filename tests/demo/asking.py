"""A plain SNMP client for these tests: pysnmp, one request at a time."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

from server.core.clock import boot_ns
from tests.support.loops import run_alone

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # pysnmp uses old names of pysmi
    from pysnmp.hlapi.v3arch.asyncio import (
        USM_AUTH_HMAC192_SHA256,
        USM_PRIV_CFB128_AES,
        CommunityData,
        ContextData,
        ObjectIdentity,
        ObjectType,
        SnmpEngine,
        UdpTransportTarget,
        UsmUserData,
        bulk_cmd,
        get_cmd,
    )

UPTIME = "1.3.6.1.2.1.1.3.0"
NAME = "1.3.6.1.2.1.31.1.1.1.1"
IN_OCTETS = "1.3.6.1.2.1.31.1.1.1.6"
OUT_OCTETS = "1.3.6.1.2.1.31.1.1.1.10"
OPER_STATUS = "1.3.6.1.2.1.2.2.1.8"
DISCONTINUITY = "1.3.6.1.2.1.31.1.1.1.19"


@dataclass(frozen=True)
class Answer:
    """Values by OID (None: noSuchInstance), and when they were asked for and came."""

    values: dict[str, Any]
    sent_ns: int
    received_ns: int


@dataclass(frozen=True)
class Asker:
    """Asks one agent; `v3` is user, auth key and privacy key (SHA-256, AES)."""

    port: int
    community: str = "public"
    v3: tuple[str, str, str] | None = None
    context: str = ""
    timeout_s: float = 1.0

    def get(self, *oids: str) -> Answer | None:
        """The values, or None where no answer came."""
        return run_alone(self._ask(get_cmd, (), oids))

    def walk(self, column: str) -> dict[str, Any]:
        """All values below `column`, by the rest of their OID."""
        found: dict[str, Any] = {}
        last = column
        while True:
            answer = run_alone(self._ask(bulk_cmd, (0, 25), (last,)))
            assert answer is not None, f"no answer to a walk of {column}"
            for last, value in answer.values.items():
                if not last.startswith(f"{column}.") or value is None:
                    return found
                found[last.removeprefix(f"{column}.")] = value

    async def _ask(self, command: Any, numbers: tuple[int, ...], oids: tuple[str, ...]) -> Answer | None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return await self._ask_pysnmp(command, numbers, oids)

    async def _ask_pysnmp(self, command: Any, numbers: tuple[int, ...], oids: tuple[str, ...]) -> Answer | None:
        engine = SnmpEngine()
        try:
            target = await UdpTransportTarget.create(("127.0.0.1", self.port), timeout=self.timeout_s, retries=0)
            asked = [ObjectType(ObjectIdentity(oid)) for oid in oids]
            context = ContextData(contextName=self.context)
            sent_ns = boot_ns()
            indication, status, _, rows = await command(
                engine, self._credentials(), target, context, *numbers, *asked, lookupMib=False
            )
            received_ns = boot_ns()
        finally:
            engine.close_dispatcher()
        if indication is not None and "timeout" not in str(indication).lower():
            raise PermissionError(str(indication))
        if indication is not None:
            return None
        assert not status, status.prettyPrint()
        return Answer({str(oid): _plain(value) for oid, value in rows}, sent_ns, received_ns)

    def _credentials(self) -> Any:
        if self.v3 is None:
            return CommunityData(self.community)
        user, auth, privacy = self.v3
        return UsmUserData(user, auth, privacy, authProtocol=USM_AUTH_HMAC192_SHA256, privProtocol=USM_PRIV_CFB128_AES)


def _plain(value: Any) -> Any:
    kind = type(value).__name__
    if kind in {"NoSuchInstance", "NoSuchObject", "EndOfMibView"}:
        return None
    if kind == "OctetString":
        return bytes(value).decode()
    return str(value) if kind == "ObjectIdentifier" else int(value)
