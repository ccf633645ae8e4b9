from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pytest

from server.core.blocks import Frames
from server.core.model import DeviceState, DeviceStatus, Frame
from server.sinks.live.attention import Rank
from server.sinks.live.board import Survey, survey
from server.sinks.live.fleet import Fleet
from server.sinks.live.lines import written
from server.sinks.live.messages import DeviceLine, Totals
from server.sinks.live.roster import Member
from server.sinks.live.sums import sums
from tests.support.frames import DOWN, START_S, UP, frame, status, table

G = 1e9


@dataclass
class Seen:
    """A device and what it has sent."""

    status: DeviceStatus
    frames: tuple[Frame, ...]


def seen(*frames: Frame, state: DeviceState = DeviceState.UP, interval_s: float = 1.0) -> Seen:
    device = frames[0].table.device if frames else "r1"
    return Seen(status(device, state, "the reason", interval_s=interval_s), frames)


class Found:
    """A survey, taken apart by device."""

    def __init__(self, found: Survey) -> None:
        self.totals: Totals = found.totals
        self.lines = msgspec.json.decode(b"[" + b",".join(written(found, {})) + b"]", type=list[DeviceLine])
        self.devices = [Device(found, member) for member in found.members]


class Device:
    """One device of a survey; the arrays are (rows,)."""

    def __init__(self, found: Survey, member: Member) -> None:
        self.age_s = found.age_s(member)
        self.stale, self.silent = bool(found.devices.stale[member.number]), bool(found.devices.silent[member.number])
        self._rows, self._span = found.rows, found.span(member)

    def __getattr__(self, column: str) -> Any:
        return getattr(self._rows, column)[self._span]


def at(age_s: float, *views: Seen, spacing_s: dict[str, float] | None = None) -> Found:
    """A survey `age_s` after the frame with seq 0. The devices sent in no order."""
    fleet = Fleet()
    for view in views:
        fleet.status(view.status)
    for view in reversed(views):
        for one in view.frames:
            fleet.frames(Frames.of([one]))
    fleet.settle()
    for device, measured_s in (spacing_s or {}).items():
        member = fleet.roster.member(device)
        assert member is not None
        fleet.roster.devices.spacing_s[member.number] = measured_s
    now_s, roster = START_S + age_s, fleet.roster
    return Found(survey(fleet, sums(roster.rows, roster.devices, roster.used_rows, now_s), now_s))


def columns(view: Seen, now_s: float) -> Device:
    return at(now_s - START_S, view).devices[0]


def test_a_fresh_device_shows_its_rates_and_their_share_of_the_stated_speed() -> None:
    of = table("a", "b", speed_bps=[10**10, 0])
    one = columns(seen(frame(of, in_bps=[5 * G, 1 * G], out_bps=[1 * G, None])), START_S + 0.5)
    assert one.in_percent[0] == 50.0
    assert one.out_percent[0] == 10.0
    assert np.isnan(one.in_percent[1])
    assert (one.age_s, one.silent, one.rank.tolist()) == (0.5, False, [Rank.NORMAL, Rank.NORMAL])


@pytest.mark.parametrize(
    ("age_s", "rank", "silent"), [(2.5, Rank.NORMAL, False), (2.6, Rank.LATE, False), (10.1, Rank.NO_DATA, True)]
)
def test_a_value_is_late_after_two_and_a_half_intervals_and_no_data_after_ten(
    age_s: float, rank: Rank, silent: bool
) -> None:
    one = columns(seen(frame(table("a"), in_bps=5 * G)), START_S + age_s)
    assert (one.rank.tolist(), one.silent) == ([rank], silent)
    assert np.isnan(one.in_bps[0]) == (rank is not Rank.NORMAL)


def test_the_limits_grow_with_the_interval_of_the_device() -> None:
    one = columns(seen(frame(table("a"), interval_s=30.0, in_bps=5 * G), interval_s=30.0), START_S + 74)
    assert one.rank.tolist() == [Rank.NORMAL]


@pytest.mark.parametrize(("age_s", "in_bps", "counted"), [(2.4, 12 * G, 2), (3.0, None, 1), (10.1, 5 * G, 1)])
def test_a_sum_bridges_a_missed_answer_is_a_gap_while_a_device_is_late_and_then_goes_on_without_it(
    age_s: float, in_bps: float | None, counted: int
) -> None:
    fresh, late = (
        seen(frame(table("a"), in_bps=5 * G)),
        seen(frame(table("a", device="r2"), wall_s=START_S - age_s, in_bps=7 * G)),
    )
    totals = at(0, fresh, late).totals
    assert (totals.in_bps, totals.out_bps, totals.counted, totals.interfaces) == (in_bps, None, counted, 2)


@pytest.mark.parametrize("state", [DeviceState.DOWN, DeviceState.AUTH_FAILED, DeviceState.BAD_REPLIES])
def test_a_device_that_is_lost_is_silent_at_once(state: DeviceState) -> None:
    found = at(0.5, seen(frame(table("a", "b"), in_bps=5 * G), state=state))
    assert found.devices[0].silent
    assert (found.totals.no_data, found.totals.devices_lost, found.totals.up) == (2, 1, 0)


@pytest.mark.parametrize(("oper", "down"), [(1.0, False), (2.0, True), (4.0, False), (5.0, False), (6.0, True), (7.0, True)])
def test_a_row_is_down_where_no_traffic_can_pass(oper: float, down: bool) -> None:
    found = at(0, seen(frame(table("a"), in_bps=0.0, oper_status=oper, admin_status=UP)))
    assert found.devices[0].down.tolist() == [down]
    assert (found.totals.down, found.totals.up) == (int(down), int(not down))


