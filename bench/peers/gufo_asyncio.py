"""gufo_snmp (Rust with asyncio) as a poller: `PORT DEVICES TICKS get|v3`.

It runs in an environment of its own, so it imports nothing of ours.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys

from gufo.snmp.aio import SnmpSession
from gufo.snmp.user import Aes128Key, Sha256Key, User

UP_TIME = "1.3.6.1.2.1.1.3.0"
COLUMNS = ("1.3.6.1.2.1.31.1.1.1.6", "1.3.6.1.2.1.31.1.1.1.10")
HALF, AT_ONCE = 24, 64
GETS = [
    [UP_TIME, *(f"{column}.{half * HALF + row}" for row in range(1, HALF + 1) for column in COLUMNS)] for half in range(2)
]


def cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def main(port: int, devices: int, ticks: int, mode: str) -> None:
    if mode not in ("get", "v3"):
        raise SystemExit(f"no mode is named {mode}")
    user = User("bench", auth_key=Sha256Key(b"authpass123"), priv_key=Aes128Key(b"privpass123")) if mode == "v3" else None
    sessions = [
        SnmpSession(f"127.1.{device >> 8}.{device & 255}", port=port, community="public", user=user, timeout=5.0)
        for device in range(1, devices + 1)
    ]
    gate = asyncio.Semaphore(AT_ONCE)
    varbinds = bad = octets = 0

    async def poll(session: SnmpSession, count: int) -> None:
        nonlocal varbinds, bad, octets
        async with gate:
            for _ in range(count):
                for oids in GETS:
                    try:
                        values = await session.get_many(oids)
                    except Exception:
                        bad += 1
                        continue
                    varbinds += len(values)
                    octets += sum(values.values())

    for session in sessions:
        if user is not None:
            await session.refresh()
        await session.get_many(GETS[0])
    begin_s = cpu_s()
    await asyncio.gather(*(poll(session, ticks) for session in sessions))
    counters = varbinds * (2 * HALF) // (2 * HALF + 1)
    print(json.dumps({"vb": varbinds, "bad": bad, "cpu": cpu_s() - begin_s, "mean": octets / max(1, counters)}))


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:4]), sys.argv[4]))
