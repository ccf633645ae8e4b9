"""An SNMP agent (version 2c) on loopback whose counters are known to the octet at every moment of CLOCK_BOOTTIME.

It has what Linewatch asks for of SNMPv2-MIB, ifTable and ifXTable, answers GET, GETNEXT and GETBULK, and takes well below a
millisecond for an answer. All values of an answer are of one moment, or of the refresh before it.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from server.core.clock import boot_ns
from tests.support.hostile_agent import (
    END,
    GET,
    GET_BULK,
    GET_NEXT,
    NO_INSTANCE,
    RESPONSE,
    Oid,
    Value,
    element,
    number,
    oid_content,
    text,
)
from tests.support.truth_counters import NS, Line

_INTEGER, _OCTETS, _OID, _SEQUENCE = 0x02, 0x04, 0x06, 0x30
_COUNTER32, _GAUGE32, _TIME_TICKS, _COUNTER64 = 0x41, 0x42, 0x43, 0x46
_SYSTEM: Oid = (1, 3, 6, 1, 2, 1, 1)
_IF: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1)
_IF_X: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)
_ETHERNET, _UP = 6, 1
_MOST_OCTETS, _HEAD_OCTETS = 1472, 60
_PACKET_OCTETS = 1000
_TICK_NS = 10_000_000

Object = Callable[[int], Value]
"""The value of an object, so many nanoseconds after the agent's first start."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came; `oids` are contents of OBJECT IDENTIFIERs."""

    version: bytes
    community: bytes
    operation: int
    request_id: bytes
    non_repeaters: int
    repetitions: int
    oids: list[bytes]

    @classmethod
    def read(cls, data: bytes) -> Asked:
        """Raises ValueError where it is no request; trusts the poller with the rest."""
        (version, community, (operation, pdu)) = contents(_only(_SEQUENCE, data))
        request_id, first, second, (_, varbinds) = contents(pdu)
        oids = [contents(varbind)[0][1] for _, varbind in contents(varbinds)]
        return cls(version[1], community[1], operation, request_id[1], _int(first[1]), _int(second[1]), oids)


