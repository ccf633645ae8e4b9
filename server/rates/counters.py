"""Counter arithmetic: how much a counter grew, and whether a fall was a wrap or a reset. Line speed decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.core.model import Counts, Floats, Mask

OVER_SPEED = 1.05  # of the stated speed: more is marked
_FULL_32 = 2.0**32
_UNKNOWN_64_BPS = 10e12  # what a line of unknown speed is taken to carry at most, when a 64-bit counter falls
_UNKNOWN_32_BPS = 1e9
_WRAP_SPEED = 1.1  # a wrap may need this much of the stated speed
_WRAP_SHOWN = 1.5  # or this much of the speed that the row showed last, since stated speeds lie
_WRAP_SLACK_BITS = 100_000.0  # and a jumbo frame more
_UNBOUND_WRAP = 2.0**31 / 16  # a 32-bit counter that speed does not bound wrapped if it grew by less than this


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """What bounds the counters of some columns: (columns, rows), unless said otherwise.

    `is_32` tells the 32-bit counters; the others have 64. `line_bits` (columns, 1) as in `Metric`; `speed_bps` (rows,), 0
    unknown.
    """

    is_32: Mask
    any_32: bool
    line_bits: Floats
    speed_bps: Floats

    @classmethod
    def of(cls, counter_bits: NDArray[np.uint8], line_bits: Floats, speeds_bps: Floats) -> Limits:
        """`counter_bits` (columns, rows) and `speeds_bps` (rows,) as in `Table`."""
        is_32 = counter_bits == 32
        return cls(is_32, bool(is_32.any()), line_bits, np.nan_to_num(speeds_bps, nan=0.0))

    def wrapped(self, growth: Counts) -> Counts:
        """What was found modulo 2^64, modulo each counter's own end."""
        return np.where(self.is_32, growth & np.uint64(2**32 - 1), growth) if self.any_32 else growth

    def wrap_bps(self) -> Floats:
        """What a wrap may need at most."""
        unknown_bps = np.where(self.is_32, _UNKNOWN_32_BPS, _UNKNOWN_64_BPS)
        return _WRAP_SPEED * np.where(self.speed_bps > 0, self.speed_bps, unknown_bps)


@dataclass(frozen=True, slots=True, eq=False)
class Growth:
    """(columns, rows) of how counters went on: `counts` grown (exact to float64), and what is to be known of it.

    `reset`: fell, and no wrap explains it. `wrapped`: fell by a wrap. `unsure`: may have wrapped twice; None where none is.
    `faster` (rows,): a 32-bit counter of it shows, or one has shown, more than the stated speed.
    """

    counts: Floats
    reset: Mask | None
    wrapped: Mask | None
    unsure: Mask | None
    faster: Mask


def grown(
    now: Counts,
    before: Counts,
    judged: Mask,
    *,
    could_s: Floats,
    shown_bps: Callable[[], Floats],
    faster: Mask,
    limits: Limits,
) -> Growth:
    """Compare two values of each counter where `judged`.

    `could_s` is the longest that the growth can have taken, which decides what line speed explains. `shown_bps` tells,
    where it matters, what each counter last showed (NaN: nothing), for lines that are faster than they say; `faster` (rows,)
    are those known to be.
    """
    counts = limits.wrapped(now - before).astype(np.float64)
    reset = wrapped = unsure = None
    fell = judged & (now < before)
    over = judged & _is_over(counts, could_s, limits) if limits.any_32 else None
    if over is not None:
        faster = faster | (over & ~fell).any(axis=0)
    if fell.any():
        wrapped = fell & _wrap_explains(counts, could_s, shown_bps(), faster, limits)
        reset = fell & ~wrapped
        if over is not None:
            faster = faster | (over & wrapped).any(axis=0)
    if limits.any_32:
        unknown_bps = np.where(faster | (limits.speed_bps == 0), _UNKNOWN_32_BPS, 0.0)
        could_bits = np.fmax(np.maximum(limits.speed_bps, unknown_bps), shown_bps()) * could_s
        twice = judged & limits.is_32 & (limits.line_bits > 0) & (could_bits > _FULL_32 * limits.line_bits)
        unsure = twice if twice.any() else None
    return Growth(counts, reset, wrapped, unsure, faster)


def _is_over(counts: Floats, could_s: Floats, limits: Limits) -> Mask:
    """Whether a 32-bit counter grew by more than the stated speed explains. Where none is stated, it did not."""
    most_bits = OVER_SPEED * limits.speed_bps * could_s
    over: Mask = limits.is_32 & (limits.speed_bps > 0) & (counts * limits.line_bits > most_bits)
    return over


def _wrap_explains(counts: Floats, could_s: Floats, shown_bps: Floats, faster: Mask, limits: Limits) -> Mask:
    wrap_bps = limits.wrap_bps()
    wrap_bps = np.where(limits.is_32 & faster, np.maximum(wrap_bps, _WRAP_SPEED * _UNKNOWN_32_BPS), wrap_bps)
    most_bits = np.fmax(wrap_bps, _WRAP_SHOWN * shown_bps) * could_s + _WRAP_SLACK_BITS
    by_speed = counts * limits.line_bits <= most_bits
    unbound = limits.is_32 & (counts < _UNBOUND_WRAP)
    explains: Mask = np.where(limits.line_bits > 0, by_speed, unbound)
    return explains
