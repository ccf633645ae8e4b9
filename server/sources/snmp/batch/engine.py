"""The batch engine: all devices' ticks, sent and taken in together."""

from __future__ import annotations

from server.core.ports import Emit, SelfMetrics
from server.sources.snmp.engine import Bad, Credentials, Owner, Schedule, Steering, Target
from server.sources.snmp.plan import Plan
from server.sources.snmp.pysnmp_stack.codec import Codecs
from server.sources.snmp.rounds import AskingRounds
from server.sources.snmp.session import SocketSession


class BatchEngine:
    """Implements `PollEngine`."""

    name = "batch"
    most_varbinds = 24
    bulk = False

    def __init__(self, emit: Emit, metrics: SelfMetrics) -> None:
        self._emit = emit
        self._metrics = metrics
        self._codecs = Codecs()

    async def open(self, peer: tuple[str, int], credentials: Credentials, bad: Bad) -> SocketSession:
        return await SocketSession.open(peer, await self._codecs.codec(credentials), bad)

    async def rounds(self, target: Target, plan: Plan, schedule: Schedule, steering: Steering, owner: Owner) -> AskingRounds:
        return AskingRounds(target, plan, schedule, steering, owner)

    async def run(self) -> None:
        """Nothing yet."""