class TruthAgent(asyncio.DatagramProtocol):
    """`lines` are its interfaces, ifIndex 1 and up. So long after its first start as `restarts_s` says it starts again:
    sysUpTime and all counters from zero. `epoch_ns` is its first start."""

    def __init__(self, lines: Sequence[Line], *, restarts_s: Sequence[float] = (), community: str = "public") -> None:
        self.epoch_ns = boot_ns()
        self.lines = tuple(lines)
        self.answers = 0
        self._restarts_ns = [round(at_s * NS) for at_s in sorted(restarts_s)]
        self._community = community.encode()
        objects = sorted(self._all())
        self._objects = {oid_content(oid): now for oid, now in objects}
        self._order = [oid for oid, _ in objects]
        self._following = dict(pairwise(self._objects))
        self.transport: asyncio.DatagramTransport

    @property
    def address(self) -> tuple[str, int]:
        name = self.transport.get_extra_info("sockname")
        return name[0], name[1]

    def began_ns(self, since_ns: int) -> int:
        """When it last started, on its own time line."""
        place = bisect_right(self._restarts_ns, since_ns)
        return self._restarts_ns[place - 1] if place else 0

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        since_ns = boot_ns() - self.epoch_ns
        asked = Asked.read(data)
        if asked.community == self._community:
            self.answers += 1
            self.transport.sendto(self._answer(asked, since_ns), addr)

    def _answer(self, asked: Asked, since_ns: int) -> bytes:
        room = _MOST_OCTETS - _HEAD_OCTETS - len(self._community)
        body = bytearray()
        for oid, now in self._named(asked):
            more = element(_SEQUENCE, element(_OID, oid) + element(*now(since_ns)))
            if asked.operation == GET_BULK and len(body) + len(more) > room:
                break
            body += more
        pdu = element(_INTEGER, asked.request_id) + element(_INTEGER, b"\0") * 2 + element(_SEQUENCE, bytes(body))
        head = element(_INTEGER, asked.version) + element(_OCTETS, asked.community)
        return element(_SEQUENCE, head + element(RESPONSE, pdu))

    def _named(self, asked: Asked) -> Iterator[tuple[bytes, Object]]:
        """What the answer holds, in order (RFC 3416 4.2.1 to 4.2.3)."""
        if asked.operation == GET:
            yield from ((oid, self._objects.get(oid, _fixed(NO_INSTANCE))) for oid in asked.oids)
            return
        once = len(asked.oids) if asked.operation == GET_NEXT else asked.non_repeaters
        yield from (self._after(oid) for oid in asked.oids[:once])
        at = asked.oids[once:]
        for _ in range(asked.repetitions if at else 0):
            found = [self._after(oid) for oid in at]
            yield from found
            at = [oid for oid, _ in found]

    def _after(self, oid: bytes) -> tuple[bytes, Object]:
        """The next object; endOfMibView under the same name where there is none."""
        if oid in self._objects:
            following = self._following.get(oid)
        else:
            place = bisect_right(self._order, _oid(oid))
            following = oid_content(self._order[place]) if place < len(self._order) else None
        return (oid, _fixed(END)) if following is None else (following, self._objects[following])

    def _all(self) -> Iterator[tuple[Oid, Object]]:
        yield (*_SYSTEM, 1, 0), _fixed(text("agent of known truth"))
        yield (*_SYSTEM, 3, 0), self._up_time
        yield (*_SYSTEM, 5, 0), _fixed(text("truth"))
        yield (*_SYSTEM, 6, 0), _fixed(text("loopback"))
        for index, line in enumerate(self.lines, 1):
            yield from (((*_IF, column, index), now) for column, now in self._if(index, line))
            if line.counter_bits == 64:
                yield from (((*_IF_X, column, index), now) for column, now in self._if_x(line))

    def _if(self, index: int, line: Line) -> Iterator[tuple[int, Object]]:
        yield 1, _fixed(number(_INTEGER, index))
        yield 2, _fixed(text(line.name))
        yield 3, _fixed(number(_INTEGER, _ETHERNET))
        yield 5, _fixed(number(_GAUGE32, min(line.speed_bps, 2**32 - 1)))
        yield from ((column, _fixed(number(_INTEGER, _UP))) for column in (7, 8))
        for way, octets, packets, faults in (("in", 10, 11, (13, 14)), ("out", 16, 17, (19, 20))):
            yield octets, partial(self._counter, line, way, 32, 1)
            yield packets, partial(self._counter, line, way, 32, _PACKET_OCTETS)
            yield from ((column, _fixed((_COUNTER32, b"\0"))) for column in faults)

    def _if_x(self, line: Line) -> Iterator[tuple[int, Object]]:
        yield 1, _fixed(text(line.name))
        for way, octets, packets, others in (("in", 6, 7, (8, 9)), ("out", 10, 11, (12, 13))):
            yield octets, partial(self._counter, line, way, 64, 1)
            yield packets, partial(self._counter, line, way, 64, _PACKET_OCTETS)
            yield from ((column, _fixed((_COUNTER64, b"\0"))) for column in others)
        yield 15, _fixed(number(_GAUGE32, line.speed_bps // 1_000_000))
        yield 18, _fixed(text(""))
        if line.anew_s:
            yield 19, partial(self._anew, line)

    def _counter(self, line: Line, way: str, bits: int, per: int, since_ns: int) -> Value:
        counted = line.counted(way, since_ns, self.began_ns(since_ns)) // per
        return number(_COUNTER64 if bits == 64 else _COUNTER32, counted % (1 << bits))

    def _up_time(self, since_ns: int) -> Value:
        return number(_TIME_TICKS, (since_ns - self.began_ns(since_ns)) // _TICK_NS)

    def _anew(self, line: Line, since_ns: int) -> Value:
        """ifCounterDiscontinuityTime: sysUpTime when its counters last began anew; 0 for with the agent."""
        return number(_TIME_TICKS, max(0, line.began_ns(since_ns) - self.began_ns(since_ns)) // _TICK_NS)


def _fixed(value: Value) -> Object:
    return lambda _: value


def contents(data: bytes) -> list[tuple[int, bytes]]:
    """Tag and contents of elements that follow each other. Raises ValueError where one is cut."""
    found, at = [], 0
    while at < len(data):
        if at + 2 > len(data):
            raise ValueError("truncated")
        length, begin = data[at + 1], at + 2
        if length & 0x80:
            begin += length & 0x7F
            length = int.from_bytes(data[at + 2 : begin], "big")
        if begin + length > len(data):
            raise ValueError("truncated")
        found.append((data[at], data[begin : begin + length]))
        at = begin + length
    return found


def _only(tag: int, data: bytes) -> bytes:
    ((found, content),) = contents(data)
    if found != tag:
        raise ValueError(f"element {found:#x}, not {tag:#x}")
    return content


def _int(content: bytes) -> int:
    return int.from_bytes(content, "big", signed=True)


def _oid(content: bytes) -> Oid:
    parts, part = list[int](), 0
    for octet in content:
        part = part << 7 | octet & 0x7F
        if not octet & 0x80:
            parts.append(part)
            part = 0
    return (*divmod(parts[0], 40), *parts[1:]) if parts else ()


@asynccontextmanager
async def truth_agent(
    lines: Sequence[Line], *, restarts_s: Sequence[float] = (), address: str = "127.0.0.1"
) -> AsyncIterator[TruthAgent]:
    """It answers when the context is entered, on a free port."""
    loop = asyncio.get_running_loop()
    agent = TruthAgent(lines, restarts_s=restarts_s)
    transport, _ = await loop.create_datagram_endpoint(lambda: agent, local_addr=(address, 0))
    try:
        yield agent
    finally:
        transport.close()
        await asyncio.sleep(0)
