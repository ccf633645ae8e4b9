"""An SNMP agent (versions 1 and 2c) on loopback whose answers a test makes as wrong as it likes."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pyasn1.codec.ber import decoder
from pysnmp.proto.api import v2c

Oid = tuple[int, ...]
Value = tuple[int, bytes]  # BER tag and contents, not checked in any way
VarBinds = list[tuple[Oid, Value]]

GET, GET_NEXT, GET_BULK, RESPONSE = 0xA0, 0xA1, 0xA5, 0xA2
END: Value = (0x82, b"")
NO_INSTANCE: Value = (0x81, b"")


def element(tag: int, content: bytes) -> bytes:
    if len(content) < 0x80:
        return bytes((tag, len(content))) + content
    size = len(content).to_bytes(3, "big").lstrip(b"\0")
    return bytes((tag, 0x80 | len(size))) + size + content


def number(tag: int, value: int) -> Value:
    return tag, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)


def text(value: str | bytes) -> Value:
    return 0x04, value.encode() if isinstance(value, str) else value


def oid_content(oid: Oid) -> bytes:
    out = bytearray()
    for part in (oid[0] * 40 + oid[1], *oid[2:]):
        septets = [part & 0x7F]
        while part := part >> 7:
            septets.insert(0, 0x80 | part & 0x7F)
        out += bytes(septets)
    return bytes(out)


@dataclass(frozen=True)
class Heard:
    """A request as it came, and what an honest agent would answer."""

    version: int
    community: bytes
    operation: int
    request_id: int
    oids: list[Oid]
    honest: VarBinds

    def reply(
        self,
        varbinds: VarBinds | None = None,
        *,
        error: int = 0,
        index: int = 0,
        version: int | None = None,
        community: bytes | None = None,
        request_id: int | None = None,
        operation: int = RESPONSE,
    ) -> bytes:
        """An answer: the honest one but for what is given."""
        pairs = self.honest if varbinds is None else varbinds
        body = b"".join(element(0x30, element(0x06, oid_content(oid)) + element(*value)) for oid, value in pairs)
        head = [self.request_id if request_id is None else request_id, error, index]
        pdu = b"".join(element(*number(0x02, value)) for value in head) + element(0x30, body)
        message = element(*number(0x02, self.version if version is None else version))
        message += element(0x04, self.community if community is None else community) + element(operation, pdu)
        return element(0x30, message)


Mischief = Callable[[Heard], list[bytes]]


class HostileAgent(asyncio.DatagramProtocol):
    """Answers from `table`, through `mischief` where it is set. `heard` keeps all requests."""

    def __init__(self, table: dict[Oid, Value]) -> None:
        self.table = table
        self.mischief: Mischief | None = None
        self.heard: list[Heard] = []
        self._asker: tuple[str, int] | None = None
        self.transport: asyncio.DatagramTransport

    @property
    def port(self) -> int:
        port: int = self.transport.get_extra_info("sockname")[1]
        return port

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        message, _ = decoder.decode(data, asn1Spec=v2c.Message())
        pdu = message[2].getComponent()
        operation = {v2c.GetRequestPDU: GET, v2c.GetNextRequestPDU: GET_NEXT}.get(type(pdu), GET_BULK)
        oids = [tuple(varbind[0]) for varbind in pdu[3]]
        once, repeats = (int(pdu[1]), int(pdu[2])) if operation == GET_BULK else (0, 1)
        honest = self._honest(operation, oids, once, repeats)
        heard = Heard(int(message[0]), bytes(message[1]), operation, int(pdu[0]), oids, honest)
        self.heard.append(heard)
        self._asker = addr
        for answer in self.mischief(heard) if self.mischief is not None else [heard.reply()]:
            self.send(answer)

    def send(self, datagram: bytes) -> None:
        """To whom asked last; nothing when the agent was closed."""
        if not self.transport.is_closing():
            self.transport.sendto(datagram, self._asker)

    def _honest(self, operation: int, oids: list[Oid], once: int, repeats: int) -> VarBinds:
        """`once` are the non-repeaters of a GETBULK (RFC 3416 section 4.2.3)."""
        if operation == GET:
            return [(oid, self.table.get(oid, NO_INSTANCE)) for oid in oids]
        order = sorted(self.table)
        found = [self._next(order, oid) for oid in oids[:once]]
        newest = oids[once:]
        for _ in range(repeats):
            step = [self._next(order, oid) for oid in newest]
            found += step
            newest = [oid for oid, _ in step]
            if all(value == END for _, value in step):
                break
        return found

    def _next(self, order: list[Oid], oid: Oid) -> tuple[Oid, Value]:
        at = bisect_right(order, oid)
        return (order[at], self.table[order[at]]) if at < len(order) else (oid, END)


@asynccontextmanager
async def hostile_agent(table: dict[Oid, Value]) -> AsyncIterator[HostileAgent]:
    loop = asyncio.get_running_loop()
    transport, agent = await loop.create_datagram_endpoint(lambda: HostileAgent(table), local_addr=("127.0.0.1", 0))
    try:
        yield agent
    finally:
        transport.close()
        await asyncio.sleep(0)
