"""What is asked and what comes back, apart from how a version of SNMP packs it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import NamedTuple, Protocol

from server.sources.snmp.wire import Tag, VarBind, element

MOST_OCTETS = 1472  # of UDP payload in an Ethernet frame without fragments


class Operation(Enum):
    GET = "get"
    GET_NEXT = "get-next"
    GET_BULK = "get-bulk"


class ErrorStatus(IntEnum):
    """Of a Response (RFC 3416 section 3); others are only numbers to us."""

    NO_ERROR = 0
    TOO_BIG = 1
    NO_SUCH_NAME = 2
    NO_ACCESS = 6
    AUTHORIZATION_ERROR = 16


@dataclass(frozen=True, slots=True)
class Request:
    """An operation on encoded OIDs; `varbinds` are those with NULL, ready to be sent."""

    operation: Operation
    varbinds: tuple[bytes, ...]
    max_repetitions: int = 0

    @classmethod
    def of(cls, operation: Operation, oids: tuple[bytes, ...], max_repetitions: int = 0) -> Request:
        return cls(operation, tuple(map(_null_varbind, oids)), max_repetitions)


def _null_varbind(oid: bytes) -> bytes:
    return element(0x30, element(Tag.OBJECT_IDENTIFIER, oid) + bytes((Tag.NULL, 0)))


class Response(NamedTuple):
    """A Response PDU as it came; `request_id` is not yet paired."""

    request_id: int
    error_status: int
    error_index: int
    varbinds: tuple[VarBind, ...]


class Report(NamedTuple):
    """An SNMPv3 Report. `again`: ask again, with what it taught; otherwise `words` tells the operator what is wrong."""

    request_id: int
    again: bool
    words: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A Response that pairs with its request; CLOCK_BOOTTIME of sending and receiving."""

    sent_ns: int
    received_ns: int
    error_status: int
    error_index: int
    varbinds: tuple[VarBind, ...]


class Codec(Protocol):
    """Makes and reads the datagrams of one device. Nothing here waits."""

    overhead: int  # octets of an answer around its varbinds, at most
    silent_refusal: bool  # a wrong key or context may be met with silence after the engine ID was given

    @property
    def knows_peer(self) -> bool:
        """False: the next request only asks for the device's engine ID, and is answered with a Report."""
        ...

    def encode(self, request: Request, request_id: int) -> bytes: ...

    def decode(self, datagram: bytes) -> Response | Report:
        """Raises BadReply, whose text is the word of the failed check."""
        ...

    def forget(self, request_id: int) -> None:
        """No answer to this request is awaited any more."""
        ...
