"""Turns requests into datagrams and datagrams into answers, for SNMP 1, 2c and 3.

pysnmp's message processing and user-based security models are used directly, without its dispatcher: sockets, deadlines and
the pairing of answers are `session.py`'s. Varbinds stay raw (`wire.py`).
"""

from __future__ import annotations

import asyncio
import copy
import weakref
from typing import Any

from pyasn1.codec.ber import decoder, encoder
from pyasn1.type import namedtype, univ
from pysnmp.entity import config
from pysnmp.entity.engine import SnmpEngine
from pysnmp.proto import errind, rfc1157, rfc1905
from pysnmp.proto.error import StatusInformation
from pysnmp.proto.mpmod import rfc3412
from pysnmp.proto.secmod.rfc3414 import SnmpUSMSecurityModel

from server.core.clock import boot_ns
from server.core.errors import AuthFailed, BadReply
from server.sources.snmp.message import MOST_OCTETS, Codec, Operation, Report, Request, Response
from server.sources.snmp.pysnmp_stack.keys import Learned, localised_keys
from server.sources.snmp.pysnmp_stack.security import anew_pause_s, overhead, usm_keys, words
from server.sources.snmp.settings import SnmpV1V2, SnmpV3
from server.sources.snmp.wire import parse_varbind

_EXPIRE_S = 10.0  # one tick of pysnmp's caches; it forgets a device's clock and engine ID after 300 of them
_UDP_DOMAIN = (1, 3, 6, 1, 6, 1, 1)


def _pdu(like: Any) -> Any:
    """A PDU type with raw varbinds and numbers without bounds; `like` gives its tag."""
    names = ("request-id", "error-status", "error-index")
    fields = [namedtype.NamedType(name, univ.Integer()) for name in names]
    raw = type("RawVarBinds", (univ.SequenceOf,), {"componentType": univ.Any()})
    types = namedtype.NamedTypes(*fields, namedtype.NamedType("variable-bindings", raw()))
    return type("RawPdu", (univ.Sequence,), {"tagSet": like.tagSet, "componentType": types})


def _type(base: Any, name: str, **fields: Any) -> Any:
    types = namedtype.NamedTypes(*(namedtype.NamedType(key, kind) for key, kind in fields.items()))
    return type(name, (base,), {"componentType": types})


# The request types of version 1 and 2c have the same tags; an answer is a Response, a GetResponse in RFC 1157's words.
_REQUESTS = {
    Operation.GET: _pdu(rfc1905.GetRequestPDU),
    Operation.GET_NEXT: _pdu(rfc1905.GetNextRequestPDU),
    Operation.GET_BULK: _pdu(rfc1905.GetBulkRequestPDU),
}
_RESPONSE = _pdu(rfc1157.GetResponsePDU)
_PDUS = _type(
    univ.Choice,
    "RawPdus",
    get=_REQUESTS[Operation.GET](),
    next=_REQUESTS[Operation.GET_NEXT](),
    bulk=_REQUESTS[Operation.GET_BULK](),
    response=_RESPONSE(),
    report=rfc1905.ReportPDU(),
)
_COMMUNITY_MESSAGE = _type(
    univ.Sequence, "CommunityMessage", version=univ.Integer(), community=univ.OctetString(), data=_PDUS()
)
_SCOPED_PDU = _type(
    univ.Sequence, "RawScopedPdu", contextEngineId=univ.OctetString(), contextName=univ.OctetString(), data=_PDUS()
)
_SCOPED_DATA = _type(univ.Choice, "RawScopedData", plaintext=_SCOPED_PDU(), encryptedPDU=univ.OctetString())
_V3_MESSAGE = _type(
    univ.Sequence,
    "RawV3Message",
    msgVersion=univ.Integer(),
    msgGlobalData=rfc3412.HeaderData(),
    msgSecurityParameters=univ.OctetString(),
    msgData=_SCOPED_DATA(),
)


