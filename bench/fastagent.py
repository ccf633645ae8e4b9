"""The agent of the benchmarks (`native/agent.c`) as a context manager: thousands of devices behind one socket.

Device `n` (1 to 65,535) has the address `FastAgent.address(n)`. It has `interfaces` lines of 1 Gb/s, `Gi1/0/1` and so on,
whose counters grow linearly: `octets_per_s` is the truth.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import TracebackType

from bench.processes import cpu_s
from bench.toolchain import NATIVE, Missing, compiled
from server.demo.ports import Port

COMMUNITY = "public"
USER, AUTH_PASS, PRIVACY_PASS = "bench", "authpass123", "privpass123"  # SHA-256 and AES-128
_FIRST_ADDRESS = (127, 1)
_SOURCES = tuple(NATIVE / name for name in ("agent.c", "mib.c", "pdu.c"))
_WAYS = {"in": 0, "out": 1}


class FastAgent:
    """Runs from `__enter__` to `__exit__`, and not longer than this process. Needs Linux and gcc: raises Missing.

    `discontinuity`: rows have ifCounterDiscontinuityTime. `most_octets` is the largest answer. `v3_alone`: nothing but
    version 3 is answered; raises Missing where the agent cannot be built with it. `started_us` (CLOCK_MONOTONIC) is when its
    counters began to grow.
    """

    def __init__(
        self, interfaces: int = 48, *, most_octets: int = 1472, discontinuity: bool = False, v3_alone: bool = False
    ) -> None:
        self.interfaces = interfaces
        self._options = ["-n", str(interfaces), "-m", str(most_octets), *["-d"] * discontinuity, *["-3"] * v3_alone]
        self._program, self.speaks_v3 = _built()
        if v3_alone and not self.speaks_v3:
            raise Missing("libssl-dev, for an agent with version 3")
        self._process: subprocess.Popen[str] | None = None
        self._port: Port | None = None
        self.started_us = 0

    def __enter__(self) -> FastAgent:
        self._port = Port.reserve()
        command = [str(self._program), "-p", str(self._port.number), *self._options]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        word, _, started_us = self._process.stdout.readline().partition(" ")
        if word != "ready":
            _, words = self._process.communicate()
            self._port.release()
            raise Missing(f"the agent of the benchmarks ({words.strip()})")
        self.started_us = int(started_us)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._process is not None
        assert self._port is not None
        self._process.terminate()
        self._process.communicate()
        self._port.release()

    @property
    def port(self) -> int:
        """Its UDP port, the same for all devices."""
        assert self._port is not None
        return self._port.number

    @property
    def pid(self) -> int:
        """Of its process."""
        assert self._process is not None
        return self._process.pid

    @property
    def cpu_s(self) -> float:
        """What it has used so far."""
        return cpu_s(self.pid)

    @staticmethod
    def address(device: int) -> str:
        """127.1.0.1 is device 1."""
        return ".".join(map(str, (*_FIRST_ADDRESS, device >> 8, device & 0xFF)))

    @staticmethod
    def octets_per_s(device: int, if_index: int, way: str) -> int:
        """How fast ifHCInOctets (`in`) or ifHCOutOctets (`out`) of this interface grows."""
        return 125_000 * (1 + (device * 31 + if_index * 7 + _WAYS[way] * 3) % 997)

    @staticmethod
    def octets_at_start(device: int, if_index: int) -> int:
        """What both counters of this interface were when the agent started."""
        return 10**12 * (1 + (device + if_index) % 200)

    def octets_at(self, device: int, if_index: int, way: str, monotonic_us: int) -> int:
        """A counter at a time of CLOCK_MONOTONIC, exactly."""
        grown = self.octets_per_s(device, if_index, way) * (monotonic_us - self.started_us)
        return self.octets_at_start(device, if_index) + grown // 1_000_000


def _built() -> tuple[Path, bool]:
    """The program, and whether it speaks version 3: without libssl's headers it does not."""
    try:
        usm = [*_SOURCES, NATIVE / "usm.c"]
        return compiled("agent", usm, ["-DWITH_USM", "-lcrypto", "-lpthread"]), True
    except Missing as reason:
        if str(reason) == "gcc":
            raise
        return compiled("agent-without-usm", _SOURCES, ["-lpthread"]), False
