"""The whole program on a real agent: net-snmp's snmpd, which refreshes its counters every 3 s."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.demo.ports import Port
from server.demo.probe import wait_for_answer
from tests.support.live_server import LiveServer

SETTLE_S = 45.0
SNMPD = shutil.which("snmpd", path="/usr/sbin:/usr/bin:/usr/local/sbin")


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """UDP port of an snmpd of its own, community public."""
    reserved = Port.reserve()
    conf = tmp_path / "snmpd.conf"
    conf.write_text(f"agentaddress udp:127.0.0.1:{reserved.number}\nrocommunity public 127.0.0.1\n")
    command = [str(SNMPD), "-f", "-Lf", str(tmp_path / "log"), "-C", "-c", str(conf), "-p", str(tmp_path / "pid")]
    process = subprocess.Popen(command, env={"SNMP_PERSISTENT_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"})
    try:
        assert wait_for_answer("127.0.0.1", reserved.number, 10.0, lambda: process.poll() is None)
        yield reserved.number
    finally:
        process.terminate()
        process.wait(10)
        reserved.release()


@pytest.fixture
def traffic() -> Iterator[None]:
    """Datagrams to ourselves, about 1 Mb/s, so that the counters of lo move at each refresh."""
    ended = threading.Event()

    def send() -> None:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        ):
            sink.bind(("127.0.0.1", 0))
            while not ended.wait(0.01):
                one.sendto(bytes(1250), sink.getsockname())

    thread = threading.Thread(target=send)
    thread.start()
    yield
    ended.set()
    thread.join()


@pytest.mark.skipif(SNMPD is None, reason="net-snmp's snmpd is not installed here; .ci/run installs it")
@pytest.mark.usefixtures("traffic")
def test_snmpd_is_found_with_its_interfaces_its_cadence_and_a_rate_that_is_marked_as_estimated(port: int) -> None:
    device = {"name": "real", "address": "127.0.0.1", "port": port, "snmp": {"version": "2c", "community": "public"}}
    with LiveServer([device]) as server:
        loopback = settled(server)
        found = server.get("/api/v1/devices/real")
        assert (found["state"], found["reason"]) == ("up", "")
        assert found["cadence_s"] == pytest.approx(3.0, abs=0.2)
        assert found["facts"]["sysDescr"].startswith("Linux")
        assert "estimated" in loopback["quality"]
        assert loopback["in_bps"] > 500_000
        assert loopback["in_bps"] == pytest.approx(loopback["out_bps"], rel=0.01), "what lo sends, it receives"


def settled(server: LiveServer) -> dict[str, Any]:
    """`lo`, as soon as its rate is shown. The agent gives no event for that."""
    end = time.monotonic() + SETTLE_S
    while time.monotonic() < end:
        rows = {row["name"]: row for row in server.get("/api/v1/devices/real/interfaces")["interfaces"]}
        if rows and rows["lo"]["in_bps"] is not None and "estimated" in rows["lo"]["quality"]:
            return dict(rows["lo"])
        time.sleep(0.5)
    raise AssertionError(f"no estimated rate of lo within {SETTLE_S:g} s: {rows}")
