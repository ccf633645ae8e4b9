"""The fleet's columns, held against a plain account of each row."""

from __future__ import annotations

import math
import random
from typing import Any

import msgspec
import numpy as np
import pytest

from server.core.blocks import Frames
from server.core.model import DeviceState, Frame, Table
from server.hub import Removed
from server.sinks.live import fleet as fleet_module
from server.sinks.live import order
from server.sinks.live.attention import Rank
from server.sinks.live.messages import Subscribe, Summary
from server.sinks.live.summary import SharedSummary, SummaryBoard, SummaryFollower
from tests.sinks.live.plain import PlainBoard, PlainDevice
from tests.support.frames import START_S, frame, status, table

DEVICES = ("r3", "r1", "r5", "r2", "r4")
NAMES = ("a", "b", "c", "d", "e", "f")
ROLES = ("core", "peering", "")
LEVELS = {
    Rank.DOWN: "down",
    Rank.NORMAL: None,
    Rank.LATE: "note",
    Rank.NO_DATA: "stale",
    Rank.HIGH: "warning",
    Rank.FULL: "critical",
    Rank.ERRORS: "critical",
    Rank.LINE_DOWN: "critical",
}
SLOW = ("oper_status", "admin_status", "in_errors_per_s", "out_errors_per_s")


