"""Many slots together: what one device does must not touch another."""

from __future__ import annotations

import select
import socket
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.core.errors import BadReply, NoAnswer
from server.sources.snmp.batch.buffers import ROOM
from server.sources.snmp.batch.intake import CREDIT
from server.sources.snmp.batch.security import Community, ReportReceived
from server.sources.snmp.batch.slots import Slots
from server.sources.snmp.batch.strict import walk_pdu
from server.sources.snmp.message import Operation
from server.sources.snmp.wire import Tag
from tests.sources.snmp.batch.scripted import (
    OCTETS,
    OIDS,
    UP,
    Bench,
    Device,
    ask_for,
    count,
    element,
    honest,
    pdu,
    reply,
    says,
    ticks,
    values,
)


class Network:
    """A table of `size` slots that ask one device."""

    def __init__(self, size: int, batched: bool | None = None) -> None:
        self.bad: Counter[tuple[int, str]] = Counter()
        self.device = Device()
        self.slots = Slots(self._tell, batched=batched)
        self.all = self.slots.add([ask_for(self.device.address)] * size)

    def _tell(self, slot: int, word: str, count: int = 1) -> None:
        self.bad[slot, word] += count

    def send(self) -> dict[int, int]:
        """Request-id by slot, as the device heard them."""
        heard: dict[int, int] = {}
        for begin in range(0, len(self.all), 64):  # what the device's receive buffer holds
            some = self.all[begin : begin + 64]
            assert self.slots.send(some) == len(some)
            heard |= {slot: self.device.hear() for slot in some.tolist()}
        return heard

    def take(self) -> list[int]:
        answered: list[int] = []
        wait_s = 5
        while select.select(self.slots.filenos(), (), (), wait_s)[0]:
            answered += self.slots.receive().tolist()
            wait_s = 0
        return answered

    def learn(self) -> None:
        for slot, request_id in self.send().items():
            self.device.say(reply(request_id, honest(slot)))
        assert sorted(self.take()) == self.all.tolist()
        self.bad.clear()

    def close(self) -> None:
        self.device.socket.close()
        self.slots.close()


@pytest.fixture(params=[True, False], ids=["batched", "plain"])
def network(request: pytest.FixtureRequest) -> Iterator[Network]:
    opened = Network(3 * ROOM + 5, request.param)
    yield opened
    opened.close()


def test_more_answers_than_are_taken_in_at_once_find_their_slots_in_any_order(network: Network) -> None:
    for salt in (0, 1000):
        request_ids = network.send()
        for slot in np.random.default_rng(salt).permutation(network.all).tolist():
            network.device.say(reply(request_ids[slot], honest(salt + slot)))
        assert sorted(network.take()) == network.all.tolist()
        assert network.slots.values[network.all].tolist() == [values(salt + slot) for slot in network.all.tolist()]
        assert network.slots.valid[network.all].all()
        assert not network.bad


def test_slots_that_do_not_follow_one_another_are_sent_too(network: Network) -> None:
    odd = network.all[1:80:2]
    assert network.slots.send(odd) == len(odd)
    for _ in odd:
        network.device.say(reply(network.device.hear(), honest()))
    assert sorted(network.take()) == odd.tolist()


def test_a_flood_costs_one_call_and_a_flooding_device_only_so_many_walks(network: Network) -> None:
    network.learn()
    request_ids = network.send()
    garbled = reply(request_ids[0], honest())[:-1] + b"\0\0"
    network.device.say(*[garbled] * 200, *[b"rubbish"] * 300, reply(request_ids[1], honest(1)))
    assert network.take() == [1]
    walked = network.bad[0, "malformed"]
    assert network.bad[0, "flood"] == 200 - CREDIT
    assert walked + network.bad[1, "malformed"] >= CREDIT
    assert sum(count for (_, word), count in network.bad.items() if word == "malformed") == 300 + CREDIT


def test_strangers_are_counted_and_nothing_else(network: Network) -> None:
    network.learn()
    network.send()
    with Device() as stranger:
        stranger.asker = network.device.asker
        for _ in range(3 * ROOM):
            stranger.say(reply(1 << 26, honest()))
        assert network.take() == []
    assert network.bad == {(-1, "address"): 3 * ROOM}


