"""A device on loopback that answers word for word what a test says, and a table of one request to ask it."""

from __future__ import annotations

import select
import socket
from collections import Counter
from collections.abc import Callable, Sequence
from types import TracebackType

from server.sources.snmp.batch.security import Community
from server.sources.snmp.batch.slots import Slots
from server.sources.snmp.batch.strict import walk_message
from server.sources.snmp.batch.template import SlotRequest
from server.sources.snmp.message import Operation
from server.sources.snmp.wire import Tag, encode_oid

RESPONSE = 0xA2
UP = encode_oid((1, 3, 6, 1, 2, 1, 1, 3, 0))
OCTETS = tuple(encode_oid((1, 3, 6, 1, 2, 1, 31, 1, 1, 1, column, row)) for row in (1, 2) for column in (6, 10))
OIDS = (UP, *OCTETS)
TAGS = (Tag.TIME_TICKS, *([Tag.COUNTER64] * 4))
LOOPBACK = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}
VarBinds = Sequence[tuple[bytes, bytes]]


def element(tag: int, content: bytes) -> bytes:
    if len(content) < 0x80:
        return bytes((tag, len(content))) + content
    size = len(content).to_bytes(3, "big").lstrip(b"\0")
    return bytes((tag, 0x80 | len(size))) + size + content


def number(tag: int, value: int) -> bytes:
    return element(tag, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def ticks(value: int) -> bytes:
    return number(Tag.TIME_TICKS, value)


def count(value: int) -> bytes:
    return number(Tag.COUNTER64, value)


def honest(salt: int = 0) -> list[tuple[bytes, bytes]]:
    """A whole good answer, whose values `values` tells."""
    return [(UP, ticks(values(salt)[0])), *((oid, count(v)) for oid, v in zip(OCTETS, values(salt)[1:], strict=True))]


def values(salt: int = 0) -> list[int]:
    return [100_000 + salt, *(10**12 + 7 * salt + cell for cell in range(4))]


def pdu(request_id: int, varbinds: VarBinds, *, tag: int = RESPONSE, status: int = 0, index: int = 0) -> bytes:
    body = b"".join(element(0x30, element(Tag.OBJECT_IDENTIFIER, oid) + value) for oid, value in varbinds)
    head = number(Tag.INTEGER, request_id) + number(Tag.INTEGER, status) + number(Tag.INTEGER, index)
    return element(tag, head + element(0x30, body))


def message(inner: bytes, *, version: int = 1, community: bytes = b"public") -> bytes:
    return element(0x30, number(Tag.INTEGER, version) + element(Tag.OCTET_STRING, community) + inner)


def reply(request_id: int, varbinds: VarBinds, *, version: int = 1, community: bytes = b"public", **more: int) -> bytes:
    return message(pdu(request_id, varbinds, **more), version=version, community=community)


def says(varbinds: VarBinds, community: bytes = b"public", **more: int) -> Callable[[int], bytes]:
    """What makes such a reply of a request-id."""
    return lambda request_id: reply(request_id, varbinds, community=community, **more)


class Device:
    """A socket. `heard` is the newest datagram that came, and who sent it."""

    def __init__(self, family: int = socket.AF_INET) -> None:
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.bind((LOOPBACK[socket.AddressFamily(family)], 0))
        self.socket.settimeout(5)
        self.address: tuple[str, int] = self.socket.getsockname()[:2]

    def __enter__(self) -> Device:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.socket.close()

    def hear(self) -> int:
        """The request-id of what was asked."""
        datagram, self.asker = self.socket.recvfrom(65535)
        return walk_message(datagram).pdu.request_id

    def say(self, *datagrams: bytes) -> None:
        for datagram in datagrams:
            self.socket.sendto(datagram, self.asker)


def ask_for(address: tuple[str, int], operation: Operation = Operation.GET, **more: object) -> SlotRequest:
    facts: dict[str, object] = {"security": Community(1, b"public"), "oids": OIDS, "tags": TAGS} | more
    return SlotRequest(address=address, operation=operation, **facts)  # type: ignore[arg-type]


class Bench:
    """A table with one slot, and the device it asks. `bad` counts what was refused, by slot and word."""

    def __init__(self, *, batched: bool | None = None, family: int = socket.AF_INET, **request: object) -> None:
        self.bad: Counter[tuple[int, str]] = Counter()
        self.device = Device(family)
        self.slots = Slots(self._tell, batched=batched)
        self.slot = self.slots.add([ask_for(self.device.address, **request)])  # type: ignore[arg-type]

    def _tell(self, slot: int, word: str, count: int = 1) -> None:
        self.bad[slot, word] += count

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.device.socket.close()
        self.slots.close()

    def ask(self, *answers: Callable[[int], bytes]) -> list[int]:
        """Send, let the device say what these make of the request-id, and take it in: the slots that were answered."""
        assert self.slots.send(self.slot) == 1
        request_id = self.device.hear()
        self.bad.clear()
        return self.tell(*(answer(request_id) for answer in answers))

    def tell(self, *datagrams: bytes) -> list[int]:
        """The slots that these answer. They are taken in together: on loopback what was sent has arrived."""
        self.device.say(*datagrams)
        if datagrams:
            select.select(self.slots.filenos(), (), (), 5)
        answered: list[int] = self.slots.receive().tolist()
        return answered

    @property
    def words(self) -> dict[str, int]:
        """What was refused, by word alone."""
        found: Counter[str] = Counter()
        for (_, word), times in self.bad.items():
            found[word] += times
        return dict(found)

    @property
    def seen(self) -> list[int | None]:
        """The newest values, None where not valid."""
        slot = int(self.slot[0])
        cells = zip(self.slots.values[slot].tolist(), self.slots.valid[slot].tolist(), strict=True)
        return [value if valid else None for value, valid in cells]
