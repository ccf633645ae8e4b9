"""The batch engine: all devices' ticks, sent and taken in together.

One step of the loop every 10 ms takes in what came, begins what is due and sends it. Ticks that are over go out every 20 ms,
and before their next ones begin; those that began together, side by side. Of one that is not as usual its owner is told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from server.core.blocks import NO_STAMP
from server.core.clock import boot_ns, loop_s
from server.core.errors import BadReply, NoAnswer
from server.core.model import Mask
from server.core.ports import Emit, SelfMetrics
from server.core.tasks import every
from server.sources.snmp.batch.bundle import Bundles
from server.sources.snmp.batch.harvest import Harvest
from server.sources.snmp.batch.lanes import NEVER, Lane, Lanes
from server.sources.snmp.batch.openers import Openers, security
from server.sources.snmp.batch.security import Community, Security
from server.sources.snmp.batch.sheet import NOWHERE, Sheet, requests
from server.sources.snmp.batch.slots import Slots
from server.sources.snmp.batch.telling import outcome
from server.sources.snmp.batch.template import SlotRequest
from server.sources.snmp.batch.ticks import Ticks
from server.sources.snmp.engine import PHASE_S, Bad, Credentials, Owner, Schedule, Steering, Target, Wait
from server.sources.snmp.message import Operation, Request
from server.sources.snmp.mib import SYS_UP_TIME
from server.sources.snmp.plan import Plan
from server.sources.snmp.session import SocketSession
from server.sources.snmp.wire import Tag

STEP_S = 0.01
_SYNCHRONISE_S = 1.0
_STEPS_A_BLOCK = 2  # a block of many devices costs little more than one of few
_HARMLESS = frozenset({"late", "duplicate", "address", "request_id", "error_status", "type", "flood"})
# Never sent: the slot of cells that do not exist.
_NOWHERE = SlotRequest(("127.0.0.1", 9), Community(1, b""), Operation.GET, (SYS_UP_TIME,), (Tag.TIME_TICKS,))


class BatchEngine:
    """Implements `PollEngine`. State: the lanes and their ticks, and the lanes whose ticks are over but not yet out."""

    name = "batch"
    most_varbinds = 100  # about as many as fit an Ethernet frame
    bulk = True

    def __init__(self, emit: Emit, metrics: SelfMetrics) -> None:
        self._emit = emit
        self._metrics = metrics
        self._openers = Openers()
        self._ticks: Ticks | None = None
        self._over: list[int] = []
        self._boot_s = 0.0  # CLOCK_BOOTTIME when the event loop's clock is zero
        self._bundles = Bundles()

    async def open(self, peer: tuple[str, int], credentials: Credentials, bad: Bad) -> SocketSession:
        """See `PollEngine`."""
        return await self._openers.session(peer, credentials, bad)

    async def rounds(self, target: Target, plan: Plan, schedule: Schedule, steering: Steering, owner: Owner) -> BatchRounds:
        """See `PollEngine`."""
        try:
            wrap = security(target.session, target.credentials)
        except NoAnswer:  # of version 3, the device has to be heard once in this session
            await _hear(target, steering.tries)
            wrap = security(target.session, target.credentials)
        ticks = self._made()
        number = ticks.lanes.new()
        try:
            fast, whole = self._sheets(number, plan, target, wrap)
        except NoAnswer:
            ticks.lanes.drop(number)
            raise
        stamps = np.full(len(plan.table.rows), NO_STAMP)
        lane = Lane(number, target, owner, schedule, steering, wrap, plan, fast, whole, stamps, bool(plan.stamped.any()))
        ticks.members[number] = lane
        ticks.lanes.steer(lane, boot_ns(), loop_s())
        ticks.lanes.slow_due[number] = 0 if schedule.slow_interval_s < np.inf else NEVER
        ticks.lanes.slow_interval[number] = round(min(schedule.slow_interval_s, 1e6) * 1e9)
        return BatchRounds(self, lane)

    def _made(self) -> Ticks:
        if self._ticks is None:
            slots = Slots(self._bad)
            first = slots.add([_NOWHERE]).tolist()
            assert first == [NOWHERE]
            self._ticks = Ticks(slots)
            self._boot_s = boot_ns() / 1e9 - loop_s()
            self._ticks.fit()
        return self._ticks

    def _sheets(self, number: int, plan: Plan, target: Target, wrap: Security) -> tuple[Sheet, Sheet]:
        """Slots for all that is asked, and where the cells are in them."""
        ticks = self._made()
        asks = plan.fast + plan.slow
        slots = ticks.slots.add(requests(asks, target.peer, wrap))
        ticks.fit()
        ticks.lane_of[slots] = number
        fast = Sheet.of(plan, plan.fast_metrics, plan.fast, slots[: len(plan.fast)])
        return fast, Sheet.of(plan, plan.fast_metrics + plan.slow_metrics, asks, slots)

    def _adopt(self, lane: Lane) -> None:
        """Go over to the plan that the lane's owner wants."""
        plan, lane.wanted = lane.wanted, None
        assert plan is not None
        ticks = self._made()
        try:
            sheets = self._sheets(lane.number, plan, lane.target, lane.security)
        except NoAnswer as error:  # there is no way to its address any more
            lane.owner.broke(error)
            return
        ticks.forget(lane)
        ticks.slots.remove(lane.slots)
        lane.fast, lane.whole = sheets
        if plan.table is not lane.plan.table:
            lane.stamps = np.full(len(plan.table.rows), NO_STAMP)
            ticks.lanes.slow_due[lane.number] = 0 if lane.schedule.slow_interval_s < np.inf else NEVER
        lane.oper = lane.last_change = None
        lane.plan, lane.stamped = plan, bool(plan.stamped.any())
        ticks.lanes.steer(lane, boot_ns(), loop_s())

    async def synchronise(self, lane: Lane) -> None:
        """Hear from the device, and wrap what it is asked from now on as it wants that. Raises SourceError, Unsupported."""
        target = lane.target
        await _hear(target, lane.steering.tries)
        if not isinstance(lane.security, Community):
            lane.security = security(target.session, target.credentials)
            lane.wanted = lane.wanted or lane.plan

    def end(self, lane: Lane) -> None:
        """The lane is polled no more."""
        ticks = self._made()
        ticks.forget(lane)
        ticks.slots.remove(lane.slots)
        del ticks.members[lane.number]
        ticks.lanes.drop(lane.number)
        self._over = [number for number in self._over if number != lane.number]

    def _bad(self, slot: int, word: str, count: int = 1) -> None:
        ticks = self._made()
        lane = ticks.members.get(int(ticks.lane_of[slot])) if slot >= 0 else None
        self._metrics.bad_reply(lane.target.device if lane is not None else "", word, count)
        if lane is not None and word not in _HARMLESS:
            lane.unreadable += count

    def close(self) -> None:
        """Close the sockets. Its rounds have ended."""
        ticks, self._ticks = self._ticks, None
        if ticks is not None:
            ticks.slots.close()

    # -- the loop

    async def run(self) -> None:
        """Poll for ever; ends by cancellation."""
        async for step in every(STEP_S):
            if self._ticks is not None and self._ticks.members:
                self._step(self._ticks, emit=step % _STEPS_A_BLOCK == 0)

    def _step(self, ticks: Ticks, *, emit: bool) -> None:
        ticks.take_in()
        now_ns = boot_ns()
        self._over += ticks.over(now_ns).tolist()
        ticks.go_on(now_ns)  # before what may take a while, so that answers come meanwhile
        if self._over and (emit or ticks.is_due(self._over, now_ns)):
            over, self._over = sorted(self._over), []
            self._put_out(ticks, over)
            now_ns = boot_ns()
        ticks.begin(now_ns, self._adopt)

    def _put_out(self, ticks: Ticks, over: Sequence[int]) -> None:
        """Emit, or tell, ticks that are over: side by side where they are of one kind and began together, so that the same
        devices stand side by side again and again: what was worked out for them holds."""
        kinds: defaultdict[tuple[bool, bool, int], list[Lane]] = defaultdict(list)
        phases = np.round((ticks.lanes.began[over] / 1e9 - self._boot_s) / PHASE_S).astype(np.int64).tolist()
        for number, phase in zip(over, phases, strict=True):
            lane = ticks.members[number]
            kinds[bool(ticks.lanes.slow[number]), lane.target.burst, phase].append(lane)
        for (slow, *_), members in kinds.items():
            self._put_out_kind(ticks, members, slow=slow)

    def _put_out_kind(self, ticks: Ticks, members: list[Lane], *, slow: bool) -> None:
        """Tell the owners of those that are not as usual, and emit all as one block."""
        lanes, now_ns = ticks.lanes, boot_ns()
        bundle = self._bundles.of(tuple([lane.whole if slow else lane.fast for lane in members]))
        harvest = Harvest.of(members, bundle, ticks.slots, ticks.came)
        interval_s = lanes.interval[harvest.lanes] / 1e9  # the owners may change it
        quiet = harvest.as_usual(lanes, ticks.slots) & (lanes.quiet_until[harvest.lanes] > now_ns)
        for device in np.flatnonzero(~quiet).tolist():
            self._tell(ticks, harvest, device, slow=slow)
        well = harvest.lanes[quiet]
        self._count_skipped(harvest, quiet, lanes)
        harvest.heard(lanes)
        harvest.remember_stamps()
        lanes.told[well] = False
        self._emit.readings(harvest.readings(interval_s))
        if len(well) and not members[0].target.burst:
            late_s = np.maximum(lanes.asked_at[well] - lanes.began[well], 0) / 1e9
            names = [lane.target.device for lane, fine in zip(members, quiet.tolist(), strict=True) if fine]
            self._metrics.polls_answered(names, harvest.reply_s()[quiet], late_s)

    def _count_skipped(self, harvest: Harvest, quiet: Mask, lanes: Lanes) -> None:
        """Ticks that were left out before these; owners count those of which they are told."""
        skipped = lanes.skipped[harvest.lanes]
        for device in np.flatnonzero(quiet & (skipped > 0)).tolist():
            target = harvest.members[device].target
            if not target.burst:
                self._metrics.poll_failed(target.device, "skipped", int(skipped[device]))
        lanes.skipped[harvest.lanes] = 0

    def _tell(self, ticks: Ticks, harvest: Harvest, device: int, *, slow: bool) -> None:
        lane, lanes, now_s = harvest.members[device], ticks.lanes, loop_s()
        number = lane.number
        quiet_s = None if lanes.told[number] else now_s - (boot_ns() - int(lanes.seen[number])) / 1e9
        found = outcome(lane, lanes, ticks.slots, ticks.came, slow=slow, quiet_s=quiet_s)
        harvest.remember(device)
        lanes.told[number] = True
        try:
            lane.steering = lane.owner.ticked(found)
        except Exception as error:
            found.trusted = False
            lane.owner.broke(error)
            lanes.due[number] = NEVER
        else:
            lanes.steer(lane, boot_ns(), now_s)
        harvest.told(device, trusted=found.trusted)


class BatchRounds:
    """Implements `Rounds`: one lane."""

    def __init__(self, engine: BatchEngine, lane: Lane) -> None:
        self._engine = engine
        self._lane = lane

    def use(self, plan: Plan) -> None:
        """See `Rounds`."""
        self._lane.wanted = plan

    async def synchronise(self) -> None:
        """See `Rounds`."""
        await self._engine.synchronise(self._lane)

    async def close(self) -> None:
        """See `Rounds`."""
        self._engine.end(self._lane)


async def _hear(target: Target, tries: int) -> None:
    """Have the device answer something in its session. Raises SourceError."""
    request = Request.of(Operation.GET, (SYS_UP_TIME,))
    wait = Wait(tries, _SYNCHRONISE_S, loop_s() + 2 * tries * _SYNCHRONISE_S)
    try:
        await target.session.ask(request, wait)
    except BadReply:  # the first words of a device that was replaced only show that it was
        await target.session.ask(request, wait)
