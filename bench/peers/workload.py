"""The device-tick that every poller does: 48 interfaces x (ifHCInOctets, ifHCOutOctets) and sysUpTime, in 2 PDUs."""

from __future__ import annotations

import resource
import sys
from dataclasses import dataclass

from bench.fastagent import AUTH_PASS, PRIVACY_PASS, USER
from server.sources.snmp.mib import FAST_SOURCES, SYS_UP_TIME
from server.sources.snmp.wire import encode_index

INTERFACES = 48
PDUS = 2
ROWS = INTERFACES // PDUS
COUNTERS = INTERFACES * 2
VARBINDS = COUNTERS + PDUS
COLUMNS = tuple(source.wide.oid for source in FAST_SOURCES if source.wide is not None)
GETS = tuple(
    (SYS_UP_TIME, *(column + encode_index(pdu * ROWS + row) for row in range(1, ROWS + 1) for column in COLUMNS))
    for pdu in range(PDUS)
)
BULKS = tuple(
    (SYS_UP_TIME[:-1], *(column + (encode_index(pdu * ROWS) if pdu else b"") for column in COLUMNS)) for pdu in range(PDUS)
)
V3 = {
    "version": "3",
    "user": USER,
    "auth": {"protocol": "SHA256", "key": AUTH_PASS},
    "privacy": {"protocol": "AES", "key": PRIVACY_PASS},
}


def arguments(*modes: str) -> tuple[int, int, int, str]:
    """Port, devices, ticks and mode, as this program was given them; ends it where the mode is none of `modes`."""
    port, devices, ticks, mode = sys.argv[1:]
    if mode not in modes:
        raise SystemExit(f"no mode is named {mode}")
    return int(port), int(devices), int(ticks), mode


@dataclass
class Tally:
    """What a poller in this process read since `begin`: varbinds, failed requests, and the sum of the counters."""

    varbinds: int = 0
    bad: int = 0
    octets: float = 0
    begin_s: float = 0

    def begin(self) -> None:
        """Forget what was read to warm up."""
        self.varbinds = self.bad = 0
        self.octets = 0
        self.begin_s = _cpu_s()

    def result(self) -> dict[str, float]:
        """What each poller prints, as one line of JSON."""
        counters = max(1, self.varbinds * COUNTERS // VARBINDS)
        cpu_s = _cpu_s() - self.begin_s
        return {"vb": self.varbinds, "bad": self.bad, "cpu": cpu_s, "mean": self.octets / counters}


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
