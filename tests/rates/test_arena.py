from __future__ import annotations

import random

import numpy as np

from server.rates.arena import Arena, Ranges
from server.rates.cells import Memory
from tests.rates.build import table


def test_stretches_that_are_taken_in_a_row_follow_each_other() -> None:
    ranges = Ranges()
    assert [ranges.take(length) for length in (3, 0, 5, 1)] == [0, 3, 3, 8]
    assert ranges.end == 9


def test_stretches_never_overlap_and_what_was_given_back_is_used_again() -> None:
    dice, ranges, held = random.Random(1), Ranges(), dict[int, int]()
    most = 0
    for _ in range(2000):
        if held and dice.random() < 0.5:
            begin = dice.choice(sorted(held))
            ranges.give(begin, held.pop(begin))
        else:
            length = dice.randint(1, 9)
            begin = ranges.take(length)
            assert all(begin + length <= other or other + size <= begin for other, size in held.items())
            held[begin] = length
        most = max(most, sum(held.values()))
    for begin, length in held.items():
        ranges.give(begin, length)
    assert ranges.end == 0
    assert ranges.take(most) == 0


def test_a_device_finds_all_it_remembered_though_others_come_and_go() -> None:
    arena, first, others = Arena(2), Memory.of(table(3)), []
    first.cells.value[:] = np.arange(6).reshape(2, 3)
    first.rows.grew[:] = [7, 8, 9]
    first.dues.due[:] = 5
    begin, slot = arena.add(first, number=11)
    arena.fresh_ns[slot] = 12
    cards = [arena.take_slot() for _ in range(3)]
    for rows in range(1, 40):
        of = table(rows)
        others.append((of, *arena.add(Memory.of(of))))
        if rows % 3 == 0:
            of, at, own = others.pop(0)
            arena.drop(of, at, [own])
    kept = arena.memory(first.table, begin, slot)
    assert len({slot, *cards, *(own for _, _, own in others)}) == 4 + len(others)
    assert kept.cells.value.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert kept.rows.grew.tolist() == [7, 8, 9]
    assert kept.dues.due.tolist() == [[5], [5]]
    assert (arena.number[slot], arena.fresh_ns[slot]) == (11, 12)


def test_the_place_of_a_device_that_is_gone_holds_nothing_of_it_for_the_next() -> None:
    arena, of = Arena(2), table(3)
    old = Memory.of(of)
    old.cells.known[:], old.rows.stamped[:], old.dues.due[:] = True, True, 5
    begin, slot = arena.add(old, number=3)
    arena.fresh_ns[slot] = 4
    arena.drop(of, begin, [slot])
    assert arena.add(Memory.of(of)) == (begin, slot)
    kept = arena.memory(of, begin, slot)
    assert not kept.cells.known.any()
    assert not kept.rows.stamped.any()
    assert kept.dues.due.tolist() == [[-1], [-1]]
    assert (arena.number[slot], arena.fresh_ns[slot]) == (0, 0)
