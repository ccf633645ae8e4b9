"""Real answers, recorded from a running agent: what the differential fuzz begins with."""

from __future__ import annotations

import socket
from dataclasses import dataclass, replace

from server.sources.snmp.batch.security import Community, Security
from server.sources.snmp.batch.template import SlotRequest, Template
from server.sources.snmp.message import Operation
from server.sources.snmp.wire import Tag, encode_oid
from tests.support.agents import AgentBuilder, SimulatedAgent, steady

REQUEST_ID = 0x12345678
ID_OCTETS = REQUEST_ID.to_bytes(4, "big")
COMMUNITY = b"fuzz"
VERSION_1, VERSION_2C, VERSION_3 = 0, 1, 3
_IF, _IF_X = (1, 3, 6, 1, 2, 1, 2, 2, 1), (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)
_UP_TIME = (1, 3, 6, 1, 2, 1, 1, 3, 0)
_ROWS = 7
_ABSENT = 999


@dataclass(frozen=True, slots=True)
class Sample:
    """A request and the agent's answer, whose request-id is `REQUEST_ID`. Of version 3 the PDU alone."""

    name: str
    version: int
    operation: Operation
    asked: tuple[bytes, ...]
    oids: tuple[bytes, ...]
    tags: tuple[int, ...]
    answer: bytes
    max_repetitions: int = 0


def record() -> list[Sample]:
    """From an agent that runs meanwhile. Two of its counters are above 2^63, and take nine octets."""
    agent = AgentBuilder("fuzz")
    for row in range(1, _ROWS + 1):
        agent.interface(f"p{row}", in_bps=steady(8_000_000 * row, initial=2**63 + row if row in (2, 5) else 10**12 + row))
    with SimulatedAgent(agent, communities=(COMMUNITY.decode(),)) as running:
        return _record(running.port)


def _record(port: int) -> list[Sample]:
    wide = [(_UP_TIME, Tag.TIME_TICKS), *(((*_IF_X, 6, row), Tag.COUNTER64) for row in range(1, _ROWS + 1))]
    mixed = [
        (_UP_TIME, Tag.TIME_TICKS),
        ((*_IF, 10, 1), Tag.COUNTER32),
        ((*_IF, 14, 2), Tag.COUNTER32),
        ((*_IF, 8, 3), Tag.INTEGER),
        ((*_IF_X, 15, 4), Tag.GAUGE32),
        ((*_IF, 7, 1), Tag.INTEGER),
    ]
    absent = [*wide[:3], ((*_IF_X, 6, _ABSENT), Tag.COUNTER64), *wide[3:6]]
    samples = [
        _get(port, "v1 GET", VERSION_1, mixed),
        _get(port, "v2c GET", VERSION_2C, wide),
        _get(port, "v2c GET of several types", VERSION_2C, mixed),
        _get(port, "v2c GET with noSuchInstance", VERSION_2C, absent),
        _bulk(port, wide),
    ]
    plain = [samples[1], samples[3], samples[4]]
    samples += [replace(one, name=f"{one.name}, long lengths", answer=long_lengths(one.answer)) for one in plain]
    samples += [replace(one, name="v3" + one.name[3:], version=VERSION_3, answer=pdu_of(one.answer)) for one in plain]
    return samples


def _get(port: int, name: str, version: int, cells: list[tuple[tuple[int, ...], Tag]]) -> Sample:
    oids, tags = tuple(encode_oid(oid) for oid, _ in cells), tuple(int(tag) for _, tag in cells)
    return _recorded(port, Sample(name, version, Operation.GET, (), oids, tags, b""))


def _bulk(port: int, cells: list[tuple[tuple[int, ...], Tag]]) -> Sample:
    oids, tags = tuple(encode_oid(oid) for oid, _ in cells), tuple(int(tag) for _, tag in cells)
    asked = (encode_oid(_UP_TIME[:-1]), encode_oid((*_IF_X, 6)))
    return _recorded(port, Sample("v2c GETBULK", VERSION_2C, Operation.GET_BULK, asked, oids, tags, b"", _ROWS))


def _recorded(port: int, sample: Sample) -> Sample:
    request = slot_request(sample, ("127.0.0.1", port), Community(sample.version, COMMUNITY))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5.0)
        client.connect(request.address)
        client.send(Template.of(request).with_id(REQUEST_ID))
        return replace(sample, answer=client.recv(65535))


def slot_request(sample: Sample, address: tuple[str, int], security: Security) -> SlotRequest:
    """The entry of the request table that asks what this sample answers."""
    return SlotRequest(address, security, sample.operation, sample.oids, sample.tags, sample.max_repetitions, sample.asked)


def pdu_of(answer: bytes) -> bytes:
    """The PDU of a message with this community."""
    return answer[answer.index(COMMUNITY) + len(COMMUNITY) :]


def long_lengths(element: bytes) -> bytes:
    """The same, with lengths of three octets around all that is put together: net-snmp encodes so."""
    tag, length, at = element[0], element[1], 2
    if length >= 0x80:
        at += length & 0x7F
        length = int.from_bytes(element[2:at], "big")
    content, rest = element[at : at + length], element[at + length :]
    if tag & 0x20:
        content = long_lengths(content) if content else b""
        whole = bytes((tag, 0x82)) + len(content).to_bytes(2, "big") + content
    else:
        whole = element[: at + length]
    return whole + (long_lengths(rest) if rest else b"")
