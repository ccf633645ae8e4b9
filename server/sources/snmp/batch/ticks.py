"""The ticks of all lanes: begin those that are due, send, take answers in, send again, end. Nothing here waits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from server.sources.snmp.batch.lanes import NEVER, Lane, Lanes
from server.sources.snmp.batch.slots import Slots

_MOST_WAITING = 1024  # answers that the sockets are trusted to hold between two steps, at the buffer size that was asked for
_SOON_NS = 100_000_000  # an answer that is to come at about the time of others comes by then
_OCTETS_OF_ANSWER = 4608  # that the kernel counts for one of 1,500


class Ticks:
    """State: the lanes and their slots.

    (slots,) are `came`: an answer came to the newest request; `lane_of`, the lane of each; `_unsent`: still to be sent in
    its tick. A lane's slots follow each other.
    """

    def __init__(self, slots: Slots) -> None:
        self.lanes = Lanes()
        self.members: dict[int, Lane] = {}
        self.slots = slots
        self.came = np.zeros(0, np.bool_)
        self.lane_of = np.zeros(0, np.intp)
        self._unsent = np.zeros(0, np.bool_)
        self._most_waiting = max(16, min(_MOST_WAITING, slots.receive_buffer_octets // _OCTETS_OF_ANSWER))

    def fit(self) -> None:
        """After slots were added: columns for all of them."""
        more = len(self.slots.pending) - len(self.came)
        if more > 0:
            self.came, self._unsent = (np.append(old, np.zeros(more, np.bool_)) for old in (self.came, self._unsent))
            self.lane_of = np.concatenate([self.lane_of, np.zeros(more, np.intp)])

    def forget(self, lane: Lane) -> None:
        """Its slots are used no more; what was under way is given up."""
        self.slots.give_up(lane.slots)
        self._unsent[lane.slots] = False

    def take_in(self) -> None:
        """Take in all answers that have come."""
        answered = self.slots.receive()
        if len(answered):
            self.came[answered] = True
            self.lanes.open -= np.bincount(self.lane_of[answered], minlength=len(self.lanes.open)).astype(np.int32)

    def is_due(self, numbers: list[int], now_ns: int) -> bool:
        """Whether a tick of any of these lanes would begin now: what their last one brought would be gone."""
        return bool((self.lanes.due[numbers] <= now_ns).any())

    def begin(self, now_ns: int, adopt: Callable[[Lane], None]) -> None:
        """Begin the ticks that are due. A lane whose tick is still under way leaves this one out.

        `adopt` is called for a lane that wants another plan from this tick on.
        """
        lanes = self.lanes
        due = np.flatnonzero(lanes.due <= now_ns)
        busy = lanes.deadline[due] != NEVER
        lanes.skipped[due[busy]] += 1
        self._advance(due[busy], now_ns)
        numbers = self._with_room(due[~busy], now_ns)
        if not len(numbers):
            return
        began = self._advance(numbers, now_ns)
        for number in numbers.tolist():
            if self.members[number].wanted is not None:
                adopt(self.members[number])
        slow = lanes.slow_due[numbers] <= began
        lanes.slow[numbers] = slow
        lanes.slow_due[numbers[slow]] = _next_slow(lanes, numbers[slow], began[slow])
        lanes.began[numbers], lanes.asked_at[numbers] = began, now_ns
        lanes.deadline[numbers] = now_ns + lanes.budget[numbers]
        lanes.resend[numbers] = now_ns + lanes.again[numbers]
        lanes.tries_left[numbers] = lanes.tries[numbers] - 1
        self._send_first(numbers.tolist(), slow.tolist(), now_ns)

    def _advance(self, numbers: NDArray[np.intp], now_ns: int) -> NDArray[np.int64]:
        """When the newest tick of each that is due was due; the next is the one after it, and all before it are left out."""
        lanes = self.lanes
        interval = np.maximum(lanes.interval[numbers], 1)
        missed = (now_ns - lanes.due[numbers]) // interval
        lanes.skipped[numbers] += missed.astype(np.int32)
        began: NDArray[np.int64] = lanes.due[numbers] + missed * interval
        lanes.due[numbers] = began + interval
        return began

    def _with_room(self, numbers: NDArray[np.intp], now_ns: int) -> NDArray[np.intp]:
        """Those, of the longest due, whose answers the sockets can hold. The others stay due: what is not asked yet must
        not look unanswered."""
        room, asks = self._room(now_ns), self.lanes.at_once[numbers]
        if asks.sum() <= room:
            return numbers
        order = np.argsort(self.lanes.due[numbers], kind="stable")
        fitting = int(np.count_nonzero(np.cumsum(asks[order]) <= room))
        return numbers[order[: max(fitting, room == self._most_waiting)]]

    def _room(self, now_ns: int) -> int:
        """How many more answers the sockets can hold. What was asked a while ago does not come all at once any more."""
        asked_ns = self.slots.sent_ns[self.slots.pending]
        return max(0, self._most_waiting - int(np.count_nonzero(asked_ns > now_ns - _SOON_NS)))

    def _send_first(self, numbers: list[int], slow: list[bool], now_ns: int) -> None:
        first: list[NDArray[np.intp]] = []
        for number, whole in zip(numbers, slow, strict=True):
            lane = self.members[number]
            slots = lane.whole.slots if whole else lane.fast.slots
            lane.unreadable = 0
            self.came[slots] = False
            self.lanes.open[number] = len(slots)
            at_once = self.lanes.at_once[number]
            if len(slots) > at_once:
                self._unsent[slots[at_once:]] = True
                slots = slots[:at_once]
            first.append(slots)
        self._send(np.concatenate(first), now_ns)

    def _send(self, slots: NDArray[np.intp], now_ns: int) -> None:
        """Send; what the socket does not take, or what would overflow it with answers, waits for the next step."""
        now = slots[: self._room(now_ns)]
        sent = self.slots.send(now) if len(now) else 0
        self._unsent[slots[:sent]] = False
        self._unsent[slots[sent:]] = True

    def go_on(self, now_ns: int) -> None:
        """Send what waits for answers to come, and send again what was not answered.

        Nothing is taken for unanswered while more has come than was taken in.
        """
        lanes = self.lanes
        waiting = np.flatnonzero(self._unsent)
        if len(waiting):
            lane = self.lane_of[waiting]
            pending = np.bincount(self.lane_of[self.slots.pending], minlength=len(lanes.at_once))
            begins = np.flatnonzero(np.diff(lane, prepend=-1))
            number = np.arange(len(lane)) - np.repeat(begins, np.diff(begins, append=len(lane)))
            self._send(waiting[number < (lanes.at_once - pending)[lane]], now_ns)
        judged_ns = 0 if self.slots.behind else now_ns
        again = np.flatnonzero((lanes.resend <= judged_ns) & (lanes.tries_left > 0) & (lanes.open > 0))
        if len(again):
            waiting = np.concatenate([self.members[number].slots for number in again.tolist()])
            self.slots.again(waiting[self.slots.pending[waiting]])
            lanes.tries_left[again] -= 1
            lanes.resend[again] += lanes.again[again]

    def over(self, now_ns: int) -> NDArray[np.intp]:
        """The lanes whose tick is over: all came, or the time is up. What did not come is given up.

        While more has come than was taken in there is as much time again, and no more: a flood must not look like health.
        """
        lanes = self.lanes
        busy = lanes.deadline != NEVER
        judged_ns = now_ns - lanes.budget if self.slots.behind else now_ns
        numbers = np.flatnonzero(busy & ((lanes.open <= 0) | (lanes.deadline <= judged_ns)))
        late = numbers[lanes.open[numbers] > 0]
        if len(late):
            waiting = np.concatenate([self.members[number].slots for number in late.tolist()])
            self.slots.give_up(waiting[self.slots.pending[waiting]])
            self._unsent[waiting] = False
        lanes.deadline[numbers] = NEVER
        lanes.resend[numbers] = NEVER
        lanes.open[numbers] = 0
        return numbers


def _next_slow(lanes: Lanes, numbers: NDArray[np.intp], began: NDArray[np.int64]) -> NDArray[np.int64]:
    """When these lanes' slow columns are due again: at a grid in time that is the same for all whose ticks fall together,
    and spread as they are, so that slow ticks fall together as well. The tick that is nearest to a point of it is slow."""
    interval, slow = lanes.interval[numbers], lanes.slow_interval[numbers]
    half, offset = interval // 2, began % interval * (slow // np.maximum(interval, 1))
    return ((began + half - offset) // slow + 1) * slow + offset - half
