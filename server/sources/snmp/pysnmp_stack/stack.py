"""One device's pysnmp: an SnmpEngine with a dispatcher and a socket that are its own."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Protocol

from pysnmp.carrier.asyncio.dgram import udp, udp6
from pysnmp.carrier.asyncio.dispatch import AsyncioDispatcher
from pysnmp.entity import config
from pysnmp.error import PySnmpError
from pysnmp.hlapi.v3arch.asyncio import (
    CommunityData,
    ContextData,
    SnmpEngine,
    Udp6TransportTarget,
    UdpTransportTarget,
    UsmUserData,
    bulk_cmd,
    get_cmd,
    next_cmd,
)
from pysnmp.hlapi.v3arch.asyncio.lcd import CommandGeneratorLcdConfigurator

from server.core.errors import NoAnswer
from server.sources.snmp.message import MOST_OCTETS, Operation, Request
from server.sources.snmp.pysnmp_stack.objects import asked
from server.sources.snmp.pysnmp_stack.security import name_of, usm_keys
from server.sources.snmp.settings import SnmpV1V2, SnmpV3
from server.sources.snmp.wire import pdu_tag

FORGET_S = 60.0  # after which pysnmp forgets a request; until then its answer is known for a late one
_TICK_S = 0.25  # of pysnmp's timer, which only forgets: deadlines are ours. Its default of 0.1 s costs more, for nothing
_COMMUNITY_INDEX = "linewatch"
_RESPONSE = 0xA2
_SENT = "rfc3412.sendPdu"
_ANSWERED = "rfc3412.receiveMessage:response"
_REPORTED = "rfc3412.prepareDataElements:internal"
_FAILED = {"rfc2576.prepareDataElements:sm-failure": "community", "rfc3412.prepareDataElements:sm-failure": "security"}
_KNOWN = ("rfc2576.processIncomingMsg", "rfc3414.processIncomingMsg")  # its sender is; no request is yet

Result = tuple[Any, Any, Any, Any]
"""(errorIndication, errorStatus, errorIndex, varBinds) of pysnmp's commands."""


class Listener(Protocol):
    """Is told what the stack does, while it does it."""

    def sent(self, request_id: int) -> None:
        """A datagram leaves; also when a version 3 report made pysnmp send a request again."""
        ...

    def received(self, datagram: bytes) -> None:
        """A datagram came; `Stack.decode` makes something of it."""
        ...

    def answered(self, request_id: int) -> bool:
        """An answer was paired with its request. False: nobody remembers that one."""
        ...

    def refused(self) -> None:
        """ICMP said that nothing listens there."""
        ...

    def engine_denied(self) -> None:
        """A version 3 message came from an SNMP engine for which there are no keys."""
        ...


class _Dispatcher(AsyncioDispatcher):  # type: ignore[misc]  # pysnmp has no types
    """On the event loop's clock. pysnmp takes the wall clock: when that is set back, nothing times out."""

    def handle_timer_tick(self, timeNow: float) -> None:  # noqa: ARG002, N803
        super().handle_timer_tick(self.loop.time())


class _Transport(udp.UdpAsyncioTransport):  # type: ignore[misc]  # pysnmp has no types
    """A connected socket: the kernel drops what comes from elsewhere. pysnmp's own takes datagrams from anywhere."""

    PROTO_TRANSPORT_DISPATCHER = _Dispatcher

    def __init__(self, listener: Listener) -> None:
        super().__init__(loop=asyncio.get_running_loop())
        self.closed = asyncio.Event()
        self._listener = listener

    def datagram_received(self, datagram: bytes, transportAddress: object) -> None:  # noqa: ARG002, N803
        self._listener.received(datagram)

    def decode(self, datagram: bytes, address: Any) -> None:
        """pysnmp does this in a callback of the event loop, which logs each error that a device provokes."""
        self._callback_function(self, address, datagram)

    def send_message(self, outgoingMessage: bytes, transportAddress: object) -> None:  # noqa: ARG002, N803
        if not self.transport.is_closing():
            self.transport.sendto(outgoingMessage)

    def error_received(self, exc: Exception) -> None:
        if isinstance(exc, ConnectionRefusedError):
            self._listener.refused()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self.closed.set()


