"""What processes and the machine used, from /proc (Linux)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_STOLEN, _IDLE, _IO_WAIT = 7, 3, 4  # columns of the first line of /proc/stat


def cpu_s(pid: int) -> float:
    """User and system time of a process so far, its ended threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def rss_mib(pid: int) -> float:
    """Resident memory of a process now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@dataclass(frozen=True, slots=True)
class Load:
    """The machine's processors up to now, in ticks of all of them."""

    idle: int
    stolen: int
    whole: int

    @classmethod
    def now(cls) -> Load:
        ticks = [int(text) for text in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
        return cls(ticks[_IDLE] + ticks[_IO_WAIT], ticks[_STOLEN], sum(ticks))

    def since(self, before: Load) -> tuple[float, float]:
        """Idle and stolen since then, in percent of all processors."""
        whole = max(1, self.whole - before.whole)
        return (self.idle - before.idle) / whole * 100, (self.stolen - before.stolen) / whole * 100
