"""What is simulated: devices with known counters behind networks of known faults."""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.fault_proxy import NONE, Faults
from tests.support.truth_counters import AT_ONCE, Bursty, Every, Line, Refresh, Steady

SETTLE_S = 80.0
"""From the start of the agents until samples count: a card that refreshes every 10 s has shown eight refreshes."""

_GBPS = 1_000_000_000
_LOADS_BPS = (1_234_567_890, 98_765_432, 12_345_678)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One device. `rms` and `worst` are limits of the error in %.

    `gap` limits the samples that may be missing in a row; None where none should be missing at all.
    """

    name: str
    title: str
    lines: tuple[Line, ...]
    to_agent: Faults = NONE
    to_poller: Faults = NONE
    restarts_s: tuple[float, ...] = ()
    rms: str | None = None
    worst: str | None = None
    gap: str | None = None


def scenarios() -> tuple[Scenario, ...]:
    """All, side by side."""
    jitter, spikes = Faults(delay_s=0.025), Faults(delay_s=0.025, spikes=0.02)
    loss, disorder = Faults(delay_s=0.005, lost=0.02), Faults(delay_s=0.005, doubled=0.05, overtaken=0.05)
    bursty = tuple(Line(f"b{seed}", *_bursts(seed)) for seed in (1, 2, 3))
    return (
        Scenario("steady", "steady", _steady(), rms="<= 0.5", worst="<= 1"),
        Scenario("bursts", "bursts", bursty, rms="<= 2"),
        Scenario("jitter", "round trips of 0 to 50 ms", _steady(), jitter, jitter, rms="<= 0.5", worst="<= 2"),
        Scenario(
            "spikes",
            "0 to 50 ms, 2 % of datagrams up to 300 ms later",
            _steady(),
            spikes,
            spikes,
            rms="<= 0.5",
            worst="<= 5",
        ),
        Scenario("loss", "2 % of datagrams lost", _steady(), loss, loss, rms="<= 0.5", worst="<= 2", gap="<= 2"),
        Scenario("disorder", "5 % doubled, 5 % overtaken", _steady(), disorder, disorder, rms="<= 0.5", worst="<= 2"),
        Scenario("refresh-3", "counters refreshed every 3 s", _steady(Every(3.0, phase_s=0.4)), rms="<= 0.5", worst="<= 2"),
        Scenario("refresh-5", "counters refreshed every 5 s", _steady(Every(5.0, phase_s=1.3)), rms="<= 0.5", worst="<= 2"),
        Scenario(
            "refresh-3-jitter",
            "counters refreshed every 3 s, 2 % jitter",
            _steady(Every(3.0, 0.02, 0.7)),
            rms="<= 3",
            worst="<= 6",
        ),
        Scenario(
            "refresh-5-jitter",
            "counters refreshed every 5 s, 2 % jitter",
            _steady(Every(5.0, 0.02, 0.2)),
            rms="<= 3",
            worst="<= 6",
        ),
        Scenario(
            "refresh-bursts",
            "bursts, refreshed every 3 s",
            tuple(Line(f"b{n}", *_bursts(n), refresh=Every(3.0)) for n in (4, 5)),
        ),
        Scenario("cards", "line cards, every 3, 5, 5 and 10 s", _cards(), rms="<= 0.5", worst="<= 2"),
        Scenario("wrap-64", "64-bit counters that wrap", _wraps(), rms="<= 0.5", worst="<= 1"),
        Scenario("wrap-32", "32-bit counters that wrap every 34 s", _wraps_32(), rms="<= 0.5", worst="<= 1"),
        Scenario(
            "restart",
            "agent that restarts",
            _steady(),
            restarts_s=(_at(12), _at(38)),
            rms="<= 0.5",
            worst="<= 1",
            gap="<= 2",
        ),
        Scenario(
            "restart-3",
            "agent that restarts, counters refreshed every 3 s",
            _steady(Every(3.0, phase_s=0.9)),
            restarts_s=(_at(25),),
            rms="<= 0.5",
            worst="<= 2",
            gap="<= 7",
        ),
        Scenario("reset", "counters of one line that begin anew", _anew(), rms="<= 0.5", worst="<= 1", gap="<= 2"),
    )


def _at(measured_s: float) -> float:
    """A moment in the time that counts."""
    return SETTLE_S + measured_s + 0.5


def _steady(refresh: Refresh = AT_ONCE) -> tuple[Line, ...]:
    """Three steady lines and an idle one."""
    busy = (Line(f"s{bps}", Steady(bps), Steady(bps // 3), refresh=refresh) for bps in _LOADS_BPS)
    return (*busy, Line("idle", Steady(0), Steady(0), refresh=refresh))


def _bursts(seed: int) -> tuple[Bursty, Bursty]:
    return Bursty(50_000_000, 950_000_000, seed=seed), Bursty(5_000_000, 5 * _GBPS, seed=100 + seed)


def _cards() -> tuple[Line, ...]:
    """Four line cards with two busy lines and an idle one each."""
    lines: list[Line] = []
    for slot, (period_s, phase_s) in enumerate(((3.0, 0.2), (5.0, 1.7), (5.0, 4.1), (10.0, 2.6))):
        for port, bps in enumerate((1_000_000_000 + slot * 77_000_000, 40_000_000 + slot * 3_000_000, 0)):
            lines.append(
                Line(f"et-{slot}/0/{port}", Steady(bps), Steady(bps // 2), refresh=Every(period_s, phase_s=phase_s))
            )
    return tuple(lines)


def _wraps() -> tuple[Line, ...]:
    """Each line wraps once, at moments of its own."""
    lines = ((f"w{number}", Steady(bps), _at(5 + 9 * number)) for number, bps in enumerate(_LOADS_BPS))
    return tuple(Line(name, load, load, initial=2**64 - load.octets(round(at_s * 1e9))) for name, load, at_s in lines)


def _wraps_32() -> tuple[Line, ...]:
    load = Steady(_GBPS)
    return tuple(
        Line(f"old{number}", load, load, speed_bps=_GBPS, counter_bits=32, initial=1_000_000_000 * number)
        for number in (1, 2, 4)
    )


def _anew() -> tuple[Line, ...]:
    load = Steady(_LOADS_BPS[0])
    return Line("reset", load, load, anew_s=(_at(9), _at(31))), Line("beside", load, load, anew_s=(_at(1e6),))
