"""A real line with a steady load: a veth pair of the kernel, through which one end sends at a known pace. Linux, root.

    with SteadyLine() as line:
        ...  # the counters of `line.sender` (out) and `line.receiver` (in) grow by `line.bps`

`python -m tests.support.steady_line INTERFACE` is the sender: a process of its own, so that nobody else's work delays it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from server.core.clock import boot_ns

FRAME_OCTETS = 1000  # with its Ethernet header, as interface counters count it
PACE_NS = 1_000_000
BPS = FRAME_OCTETS * 8 * 1_000_000_000 // PACE_NS
_HEADER = b"\xff" * 6 + b"\x02\0\0\0\0\x01" + b"\x88\xb5"  # to all; IEEE 802 local experimental EtherType


def why_not() -> str:
    """Why there can be no such line here; empty where there can."""
    if sys.platform != "linux" or shutil.which("ip") is None:
        return "a veth pair needs Linux and iproute2"
    if os.geteuid() != 0:
        return "making a veth pair needs root"
    name = f"lw{os.getpid()}t"
    done = subprocess.run(["ip", "link", "add", name, "type", "veth"], check=False, capture_output=True, text=True)
    if done.returncode:
        return f"no veth pair here: {done.stderr.strip()}"
    subprocess.run(["ip", "link", "del", name], check=False, capture_output=True)
    return ""


@dataclass(frozen=True, slots=True)
class Count:
    """The kernel's counter at a moment of CLOCK_BOOTTIME."""

    at_ns: int
    octets: int


class SteadyLine:
    """The pair exists and is sent through from `__enter__` to `__exit__`."""

    bps = BPS

    def __init__(self) -> None:
        self.sender, self.receiver = f"lw{os.getpid()}a", f"lw{os.getpid()}b"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> SteadyLine:
        _ip("link", "add", self.sender, "type", "veth", "peer", "name", self.receiver)
        try:
            for name in (self.sender, self.receiver):
                with contextlib.suppress(OSError):  # a kernel without IPv6 has nothing to say by itself
                    Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6").write_text("1")
                _ip("link", "set", name, "up")
            self._process = subprocess.Popen([sys.executable, "-m", __name__, self.sender])
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
        self._remove()

    def count(self) -> Count:
        """What went through so far, by the kernel's own account."""
        octets = int(Path(f"/sys/class/net/{self.sender}/statistics/tx_bytes").read_text())
        return Count(boot_ns(), octets)

    def bps_since(self, before: Count) -> float:
        """The truth: the mean load since then."""
        now = self.count()
        return (now.octets - before.octets) * 8e9 / (now.at_ns - before.at_ns)

    def _remove(self) -> None:
        _ip("link", "del", self.sender)


def send(interface: str) -> None:
    """One frame each millisecond, until ended; a late one is made up for at once."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    frame = _HEADER.ljust(FRAME_OCTETS, b"\0")
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as line:
        line.bind((interface, 0))
        due_ns = time.monotonic_ns()
        while True:
            line.send(frame)
            due_ns += PACE_NS
            wait_ns = due_ns - time.monotonic_ns()
            if wait_ns > 0:
                time.sleep(wait_ns / 1e9)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


if __name__ == "__main__":
    send(sys.argv[1])
