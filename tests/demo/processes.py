"""Which processes there are, read from /proc."""

from __future__ import annotations

import os
from pathlib import Path

from server.core.clock import boot_ns


def children(pid: int | None = None) -> dict[int, str]:
    """Command lines of the living children of a process (of this one unless given), by pid."""
    parent = str(pid or os.getpid())
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            state, its_parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            if its_parent == parent and state != "Z":
                found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (OSError, ValueError):
            continue  # not a process, or one that has just ended
    return found


def ends(pid: int, within_s: float = 10.0) -> bool:
    """Whether a process that is no child of ours ends in time."""
    give_up_ns = boot_ns() + round(within_s * 1e9)
    while boot_ns() < give_up_ns:
        try:
            if (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
    return False
