"""A simulated chassis: line cards that refresh their counters at moments of their own, with known truth."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np

from server.core.model import Floats, Frame
from tests.rates.agent import Agent, every, steady

UNTIL_S = 700.0
PERIODS_S = (3.0, 5.0, 5.0, 10.0)


def chassis(
    seed: int, periods_s: Sequence[float] = PERIODS_S, jitter: float = 0.0, busy: int = 2, idle: int = 1, **more: object
) -> Agent:
    """Cards with these periods, 0 for as fresh as the polls, at random phases; busy and idle rows on each."""
    dice = random.Random(seed)
    moments = [
        every(period_s, UNTIL_S, dice.random() * period_s, jitter * period_s, dice.randrange(10**6)) if period_s else []
        for period_s in periods_s
    ]
    return of_moments(moments, busy, idle, random=random.Random(seed), **more)


def of_moments(moments: Sequence[Sequence[float]], busy: int = 2, idle: int = 1, **more: object) -> Agent:
    """The same with these refreshes of each card."""
    loads = [load_bps(card, row) * (row < busy) for card in range(len(moments)) for row in range(busy + idle)]
    return Agent(
        [[steady(bps) for bps in loads]] * 2,
        cards=[card for card in moments for _ in range(busy + idle)],
        names=[f"et-{card}/0/{row}" for card in range(len(moments)) for row in range(busy + idle)],
        **more,  # type: ignore[arg-type]
    )


def load_bps(card: int, row: int) -> float:
    return 1e9 + 77e6 * card + 100e6 * row


def parts_of_truth(agent: Agent, frames: Sequence[Frame]) -> Floats:
    """(ticks, busy rows) what is shown inbound, as a part of the true load."""
    loads = np.array([8 * (octets(1000.0) - octets(999.0)) for octets in agent.octets[0]])
    shown: Floats = np.array([frame.values[0] for frame in frames])
    return shown[:, loads > 0] / loads[loads > 0]


def cards(agent: Agent) -> list[list[int]]:
    """The rows of each line card that the meter has found, without those of none."""
    (device,) = agent.meter._meters._places._devices.values()
    group = device.groups()
    return sorted(np.flatnonzero(group == number).tolist() for number in range(1, len(device.units)))


def rms(parts: Floats) -> float:
    """Of what is shown."""
    return float(np.sqrt(np.nanmean((parts - 1) ** 2)))
