"""Judges one device by its ticks: tells how it is, counts what it answered, and learns how patiently to ask it."""

from __future__ import annotations

import numpy as np

from server.core.clock import loop_s
from server.core.errors import BadReply, NoAnswer, SourceError
from server.core.model import DeviceState
from server.core.ports import Emit, SelfMetrics
from server.sources.snmp.announcer import Announcer
from server.sources.snmp.engine import Steering
from server.sources.snmp.health import Health
from server.sources.snmp.outcome import Outcome
from server.sources.snmp.patience import BackOff, Patience, budget_stride
from server.sources.snmp.plan import Plan
from server.sources.snmp.refusals import word_for
from server.sources.snmp.settings import DeviceSettings, PollingDefaults

_SILENT = (DeviceState.DOWN, DeviceState.AUTH_FAILED)
_ALWAYS_TOO_BIG = "the device calls even an answer of two values too big"


class Judge:
    """State: `health`; `announcer`, who tells of it; `obstacle`, what stands in the way of an answer where that is better
    known than from a tick; how long a tick may wait, and how often it comes."""

    def __init__(self, settings: DeviceSettings, polling: PollingDefaults, emit: Emit, metrics: SelfMetrics) -> None:
        self._name = settings.name
        self._polling = polling
        self._metrics = metrics
        self.announcer = Announcer(settings, polling.interval_s, emit)
        self.health = Health(polling.interval_s, loop_s())
        self.obstacle: SourceError | None = None
        self._patience, self._back_off = Patience(polling), BackOff(polling.interval_s)

    @property
    def silent(self) -> bool:
        """It does not answer, or refuses to."""
        return self.health.now.state in _SILENT

    @property
    def settled(self) -> bool:
        """All of its last ticks were answered in full, and none is left out for its sake."""
        return self.health.settled and self._back_off.stride == 1

    def tick(self, outcome: Outcome, plan: Plan | None) -> None:
        """Judge a tick that is over; `plan` is asked from now on."""
        if outcome.skipped:
            self._metrics.poll_failed(self._name, "skipped", outcome.skipped)
        if outcome.chunks:
            self._answered(outcome)
        else:
            self._patience.saw(outcome.late_reply_s)
            too_big = BadReply(_ALWAYS_TOO_BIG) if outcome.always_too_big else None
            self.failed(self.obstacle or too_big or outcome.error or NoAnswer("no answer"))
            if outcome.late_reply_s is not None and outcome.late_reply_s > self._patience.full_s:
                self.health.late_answer(loop_s(), outcome.late_reply_s)
        self.announcer.interval_s = self._polling.interval_s * self._stride(plan)
        self.tell()

    def _answered(self, outcome: Outcome) -> None:
        self.obstacle = None
        self._patience.saw(outcome.reply_s)
        self._back_off.saw(outcome.complete or outcome.too_big)  # to be asked less often makes no answer smaller
        self._metrics.polls_answered([self._name], np.array([outcome.reply_s]), np.array([max(0.0, outcome.late_s)]))
        why = _ALWAYS_TOO_BIG if outcome.always_too_big else ""
        complete = outcome.complete or (outcome.too_big and not outcome.always_too_big)
        self.health.answered(loop_s(), outcome.reply_s, complete, why)

    def failed(self, error: SourceError) -> None:
        """A tick, or the discovery before the first one, brought nothing."""
        self._metrics.poll_failed(self._name, word_for(error))
        self.health.failed(loop_s(), error)
        self.tell()

    def tell(self) -> None:
        """Announce how it is, where anything of it changed."""
        self.announcer.health(self.health.now)

    def steering(self, plan: Plan | None, quiet_until_s: float) -> Steering:
        """How the next ticks go."""
        return Steering(
            self._patience.tries,
            self._patience.budget_s,
            probe=self.health.now.state is DeviceState.DOWN,
            stride=self._stride(plan),
            quiet_until_s=quiet_until_s,
        )

    def _stride(self, plan: Plan | None) -> int:
        return max(self._back_off.stride, budget_stride(plan, self._polling))
