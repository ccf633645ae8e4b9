"""Starts the simulated network and the server on it, watches them, and ends all that it started."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import yaml

from server.core.clock import boot_ns
from server.core.errors import StartError
from server.demo.network import DEVICES
from server.demo.ports import LOOPBACK, Port
from server.demo.simulators import Simulator, Simulators
from server.demo.traffic import NS

READY_TIMEOUT_S = 60.0
REVIVE_AFTER_S = 20.0  # long enough to see on the pages what a lost device looks like
_LOOK_EVERY_S = 0.2
_END_TIMEOUT_S = 10.0
_ROOT = Path(__file__).parents[2]


class Ended(BaseException):
    """Ctrl-C or SIGTERM. Not an Exception: nothing on the way may take it for a fault."""


def run_demo(config: Path, port: int, say: TextIO) -> None:
    """Serve the network of `config` with simulated agents on `port`, until Ctrl-C, SIGTERM, or until the server dies.

    Raises StartError with the reason in the last case, or when something cannot start.
    """
    check_tcp_is_free(LOOPBACK, port)
    given = read_config(config)
    with _until_a_signal(), tempfile.TemporaryDirectory(prefix="linewatch-demo-") as name:
        folder = Path(name)
        ports = {device: Port.reserve() for device in simulated(given)}
        numbers = {device: reserved.number for device, reserved in ports.items()}
        served = folder / "config.yaml"
        served.write_text(yaml.safe_dump(demo_config(given, numbers, port, folder), allow_unicode=True), encoding="utf-8")
        try:
            with network(numbers, LOOPBACK, folder) as simulators, _server(served) as server:
                _wait_until_ready(server, simulators, port)
                print(f"Linewatch is live: http://{LOOPBACK}:{port}/  (Ctrl-C ends it)", file=say, flush=True)
                _watch(server, simulators, say)
        finally:
            for reserved in ports.values():
                reserved.release()


def run_simulators(config: Path, host: str, say: TextIO) -> None:
    """Serve the simulated agents of `config` on their own ports, until Ctrl-C or SIGTERM."""
    given = read_config(config)
    numbers = {entry["name"]: entry["port"] for entry in given["devices"] if entry["name"] in simulated(given)}
    with (
        _until_a_signal(),
        tempfile.TemporaryDirectory(prefix="linewatch-demo-") as name,
        network(numbers, host, Path(name)) as simulators,
    ):
        places = ", ".join(f"{device} {port}" for device, port in numbers.items())
        print(f"Simulated devices answer on {host}: {places}  (Ctrl-C ends them)", file=say, flush=True)
        _watch(None, simulators, say)


def network(ports: Mapping[str, int], host: str, folder: Path) -> Simulators:
    """The simulated devices of these names on these UDP ports; all share one epoch, so both ends of a link agree."""
    epoch_ns = boot_ns()
    return Simulators(
        [
            Simulator(device.agent(), device.access(), (host, ports[device.name]), epoch_ns, folder / device.name)
            for device in DEVICES
            if device.name in ports
        ]
    )


def read_config(path: Path) -> dict[str, Any]:
    """The file as it is written; the server checks it. Raises StartError when no simulated device is in it."""
    try:
        given = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise StartError(f"{path}: {error}") from error
    if not isinstance(given, dict) or not simulated(given):
        names = ", ".join(device.name for device in DEVICES)
        raise StartError(f"{path}: none of its devices is simulated; the demo has {names}")
    return given


def default_config() -> Path:
    """The config.yaml that came with the program: in a wheel under `server/data`, in a checkout at its top."""
    places = (_ROOT / "server" / "data" / "config.yaml", _ROOT / "config.yaml")
    for place in places:
        if place.exists():
            return place
    raise StartError("config.yaml was not installed with the program; name one with --config")


def simulated(given: Mapping[str, Any]) -> list[str]:
    """Names of the devices of a configuration that the demo simulates."""
    known = {device.name for device in DEVICES}
    entries = given.get("devices")
    entries = entries if isinstance(entries, list) else []
    return [entry["name"] for entry in entries if isinstance(entry, dict) and entry.get("name") in known]


def demo_config(given: Mapping[str, Any], ports: Mapping[str, int], port: int, data: Path) -> dict[str, Any]:
    """`given` with the simulators' ports, the demo's own HTTP port, and data kept in `data` where it keeps any."""
    devices = [
        {**entry, "address": LOOPBACK, "port": ports[entry["name"]]} if entry.get("name") in ports else entry
        for entry in given["devices"]
    ]
    server = {**(given.get("server") or {}), "host": LOOPBACK, "port": port}
    kept = {"data_dir": str(data / "data")} if "data_dir" in given else {}
    return {**given, **kept, "server": server, "devices": devices}


def check_tcp_is_free(host: str, port: int) -> None:
    """Raises StartError when something listens there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does: a closed connection is no user
        try:
            probe.bind((host, port))
        except OSError as error:
            raise StartError(f"port {port} on {host} cannot be used ({error.strerror}); give another: --port N") from error