class Story:
    """Random items for both boards. Values are few, so that ties, edges and equal sums are common."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now_s = START_S
        self.plain, self.board = PlainBoard(), SummaryBoard()
        self._tables: dict[str, Table] = {}
        self._seq = 0
        for device in DEVICES[:3]:
            self.status(device)

    def status(self, device: str) -> None:
        state = self.random.choice([DeviceState.UP] * 6 + [DeviceState.LATE, DeviceState.DOWN, DeviceState.STARTING])
        item = status(device, state, interval_s=self.random.choice([1.0, 1.0, 3.0]))
        self.plain.status(item)
        self.board.offer(item)

    def removed(self, device: str) -> None:
        self.plain.removed(device)
        self.board.offer(Removed(device))
        self._tables.pop(device, None)

    def frames(self) -> None:
        """A block of some devices, known or not."""
        devices = self.random.sample(DEVICES, self.random.randint(1, len(DEVICES)))
        kind = self.random.choice(["fast", "fast", "fast", "slow", "in only", "states only"])
        found = [self._frame(device, kind) for device in devices]
        for one in found:
            self.plain.frame(one)
        self.board.offer(Frames.of(found))

    def _frame(self, device: str, kind: str) -> Frame:
        of, choice = self._tables.get(device), self.random.choice
        if of is None or self.random.random() < 0.08:
            names = self.random.sample(NAMES, self.random.randint(0, len(NAMES)))
            facts = {name: {"role": choice(ROLES)} for name in names}
            speeds = [choice([10**3, 10**2, 0]) for _ in names]
            of = self._tables[device] = table(*names, device=device, speed_bps=speeds, facts=facts)
        rows = len(of.rows)

        def cells(*values: float | None) -> list[float | None]:
            return [None] * rows if self.random.random() < 0.1 else [choice(values) for _ in range(rows)]

        shown: dict[str, Any] = {}
        if kind != "states only":
            shown["in_bps"] = cells(0.0, 10.0, 80.0, 90.0, 500.0, 850.0, None)
        if kind in {"fast", "slow"}:
            shown["out_bps"] = cells(0.0, 10.0, 20.0, 90.0, None)
        if kind in {"slow", "states only"}:
            shown |= {name: cells(1.0, 1.0, 2.0, 7.0, None) for name in SLOW[:2]}
        if kind == "slow":
            shown |= {name: cells(0.0, 0.0, 0.5, 2.0, None) for name in SLOW[2:]}
        self._seq += 1
        came_s = self.now_s - self.random.choice([0.0, 0.0, 0.1, 0.4])
        quality = [choice([0, 16]) for _ in range(rows)]
        return frame(of, self._seq, wall_s=came_s, interval_s=choice([1.0, 1.0, 1.0, 3.0]), quality=quality, **shown)

    def second(self) -> None:
        """Time goes on, now and then in a leap, or back."""
        self.now_s += self.random.choices([1.0, 1.3, 4.0, 12.0, 400.0, -3.0, -60.0], [20, 5, 3, 2, 0.2, 0.5, 0.3])[0]
        for _ in range(self.random.randint(0, 4)):
            match self.random.choices(["frames", "status", "removed"], [20, 2, 0.6])[0]:
                case "frames":
                    self.frames()
                case "status":
                    self.status(self.random.choice(DEVICES))
                case _:
                    self.removed(self.random.choice(DEVICES))
        self.plain.refresh(self.now_s)
        self.board.refresh(self.now_s)

    def ask(self, **words: Any) -> Summary:
        follower = SummaryFollower(Subscribe(id=1, summary=True, **words), self.board)
        return msgspec.json.decode(msgspec.json.encode(follower.next()), type=Summary)


def same(found: float | None, wanted: float) -> bool:
    return (NANLESS(found)) == pytest.approx(wanted, nan_ok=True)


def NANLESS(value: float | None) -> float:  # noqa: N802
    return math.nan if value is None else value


@pytest.mark.parametrize("seed", range(12))
def test_a_second_of_the_fleet_is_what_a_plain_account_of_each_row_says(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet_module, "ROWS_AT_ONCE", 40)  # so that some blocks wait and some do not
    monkeypatch.setattr(order, "_FEW", 2)
    story = Story(seed)
    for _ in range(70):
        story.second()
        if story.random.random() < 0.7:
            check_second(story, story.ask(limit=500))
            check_order(story)


def check_second(story: Story, told: Summary) -> None:
    now_s, devices = story.now_s, story.plain.devices
    assert [line.name for line in told.devices] == list(devices)
    for line in told.devices:
        one = devices[line.name]
        sums, _, _ = one.sums(now_s)
        assert line.state == one.status.state.value
        assert same(line.in_bps, sums[0])
        assert same(line.out_bps, sums[1])
        assert same(line.age_s, round(one.age_s(now_s), 1) if one.age_s(now_s) >= 0 else math.nan)
        assert line.interval_s == pytest.approx(one.spacing_s or one.status.interval_s, abs=0.0051)
        assert line.interfaces == len(line.ports) == len(one.rows)
        assert line.ports == [port(one, name, now_s) for name in one.rows]
    check_totals(story, told)
    for row in told.rows + story.ask(only_device=story.random.choice(DEVICES)).rows:
        if row.whole_device:
            continue
        one = devices[row.device]
        assert same(row.in_bps, one.shown(row.name, "in_bps", now_s))
        assert same(row.out_bps, one.shown(row.name, "out_bps", now_s))
        assert row.quality == one.rows[row.name].quality
        assert (row.attention.level if row.attention else None) == LEVELS[one.rank(row.name, now_s)]
        assert [NANLESS(value) for value in row.spark_in or []] == pytest.approx(
            one.spark(row.name)[0], abs=1e-3, nan_ok=True
        )
        assert [NANLESS(value) for value in row.spark_out or []] == pytest.approx(
            one.spark(row.name)[1], abs=1e-3, nan_ok=True
        )


def check_totals(story: Story, told: Summary) -> None:
    now_s, devices = story.now_s, list(story.plain.devices.values())
    sums = [one.sums(now_s) for one in devices]
    late = any(each[2] for each in sums)
    for way, total in enumerate((told.totals.in_bps, told.totals.out_bps)):
        known = [each[0][way] for each in sums if not math.isnan(each[0][way])]
        assert same(total, sum(known) if known and not late else math.nan)
    assert told.totals.counted == sum(each[1] for each in sums)
    silent = sum(len(one.rows) for one in devices if one.silent(now_s))
    down = sum(one.down(name) for one in devices if not one.silent(now_s) for name in one.rows)
    interfaces = sum(len(one.rows) for one in devices)
    assert (told.totals.interfaces, told.totals.no_data, told.totals.down) == (interfaces, silent, down)
    assert told.totals.up == interfaces - silent - down
    assert told.totals.attention == story.ask(show="attention", limit=500).matched
    moved = [(abs(mover.now_bps - mover.was_bps), mover.device, mover.name, mover.direction) for mover in told.movers]
    wanted = story.plain.movers(now_s)
    assert [each[0] for each in moved] == pytest.approx([each[0] for each in wanted[:7]])
    assert {each[1:] for each in moved} <= {each[1:] for each in wanted}


def port(one: PlainDevice, name: str, now_s: float) -> int:
    if one.silent(now_s):
        return -2
    if one.down(name):
        return -1
    if math.isnan(one.shown(name, "in_bps", now_s)) and math.isnan(one.shown(name, "out_bps", now_s)):
        return -2
    known = [value for value in one.percent(name, now_s) if not math.isnan(value)]
    return min(100, int(max(known))) if known else 101


def check_order(story: Story) -> None:
    choice = story.random.choice
    asked = {"sort": choice(["in", "out", "utilisation", "name", "attention"]), "descending": choice([True, False])}
    show, words, only = (
        choice(["all", "all", "attention", "core"]),
        choice(["", "", "a", "r 1"]),
        choice(["", "", "r1", "r9"]),
    )
    offset, limit = choice([0, 0, 3, 10]), choice([2, 5, 500])
    wanted = story.plain.chosen(
        story.now_s, asked["sort"], descending=asked["descending"], show=show, words=words, only=only
    )
    told = story.ask(filter=words, show=show, only_device=only, offset=offset, limit=limit, **asked)
    assert told.matched == len(wanted)
    assert [(row.device, row.name) for row in told.rows] == wanted[told.offset : told.offset + limit]


# -- one thing at a time


def test_a_burst_changes_nothing_on_the_board() -> None:
    board, of = SummaryBoard(), table("a")
    board.offer(status())
    board.offer(Frames.of([frame(of, in_bps=1.0)]))
    board.offer(Frames.of([frame(table("a", device="r1"), 1, in_bps=7.0)], burst=True))
    board.refresh(START_S)
    assert board.survey.rows.in_bps[:1].tolist() == [1.0]


def test_a_device_that_answers_without_any_sample_has_no_data() -> None:
    board = SummaryBoard()
    board.offer(status())
    board.offer(Frames.of([frame(table("a"), in_bps=[None], out_bps=[None])]))
    board.refresh(START_S)
    follower = SummaryFollower(Subscribe(id=1, summary=True, only_device="r1"), board)
    (row,) = [msgspec.json.decode(row) for row in follower.next().rows]
    assert (row["attention"]["text"], row["age_s"]) == ("No data", None)


def test_the_shared_summary_is_written_like_a_summary() -> None:
    assert SharedSummary.__struct_fields__ == Summary.__struct_fields__
    assert SharedSummary.__struct_config__.tag == Summary.__struct_config__.tag


def test_a_second_goes_on_in_pieces_and_the_one_before_it_is_shown_until_it_is_there() -> None:
    board, of = SummaryBoard(), table("a")
    board.offer(status())
    board.offer(Frames.of([frame(of, in_bps=1.0)]))
    board.refresh(START_S)
    assert board.survey.time_s == START_S
    pieces = 0
    for _ in board.refreshing(START_S + 1):
        assert board.survey.time_s == START_S
        board.offer(Frames.of([frame(of, 1, in_bps=9.0)]))
        board.offer(Removed("r1"))
        pieces += 1
    assert pieces >= 3
    assert board.survey.time_s == START_S + 1


def test_nothing_but_the_trend_is_made_while_nobody_looks() -> None:
    board = SummaryBoard()
    board.offer(status())
    board.offer(Frames.of([frame(table("a"), in_bps=1.0)]))
    assert board.survey.time_s == 0.0
    for second in range(20):
        pieces = len(list(board.refreshing(START_S + second)))
    assert pieces == 0
    assert [each[0] for each in board.trend] == [START_S + second for second in range(20)]
    assert board.survey.time_s == START_S + 19


def test_what_is_kept_of_a_line_does_not_grow_with_the_changes_of_a_state() -> None:
    board = SummaryBoard()
    for second in range(50):
        board.offer(status("r1", reason=f"reason {second}"))
        board.refresh(START_S + second)
        assert board.survey.time_s == START_S + second
        assert b'"reason":"reason %d"' % second in bytes(board.second.devices)
    assert len(board._heads) <= 2


def test_a_search_is_made_anew_when_a_table_changes() -> None:
    board = SummaryBoard()
    board.offer(status())
    follower = SummaryFollower(Subscribe(id=1, summary=True, filter="xe"), board)
    found = []
    for second, names in enumerate([("xe-0", "ge-0"), ("xe-0", "ge-0"), ("ge-0", "xe-0"), ("xe-0",), ("ge-0",)]):
        of = table(*names, version=second)
        board.offer(Frames.of([frame(of, second, in_bps=1.0)]))
        board.refresh(START_S + second)
        found.append([msgspec.json.decode(row)["name"] for row in follower.next().rows])
    assert found == [["xe-0"], ["xe-0"], ["xe-0"], ["xe-0"], []]


def test_devices_that_come_and_go_leave_no_rows_behind() -> None:
    board = SummaryBoard()
    for turn in range(200):
        device, rows = f"r{turn % 7}", 1 + turn * 13 % 50
        board.offer(status(device))
        of = table(*(f"e{number}" for number in range(rows)), device=device)
        board.offer(Frames.of([frame(of, turn, wall_s=START_S + turn, in_bps=1.0)]))
        if turn % 5 == 4:
            board.offer(Removed(device))
        board.refresh(START_S + turn)
        owned = int(np.count_nonzero(board.fleet.roster.rows.owner))
        assert owned == sum(len(member.table.rows) for member in board.fleet.roster.members() if member.table)
    assert board.fleet.roster.used_rows <= 7 * 50 * 2