def test_removed_slots_are_given_out_again_in_runs() -> None:
    network = Network(100)
    network.learn()
    network.slots.remove(network.all[10:30])
    assert network.slots.add([ask_for(network.device.address)] * 25).tolist() == list(range(100, 125))
    assert network.slots.add([ask_for(network.device.address)] * 20).tolist() == list(range(10, 30))
    assert not network.slots.valid[10:30].any()
    network.all = np.arange(125)
    network.learn()
    network.close()


def test_a_slot_that_is_given_out_again_has_forgotten_what_answers_looked_like() -> None:
    with Bench() as bench:
        bench.ask(says(honest(1)))
        bench.slots.remove(bench.slot)
        assert bench.slots.add([ask_for(bench.device.address, security=Community(1, b"secret"))]).tolist() == [0]
        assert bench.ask(says(honest(2))) == []
        assert bench.words == {"community": 1}
        assert bench.ask(says(honest(3), community=b"secret")) == [0]
        assert bench.seen == values(3)


def test_an_answer_to_a_slot_that_was_removed_is_of_no_one_in_it() -> None:
    network = Network(3)
    request_ids = network.send()
    network.slots.remove(network.all[1:2])
    with Device() as other:
        assert network.slots.add([ask_for(other.address)]).tolist() == [1]
        network.slots.send(np.array([1]))
        network.device.say(reply(request_ids[1], honest()))
        assert network.take() == []
        assert network.slots.pending[1]
        assert set(network.bad) == {(0, "request_id")}
    network.close()


def test_the_table_grows_while_answers_are_awaited() -> None:
    network = Network(60)
    request_ids = network.send()
    more = network.slots.add([ask_for(network.device.address, oids=OIDS * 9, tags=(Tag.COUNTER64,) * 45)] * 6000)
    assert more.tolist() == list(range(60, 6060))
    for slot, request_id in request_ids.items():
        network.device.say(reply(request_id, honest(slot)))
    assert sorted(network.take()) == network.all.tolist()
    assert network.slots.values[59, :5].tolist() == values(59)
    network.learn()
    network.close()


def test_an_address_that_is_none_is_refused_whole() -> None:
    network = Network(2)
    with pytest.raises(NoAnswer):
        network.slots.add([ask_for(network.device.address), ask_for(("no-address", 161))])
    assert network.slots.add([ask_for(network.device.address)]).tolist() == [2]
    network.close()


# GETBULK: one non-repeater, two columns of two rows.

ASKED = (UP[:-1], OCTETS[0][:-1], OCTETS[1][:-1])
BULK: dict[str, Any] = {"operation": Operation.GET_BULK, "asked": ASKED, "max_repetitions": 2}


def test_a_bulk_request_asks_for_the_columns_from_before_their_first_rows() -> None:
    with Bench(**BULK) as bench:
        bench.slots.send(bench.slot)
        datagram = bench.device.socket.recv(4096)
        inner = walk_pdu(datagram[datagram.index(b"public") + 6 :])
        assert (inner.tag, inner.error_status, inner.error_index) == (0xA5, 1, 2)
        assert tuple(varbind.oid for varbind in inner.varbinds) == ASKED


@pytest.mark.parametrize(
    ("varbinds", "seen", "missing", "disordered"),
    [
        pytest.param(honest(3), values(3), False, False, id="as expected"),
        pytest.param(honest(3)[:3], [*values(3)[:3], None, None], False, True, id="cut short"),
        pytest.param([*honest(3), (OIDS[4][:-1] + b"\x03", count(1))], values(3), False, True, id="one more"),
        pytest.param([honest(3)[i] for i in (0, 3, 4, 1, 2)], values(3), False, True, id="in another order"),
        pytest.param(
            [*honest(3)[:3], (OIDS[2], element(Tag.END_OF_MIB_VIEW, b"")), (OIDS[2], element(Tag.END_OF_MIB_VIEW, b""))],
            [*values(3)[:3], None, None],
            True,
            True,
            id="to the end of the view",
        ),
    ],
)
def test_of_a_bulk_answer_the_cells_are_found_by_their_names(
    varbinds: list[tuple[bytes, bytes]], seen: list[int | None], missing: bool, disordered: bool
) -> None:
    with Bench(**BULK) as bench:
        for _ in range(3):  # learnt, then compared
            assert bench.ask(says(varbinds)) == [0]
            assert bench.seen == seen
            assert (bench.slots.missing[0], bench.slots.disordered[0]) == (missing, disordered)
            assert not bench.bad


