from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator

import numpy as np
import pytest

from server.core.clock import boot_ns
from server.sources.snmp.batch import kernel
from server.sources.snmp.batch.addresses import Directory, Peer
from server.sources.snmp.batch.buffers import LARGEST_DATAGRAM, ROOM, Inbox, Outbox
from server.sources.snmp.batch.datagrams import BatchedDatagrams, Datagrams, PlainDatagrams, open_datagrams
from tests.sources.snmp.batch.scripted import Device

KINDS = [(batched, family) for batched in (True, False) for family in (socket.AF_INET, socket.AF_INET6)]


class Wire:
    """One of our sockets, a device, and the prepared datagrams `request 0`, `request 1`, ... to it."""

    def __init__(self, batched: bool, family: socket.AddressFamily) -> None:
        self.inbox = Inbox()
        self.ours: Datagrams = open_datagrams(family, self.inbox, batched)
        self.device = Device(family)
        self.outbox = Outbox()
        self.outbox.grow(4, 100)
        for slot in range(4):
            self.outbox.put(slot, Peer.of(self.device.address), b"request %d" % slot, 0)

    def meet(self) -> None:
        assert self.ours.send(self.outbox, slice(0, 1)) == 1
        _, self.device.asker = self.device.socket.recvfrom(100)

    def receive(self) -> int:
        select.select([self.ours.fileno()], (), (), 5)
        return self.ours.receive()

    def close(self) -> None:
        self.ours.close()
        self.device.socket.close()


@pytest.fixture(params=KINDS, ids=lambda kind: f"{'batched' if kind[0] else 'plain'}-{kind[1].name}")
def wire(request: pytest.FixtureRequest) -> Iterator[Wire]:
    opened = Wire(*request.param)
    yield opened
    opened.close()


def test_where_the_system_has_no_batches_the_plain_sockets_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    for found, kind in ((True, BatchedDatagrams), (False, PlainDatagrams)):
        if not found:
            monkeypatch.setattr(kernel.Kernel, "find", lambda: None)
        opened = open_datagrams(socket.AF_INET, Inbox())
        assert isinstance(opened, kind)
        opened.close()
    with pytest.raises(OSError, match="sendmmsg"):
        open_datagrams(socket.AF_INET, Inbox(), batched=True)


@pytest.mark.parametrize("slots", [slice(1, 3), np.array([3, 0, 2])], ids=["a run", "others"])
def test_what_was_prepared_goes_out_in_order(wire: Wire, slots: slice | np.ndarray) -> None:
    numbers = np.arange(4)[slots].tolist()
    assert wire.ours.send(wire.outbox, slots) == len(numbers)
    assert [wire.device.socket.recv(100) for _ in numbers] == [b"request %d" % number for number in numbers]


def test_prepared_datagrams_outlive_the_growth_of_their_table(wire: Wire) -> None:
    wire.outbox.grow(500, 1400)
    wire.outbox.rewrite(2, b"longer " * 300)
    wire.ours.send(wire.outbox, slice(0, 4))
    assert [wire.device.socket.recv(4000) for _ in range(4)] == [b"request 0", b"request 1", b"longer " * 300, b"request 3"]


def test_what_comes_is_put_into_the_rows_with_its_sender(wire: Wire) -> None:
    wire.meet()
    wire.device.say(*[b"answer %d" % number for number in range(ROOM + 3)])
    assert wire.receive() == ROOM
    assert wire.inbox.datagram(ROOM - 1) == b"answer %d" % (ROOM - 1)
    assert wire.receive() == 3
    assert [wire.inbox.datagram(row) for row in range(3)] == [b"answer %d" % (ROOM + row) for row in range(3)]
    assert wire.inbox.names[:3].tobytes() == Peer.of(wire.device.address).name * 3
    assert wire.ours.receive() == 0


def test_an_empty_datagram_is_one(wire: Wire) -> None:
    wire.meet()
    wire.device.say(b"", b"x")
    assert wire.receive() == 2
    assert wire.inbox.lengths[:2].tolist() == [0, 1]


def test_one_that_is_too_long_is_marked(wire: Wire) -> None:
    wire.meet()
    wire.device.say(b"x" * LARGEST_DATAGRAM, b"x" * (LARGEST_DATAGRAM + 1), b"y")
    assert wire.receive() == 3
    assert wire.inbox.truncated[:3].tolist() == [False, True, False]
    assert wire.inbox.lengths[:3].tolist() == [LARGEST_DATAGRAM, LARGEST_DATAGRAM, 1]


def test_the_time_of_arrival_is_the_kernels_and_not_that_of_reading(wire: Wire) -> None:
    wire.meet()
    wire.ours.receive()
    before = boot_ns()
    wire.device.say(b"early")
    select.select([wire.ours.fileno()], (), (), 5)
    after = boot_ns()
    while boot_ns() < after + 20_000_000:
        pass
    wire.device.say(b"late")
    assert wire.receive() == 2
    early, late = wire.inbox.received_ns[:2].tolist()
    assert before <= early <= after < late <= boot_ns()


@pytest.mark.parametrize("step_s", [-3600, 3600])
def test_a_step_of_the_wall_clock_moves_no_arrival_out_of_what_is_possible(
    wire: Wire, step_s: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire.meet()
    wire.ours.receive()
    before = boot_ns()
    wire.device.say(b"x")
    real = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() + step_s * 1_000_000_000)
    last_ns = before - 1_000_000_000
    assert wire.receive() == 1
    assert last_ns <= wire.inbox.received_ns[0] <= boot_ns()


def test_an_address_without_a_way_counts_as_sent(wire: Wire) -> None:
    broadcast = "255.255.255.255" if wire.ours.family == socket.AF_INET else "fe80::1"
    wire.outbox.put(1, Peer.of((broadcast, 161)), b"nobody", 0)
    assert wire.ours.send(wire.outbox, slice(0, 4)) == 4
    assert [wire.device.socket.recv(100) for _ in range(3)] == [b"request 0", b"request 2", b"request 3"]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "fe80::1%lo"])
def test_an_address_is_understood(address: str) -> None:
    peer = Peer.of((address, 161))
    assert len(peer.name) == 32
    assert peer.sockaddr[1] == 161
    assert (peer.family == socket.AF_INET) == ("127" in address)


@pytest.mark.parametrize("address", ["localhost", "", "1.2.3", "fe80::1%nowhere"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="address"):
        Peer.of((address, 161))


def test_a_directory_finds_a_slot_of_an_address() -> None:
    names = np.frombuffer(b"".join(Peer.of((f"127.0.0.{n}", 161)).name for n in (1, 2, 1)), np.uint64).reshape(-1, 4)
    others = np.frombuffer(Peer.of(("::1", 161)).name, np.uint64).reshape(-1, 4)
    directory = Directory(names, np.array([5, 6, 7]))
    assert directory.slots_of(np.concatenate([names[1:], others])).tolist() == [6, 5, -1]
    assert Directory(names[:0], np.zeros(0, np.intp)).slots_of(names).tolist() == [-1, -1, -1]
