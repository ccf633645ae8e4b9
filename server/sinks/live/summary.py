"""The summary of all devices: one board for everybody, one follower for each subscription's filter, order and page."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator

import msgspec

from server.core.blocks import Frames
from server.core.model import DeviceStatus
from server.hub import Item, Removed
from server.sinks.live.board import Survey
from server.sinks.live.fleet import Fleet
from server.sinks.live.messages import Subscribe, Trend
from server.sinks.live.roster import Member
from server.sinks.live.second import Place, Second, make
from server.sinks.live.selection import WHOLE_DEVICE, Choice, Selector
from server.sinks.live.sums import sums

TREND_S = 900
MOST_ROWS = 500
_FOLLOWED_S = 5  # seconds for which the next ones are made ready after somebody has looked


class SharedSummary(msgspec.Struct, tag="summary"):
    """A `messages.Summary` whose parts are written already."""

    id: int
    totals: msgspec.Raw
    devices: msgspec.Raw
    rows: list[msgspec.Raw]
    offset: int
    matched: int
    movers: msgspec.Raw
    trend: Trend | None = None


class SummaryBoard:
    """A subscriber of the hub that surveys everything once a second, as long as somebody looks.

    State: the fleet, the trend of the totals, the newest second and the selections of it, and how long it is looked at yet.
    """

    def __init__(self) -> None:
        self.fleet = Fleet()
        self.trend: deque[tuple[float, float | None, float | None]] = deque(maxlen=TREND_S)
        self._now_s = 0.0
        self._heads: dict[Member, bytes] = {}
        self._second: Second | None = _all_of(make(Fleet(), 0.0, {}))  # nothing, before the first refresh
        self._selector: Selector | None = None
        self._followed_s = 0

    def offer(self, item: Item) -> None:
        match item:
            case Frames() if not item.burst:
                self.fleet.frames(item)
            case DeviceStatus():
                self.fleet.status(item)
            case Removed():
                self.fleet.removed(item.device)
            case _:
                pass

    def refresh(self, now_s: float) -> None:
        """Go over to this second, at once."""
        for _ in self.refreshing(now_s):
            pass

    def refreshing(self, now_s: float) -> Iterator[None]:
        """Go over to this second, in pieces: after each of them others may have their turn. Ends when it is there."""
        self.fleet.settle()
        roster = self.fleet.roster
        self.fleet.sparks.advance(roster.numbers(), now_s)
        self._followed_s -= 1
        if self._followed_s < 0:
            found = sums(roster.rows, roster.devices, roster.used_rows, now_s)
            self.trend.append((now_s, found.in_bps, found.out_bps))
            self._now_s, self._second = now_s, None
            return
        yield
        second = yield from make(self.fleet, now_s, self._heads)
        totals = second.survey.totals
        self.trend.append((now_s, totals.in_bps, totals.out_bps))
        self._now_s = now_s
        self._show(second)

    @property
    def second(self) -> Second:
        """The newest second. Made now where nobody has looked at those before it."""
        self._followed_s = _FOLLOWED_S
        return self._show(_all_of(make(self.fleet, self._now_s, self._heads))) if self._second is None else self._second

    @property
    def survey(self) -> Survey:
        """Everything at the newest second."""
        return self.second.survey

    @property
    def selector(self) -> Selector:
        """The selections of the newest second."""
        found = self.second.survey
        if self._selector is None:
            self._selector = Selector(found)
        return self._selector

    def _show(self, second: Second) -> Second:
        self._second = second
        if self._selector is not None:
            self._selector.use(second.survey)
        return second


def _all_of(making: Generator[None, None, Second]) -> Second:
    """Make it at once."""
    while True:
        try:
            next(making)
        except StopIteration as done:
            second: Second = done.value
            return second


class SummaryFollower:
    """One subscription to the summary. State: which rows have had their sparks, and up to which slot."""

    def __init__(self, asked: Subscribe, board: SummaryBoard) -> None:
        self._asked = asked
        self._choice = Choice.of(asked)
        self._board = board
        self._sparks_sent: dict[tuple[str, str], int] = {}
        self.due = False

    def begin(self) -> SharedSummary:
        """The first message, with the trend."""
        summary = self.next()
        trend = self._board.trend
        summary.trend = Trend([one[0] for one in trend], [one[1] for one in trend], [one[2] for one in trend])
        return summary

    def next(self) -> SharedSummary:
        """The newest second, as asked for."""
        self.due = False
        asked, newest = self._asked, self._board.second
        selection = self._board.selector.chosen(self._choice)
        offset = max(0, min(asked.offset, selection.matched))
        places = selection.page(offset, max(0, min(asked.limit, MOST_ROWS)))
        sent_before, self._sparks_sent = self._sparks_sent, {}
        rows = [self._row(newest, place, sent_before) for place in places]
        return SharedSummary(asked.id, newest.totals, newest.devices, rows, offset, selection.matched, newest.movers)

    def _row(self, newest: Second, place: Place, sent_before: dict[tuple[str, str], int]) -> msgspec.Raw:
        """A row, with its sparks where this subscription has not had them yet."""
        body, written = newest.row(place)
        key, (number, row) = (body.device, body.name), place
        if key in sent_before:
            self._sparks_sent[key] = sent_before[key]
        fleet = self._board.fleet
        now = fleet.roster.member(body.device)
        if row == WHOLE_DEVICE or now is None or now.table is not newest.members[number].table:  # it has other rows by now
            return written
        slot = int(fleet.roster.devices.slot[number])
        if sent_before.get(key) == slot:
            return written
        self._sparks_sent[key] = slot
        return newest.row_with_sparks(place, fleet, slot)