# Version 3: the security of a test that only turns a datagram's octets round.


class Mirror:
    """`word`: why the next message does not open."""

    def __init__(self) -> None:
        self.word = ""

    def encode(self, inner: bytes, request_id: int) -> bytes:
        head = element(0x02, b"\x03") + element(0x30, element(0x02, request_id.to_bytes(4, "big")))
        return element(0x30, head + element(0x04, inner[::-1]))

    def open(self, datagram: bytes, request_id: int) -> bytes:
        if self.word == "report":
            raise ReportReceived("usmStatsNotInTimeWindows")
        if self.word:
            raise BadReply(self.word)
        plain = datagram[-1:0:-1]
        return plain[: plain[1] + 2] if plain[1] < 0x80 else plain[: plain[2] + 3]


@pytest.fixture
def sealed() -> Iterator[tuple[Bench, Mirror]]:
    mirror = Mirror()
    with Bench(security=mirror) as bench:
        yield bench, mirror


def ask_sealed(bench: Bench, mirror: Mirror, *inner: bytes, forged: int = 0) -> list[int]:
    bench.slots.send(bench.slot)
    datagram, bench.device.asker = bench.device.socket.recvfrom(4096)
    asked = walk_pdu(mirror.open(datagram, 0))
    assert asked.tag == 0xA0
    request_id = asked.request_id
    mine = [part.replace(b"\x7f\x7f\x7f\x7f", (request_id + forged).to_bytes(4, "big")) for part in inner]
    return bench.tell(*(mirror.encode(part, request_id) for part in mine))


ID = 0x7F7F7F7F


def test_answers_of_version_3_are_opened_and_then_compared_like_others(sealed: tuple[Bench, Mirror]) -> None:
    for salt in range(3):
        assert ask_sealed(*sealed, pdu(ID, honest(salt))) == [0]
        assert sealed[0].seen == values(salt)
        assert not sealed[0].bad


def test_a_version_3_answer_whose_inner_request_id_is_another_is_refused(sealed: tuple[Bench, Mirror]) -> None:
    assert ask_sealed(*sealed, pdu(ID, honest(1))) == [0]
    assert ask_sealed(*sealed, pdu(ID, honest(2)), forged=1) == []
    assert sealed[0].words == {"request_id": 1}


def test_a_message_that_does_not_open_is_refused_and_costs_only_so_much(sealed: tuple[Bench, Mirror]) -> None:
    bench, mirror = sealed
    bench.slots.send(bench.slot)
    datagram, bench.device.asker = bench.device.socket.recvfrom(4096)
    mirror.word = "security"
    assert bench.tell(*[datagram] * 50) == []
    assert bench.words == {"security": CREDIT, "flood": 50 - CREDIT}
    assert bench.slots.pending[0]


def test_a_report_answers_the_slot_without_values(sealed: tuple[Bench, Mirror]) -> None:
    bench, mirror = sealed
    ask_sealed(bench, mirror, pdu(ID, honest(1)))
    bench.slots.send(bench.slot)
    datagram, bench.device.asker = bench.device.socket.recvfrom(4096)
    mirror.word = "report"
    assert bench.tell(datagram) == [0]
    assert bench.slots.reported[0]
    assert bench.seen == [None] * 5
    mirror.word = ""
    assert ask_sealed(bench, mirror, pdu(ID, honest(2))) == [0]
    assert not bench.slots.reported[0]
    assert bench.seen == values(2)


def test_a_version_3_request_that_is_sent_again_is_a_new_message_of_the_same_id(sealed: tuple[Bench, Mirror]) -> None:
    bench, mirror = sealed
    bench.slots.send(bench.slot)
    first = bench.device.socket.recv(4096)
    bench.slots.again(bench.slot)
    assert walk_pdu(mirror.open(bench.device.socket.recv(4096), 0)).request_id == walk_pdu(mirror.open(first, 0)).request_id


# Whatever a device says.


