"""prometheus-snmp-exporter as a poller: `PORT DEVICES TICKS`. It is scraped as Prometheus would; its own CPU time counts.

It walks the two columns with GETBULK and gets sysUpTime. What it read is counted in the text that it serves.
"""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.fastagent import COMMUNITY, FastAgent
from bench.processes import cpu_s
from server.demo.ports import Port

_PROGRAM = "prometheus-snmp-exporter"
_COLUMNS = {"ifHCInOctets": "1.3.6.1.2.1.31.1.1.1.6", "ifHCOutOctets": "1.3.6.1.2.1.31.1.1.1.10"}
_LINE = re.compile(r"^(sysUpTime|ifHC(?:In|Out)Octets\{[^}]*\}) (\S+)$", re.MULTILINE)
_AUTHS_FROM = (0, 23)  # the release that moved the community out of the module
_START_S = 10.0


def _settings(release: tuple[int, ...]) -> dict[str, Any]:
    rows = [
        {"name": name, "oid": oid, "type": "counter", "help": name, "indexes": [{"labelname": "ifIndex", "type": "gauge"}]}
        for name, oid in _COLUMNS.items()
    ]
    up_time = {"name": "sysUpTime", "oid": "1.3.6.1.2.1.1.3", "type": "gauge", "help": "sysUpTime"}
    module: dict[str, Any] = {
        "walk": list(_COLUMNS.values()),
        "get": ["1.3.6.1.2.1.1.3.0"],
        "metrics": [up_time, *rows],
        "max_repetitions": 25,
    }
    if release >= _AUTHS_FROM:
        return {"auths": {"bench": {"community": COMMUNITY, "version": 2}}, "modules": {"bench": module}}
    return {"bench": {**module, "version": 2, "auth": {"community": COMMUNITY}}}


def _release() -> tuple[int, ...]:
    done = subprocess.run([_PROGRAM, "--version"], check=True, capture_output=True, text=True)
    found = re.search(r"version (\d+)\.(\d+)", done.stdout + done.stderr)
    return tuple(map(int, found.groups())) if found else _AUTHS_FROM


def _connect(port: int) -> http.client.HTTPConnection:
    deadline_s = time.monotonic() + _START_S
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.connect()
        except OSError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.05)
        else:
            return connection


def main(port: int, devices: int, ticks: int) -> None:
    """Scrape each device as often as said, one after the other; print what was read and what it cost."""
    with tempfile.TemporaryDirectory() as folder, Port.reserve() as web:
        config = Path(folder) / "snmp.yml"
        config.write_text(json.dumps(_settings(_release())))
        web.release()
        command = [_PROGRAM, f"--config.file={config}", f"--web.listen-address=127.0.0.1:{web.number}"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            connection = _connect(web.number)
            print(json.dumps(_scrape(connection, process.pid, port, devices, ticks)))
        finally:
            process.terminate()
            process.wait()


def _scrape(connection: http.client.HTTPConnection, pid: int, port: int, devices: int, ticks: int) -> dict[str, float]:
    varbinds = bad = counters = 0
    octets = begin_s = 0.0
    for tick in range(-1, ticks):  # the first one warms up and is not counted
        if tick == 0:
            varbinds = bad = counters = 0
            octets, begin_s = 0.0, cpu_s(pid)
        for device in range(1, devices + 1):
            connection.request("GET", f"/snmp?module=bench&auth=bench&target={FastAgent.address(device)}:{port}")
            answer = connection.getresponse()
            found = _LINE.findall(answer.read().decode())
            varbinds += len(found)
            bad += answer.status != http.HTTPStatus.OK
            values = [float(value) for name, value in found if name != "sysUpTime"]
            counters += len(values)
            octets += sum(values)
    return {"vb": varbinds, "bad": bad, "cpu": cpu_s(pid) - begin_s, "mean": octets / max(1, counters)}


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
