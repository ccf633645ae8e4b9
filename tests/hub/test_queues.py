from __future__ import annotations

import pytest

from server.core.model import DeviceState
from server.hub import LatestQueue, Pending
from tests.support.frames import event, frame, status, table

R1, R2 = table("xe-0"), table("xe-0", device="r2")
OF_R1, OF_R2, BURST_OF_R1 = ("r1", False), ("r2", False), ("r1", True)


def test_a_reader_that_keeps_up_gets_each_frame_with_none_missed() -> None:
    queue = LatestQueue()
    for seq in range(3):
        queue.frame(OF_R1, frame(R1, seq))
        (newest, missed) = queue.take().frames[OF_R1]
        assert (newest.seq, missed) == (seq, 0)


def test_a_slow_reader_gets_the_newest_frame_of_each_stream_and_how_many_it_replaced() -> None:
    queue = LatestQueue()
    for seq in range(5):
        queue.frame(OF_R1, frame(R1, seq))
    queue.frame(OF_R2, frame(R2, 70))
    queue.frame(BURST_OF_R1, frame(R1, 900))
    taken = queue.take()
    assert {stream: (one.seq, missed) for stream, (one, missed) in taken.frames.items()} == {
        OF_R1: (4, 4),
        OF_R2: (70, 0),
        BURST_OF_R1: (900, 0),
    }


def test_what_was_missed_is_counted_anew_after_each_take() -> None:
    queue = LatestQueue()
    queue.frame(OF_R1, frame(R1, 1))
    queue.frame(OF_R1, frame(R1, 2))
    queue.take()
    queue.frame(OF_R1, frame(R1, 3))
    assert queue.take().frames[OF_R1][1] == 0


def test_what_was_taken_waits_no_more() -> None:
    queue = LatestQueue()
    queue.frame(OF_R1, frame(R1, 1))
    assert queue.take()
    assert not queue.take()


def test_only_the_newest_status_of_a_device_waits() -> None:
    queue = LatestQueue()
    queue.status(status(state=DeviceState.DOWN))
    queue.status(newest := status(state=DeviceState.UP))
    assert queue.take().statuses == {"r1": newest}


def test_events_wait_in_order_up_to_a_bound_and_the_lost_are_counted() -> None:
    queue = LatestQueue(most_events=3)
    for number in range(5):
        queue.event(event(f"event {number}"))
    taken = queue.take()
    assert [one.text for one in taken.events] == ["event 2", "event 3", "event 4"]
    assert taken.lost_events == 2
    queue.event(event("next"))
    assert queue.take().lost_events == 0


def test_a_removed_device_leaves_nothing_else_behind() -> None:
    queue = LatestQueue()
    queue.frame(OF_R1, frame(R1, 1))
    queue.frame(BURST_OF_R1, frame(R1, 1))
    queue.status(status())
    queue.removed("r1")
    assert queue.take() == Pending(removed={"r1"})


def test_a_device_that_came_back_before_the_reader_looked_is_not_removed() -> None:
    queue = LatestQueue()
    queue.removed("r1")
    queue.status(status())
    queue.frame(OF_R1, frame(R1, 9))
    taken = queue.take()
    assert taken.removed == set()
    assert taken.frames[OF_R1][0].seq == 9


def test_forgetting_a_stream_drops_its_frame_and_nothing_else() -> None:
    queue = LatestQueue()
    queue.frame(OF_R1, frame(R1, 1))
    queue.frame(BURST_OF_R1, frame(R1, 1))
    queue.frame(OF_R2, frame(R2, 1))
    queue.status(status("r1"))
    queue.forget(OF_R1)
    queue.forget(("r9", False))
    taken = queue.take()
    assert (set(taken.frames), set(taken.statuses)) == ({BURST_OF_R1, OF_R2}, {"r1"})


def test_a_device_that_was_forgotten_may_be_followed_anew() -> None:
    queue = LatestQueue()
    queue.removed("r1")
    queue.status(status("r2"))
    queue.forget_device("r1")
    queue.forget_device("r2")
    queue.forget_device("r9")
    assert not queue.take()


@pytest.mark.parametrize(
    "pending",
    [
        Pending(frames={OF_R1: (frame(R1, 1), 0)}),
        Pending(statuses={"r1": status()}),
        Pending(removed={"r1"}),
        Pending(lost_events=1),
    ],
)
def test_pending_is_true_when_it_holds_anything(pending: Pending) -> None:
    assert pending
    assert not Pending()
