from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest

from server.core.clock import boot_ns
from server.sources.snmp.batch.security import Community
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
    number,
    pdu,
    reply,
    says,
    ticks,
    values,
)

NO_INSTANCE, END = element(Tag.NO_SUCH_INSTANCE, b""), element(Tag.END_OF_MIB_VIEW, b"")
KINDS = [(batched, family) for batched in (True, False) for family in (socket.AF_INET, socket.AF_INET6)]


@pytest.fixture(params=KINDS, ids=lambda kind: f"{'batched' if kind[0] else 'plain'}-{kind[1].name}")
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    batched, family = request.param
    with Bench(batched=batched, family=family) as opened:
        yield opened


@pytest.fixture
def learnt(bench: Bench) -> Bench:
    """Its first answer was taken, so the next is decoded by comparison."""
    bench.ask(says(honest()))
    return bench


def changed(salt: int, cell: int, value: bytes) -> list[tuple[bytes, bytes]]:
    varbinds = honest(salt)
    varbinds[cell] = (varbinds[cell][0], value)
    return varbinds


def test_the_first_answer_and_the_ones_like_it_bring_the_values(bench: Bench) -> None:
    for salt in range(3):
        assert bench.ask(says(honest(salt))) == [0]
        assert bench.seen == values(salt)
        assert not bench.slots.pending[0]
        assert not bench.bad


def test_received_and_sent_times_are_those_of_the_machines_clock(bench: Bench) -> None:
    for salt in range(2):
        before = boot_ns()
        bench.ask(says(honest(salt)))
        assert before <= bench.slots.sent_ns[0] <= bench.slots.received_ns[0] <= boot_ns()


def test_until_it_is_answered_a_slot_has_no_value(learnt: Bench) -> None:
    learnt.ask()
    assert learnt.slots.pending[0]
    assert learnt.seen == [None] * 5


def test_a_counter_may_grow_by_an_octet_to_its_very_end(learnt: Bench) -> None:
    for value in (1 << 47, (1 << 47) + 5, (1 << 63) - 1, 1 << 63, (1 << 64) - 2, (1 << 64) - 1, 0, 3):
        assert learnt.ask(says(changed(1, 2, count(value)))) == [0]
        assert learnt.seen == [*values(1)[:2], value, *values(1)[3:]]
        assert not learnt.bad


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        pytest.param(1, element(Tag.COUNTER64, b"\xe8\xd4\xa5\x10\x01"), id="negative"),
        pytest.param(1, element(Tag.COUNTER64, b"\x01" + bytes(8)), id="2^64"),
        pytest.param(1, element(Tag.COUNTER64, b""), id="empty"),
        pytest.param(1, element(Tag.COUNTER32, b"\x05"), id="another type"),
        pytest.param(1, element(Tag.OCTET_STRING, b"hello"), id="a string"),
        pytest.param(1, element(Tag.NULL, b""), id="null"),
        pytest.param(0, element(Tag.TIME_TICKS, b"\x01\0\0\0\0"), id="2^32 ticks"),
        pytest.param(0, element(Tag.TIME_TICKS, b"\xff\xff\xff\xff"), id="negative ticks"),
    ],
)
def test_one_bad_value_spoils_its_cell_only_however_often_it_comes(learnt: Bench, cell: int, value: bytes) -> None:
    for salt in range(1, 4):
        assert learnt.ask(says(changed(salt, cell, value))) == [0]
        assert learnt.seen == [*values(salt)[:cell], None, *values(salt)[cell + 1 :]]
        assert learnt.words == {"type": 1}
    assert learnt.ask(says(honest(9))) == [0]
    assert learnt.seen == values(9)
    assert not learnt.bad


def test_a_value_that_turns_negative_is_seen_though_all_else_is_as_before(learnt: Bench) -> None:
    learnt.ask(says(changed(1, 1, element(Tag.COUNTER64, b"\x7f\xff"))))
    learnt.ask(says(changed(1, 1, element(Tag.COUNTER64, b"\xff\xff"))))
    assert learnt.seen == [values(1)[0], None, *values(1)[2:]]


def test_leading_zeros_do_not_change_a_value(learnt: Bench) -> None:
    for low in (b"\x12\x34", b"\xff\xff"):
        learnt.ask(says(changed(1, 1, element(Tag.COUNTER64, bytes(9) + low))))
        assert learnt.seen == [values(1)[0], int.from_bytes(low, "big"), *values(1)[2:]]
    learnt.ask(says(changed(1, 1, element(Tag.COUNTER64, bytes(2) + b"\x01" + bytes(8)))))
    assert learnt.seen[1] is None


def test_a_missing_object_is_told_and_the_rest_is_taken(learnt: Bench) -> None:
    for salt in range(2):
        learnt.ask(says(changed(salt, 3, NO_INSTANCE)))
        assert learnt.seen == [*values(salt)[:3], None, values(salt)[4]]
        assert learnt.slots.missing[0]
        assert not learnt.bad
    learnt.ask(says(changed(3, 4, END)))
    assert learnt.slots.missing[0]
    learnt.ask(says(honest(4)))
    assert not learnt.slots.missing[0]
    assert learnt.seen == values(4)