@st.composite
def mutations(draw: st.DrawFn) -> list[tuple[str, int, bytes]]:
    kinds = st.sampled_from(["flip", "put", "cut", "insert", "delete", "append"])
    return draw(st.lists(st.tuples(kinds, st.integers(0, 300), st.binary(min_size=1, max_size=4)), max_size=4))


def mutate(datagram: bytes, changes: list[tuple[str, int, bytes]]) -> bytes:
    out = bytearray(datagram)
    for kind, where, what in changes:
        at = where % (len(out) or 1)
        match kind:
            case "flip" if out:
                out[at] ^= 1 << what[0] % 8
            case "put":
                out[at : at + len(what)] = what
            case "cut":
                del out[at:]
            case "insert":
                out[at:at] = what
            case "delete":
                del out[at : at + len(what)]
            case _:
                out += what
    return bytes(out)


@pytest.fixture(scope="module")
def mixed() -> Iterator[Network]:
    opened = Network(4)
    opened.learn()
    yield opened
    opened.close()


@given(changes=st.lists(mutations(), min_size=1, max_size=4))
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_mutation_of_an_answer_raises_or_changes_another_slot(
    mixed: Network, changes: list[list[tuple[str, int, bytes]]]
) -> None:
    request_ids = mixed.send()
    for change in changes:
        mixed.device.say(mutate(reply(request_ids[1], honest(71)), change))
    for slot in (0, 2, 3):
        mixed.device.say(reply(request_ids[slot], honest(slot)))
    answered = mixed.take()
    assert sorted(slot for slot in answered if slot != 1) == [0, 2, 3]
    for slot in (0, 2, 3):
        assert mixed.slots.values[slot].tolist() == values(slot)
        assert mixed.slots.valid[slot].all()
    assert len(set(answered)) == len(answered)


def test_the_kernel_grants_a_large_receive_buffer() -> None:
    network = Network(1)
    granted = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    assert network.slots.receive_buffer_octets >= granted.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    granted.close()
    network.close()


def test_uptime_answers_of_any_length_follow_one_another() -> None:
    with Bench(oids=(UP,), tags=(Tag.TIME_TICKS,)) as bench:
        for value in (0, 127, 128, 65_535, (1 << 32) - 1, 0):
            bench.ask(says([(UP, ticks(value))]))
            assert bench.seen == [value]


def test_what_the_kernel_does_not_take_is_not_pending_and_has_no_old_value(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network(200)
    network.learn()
    sending = network.slots._sockets[socket.AF_INET]
    room = iter([128, 7])
    monkeypatch.setattr(sending, "send", lambda outbox, where: next(room))
    assert network.slots.send(network.all) == 135
    assert network.slots.pending[:135].all()
    assert not network.slots.pending[135:].any()
    assert not network.slots.valid.any()
    network.close()


def test_devices_of_both_families_are_sent_to_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network(3)
    with Device(socket.AF_INET6) as other:
        more = network.slots.add([ask_for(other.address), ask_for(network.device.address), ask_for(other.address)])
        everyone = np.concatenate([more, network.all])
        assert network.slots.send(everyone) == 6
        for device, asked in ((other, 2), (network.device, 4)):
            for _ in range(asked):
                device.say(reply(device.hear(), honest()))
        assert sorted(network.take()) == list(range(6))
        monkeypatch.setattr(network.slots._sockets[socket.AF_INET6], "send", lambda outbox, where: 0)
        assert network.slots.send(everyone[[1, 2, 0]]) == 1
        assert network.slots.pending[more].tolist() == [False, True, False]
    network.close()


def test_before_any_slot_was_added_whatever_comes_is_refused() -> None:
    bad: Counter[tuple[int, str]] = Counter()
    slots = Slots(lambda slot, word, count=1: bad.update({(slot, word): count}))
    with Device() as stranger:
        for descriptor in slots.filenos()[:1]:
            port = socket.socket(fileno=descriptor)
            stranger.asker = ("127.0.0.1", port.getsockname()[1])
            port.detach()
        stranger.say(reply(1 << 26, honest()), b"")
        select.select(slots.filenos(), (), (), 5)
        assert slots.receive().tolist() == []
    assert bad == {(-1, "address"): 2}
    slots.close()