@pytest.mark.parametrize(
    ("role", "admin", "rank"),
    [("customer", UP, Rank.LINE_DOWN), ("", UP, Rank.DOWN), ("customer", DOWN, Rank.DOWN)],
)
def test_a_described_line_that_is_down_though_switched_on_wants_attention_and_an_unused_port_does_not(
    role: str, admin: float, rank: Rank
) -> None:
    of = table("a", facts={"a": {"role": role}})
    one = columns(seen(frame(of, in_bps=0.0, oper_status=DOWN, admin_status=admin)), START_S)
    assert one.rank.tolist() == [rank]


def test_a_row_that_is_switched_off_is_down() -> None:
    assert at(0, seen(frame(table("a"), in_bps=0.0, admin_status=DOWN))).devices[0].down.tolist() == [True]


def test_a_row_is_down_only_while_its_device_answers() -> None:
    totals = at(0, seen(frame(table("a", "b"), in_bps=0.0, oper_status=[DOWN, UP]), state=DeviceState.DOWN)).totals
    assert (totals.down, totals.no_data, totals.up) == (0, 2, 0)


def test_errors_of_both_directions_add_up_and_a_missing_one_counts_as_none() -> None:
    one = columns(seen(frame(table("a", "b"), in_bps=0.0, in_errors_per_s=[0.5, None], out_errors_per_s=0.5)), START_S)
    assert one.errors_per_s.tolist() == [1.0, 0.5]
    assert one.rank.tolist() == [Rank.ERRORS, Rank.NORMAL]


def test_the_port_map_tells_utilisation_unknown_speed_down_and_no_data() -> None:
    of = table("a", "b", "c", "d", "e", speed_bps=[10**10, 10**10, 0, 10**10, 10**10])
    values = frame(
        of,
        in_bps=[2.59 * G, 99 * G, 1 * G, 0.0, None],
        out_bps=[1 * G, 0.0, 1 * G, 0.0, None],
        oper_status=[UP, UP, UP, DOWN, UP],
    )
    assert at(0, seen(values)).lines[0].ports == [25, 100, 101, -1, -2]
    assert at(99, seen(values)).lines[0].ports == [-2] * 5
    assert at(3, seen(values)).lines[0].ports == [-2, -2, -2, -1, -2]


def test_a_line_tells_what_is_known_of_a_device() -> None:
    view = seen(frame(table("a", "b"), in_bps=[1.0, 2.0], out_bps=[None, None], cadence_s=5.0, reply_s=0.0123))
    line = at(0.44, view, spacing_s={"r1": 1.0049}).lines[0]
    assert (line.name, line.address, line.state, line.reason) == ("r1", "192.0.2.1:161", "up", "the reason")
    assert (line.in_bps, line.out_bps, line.interfaces, line.age_s) == (3.0, None, 2, 0.4)
    assert (line.interval_s, line.cadence_s, line.reply_ms) == (1.0, 5.0, 12.3)


def test_a_device_without_an_answer_yet_has_a_line_with_nothing_in_it() -> None:
    found = at(0, seen(state=DeviceState.STARTING, interval_s=30.0))
    line = found.lines[0]
    assert (line.interfaces, line.in_bps, line.age_s, line.reply_ms, line.cadence_s, line.ports) == (
        0,
        None,
        None,
        None,
        None,
        [],
    )
    assert line.interval_s == 30.0
    assert found.devices[0].silent


def test_without_devices_the_totals_are_empty_and_not_zero() -> None:
    totals = at(0).totals
    assert (totals.in_bps, totals.out_bps, totals.interval_s, totals.reply_p99_ms, totals.oldest_sample_s) == (None,) * 5
    assert (totals.interfaces, totals.devices, totals.attention) == (0, 0, 0)


def test_totals_count_devices_by_state_and_the_age_of_the_oldest_sample_of_those_that_answer() -> None:
    views = [
        seen(frame(table("a", device="up"), wall_s=START_S - 1, reply_s=0.010)),
        seen(frame(table("a", device="late"), wall_s=START_S - 4, reply_s=0.030), state=DeviceState.LATE),
        seen(frame(table("a", device="down"), wall_s=START_S - 500), state=DeviceState.DOWN),
    ]
    totals = at(0, *views, spacing_s={"up": 1.0, "late": 3.0, "down": 99.0}).totals
    assert (totals.devices, totals.devices_up, totals.devices_late, totals.devices_lost) == (3, 1, 1, 1)
    assert totals.oldest_sample_s == 4.0
    assert totals.interval_s == 2.0
    assert totals.reply_p99_ms == pytest.approx(29.8, abs=0.5)


def test_attention_counts_each_row_that_wants_it_and_a_late_or_silent_device_once() -> None:
    views = [
        seen(frame(table("a", "b", "c"), in_bps=[9.5 * G, 8.5 * G, 1 * G])),
        seen(frame(table("a", "b", device="late"), wall_s=START_S - 3)),
        seen(frame(table("a", "b", "c", "d", device="silent"), wall_s=START_S - 60)),
    ]
    assert at(0, *views).totals.attention == 2 + 1 + 1


def test_a_clock_that_was_set_back_gives_no_negative_age() -> None:
    found = at(-3600, seen(frame(table("a"), in_bps=1.0)))
    assert found.devices[0].age_s == 0.0
    assert found.totals.in_bps is None
