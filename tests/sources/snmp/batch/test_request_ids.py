from __future__ import annotations

import numpy as np

from server.sources.snmp.batch.request_ids import _SPAN, LOWEST, RequestIds

BORN = np.zeros(1 << 15, np.int64)


def test_ids_have_four_octets_and_are_never_negative() -> None:
    ids = RequestIds()
    ids.number = _SPAN - 5
    given = ids.give(np.arange(10), 1)
    assert (given >= LOWEST).all()
    assert (given < 1 << 31).all()
    assert len(set(given.tolist())) == 10


def test_an_id_leads_to_its_slot_also_where_they_begin_anew() -> None:
    ids = RequestIds()
    ids.number = ids._first = 3 * _SPAN - 5
    given = ids.give(np.arange(100, 110), 7)
    assert ids.slots_of(given).tolist() == list(range(100, 110))
    found = ids.find(given, BORN)
    assert found.known.all()
    assert found.slots.tolist() == list(range(100, 110))
    assert found.sent_ns.tolist() == [7] * 10


def test_an_id_is_known_until_many_more_were_given() -> None:
    ids = RequestIds()
    old = ids.give(np.arange(10), 1)
    while ids.find(old, BORN).known.any():
        ids.give(np.arange(1000), 2)
    assert ids.number - ids._first >= 16_000


def test_ids_that_were_never_given_are_unknown() -> None:
    ids = RequestIds()
    given = ids.give(np.arange(10), 1)
    others = np.array([given[0] - 1, given[-1] + 1, -1, 0, 5, (1 << 32) - 1])
    assert not ids.find(others, BORN).known.any()


def test_answered_ids_are_told_from_others() -> None:
    ids = RequestIds()
    given = ids.give(np.arange(4), 1)
    ids.answered(given[1:3])
    ids.answered(given[1:2])
    assert ids.find(given, BORN).done.tolist() == [False, True, True, False]
    assert ids.slots_of(given).tolist() == [0, 1, 2, 3]


def test_what_was_given_is_remembered_when_the_ring_grows() -> None:
    ids = RequestIds()
    given = ids.give(np.arange(500), 3)
    ids.answered(given[:1])
    ids.grow(20_000)
    found = ids.find(given, BORN)
    assert found.known.all()
    assert found.slots.tolist() == list(range(500))
    assert found.done.tolist() == [True] + [False] * 499


def test_an_id_from_before_its_slot_was_given_to_another_is_unknown() -> None:
    ids = RequestIds()
    before = ids.give(np.array([3]), 1)
    born = BORN.copy()
    born[3] = ids.number
    after = ids.give(np.array([3]), 1)
    assert ids.find(np.concatenate([before, after]), born).known.tolist() == [False, True]