class Stack:
    """Asks one device through pysnmp's high-level API. Made by `open`."""

    def __init__(self, engine: Any, credentials: SnmpV1V2 | SnmpV3, listener: Listener) -> None:
        self._engine = engine
        self._listener = listener
        self._credentials = credentials
        self._user = _user(credentials)
        self._context = ContextData(contextName=getattr(credentials, "context", "").encode())
        self._verdict = ""
        self._closed = False
        self._transport: Any = None
        self._target: Any = None

    @classmethod
    async def open(cls, peer: tuple[str, int], credentials: SnmpV1V2 | SnmpV3, listener: Listener) -> Stack:
        """Raises NoAnswer when there is no way to that address."""
        engine = await asyncio.to_thread(SnmpEngine, maxMessageSize=MOST_OCTETS)
        stack = cls(engine, credentials, listener)
        try:
            await stack._connect(peer)
            # Keys are made here, off the loop (110 ms); the first command finds all set up.
            await asyncio.to_thread(
                CommandGeneratorLcdConfigurator().configure, engine, stack._user, stack._target, stack._context.contextName
            )
        except BaseException:
            await stack.close()
            raise
        models = engine.message_processing_subsystems
        for model in [model for model in models if model != stack._user.message_processing_model]:
            del models[model]  # an answer of another version is not even decoded
        engine.observer.register_observer(stack._observe, _SENT, _ANSWERED, _REPORTED, *_FAILED, *_KNOWN)
        return stack

    async def _connect(self, peer: tuple[str, int]) -> None:
        six = ":" in peer[0]
        make, domain = (Udp6TransportTarget, udp6.DOMAIN_NAME) if six else (UdpTransportTarget, udp.DOMAIN_NAME)
        self._target = await make.create(peer, timeout=FORGET_S, retries=0)
        transport = _Transport(self._listener)
        try:
            await asyncio.get_running_loop().create_datagram_endpoint(lambda: transport, remote_addr=peer)
        except OSError as error:
            raise NoAnswer(f"cannot send to {peer[0]}: {error.strerror or error}") from None
        self._transport = transport
        config.add_transport(self._engine, domain, transport)
        self._engine.transport_dispatcher.set_timer_resolution(_TICK_S)

    async def close(self) -> None:
        """Returns when the socket is closed and pysnmp's timer has ended; who still waits for an answer gets none."""
        if self._closed:
            return
        self._closed = True
        self._engine.observer.unregister_observer()
        dispatcher = self._engine.transport_dispatcher
        if dispatcher is None:
            return
        ticking = dispatcher.loopingcall
        with contextlib.suppress(PySnmpError):  # a stack whose opening was given up may not have them yet
            if isinstance(self._credentials, SnmpV3):
                config.delete_v3_user(self._engine, self._credentials.user)
            else:
                config.delete_v1_system(self._engine, _COMMUNITY_INDEX)
        self._engine.close_dispatcher()
        await asyncio.wait((ticking,))
        await self._transport.closed.wait()

    @property
    def knows_peer(self) -> bool:
        """Version 3: the device's engine ID is known. Always so for the others."""
        if isinstance(self._credentials, SnmpV1V2):
            return True
        model = self._engine.message_processing_subsystems[3]
        known: bool = model.get_peer_engine_info(*self._target.get_transport_info())[0] is not None
        return known

    async def command(self, request: Request) -> Result:
        """Send a request and wait for pysnmp's result, without a deadline. Raises pysnmp's errors, NoAnswer when closed."""
        if self._closed:
            raise NoAnswer("no answer")
        where = (self._engine, self._user, self._target, self._context)
        objects = asked(request)
        result: Result
        if request.operation is Operation.GET_BULK:
            result = await bulk_cmd(*where, 0, request.max_repetitions, *objects, lookupMib=False)
        elif request.operation is Operation.GET_NEXT:
            result = await next_cmd(*where, *objects, lookupMib=False)
        else:
            result = await get_cmd(*where, *objects, lookupMib=False)
        return result

    def decode(self, datagram: bytes) -> str:
        """Let pysnmp take a datagram in; the word of the failed check, or empty."""
        self._verdict = "malformed"
        if isinstance(self._credentials, SnmpV1V2) and (check := _check_type(datagram)):
            return check
        try:
            self._transport.decode(datagram, self._target.transport_address)
        except Exception:  # several kinds get out of pysnmp: of a negative error-index in version 1, say
            return "malformed"
        return self._verdict

    def _observe(self, _engine: object, point: str, variables: dict[str, Any], _context: object) -> None:
        """pysnmp calls this at the points of its way that `open` names."""
        if point == _SENT:
            self._verdict = ""
            self._listener.sent(int(variables["pdu"][0]))
        elif point == _ANSWERED:
            self._verdict = "" if self._listener.answered(int(variables["pdu"][0])) else "unpaired"
        elif point == _REPORTED:
            self._verdict = ""
        elif point in _KNOWN:
            self._verdict = "unpaired"
        else:
            self._verdict = _FAILED[point]
            if name_of(variables["statusInformation"].get("errorIndication")) in ("unknownUserName", "unknownSecurityName"):
                self._listener.engine_denied()


def _check_type(datagram: bytes) -> str:
    """pysnmp takes a Report of version 2c for a Response, lengths that RFC 3417 forbids, and octets after the message."""
    try:
        return "" if pdu_tag(datagram) == _RESPONSE else "pdu_type"
    except ValueError:
        return "malformed"


def _user(credentials: SnmpV1V2 | SnmpV3) -> Any:
    if isinstance(credentials, SnmpV1V2):
        community = credentials.community.get_secret_value().encode()
        return CommunityData(_COMMUNITY_INDEX, community, mpModel=0 if credentials.version == "1" else 1)
    auth, auth_key, privacy, privacy_key = usm_keys(credentials)
    return UsmUserData(credentials.user, authKey=auth_key, privKey=privacy_key, authProtocol=auth, privProtocol=privacy)
