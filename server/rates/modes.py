"""What is known of how counters are refreshed."""

from __future__ import annotations

from enum import Enum


class Mode(Enum):
    LEARNING = "learning"  # no fast rate is shown yet
    PER_TICK = "per_tick"  # plain rates
    CADENCE = "cadence"  # means over refresh periods


class Silence(Enum):
    """What the time since the last refresh says of a counter that has not grown."""

    HOLD = "hold"  # the next refresh is still to come: the last estimate stands
    UNKNOWN = "unknown"  # it is overdue
    STILL = "still"  # at least one has passed, and nothing grew