@pytest.mark.parametrize(
    "varbinds",
    [
        pytest.param(honest(5)[::-1], id="in another order"),
        pytest.param(honest(5)[:3], id="fewer"),
        pytest.param([*honest(5), (OIDS[-1][:-1] + b"\x09", count(1))], id="more"),
        pytest.param([*honest(5)[:4], (OIDS[3], count(1))], id="one twice"),
        pytest.param([*honest(5)[:4], (OIDS[4][:-1] + b"\x09", count(1))], id="another object"),
        pytest.param([*honest(5)[:4], (OIDS[4] + b"\x80\x01", count(1))], id="an ill-formed name"),
    ],
)
def test_a_get_answered_with_other_objects_is_refused_and_still_awaited(
    learnt: Bench, varbinds: list[tuple[bytes, bytes]]
) -> None:
    assert learnt.ask(says(varbinds)) == []
    assert learnt.words == {"oid": 1}
    assert learnt.slots.pending[0]
    assert learnt.ask(says(honest(6))) == [0]
    assert learnt.seen == values(6)


@pytest.mark.parametrize(("status", "index", "words"), [(1, 0, {}), (2, 3, {}), (5, 9999, {"error_status": 1})])
def test_an_error_status_answers_the_slot_without_values(
    learnt: Bench, status: int, index: int, words: dict[str, int]
) -> None:
    assert learnt.ask(says(honest(7), status=status, index=index)) == [0]
    assert (learnt.slots.error_status[0], learnt.slots.error_index[0]) == (status, index)
    assert learnt.seen == [None] * 5
    assert learnt.words == words
    learnt.ask(says(honest(8)))
    assert (learnt.slots.error_status[0], learnt.slots.error_index[0]) == (0, 0)
    assert learnt.seen == values(8)


def test_too_big_with_an_empty_list_answers_the_slot(learnt: Bench) -> None:
    assert learnt.ask(says([], status=1)) == [0]
    assert learnt.slots.error_status[0] == 1


def test_lengths_may_be_in_the_long_form(learnt: Bench) -> None:
    def long(salt: int) -> Callable[[int], bytes]:
        inner = number(Tag.INTEGER, 1) + element(Tag.OCTET_STRING, b"public")
        size = len(inner + pdu(1 << 24, honest(salt))).to_bytes(2, "big")
        return lambda i: b"\x30\x82" + size + inner + pdu(i, honest(salt))

    for salt in range(2):
        assert learnt.ask(long(salt)) == [0]
        assert learnt.seen == values(salt)
        assert not learnt.bad


@pytest.mark.parametrize("length", [0, 1, 127, 128, 200])
def test_a_community_of_any_length_is_found(length: int) -> None:
    community = b"c" * length
    with Bench(security=Community(1, community)) as bench:
        for salt in range(2):
            assert bench.ask(says(honest(salt), community=community)) == [0]
            assert bench.seen == values(salt)


def test_version_1_is_spoken_too() -> None:
    with Bench(security=Community(0, b"public")) as bench:
        for salt in range(2):
            assert bench.ask(says(honest(salt), version=0)) == [0]
            assert bench.seen == values(salt)


@pytest.mark.parametrize("same", [True, False])
def test_of_several_answers_the_first_wins(learnt: Bench, same: bool) -> None:
    first = honest(11) if same else changed(11, 2, count(1 << 62))
    assert learnt.ask(says(first), says(honest(12)), says(honest(13))) == [0]
    assert learnt.seen[4] == values(11)[4]
    assert learnt.words == {"duplicate": 2}
    learnt.bad.clear()


def test_an_answer_that_comes_twice_at_different_times_counts_once(learnt: Bench) -> None:
    learnt.ask()
    request_id = int(learnt.slots.awaited[0])
    assert learnt.tell(reply(request_id, honest(1))) == [0]
    assert learnt.tell(reply(request_id, honest(2))) == []
    assert learnt.seen == values(1)
    assert learnt.words == {"duplicate": 1}


def test_a_late_answer_changes_nothing_but_tells_its_age(learnt: Bench) -> None:
    learnt.ask()
    old = learnt.slots.awaited[0]
    learnt.slots.give_up(learnt.slot)
    assert learnt.tell(reply(int(old), honest(9))) == []
    assert learnt.seen == [None] * 5
    assert learnt.words == {"late": 1}
    assert 0 < learnt.slots.late_s[0] < 60
    learnt.slots.late_s[0] = float("nan")
    assert learnt.tell(reply(int(old), honest(9))) == []
    assert learnt.words == {"late": 1, "duplicate": 1}


def test_an_answer_to_the_request_before_is_late(learnt: Bench) -> None:
    learnt.ask()
    old = int(learnt.slots.awaited[0])
    assert learnt.ask(lambda i: reply(old, honest(9)), says(honest(10))) == [0]
    assert learnt.seen == values(10)
    assert learnt.words == {"late": 1}


