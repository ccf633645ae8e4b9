from __future__ import annotations

import pytest

from server.core.blocks import Frames
from server.core.model import DeviceStatus, Event, Frame
from server.hub import Removed, Stream
from server.sinks.live.fanout import Fanout
from tests.support.frames import block, event, frame, status, table


class Reader:
    """Writes down what it is told, and where it was told to flush."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def frame(self, stream: Stream, frame: Frame) -> None:
        self.told.append((stream, frame.seq))

    def status(self, status: DeviceStatus) -> None:
        self.told.append(("status", status.device))

    def removed(self, device: str) -> None:
        self.told.append(("removed", device))

    def event(self, event: Event) -> None:
        self.told.append(event.text)

    def flush(self) -> None:
        self.told.append("flush")


R1, R2, R3 = (table("a", device=name) for name in ("r1", "r2", "r3"))
OF_R1, OF_R2, BURST_OF_R1 = ("r1", False), ("r2", False), ("r1", True)


def test_each_gets_what_it_follows_and_one_flush_for_a_block() -> None:
    fanout, both, one, none = Fanout(), Reader(), Reader(), Reader()
    fanout.follow(OF_R1, both)
    fanout.follow(OF_R2, both)
    fanout.follow(OF_R2, one)
    fanout.offer(Frames.of([frame(R3, 3), frame(R2, 2), frame(R1, 1)]))
    assert both.told == [(OF_R2, 2), (OF_R1, 1), "flush"]
    assert one.told == [(OF_R2, 2), "flush"]
    assert none.told == []


def test_bursts_and_ticks_of_one_device_are_two_streams() -> None:
    fanout, ticks, bursts = Fanout(), Reader(), Reader()
    fanout.follow(OF_R1, ticks)
    fanout.follow(BURST_OF_R1, bursts)
    fanout.offer(block(R1, 1))
    fanout.offer(Frames.of([frame(R1, 50)], burst=True))
    assert (ticks.told, bursts.told) == ([(OF_R1, 1), "flush"], [(BURST_OF_R1, 50), "flush"])


def test_status_and_removal_reach_the_followers_of_either_stream_once() -> None:
    fanout, ticks, two, other = Fanout(), Reader(), Reader(), Reader()
    fanout.follow(OF_R1, ticks)
    fanout.follow(OF_R1, two)
    fanout.follow(BURST_OF_R1, two)
    fanout.follow(OF_R2, other)
    fanout.offer(status("r1"))
    fanout.offer(Removed("r1"))
    assert ticks.told == two.told == [("status", "r1"), "flush", ("removed", "r1"), "flush"]
    assert other.told == []


def test_events_reach_those_who_follow_them() -> None:
    fanout, one, none = Fanout(), Reader(), Reader()
    fanout.follow(OF_R1, none)
    fanout.follow_events(one)
    fanout.offer(event("down"))
    fanout.leave_events(one)
    fanout.leave_events(one)
    fanout.offer(event("up"))
    assert (one.told, none.told) == (["down", "flush"], [])


def test_who_left_is_told_nothing_more_and_leaves_nothing_behind() -> None:
    fanout, one, other = Fanout(), Reader(), Reader()
    for reader in (one, other):
        fanout.follow(OF_R1, reader)
    fanout.leave(OF_R1, one)
    fanout.leave(OF_R2, one)
    fanout.offer(block(R1, 1))
    assert (one.told, other.told) == ([], [(OF_R1, 1), "flush"])
    fanout.leave(OF_R1, other)
    assert fanout._followers == {False: {}, True: {}}


def test_of_devices_that_nobody_follows_no_frame_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    real = Frames.frame

    def counted(frames: Frames, device: int) -> Frame:
        made.append(device)
        return real(frames, device)

    monkeypatch.setattr(Frames, "frame", counted)
    fanout = Fanout()
    many = Frames.of([frame(R1), frame(R2), frame(R3)])
    fanout.offer(many)
    assert made == []
    for _ in range(3):
        fanout.follow(OF_R2, Reader())
    fanout.offer(many)
    assert made == [1]


class Leaving(Reader):
    """Ends what it follows when it is told to flush, as a session does that finds its browser gone."""

    def __init__(self, fanout: Fanout) -> None:
        super().__init__()
        self._fanout = fanout

    def flush(self) -> None:
        super().flush()
        self._fanout.leave(OF_R1, self)
        self._fanout.leave_events(self)


def test_readers_may_leave_while_they_are_told() -> None:
    fanout = Fanout()
    leaving, staying = [Leaving(fanout), Leaving(fanout)], Reader()
    for reader in (*leaving, staying):
        fanout.follow(OF_R1, reader)
        fanout.follow_events(reader)
    fanout.offer(block(R1, 1))
    fanout.offer(event("down"))
    assert [reader.told for reader in leaving] == [[(OF_R1, 1), "flush"]] * 2
    assert staying.told == [(OF_R1, 1), "flush", "down", "flush"]