@contextmanager
def _until_a_signal() -> Iterator[None]:
    """Ctrl-C and SIGTERM end the block in order, once: while it ends, they are not heard again."""

    def end(number: int, _frame: object) -> None:
        for each in before:
            signal.signal(each, signal.SIG_IGN)
        raise Ended(number)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, end)
    try:
        yield
    except Ended:
        return
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _server(config: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The server as a child in a session of its own; what it says goes to our standard error."""
    path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
    process = subprocess.Popen(  # noqa: S603  our own interpreter and arguments
        [sys.executable, "-m", "server", "--config", str(config)],
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(server: subprocess.Popen[bytes], simulators: Simulators, port: int) -> None:
    give_up_ns = boot_ns() + round(READY_TIMEOUT_S * NS)
    while boot_ns() < give_up_ns:
        _raise_failure(server, simulators)
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=2)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == http.client.OK:
                return
        except (OSError, http.client.HTTPException):
            pass  # it does not listen yet
        finally:
            connection.close()
        time.sleep(_LOOK_EVERY_S)
    raise StartError(f"the server is not ready after {READY_TIMEOUT_S:g} s; what it said stands above")


def _watch(server: subprocess.Popen[bytes] | None, simulators: Simulators, say: TextIO) -> None:
    """Until the server ends. A simulated device that dies comes back by itself, as a real one would be brought back."""
    died_ns: dict[str, int] = {}
    while True:
        _raise_if_ended(server)
        for simulator in simulators.simulators:
            _revive(simulator, died_ns, say)
        time.sleep(_LOOK_EVERY_S)


def _revive(simulator: Simulator, died_ns: dict[str, int], say: TextIO) -> None:
    """Start a dead simulator again `REVIVE_AFTER_S` after it was first seen dead. Its counters have gone on meanwhile."""
    failure = simulator.failure()
    if failure is None:
        return
    if simulator.name not in died_ns:
        died_ns[simulator.name] = boot_ns()
        print(f"{failure}; it is started again in {REVIVE_AFTER_S:g} s", file=say, flush=True)
    elif boot_ns() - died_ns[simulator.name] >= REVIVE_AFTER_S * NS:
        del died_ns[simulator.name]
        simulator.stop()
        simulator.start()
        print(f"{simulator.name}: the simulator is started again", file=say, flush=True)


def _raise_failure(server: subprocess.Popen[bytes], simulators: Simulators) -> None:
    _raise_if_ended(server)
    if failure := simulators.failure():
        raise StartError(failure)


def _raise_if_ended(server: subprocess.Popen[bytes] | None) -> None:
    if server is not None and (code := server.poll()) is not None:
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        raise StartError(f"the server {how}; what it said stands above")