def test_sent_again_it_is_the_same_request(learnt: Bench) -> None:
    learnt.slots.send(learnt.slot)
    first, sent_ns = learnt.device.hear(), learnt.slots.sent_ns[0]
    learnt.slots.again(learnt.slot)
    assert learnt.device.hear() == first
    assert learnt.tell(reply(first, honest(1))) == [0]
    assert learnt.slots.sent_ns[0] == sent_ns
    learnt.slots.again(learnt.slot)
    learnt.device.socket.settimeout(0.05)
    with pytest.raises(TimeoutError):
        learnt.device.hear()


GOOD = 14
REFUSED: dict[str, Callable[[int], bytes]] = {
    "community": says(honest(66), community=b"hacker"),
    "version": says(honest(66), version=0),
    "pdu_type": says(honest(66), tag=0xA0),
    "malformed": lambda i: reply(i, honest(66)) + b"\0",
}


@pytest.mark.parametrize("word", REFUSED)
def test_what_fails_a_check_does_not_keep_the_good_answer_out(learnt: Bench, word: str) -> None:
    assert learnt.ask(REFUSED[word], says(honest(GOOD))) == [0]
    assert learnt.seen == values(GOOD)
    assert learnt.words == {word: 1}


@pytest.mark.parametrize("word", REFUSED)
def test_what_fails_a_check_is_refused_before_anything_was_learnt(bench: Bench, word: str) -> None:
    assert bench.ask(REFUSED[word], says(honest(GOOD))) == [0]
    assert bench.seen == values(GOOD)
    assert bench.words == {word: 1}


def test_garbage_is_counted_as_of_the_device_that_sent_it(learnt: Bench) -> None:
    learnt.ask()
    request_id = int(learnt.slots.awaited[0])
    rubbish = (b"", b"\x30", b"\xff" * 1400, reply(request_id, honest(17))[:40], b"\x30\x82\xff\xff\x02\x01\x01")
    assert learnt.tell(*rubbish, reply(request_id, honest(18))) == [0]
    assert learnt.seen == values(18)
    assert learnt.bad == {(0, "malformed"): 5}


def test_an_answer_that_was_never_asked_for_is_counted(learnt: Bench) -> None:
    assert learnt.ask(
        lambda i: reply(i + 1, honest(66)), lambda i: reply(1 << 25, honest(66)), lambda i: reply(i, honest(1))
    ) == [0]
    assert learnt.bad == {(0, "request_id"): 2}


def test_an_answer_larger_than_any_that_is_asked_for_is_refused(learnt: Bench) -> None:
    huge = [*honest(19), (OIDS[0][:-1] + b"\x01", element(Tag.OCTET_STRING, b"x" * 6000))]
    assert learnt.ask(says(huge)) == []
    assert learnt.words == {"truncated": 1}
    assert learnt.slots.pending[0]


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_an_answer_from_elsewhere_is_refused(family: int) -> None:
    with Bench(family=family) as bench, Device(family) as alien:
        bench.ask(says(honest()))

        def forge(request_id: int) -> bytes:
            alien.asker = bench.device.asker
            alien.say(reply(request_id, honest(66)), b"rubbish", reply(request_id + 1000, honest(66)))
            return reply(request_id, honest(20))

        assert bench.ask(forge) == [0]
        assert bench.seen == values(20)
        assert bench.bad == {(0, "address"): 1, (-1, "address"): 2}


def test_a_device_without_a_way_to_it_counts_as_sent_and_does_not_keep_others_from_being_sent(bench: Bench) -> None:
    more = bench.slots.add([ask_for(("255.255.255.255", 161)), ask_for(bench.device.address)])
    assert bench.slots.send(more) == 2
    assert bench.slots.pending[more].all()
    assert bench.device.hear()


def test_uptime_may_be_all_that_is_asked() -> None:
    with Bench(oids=(UP,), tags=(Tag.TIME_TICKS,)) as bench:
        for value in (5, 6):
            bench.ask(says([(UP, ticks(value))]))
            assert bench.seen == [value]


def test_integers_are_taken_up_to_31_bits() -> None:
    state = OCTETS[0]
    with Bench(oids=(UP, state), tags=(Tag.TIME_TICKS, Tag.INTEGER)) as bench:
        for value, seen in ((2, 2), (7, 7), (-1, None), ((1 << 31) - 1, (1 << 31) - 1), (1 << 31, None), (1, 1)):
            bench.ask(says([(UP, ticks(1)), (state, number(Tag.INTEGER, value))]))
            assert bench.seen == [1, seen]


def test_an_answer_without_any_value_is_one(learnt: Bench) -> None:
    for _ in range(2):
        assert learnt.ask(says([(oid, NO_INSTANCE) for oid in OIDS])) == [0]
        assert learnt.seen == [None] * 5
        assert learnt.slots.missing[0]
    assert learnt.ask(says(honest(5))) == [0]
    assert learnt.seen == values(5)
