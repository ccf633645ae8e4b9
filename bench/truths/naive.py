"""What a simple poller makes of the same answers: the growth of each counter over the time between two arrivals.

It asks once a second, without retries, knows no reset and no cadence, and takes a fall for a wrap.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from server.core.clock import boot_ns
from tests.support.hostile_agent import GET, Oid, element, number, oid_content
from tests.support.truth_agent import contents
from tests.support.truth_counters import NS, Line

_TIMEOUT_S = 0.9
_WIDE: tuple[Oid, ...] = ((1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6), (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 10))
_NARROW: tuple[Oid, ...] = ((1, 3, 6, 1, 2, 1, 2, 2, 1, 10), (1, 3, 6, 1, 2, 1, 2, 2, 1, 16))


@dataclass(frozen=True, slots=True)
class NaiveSample:
    """What it would show of one counter: CLOCK_BOOTTIME of two arrivals, and the rate between them."""

    line: int
    way: str
    start_ns: int
    end_ns: int
    bps: float


@dataclass
class Naive(asyncio.DatagramProtocol):
    """One poller, for the lines of one agent, which have these ifIndexes. `samples` grows while it runs."""

    lines: Sequence[Line]
    indexes: Sequence[int]
    samples: list[NaiveSample] = field(default_factory=list)
    _answer: asyncio.Future[bytes] | None = None
    _asked: int = 0

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:  # noqa: ARG002
        if self._answer is not None and not self._answer.done() and _request_id(data) == self._asked:
            self._answer.set_result(data)

    async def run(self) -> None:
        """Poll each second until cancelled."""
        loop = asyncio.get_running_loop()
        due_s, before = loop.time(), None
        while True:
            answer = await self._ask(loop)
            if answer is not None:
                now = (boot_ns(), answer)
                if before is not None:
                    self.compare(before, now)
                before = now
            due_s += 1.0
            await asyncio.sleep(max(0.0, due_s - loop.time()))

    def compare(self, before: tuple[int, list[int]], now: tuple[int, list[int]]) -> None:
        """Take two answers: when they came (CLOCK_BOOTTIME), and the counters line by line, in and out."""
        for place, (old, new) in enumerate(zip(before[1], now[1], strict=True)):
            line = place // 2
            growth = (new - old) % (1 << self.lines[line].counter_bits)
            bps = growth * 8 * NS / (now[0] - before[0])
            self.samples.append(NaiveSample(line, ("in", "out")[place % 2], before[0], now[0], bps))

    async def _ask(self, loop: asyncio.AbstractEventLoop) -> list[int] | None:
        """The counters, line by line, in and out; None where no answer came."""
        self._asked += 1
        self._answer = loop.create_future()
        self._transport.sendto(self._request())
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                return _values(await self._answer)
        except TimeoutError:
            return None

    def _request(self) -> bytes:
        body = b""
        for index, line in zip(self.indexes, self.lines, strict=True):
            for column in _WIDE if line.counter_bits == 64 else _NARROW:
                body += element(0x30, element(0x06, oid_content((*column, index))) + element(0x05, b""))
        head = b"".join(element(*number(0x02, value)) for value in (self._asked, 0, 0))
        pdu = element(GET, head + element(0x30, body))
        return element(0x30, element(*number(0x02, 1)) + element(0x04, b"public") + pdu)


def _pdu(message: bytes) -> list[tuple[int, bytes]]:
    ((_, body),) = contents(message)
    return contents(contents(body)[2][1])


def _request_id(message: bytes) -> int:
    return int.from_bytes(_pdu(message)[0][1], "big", signed=True)


def _values(message: bytes) -> list[int]:
    return [int.from_bytes(contents(varbind)[1][1], "big") for _, varbind in contents(_pdu(message)[3][1])]
