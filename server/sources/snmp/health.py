"""How a device answers, judged from its ticks: a state and a reason in words. Pure; times are given."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from server.core.errors import AuthFailed, BadReply, NoAnswer, SourceError, UnknownHost
from server.core.model import DeviceState
from server.sources.snmp.walk import AnswersLost

DOWN_S = 5.0  # of silence; three intervals where those are longer, once the device is polled
BAD_IN_A_ROW = 3  # ticks with nothing but unusable answers
LATE_IN_A_ROW = 2  # ticks that only brought answers to earlier ones
WINDOW = 10  # ticks that are looked back on
MISSES = 2  # of these make a device late
_SILENCE = "the device is down, or a filter or a wrong community stops it"


@dataclass(frozen=True, slots=True)
class Judgement:
    state: DeviceState
    reason: str


class Health:
    """Judges one device.

    - up: the last tick was answered within the interval, and fewer than `MISSES` of the last `WINDOW` ticks had gaps;
    - late: an answer took longer than the interval, or `MISSES` or more of the last `WINDOW` ticks had gaps, or so many
      answers get lost that its interfaces could not be read;
    - down: no answer at all for `DOWN_S` or three intervals, or the host name is unknown; a device that never answered is
      down after `DOWN_S`, when the first request has failed;
    - auth_failed: the device refuses the credentials, or does not prove that it knows them;
    - bad_replies: `BAD_IN_A_ROW` ticks brought only answers that cannot be used.
    """

    def __init__(self, interval_s: float, now_s: float) -> None:
        self._interval_s = interval_s
        self._patience_s = DOWN_S
        self._polled_patience_s = max(DOWN_S, 3 * interval_s)
        self._polled = False
        self._window: deque[bool] = deque(maxlen=WINDOW)
        self._answered_s = now_s
        self._bad = 0
        self._late = 0
        self._remark = ""
        self.now = Judgement(DeviceState.STARTING, "looking for its interfaces")

    def remark(self, text: str) -> None:
        """What to say while the device is up: that its list of interfaces is empty, say."""
        self._remark = text
        if self.now.state is DeviceState.UP:
            self.now = Judgement(DeviceState.UP, text)

    @property
    def settled(self) -> bool:
        """It answers, and all of its last ticks were answered in full: another such tick changes nothing."""
        return self.now.state is DeviceState.UP and len(self._window) > 0 and all(self._window)

    def heard(self, at_s: float) -> None:
        """It had answered in full until then, in ticks that were not told."""
        self._answered_s = at_s

    def answered(self, now_s: float, reply_s: float, complete: bool, why: str = "") -> None:
        """A tick brought values; `complete` when no request of it stayed unanswered, else `why` where that is known."""
        if not self._polled or self.now.state not in (DeviceState.UP, DeviceState.LATE):
            self._window.clear()  # the silence is over and told
        self._polled, self._patience_s = True, self._polled_patience_s
        self._answered_s, self._bad, self._late = now_s, 0, 0
        self._window.append(complete)
        misses = self._window.count(False)
        if reply_s > self._interval_s:
            self.now = Judgement(DeviceState.LATE, f"answers after {reply_s:.1f} s, polled every {self._interval_s:g} s")
        elif misses >= MISSES:
            self._gaps(why)
        else:
            self.now = Judgement(DeviceState.UP, self._remark)

    def late_answer(self, now_s: float, reply_s: float) -> None:
        """In a tick without answers, one to an earlier tick came: its values are lost.

        Once may be what a device held back while it was stopped; twice in a row is how it answers.
        """
        self._answered_s = now_s
        self._late += 1
        if self._late < LATE_IN_A_ROW:
            return
        self.now = Judgement(DeviceState.LATE, f"answers after {reply_s:.1f} s, too late for its poll: raise timeout_s")

    def failed(self, now_s: float, error: SourceError) -> None:
        """A tick, or the discovery before the first one, brought nothing."""
        silent_s = now_s - self._answered_s
        self._window.append(False)
        self._bad = self._bad + 1 if isinstance(error, BadReply) else 0
        if isinstance(error, AuthFailed):
            self._answered_s = now_s
            self.now = Judgement(DeviceState.AUTH_FAILED, str(error))
        elif isinstance(error, AnswersLost):
            self._answered_s = now_s
            self.now = Judgement(DeviceState.LATE, str(error))
        elif isinstance(error, UnknownHost):
            self.now = Judgement(DeviceState.DOWN, str(error))
        elif isinstance(error, BadReply):
            if self._bad >= BAD_IN_A_ROW:
                self.now = Judgement(DeviceState.BAD_REPLIES, str(error))
        elif silent_s >= self._patience_s:
            self._silent(error, silent_s)
        elif self._polled and self.now.state in (DeviceState.UP, DeviceState.LATE) and self._window.count(False) >= MISSES:
            self._gaps()

    def _gaps(self, why: str = "") -> None:
        misses = self._window.count(False)
        self.now = Judgement(DeviceState.LATE, why or f"{misses} of the last {len(self._window)} polls had no full answer")

    def _silent(self, error: SourceError, silent_s: float) -> None:
        text = str(error)
        if isinstance(error, NoAnswer) and text != "no answer":
            self.now = Judgement(DeviceState.DOWN, text)
            return
        # The age is told again when it has doubled, not at each poll: a status is published when it changes.
        told_s = self._patience_s
        while told_s * 2 <= silent_s:
            told_s *= 2
        self.now = Judgement(DeviceState.DOWN, f"no answer for {told_s:.0f} s: {_SILENCE}")
