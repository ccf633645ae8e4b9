from __future__ import annotations

import gc
import math
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

from server.core.garbage import KeptAside


@contextmanager
def watched_by(callback: KeptAside) -> Iterator[None]:
    gc.callbacks.append(callback)
    try:
        yield
    finally:
        gc.callbacks.remove(callback)
        gc.unfreeze()


class Thing:
    pass


def test_what_a_long_search_left_alive_is_not_searched_again_and_goes_with_its_last_user() -> None:
    kept = [Thing() for _ in range(100)]
    last = weakref.ref(kept[0])
    with watched_by(KeptAside(longest_s=0)):
        gc.collect()
        assert gc.get_freeze_count() > 100
        assert not any(isinstance(one, Thing) for generation in range(3) for one in gc.get_objects(generation=generation))
        del kept
        assert last() is None


def test_a_cycle_that_comes_later_is_found() -> None:
    with watched_by(KeptAside(longest_s=0)):
        gc.collect()
        one = Thing()
        one.itself = one  # type: ignore[attr-defined]
        gone = weakref.ref(one)
        del one
        gc.collect()
        assert gone() is None


def test_short_searches_keep_nothing_aside() -> None:
    with watched_by(KeptAside(longest_s=math.inf)):
        before = gc.get_freeze_count()
        gc.collect()
        assert gc.get_freeze_count() == before


def test_a_search_of_the_young_alone_keeps_nothing_aside() -> None:
    with watched_by(KeptAside(longest_s=0)):
        before = gc.get_freeze_count()
        gc.collect(1)
        assert gc.get_freeze_count() == before
