"""Our own engine: the conversation with one device, its socket, deadlines, and the pairing of answers with requests."""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
import socket
from collections.abc import Callable
from typing import cast

from server.core.clock import boot_ns
from server.core.errors import AuthFailed, BadReply, NoAnswer, UnknownHost
from server.sources.snmp.engine import Wait
from server.sources.snmp.guard import Guard
from server.sources.snmp.message import Answer, Codec, Report, Request, Response
from server.sources.snmp.refusals import SILENT_REFUSAL, UNREADABLE, check_access, nothing_listens

_MOST_RESYNCS = 4  # reports that one request may cost: engine ID, clock, and once more each
_MOST_EXPIRED = 64  # requests without an answer that a late answer is still known to belong to


async def resolve(address: str, port: int, timeout_s: float) -> tuple[str, int]:
    """(IP address, port) of a host name or an address, off the loop. Raises UnknownHost."""
    try:
        ipaddress.ip_address(address)
    except ValueError:
        pass
    else:
        return address, port
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout_s):
            found = await loop.getaddrinfo(address, port, type=socket.SOCK_DGRAM)
    except TimeoutError:
        raise UnknownHost(f"host name {address} could not be resolved: DNS did not answer for {timeout_s:g} s") from None
    except (OSError, UnicodeError):
        raise UnknownHost(f"host name {address} is not known to DNS") from None
    return str(found[0][4][0]), port


class SocketSession(asyncio.DatagramProtocol):
    """Asks one device. Its socket is connected: the kernel drops what comes from elsewhere.

    Mutable state, changed between awaits only: `_pending` (request-id to future and time of sending), `_expired` (request-id
    to time of sending, of requests that were given up), `_bad_answers` and `_refused` (counts).

    `bad` is called with a word for each answer that failed a check. `late_reply_s` is set when an answer comes after its
    request was given up, and is the caller's to clear.
    """

    def __init__(self, codec: Codec, bad: Callable[[str], None]) -> None:
        self.late_reply_s: float | None = None
        self._codec = codec
        self._bad = bad
        self._transport: asyncio.DatagramTransport | None = None
        self._pending: dict[int, tuple[asyncio.Future[tuple[Response | Report, int]], int]] = {}
        self._expired: dict[int, int] = {}
        self._bad_answers = 0
        self._refused = 0
        self._guard = Guard()
        self._discovering = asyncio.Lock()
        self._closed = asyncio.Event()
        self._proven = False

    @classmethod
    async def open(cls, peer: tuple[str, int], codec: Codec, bad: Callable[[str], None]) -> SocketSession:
        """Raises NoAnswer when there is no way to that address."""
        loop = asyncio.get_running_loop()
        try:
            _, session = await loop.create_datagram_endpoint(lambda: cls(codec, bad), remote_addr=peer)
        except OSError as error:
            raise NoAnswer(f"cannot send to {peer[0]}: {error.strerror or error}") from None
        return session

    @property
    def codec(self) -> Codec:
        """What packs and reads its datagrams."""
        return self._codec

    @property
    def overhead(self) -> int:
        """Octets of an answer around its varbinds, at most."""
        return self._codec.overhead

    async def close(self) -> None:
        """Returns when the socket is closed; who still waits for an answer gets none."""
        if self._transport is not None:
            self._transport.close()
            await self._closed.wait()

    async def ask(self, request: Request, wait: Wait) -> Answer:
        """The device's answer, whatever its error-status (but for a refused access). Ends by `wait.deadline_s`.

        Raises NoAnswer, AuthFailed, or BadReply when all that came was unusable.
        """
        words = ""
        for _ in range(_MOST_RESYNCS):
            if not self._codec.knows_peer:
                async with self._discovering:
                    if not self._codec.knows_peer:
                        words = await self._discover(request, wait)
                continue
            outcome, sent_ns, received_ns = await self._exchange(request, wait)
            if isinstance(outcome, Response):
                self._proven = True
                check_access(outcome.error_status)
                return Answer(sent_ns, received_ns, outcome.error_status, outcome.error_index, outcome.varbinds)
            if not outcome.again:
                raise AuthFailed(outcome.words)
            words = outcome.words
        raise AuthFailed(words)

    async def _discover(self, request: Request, wait: Wait) -> str:
        """Learn the engine ID (RFC 3414 section 4). A second caller finds it known."""
        outcome, _, _ = await self._exchange(request, wait)
        if isinstance(outcome, Response):
            raise BadReply("the device answers engine ID discovery with something else")
        if not outcome.again:
            raise AuthFailed(outcome.words)
        return outcome.words

    async def _exchange(self, request: Request, wait: Wait) -> tuple[Response | Report, int, int]:
        loop = asyncio.get_running_loop()
        request_id = secrets.randbelow(2**31 - 1) + 1
        datagram = self._codec.encode(request, request_id)
        knew_peer = self._codec.knows_peer
        future: asyncio.Future[tuple[Response | Report, int]] = loop.create_future()
        sent_ns = boot_ns()
        bad_before, refused_before = self._bad_answers, self._refused
        self._pending[request_id] = (future, sent_ns)
        try:
            for _ in range(wait.tries):
                left_s = min(wait.try_s, wait.deadline_s - loop.time())
                if left_s <= 0:
                    break
                self._send(datagram)
                await asyncio.wait((future,), timeout=left_s)
                if future.done():
                    outcome, received_ns = future.result()
                    return outcome, sent_ns, received_ns
        finally:
            del self._pending[request_id]
            if not future.done() or future.cancelled():
                self._expire(request_id, sent_ns)
        if self._bad_answers > bad_before:
            raise BadReply(UNREADABLE)
        if self._refused > refused_before and self._transport is not None:
            raise nothing_listens(self._transport.get_extra_info("peername")[1])
        if knew_peer and not self._proven and self._codec.silent_refusal:
            raise AuthFailed(SILENT_REFUSAL)
        raise NoAnswer("no answer")

    def _send(self, datagram: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._guard.sent()
            self._transport.sendto(datagram)

    def _expire(self, request_id: int, sent_ns: int) -> None:
        self._expired[request_id] = sent_ns
        while len(self._expired) > _MOST_EXPIRED:
            oldest = next(iter(self._expired))
            del self._expired[oldest]
            self._codec.forget(oldest)

    # asyncio.DatagramProtocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002
        received_ns = boot_ns()
        if not self._pending and not self._expired:
            return  # nothing was asked: not worth the cost of decoding
        if check := self._guard.refusal(data):
            self._reject(check)
            return
        try:
            outcome = self._codec.decode(data)
        except BadReply as error:
            self._reject(str(error))
            return
        if (waiting := self._pending.get(outcome.request_id)) is not None:
            if not waiting[0].done():
                waiting[0].set_result((outcome, received_ns))
        elif (sent_ns := self._expired.pop(outcome.request_id, None)) is not None:
            if isinstance(outcome, Response):
                self.late_reply_s = (received_ns - sent_ns) / 1e9
        else:
            self._bad("unpaired")  # a duplicate, or forged: it changes nothing

    def _reject(self, check: str) -> None:
        self._bad_answers += 1
        self._bad(check)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._closed.set()

    def error_received(self, exc: Exception) -> None:
        """ICMP said that nothing listens there, or that there is no way. The deadline tells; a forged ICMP must not."""
        self._refused += isinstance(exc, ConnectionRefusedError)
