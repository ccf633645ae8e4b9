"""Whether interfaces still have the names that they were found by: a few requests, where reading all takes hundreds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from server.sources.snmp.engine import Session, Wait
from server.sources.snmp.message import Operation, Request
from server.sources.snmp.wire import VarBind

_MOST_OCTETS = 1000  # of the objects of one request: its answer fits an Ethernet frame
_AROUND = 12  # octets of a varbind around its OID and its value, at most
_MOST_VARBINDS = 24


async def still_named(names: Sequence[VarBind], session: Session, wait: Wait) -> bool:
    """Whether the device still has just these objects. False too where it cannot tell. Raises what `Session.ask` raises."""
    for part in _parts(names):
        answer = await session.ask(Request.of(Operation.GET, tuple(name.oid for name in part)), wait)
        if answer.error_status or answer.varbinds != part:
            return False
    return True


def _parts(names: Sequence[VarBind]) -> Iterator[tuple[VarBind, ...]]:
    part: list[VarBind] = []
    octets = 0
    for name in names:
        more = len(name.oid) + len(name.content) + _AROUND
        if part and (octets + more > _MOST_OCTETS or len(part) == _MOST_VARBINDS):
            yield tuple(part)
            part, octets = [], 0
        part.append(name)
        octets += more
    if part:
        yield tuple(part)