def _build(request: Request, request_id: int) -> Any:
    pdu = _REQUESTS[request.operation]()
    bulk = request.operation is Operation.GET_BULK
    for position, value in enumerate((request_id, 0, request.max_repetitions if bulk else 0)):
        pdu.setComponentByPosition(position, value)
    pdu.setComponentByPosition(3)
    raw = pdu.getComponentByPosition(3)
    raw.clear()
    for position, varbind in enumerate(request.varbinds):
        raw.setComponentByPosition(position, univ.Any(varbind), verifyConstraints=False, matchTags=False)
    return pdu


def _read(pdu: Any) -> Response:
    if pdu.tagSet != _RESPONSE.tagSet:
        raise BadReply("pdu_type")
    try:
        varbinds = tuple(parse_varbind(raw.asOctets()) for raw in pdu.getComponentByPosition(3))
    except ValueError:
        raise BadReply("malformed") from None
    return Response(int(pdu[0]), int(pdu[1]), int(pdu[2]), varbinds)


class CommunityCodec:
    """SNMP 1 (RFC 1157) and 2c (RFC 1901): pairs by request-id, version and community.

    No device is polled with it: it is the reference of the batch engine's decoding in the differential fuzz.
    """

    knows_peer = True
    silent_refusal = False

    def __init__(self, credentials: SnmpV1V2) -> None:
        self._version = 0 if credentials.version == "1" else 1
        self._community = credentials.community.get_secret_value().encode()
        self._spec = _COMMUNITY_MESSAGE()
        self.overhead = overhead(credentials)

    def encode(self, request: Request, request_id: int) -> bytes:
        pdu = _build(request, request_id)
        message = _COMMUNITY_MESSAGE()
        message.setComponentByPosition(0, self._version)
        message.setComponentByPosition(1, self._community)
        message.setComponentByPosition(2).getComponentByPosition(2).setComponentByType(pdu.tagSet, pdu)
        encoded: bytes = encoder.encode(message)
        return encoded

    def decode(self, datagram: bytes) -> Response | Report:
        try:
            message, rest = decoder.decode(datagram, asn1Spec=self._spec)
            version, community, pdu = int(message[0]), bytes(message[1]), message[2].getComponent()
        except Exception:  # pyasn1 lets many kinds of error out, recursion among them
            raise BadReply("malformed") from None
        if rest:
            raise BadReply("malformed")
        if version != self._version:
            raise BadReply("version")
        if community != self._community:
            raise BadReply("community")
        return _read(pdu)

    def forget(self, request_id: int) -> None:
        """Nothing is kept."""


class _V3Model(rfc3412.SnmpV3MessageProcessingModel):  # type: ignore[misc]  # pysnmp has no types
    SNMP_MSG_SPEC = _V3_MESSAGE


class _Mute:
    """Stands where pysnmp wants a transport: a device is never sent reports about its own answers."""

    def get_timer_resolution(self) -> float:
        return 1.0

    def send_message(self, *_: object) -> None:
        """Drop it."""


