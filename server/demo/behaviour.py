"""How a simulated agent behaves as a whole: its clock, its reboots, and when it does not answer. Pure functions of time."""

from __future__ import annotations

from dataclasses import dataclass

from server.demo.traffic import NS, restarts_at

EPOCH_VARIABLE = "LINEWATCH_DEMO_EPOCH_NS"  # environment: CLOCK_BOOTTIME in ns at which all counters begin
LAUNCHER_VARIABLE = "LINEWATCH_DEMO_LAUNCHER"  # environment: set where standard input is held open by the launcher
_TICK_NS = 10_000_000
_TICKS = 1 << 32


@dataclass(frozen=True, slots=True)
class Behaviour:
    """The traits of one agent; 0 leaves a trait out.

    It reboots at each multiple of `reboot_every_s` since the epoch, is silent for `boot_s` from then, and its sysUpTime and
    counters begin anew. It is silent for the last `silent_s` of each `silent_every_s` too. `uptime_s` is its sysUpTime at
    the epoch.
    """

    reboot_every_s: float = 0.0
    boot_s: float = 0.0
    silent_every_s: float = 0.0
    silent_s: float = 0.0
    uptime_s: float = 0.0

    @property
    def plain(self) -> bool:
        """Whether it always answers."""
        return not (self.boot_s or self.silent_s)


def boot_at(behaviour: Behaviour, elapsed_ns: int) -> int:
    """How often the agent has rebooted since the epoch."""
    return restarts_at(behaviour.reboot_every_s, elapsed_ns)


def uptime_ticks(behaviour: Behaviour, elapsed_ns: int) -> int:
    """sysUpTime (RFC 3418): hundredths of a second since the agent began, modulo 2^32."""
    begin_ns = boot_at(behaviour, elapsed_ns) * round(behaviour.reboot_every_s * NS)
    before_ns = 0 if begin_ns else round(behaviour.uptime_s * NS)
    return (max(0, elapsed_ns) - begin_ns + before_ns) // _TICK_NS % _TICKS


def is_silent(behaviour: Behaviour, elapsed_ns: int) -> bool:
    """Whether the agent leaves requests unanswered."""
    boot = boot_at(behaviour, elapsed_ns)
    if boot and elapsed_ns - boot * round(behaviour.reboot_every_s * NS) < round(behaviour.boot_s * NS):
        return True
    if not behaviour.silent_s:
        return False
    every_ns = round(behaviour.silent_every_s * NS)
    return max(0, elapsed_ns) % every_ns >= every_ns - round(behaviour.silent_s * NS)
