"""Counter arithmetic: how much a counter grew, and whether a fall was a wrap or a reset. Line speed decides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from server.core.model import Counts, Floats, Mask, Table

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

    `top` is the greatest value; `line_bits` (columns, 1) as in `Metric`; `speed_bps` (rows,), 0 unknown; `wrap_bps` is what
    a wrap may need at most.
    """

    top: Counts
    is_32: Mask
    any_32: bool
    line_bits: Floats
    speed_bps: Floats
    wrap_bps: Floats

    @classmethod
    def of(cls, table: Table, metrics: list[int]) -> Limits:
        """The limits of these metrics of a table."""
        bits = table.counter_bits[metrics]
        is_32 = bits == 32
        speed_bps = np.nan_to_num(table.speeds_bps(), nan=0.0)
        unknown_bps = np.where(is_32, _UNKNOWN_32_BPS, _UNKNOWN_64_BPS)
        return cls(
            top=np.where(is_32, np.uint64(2**32 - 1), np.uint64(2**64 - 1)),
            is_32=is_32,
            any_32=bool(is_32.any()),
            line_bits=np.array([[float(table.metrics[metric].line_bits)] for metric in metrics]).reshape(-1, 1),
            speed_bps=speed_bps,
            wrap_bps=_WRAP_SPEED * np.where(speed_bps > 0, speed_bps, unknown_bps),
        )


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
    now: Counts, before: Counts, judged: Mask, *, could_s: Floats, shown_bps: Floats, faster: Mask, limits: Limits
) -> Growth:
    """Compare two values of each counter where `judged`.

    `could_s` is the longest that the growth can have taken, which decides what line speed explains. `shown_bps` is what
    each counter last showed (NaN: nothing), for lines that are faster than they say; `faster` (rows,) are those known to be.
    """
    counts = ((now - before) & limits.top).astype(np.float64)
    reset = wrapped = unsure = None
    fell = judged & (now < before)
    over = judged & _is_over(counts, could_s, limits) if limits.any_32 else None
    if over is not None:
        faster = faster | (over & ~fell).any(axis=0)
    if fell.any():
        wrapped = fell & _wrap_explains(counts, could_s, shown_bps, faster, limits)
        reset = fell & ~wrapped
        if over is not None:
            faster = faster | (over & wrapped).any(axis=0)
    if limits.any_32:
        unknown_bps = np.where(faster | (limits.speed_bps == 0), _UNKNOWN_32_BPS, 0.0)
        could_bits = np.fmax(np.maximum(limits.speed_bps, unknown_bps), shown_bps) * could_s
        twice = judged & limits.is_32 & (limits.line_bits > 0) & (could_bits > _FULL_32 * limits.line_bits)
        unsure = twice if twice.any() else None
    return Growth(counts, reset, wrapped, unsure, faster)


def _is_over(counts: Floats, could_s: Floats, limits: Limits) -> Mask:
    """Whether a 32-bit counter grew by more than the stated speed explains. Where none is stated, it did not."""
    most_bits = OVER_SPEED * limits.speed_bps * could_s
    over: Mask = limits.is_32 & (limits.speed_bps > 0) & (counts * limits.line_bits > most_bits)
    return over


def _wrap_explains(counts: Floats, could_s: Floats, shown_bps: Floats, faster: Mask, limits: Limits) -> Mask:
    wrap_bps = np.where(limits.is_32 & faster, np.maximum(limits.wrap_bps, _WRAP_SPEED * _UNKNOWN_32_BPS), limits.wrap_bps)
    most_bits = np.fmax(wrap_bps, _WRAP_SHOWN * shown_bps) * could_s + _WRAP_SLACK_BITS
    by_speed = counts * limits.line_bits <= most_bits
    unbound = limits.is_32 & (counts < _UNBOUND_WRAP)
    explains: Mask = np.where(limits.line_bits > 0, by_speed, unbound)
    return explains
