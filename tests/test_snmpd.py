"""The whole program on a real agent: net-snmp's snmpd, which refreshes its counters every 3 s."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from server.core.clock import boot_ns
from server.core.model import Quality
from tests.support.live_server import LiveServer
from tests.support.loops import run_alone
from tests.support.real_snmpd import RealSnmpd, snmpd
from tests.support.shown import Shown, watch
from tests.support.steady_line import SteadyLine, why_not

SETTLE_S = 60.0
WATCH_S = 24
NO_LINE = why_not()

pytestmark = pytest.mark.skipif(snmpd() is None, reason="net-snmp's snmpd is not installed here; .ci/run installs it")


@pytest.fixture
def agent() -> Iterator[RealSnmpd]:
    with RealSnmpd() as agent:
        yield agent


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


@pytest.mark.usefixtures("traffic")
def test_snmpd_is_found_with_its_interfaces_its_cadence_and_a_rate_that_is_marked_as_estimated(agent: RealSnmpd) -> None:
    with LiveServer([agent.device("real")]) as server:
        loopback = settled(server, "lo")
        found = server.get("/api/v1/devices/real")
        assert (found["state"], found["reason"]) == ("up", "")
        assert found["cadence_s"] == pytest.approx(3.0, abs=0.2)
        assert found["facts"]["sysDescr"].startswith("Linux")
        assert "estimated" in loopback["quality"]
        assert loopback["in_bps"] > 500_000
        assert loopback["in_bps"] == pytest.approx(loopback["out_bps"], rel=0.01), "what lo sends, it receives"


@pytest.mark.skipif(bool(NO_LINE), reason=NO_LINE)
def test_a_steady_line_is_shown_as_steady_though_snmpd_refreshes_only_every_3_s(agent: RealSnmpd) -> None:
    # snmpd knows of a new interface only after a while; a look for new ones finds it then.
    with SteadyLine() as line, LiveServer([{**agent.device("real"), "rediscover_s": 10}]) as server:
        settled(server, line.receiver)
        before = line.count()
        shown = run_alone(watch(server.port, ["real"], boot_ns() + WATCH_S * 1_000_000_000))["real"]
        truth_bps = line.bps_since(before)
    assert truth_bps == pytest.approx(line.bps, rel=0.001), "the sender kept its pace"
    for name, way in ((line.sender, "out"), (line.receiver, "in")):
        found_bps = rates(shown, name, way)
        assert len(found_bps) > WATCH_S - 5
        errors = np.array(found_bps) / truth_bps - 1
        assert np.sqrt(np.mean(errors**2)) <= 0.005, f"{name} {way}: {errors.round(4).tolist()}"


def rates(shown: list[Shown], name: str, way: str) -> list[float]:
    """What was shown of a line; each of it a number, and marked as estimated."""
    found: list[float] = []
    for message in shown:
        place = message.lines.index(name)
        value = message.values[way][place]
        assert value is not None
        assert message.quality[place] & Quality.ESTIMATED
        found.append(value)
    return found


def settled(server: LiveServer, name: str) -> dict[str, Any]:
    """The interface, as soon as its rate is shown. The agent gives no event for that."""
    end = time.monotonic() + SETTLE_S
    while time.monotonic() < end:
        rows = {row["name"]: row for row in server.get("/api/v1/devices/real/interfaces")["interfaces"]}
        row = rows.get(name)
        if row is not None and row["in_bps"] is not None and "estimated" in row["quality"]:
            return dict(row)
        time.sleep(0.5)
    raise AssertionError(f"no estimated rate of {name} within {SETTLE_S:g} s: {rows}")
