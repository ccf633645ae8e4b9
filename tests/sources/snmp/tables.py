"""Tables for the hostile agent."""

from __future__ import annotations

from tests.support.hostile_agent import Oid, Value, number, text

IF: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1)
IF_X: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)
UP_TIME: Oid = (1, 3, 6, 1, 2, 1, 1, 3, 0)


def table(count: int = 2, up_time: int = 500_000) -> dict[Oid, Value]:
    """An honest device with `count` interfaces eth1, eth2, ..."""
    out: dict[Oid, Value] = {
        (1, 3, 6, 1, 2, 1, 1, 1, 0): text("A device"),
        UP_TIME: number(0x43, up_time),
        (1, 3, 6, 1, 2, 1, 1, 5, 0): text("dev"),
    }
    for index in range(1, count + 1):
        out |= {
            (*IF, 2, index): text(f"Port {index}"),
            (*IF, 3, index): number(0x02, 6),
            (*IF, 7, index): number(0x02, 1),
            (*IF, 8, index): number(0x02, 1),
            (*IF_X, 1, index): text(f"eth{index}"),
            (*IF_X, 6, index): number(0x46, 10**6 * index),
            (*IF_X, 10, index): number(0x46, 10**7 * index),
            (*IF_X, 15, index): number(0x42, 1000),
        }
    return out
