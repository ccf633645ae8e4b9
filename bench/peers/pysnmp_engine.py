"""Linewatch's pysnmp engine as a poller: `PORT DEVICES TICKS get|v3`."""

from __future__ import annotations

import asyncio
import json

from bench.fastagent import COMMUNITY, FastAgent
from bench.peers.workload import GETS, V3, Tally, arguments
from server.core.errors import SourceError
from server.sources.snmp.engine import Session, Wait
from server.sources.snmp.message import Operation, Request
from server.sources.snmp.pysnmp_stack.polling import PysnmpEngine
from server.sources.snmp.settings import SnmpV1V2, SnmpV3
from server.sources.snmp.wire import Tag

_TIMEOUT_S = 20.0


def _ignore(_word: str) -> None:
    """A failed check: the answer is missing from the count of varbinds."""


async def main(port: int, devices: int, ticks: int, mode: str) -> None:
    """Poll all devices at once, each one PDU after the other, as often as said; print what was read and what it cost."""
    engine, loop = PysnmpEngine(), asyncio.get_running_loop()
    credentials: SnmpV1V2 | SnmpV3 = SnmpV1V2.model_validate({"version": "2c", "community": COMMUNITY})
    if mode == "v3":
        credentials = SnmpV3.model_validate(V3)
    requests = [Request.of(Operation.GET, oids) for oids in GETS]
    tally = Tally()

    async def poll(session: Session, count: int) -> None:
        for _ in range(count):
            for request in requests:
                try:
                    answer = await session.ask(request, Wait(1, _TIMEOUT_S, loop.time() + _TIMEOUT_S))
                except SourceError:
                    tally.bad += 1
                    continue
                tally.varbinds += len(answer.varbinds)
                tally.octets += sum(varbind.number(Tag.COUNTER64) or 0 for varbind in answer.varbinds[1:])

    peers = [(FastAgent.address(device), port) for device in range(1, devices + 1)]
    sessions = [await engine.open(peer, credentials, _ignore) for peer in peers]
    await asyncio.gather(*(poll(session, 1) for session in sessions))
    tally.begin()
    await asyncio.gather(*(poll(session, ticks) for session in sessions))
    print(json.dumps(tally.result()))
    await asyncio.gather(*(session.close() for session in sessions))


if __name__ == "__main__":
    asyncio.run(main(*arguments("get", "v3")))
