"""Linewatch's batch engine, its wire without its schedule: `PORT DEVICES TICKS get|bulk|v3`.

As many requests under way as with the C limit; each tick begins when the one before is answered.
"""

from __future__ import annotations

import asyncio
import json
import select

import numpy as np
from numpy.typing import NDArray

from bench.fastagent import COMMUNITY, FastAgent
from bench.peers.workload import BULKS, GETS, ROWS, V3, Tally, arguments
from server.sources.snmp.batch.security import Community, Security
from server.sources.snmp.batch.slots import Slots
from server.sources.snmp.batch.template import SlotRequest
from server.sources.snmp.batch.usm import usm_peer
from server.sources.snmp.engine import Wait
from server.sources.snmp.message import Operation, Request
from server.sources.snmp.mib import SYS_UP_TIME
from server.sources.snmp.pysnmp_stack.codec import Codecs, V3Codec
from server.sources.snmp.session import SocketSession
from server.sources.snmp.settings import SnmpV3
from server.sources.snmp.wire import Tag

_BLOCK, _WINDOW = 128, 256
_TIMEOUT_MS = 2000
_LEARN_S = 60.0


def _ignore(slot: int, word: str, count: int = 1) -> None:
    """A failed check: the answer is missing from the count of varbinds."""


def requests(securities: list[Security], port: int, mode: str) -> list[SlotRequest]:
    """Two for each device."""
    tags = (Tag.TIME_TICKS, *[Tag.COUNTER64] * (len(GETS[0]) - 1))
    bulk = mode == "bulk"
    return [
        SlotRequest(
            (FastAgent.address(device), port),
            security,
            Operation.GET_BULK if bulk else Operation.GET,
            oids,
            tags,
            ROWS if bulk else 0,
            asked if bulk else (),
        )
        for device, security in enumerate(securities, 1)
        for oids, asked in zip(GETS, BULKS, strict=True)
    ]


async def learn(port: int, devices: int) -> list[Security]:
    """Version 3: what pysnmp learns of each device, as the engine does it."""
    credentials, codecs = SnmpV3.model_validate(V3), Codecs()
    request, deadline_s = Request.of(Operation.GET, (SYS_UP_TIME,)), asyncio.get_running_loop().time() + _LEARN_S
    securities: list[Security] = []
    for device in range(1, devices + 1):
        codec = await codecs.codec(credentials)
        assert isinstance(codec, V3Codec)
        session = await SocketSession.open((FastAgent.address(device), port), codec, lambda _: None)
        await session.ask(request, Wait(2, _TIMEOUT_MS / 1000, deadline_s))
        securities.append(usm_peer(codec, credentials))
        await session.close()
    return securities


def tick(slots: Slots, numbers: NDArray[np.intp], readable: select.poll) -> int:
    """Ask all once; how many were not answered."""
    sent = answered = 0
    while answered < len(numbers):
        while sent < len(numbers) and sent - answered <= _WINDOW - _BLOCK:
            went = slots.send(numbers[sent : sent + _BLOCK])
            if not went:
                break
            sent += went
        count = len(slots.receive())
        answered += count
        if not count and not readable.poll(_TIMEOUT_MS):
            break
    return len(numbers) - answered


def main(port: int, devices: int, ticks: int, mode: str) -> None:
    """Poll all devices as often as said; print what was read and what it cost."""
    slots = Slots(_ignore)
    readable = select.poll()
    for descriptor in slots.filenos():
        readable.register(descriptor, select.POLLIN)
    securities: list[Security] = [Community(1, COMMUNITY.encode())] * devices
    if mode == "v3":
        securities = asyncio.run(learn(port, devices))
    numbers = slots.add(requests(securities, port, mode))
    tally = Tally()
    tick(slots, numbers, readable)  # learns the layouts
    tally.begin()
    for _ in range(ticks):
        tally.bad += tick(slots, numbers, readable)
        tally.varbinds += int(np.count_nonzero(slots.valid[numbers]))
    result = tally.result()
    counters = slots.values[numbers, 1:]
    print(json.dumps(result | {"mean": float(counters.mean(where=slots.valid[numbers, 1:]))}))
    slots.close()


if __name__ == "__main__":
    main(*arguments("get", "bulk", "v3"))