class V3Codec:
    """SNMP 3 (RFC 3412, RFC 3414) for one device: the keys are shared, clocks and pending messages are its own."""

    silent_refusal = True

    def __init__(self, engine: Any, credentials: SnmpV3) -> None:
        self._shared = engine  # kept: the pool holds it weakly
        self._model = _V3Model()
        self._view = copy.copy(engine)
        self._view.security_models = {3: SnmpUSMSecurityModel()}
        self._view.message_processing_subsystems = {3: self._model}
        self._user = univ.OctetString(credentials.user)
        self._context = univ.OctetString(credentials.context)
        self._level = 1 + (credentials.auth is not None) + (credentials.privacy is not None)
        self._generation = 0
        self._anew_ns = 0
        self._proven: int | None = None  # the generation in which an answer came
        self._heard: tuple[bytes, int] | None = None  # the newest answer, and when it was read
        self._expired_ns = boot_ns()
        self.overhead = overhead(credentials)

    @property
    def _peer(self) -> tuple[str, int]:
        # pysnmp knows a device by its address. A new generation makes it ask for the engine ID again.
        return ("device", self._generation)

    @property
    def knows_peer(self) -> bool:
        return self._model.get_peer_engine_info(_UDP_DOMAIN, self._peer)[0] is not None

    def encode(self, request: Request, request_id: int) -> bytes:
        self._expire()
        pdu = _build(request, request_id)
        arguments = (_UDP_DOMAIN, self._peer, 3, 3, self._user, self._level, None, self._context, 1, pdu, True, request_id)
        try:
            datagram: bytes = self._model.prepare_outgoing_message(self._view, *arguments)[2]
        except StatusInformation as error:
            raise AuthFailed(words(error.get("errorIndication"))) from None
        return datagram

    def decode(self, datagram: bytes) -> Response | Report:
        knew_peer = self.knows_peer
        try:
            elements = self._model.prepare_data_elements(self._view, _UDP_DOMAIN, self._peer, datagram)
        except StatusInformation as error:
            return self._report(error, knew_peer)
        except Exception:  # whatever pyasn1 and pysnmp make of a hostile datagram
            raise BadReply("malformed") from None
        pdu, request_id = elements[7], elements[9]
        response = _read(pdu)
        if request_id != response.request_id:
            raise BadReply("request_id")
        self._proven = self._generation
        self._heard = (datagram, boot_ns())
        return response

    def learned(self) -> Learned | None:
        """What its newest answer proved. None: it has not answered since its engine ID was asked for."""
        engine_id, context_engine_id, _ = self._model.get_peer_engine_info(_UDP_DOMAIN, self._peer)
        if engine_id is None or self._heard is None or self._proven != self._generation:
            return None
        auth_key, privacy_key = localised_keys(self._view, engine_id, self._user)
        user, context = self._user.asOctets(), self._context.asOctets()
        owner = (context_engine_id or engine_id).asOctets()
        return Learned(*self._heard, engine_id.asOctets(), user, owner, context, auth_key, privacy_key)

    def forget(self, request_id: int) -> None:
        self._model.release_state_information(request_id)

    def _report(self, error: StatusInformation, knew_peer: bool) -> Report:
        request_id = error.get("sendPduHandle")
        indication = error.get("errorIndication")
        # An agent that was replaced has another engine ID. It denies the old one, or says that it does not know the user
        # there; or its report bears the new one, for which there are no keys here yet.
        proven = self._proven == self._generation
        replaced = proven and indication in (errind.unknownUserName, errind.unknownSecurityName)
        if replaced or (knew_peer and indication == errind.unknownEngineID):
            self._ask_engine_id()
        if request_id is None:
            raise BadReply("engine_id" if replaced else "security") from None
        again = replaced or indication in (errind.unknownEngineID, errind.notInTimeWindow)
        return Report(int(request_id), again, words(error.get("errorIndication")))

    def _ask_engine_id(self) -> None:
        """Before the next request; less and less often, for a device that makes up new ones."""
        now_ns = boot_ns()
        if now_ns - self._anew_ns >= anew_pause_s(self._generation) * 1e9:
            self._anew_ns = now_ns
            self._generation += 1

    def _expire(self) -> None:
        now_ns = boot_ns()
        if now_ns - self._expired_ns > _EXPIRE_S * 1e9:
            self._expired_ns = now_ns
            self._model.receive_timer_tick(self._view, 0)
            self._view.security_models[3].receive_timer_tick(self._view, 0)


class Codecs:
    """Makes codecs. Devices with equal v3 credentials share an engine (0.9 MB, 50 ms); it goes with the last of them."""

    def __init__(self) -> None:
        self._engines: weakref.WeakValueDictionary[tuple[Any, ...], Any] = weakref.WeakValueDictionary()
        self._making = asyncio.Lock()

    async def codec(self, credentials: SnmpV1V2 | SnmpV3) -> Codec:
        if isinstance(credentials, SnmpV1V2):
            return CommunityCodec(credentials)
        key = (credentials.user, credentials.auth, credentials.privacy)
        async with self._making:
            engine = self._engines.get(key)
            if engine is None:
                engine = await asyncio.to_thread(_make_engine, credentials)
                self._engines[key] = engine
        return V3Codec(engine, credentials)


def _make_engine(credentials: SnmpV3) -> Any:
    engine = SnmpEngine(maxMessageSize=MOST_OCTETS)
    engine.transport_dispatcher = _Mute()
    auth, auth_key, privacy, privacy_key = usm_keys(credentials)
    config.add_v3_user(engine, credentials.user, auth, auth_key, privacy, privacy_key)
    return engine
