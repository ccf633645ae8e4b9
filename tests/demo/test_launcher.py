from __future__ import annotations

import http.client
import io
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from server.core.errors import StartError
from server.demo import launcher
from server.demo.__main__ import main
from server.demo.launcher import default_config, demo_config, read_config, run_demo, run_simulators
from server.demo.network import DEVICES
from server.demo.ports import LOOPBACK, Port
from tests.demo.asking import NAME, Asker
from tests.demo.processes import children


class WhenSaid(io.StringIO):
    """A terminal that does something when the first line stands on it."""

    def __init__(self, act: Callable[[], None]) -> None:
        super().__init__()
        self._act = act

    def flush(self) -> None:
        act, self._act = self._act, lambda: None
        act()


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def kill_child(what: str) -> None:
    os.kill(next(pid for pid, command in children().items() if what in command), signal.SIGKILL)


def config_of(folder: Path, **ports: int) -> Path:
    """A configuration with these devices of the demo (`fra1_pe1=...`) on these ports."""
    entries = [
        {**each.config(), "port": ports[each.name.replace("-", "_")]}
        for each in DEVICES
        if each.name.replace("-", "_") in ports
    ]
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump({"devices": entries}), encoding="utf-8")
    return path


@pytest.mark.parametrize("end", [interrupt, terminate])
def test_the_demo_serves_live_pages_and_ends_in_order(tmp_path: Path, port: Port, end: Callable[[], None]) -> None:
    before, handlers = children(), [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    port.release()  # the server takes the TCP port of this number
    seen: dict[str, Any] = {}

    def look() -> None:
        connection = http.client.HTTPConnection(LOOPBACK, port.number, timeout=5)
        connection.request("GET", "/api/v1/devices")
        seen["answer"] = connection.getresponse().read().decode()
        seen["children"] = len(children()) - len(before)
        connection.close()
        end()

    said = WhenSaid(look)
    run_demo(config_of(tmp_path, fra1_pe1=1, waw1_cr1=1), port.number, said)
    assert said.getvalue() == f"Linewatch is live: http://127.0.0.1:{port.number}/  (Ctrl-C ends it)\n"
    assert "fra1-pe1" in seen["answer"]
    assert "waw1-cr1" in seen["answer"]
    assert seen["children"] == 3
    assert children() == before
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers


def test_when_the_server_dies_the_demo_says_so_and_ends_the_others(tmp_path: Path, port: Port) -> None:
    before = children()
    port.release()
    with pytest.raises(StartError) as caught:
        run_demo(config_of(tmp_path, fra1_pe1=1), port.number, WhenSaid(lambda: kill_child("-m server")))
    assert str(caught.value) == "the server was ended by signal 9; what it said stands above"
    assert children() == before


class Killer(io.StringIO):
    """A terminal that kills the simulator when the demo is live, and ends the demo when the simulator is back."""

    def write(self, text: str) -> int:
        written = super().write(text)
        if "is live" in text:
            kill_child("snmpsim")
        if text.endswith("is started again"):
            interrupt()
        return written


def test_a_simulated_device_that_dies_comes_back_by_itself(
    tmp_path: Path, port: Port, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "REVIVE_AFTER_S", 0.3)
    before = children()
    port.release()
    said = Killer()
    run_demo(config_of(tmp_path, fra1_pe1=1), port.number, said)
    assert said.getvalue().splitlines()[1:] == [
        "fra1-pe1: the simulator was ended by signal 9; it is started again in 0.3 s",
        "fra1-pe1: the simulator is started again",
    ]
    assert children() == before


def test_a_server_that_cannot_start_ends_the_demo(tmp_path: Path, port: Port) -> None:
    before = children()
    port.release()
    config = config_of(tmp_path, fra1_pe1=1)
    config.write_text(config.read_text(encoding="utf-8") + "colour: blue\n", encoding="utf-8")
    with pytest.raises(StartError, match="the server ended with exit code 2; what it said stands above"):
        run_demo(config, port.number, io.StringIO())
    assert children() == before


def test_a_server_that_is_never_ready_ends_the_demo(tmp_path: Path, port: Port, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "READY_TIMEOUT_S", 0.0)
    port.release()
    with pytest.raises(StartError, match="not ready after 0 s"):
        run_demo(config_of(tmp_path, fra1_pe1=1), port.number, io.StringIO())


def test_a_port_in_use_is_told_before_anything_starts(
    tmp_path: Path, port: Port, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "network", lambda *_: pytest.fail("a simulator was started"))
    config = config_of(tmp_path, fra1_pe1=1)
    with socket.create_server((LOOPBACK, 0)) as used:
        taken = used.getsockname()[1]
        assert main(["--port", str(taken), "--config", str(config)]) == 1
    expected = f"linewatch demo: port {taken} on 127.0.0.1 cannot be used (Address already in use); give another: --port N\n"
    assert capsys.readouterr().err == expected


def test_simulators_alone_use_the_ports_of_the_configuration(tmp_path: Path, port: Port) -> None:
    before = children()
    seen: dict[str, Any] = {}

    def look() -> None:
        seen["names"] = Asker(port.number, community="lon1-sw1").walk(NAME)
        terminate()

    said = WhenSaid(look)
    run_simulators(config_of(tmp_path, lon1_sw1=port.number), "0.0.0.0", said)
    assert said.getvalue() == f"Simulated devices answer on 0.0.0.0: lon1-sw1 {port.number}  (Ctrl-C ends them)\n"
    assert "Ethernet1/1" in seen["names"].values()
    assert children() == before


def test_main_ends_with_0_after_a_signal(tmp_path: Path, port: Port, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", WhenSaid(interrupt))
    assert main(["--simulators-only", "--config", str(config_of(tmp_path, lon1_sw1=port.number))]) == 0


def test_the_demo_changes_only_ports_addresses_and_where_data_goes(tmp_path: Path) -> None:
    router = {"name": "my-router", "address": "192.0.2.1"}
    given = {"server": {"url_prefix": "/x"}, "data_dir": "./data", "devices": [{"name": "fra1-pe1", "port": 16101}, router]}
    assert demo_config(given, {"fra1-pe1": 5}, 8000, tmp_path) == {
        "server": {"url_prefix": "/x", "host": LOOPBACK, "port": 8000},
        "data_dir": str(tmp_path / "data"),
        "devices": [{"name": "fra1-pe1", "address": LOOPBACK, "port": 5}, router],
    }
    assert "data_dir" not in demo_config({"devices": []}, {}, 8000, tmp_path)


@pytest.mark.parametrize("text", ["devices: []", "devices: [{name: my-router}]", "devices: 3", "7", "a: [", "\xff"])
def test_a_configuration_without_simulated_devices_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(StartError, match=r"mine\.yaml: "):
        read_config(path)


def test_a_configuration_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="No such file"):
        read_config(tmp_path / "none.yaml")


def test_the_configuration_that_came_with_the_program_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert default_config().name == "config.yaml"
    monkeypatch.setattr(launcher, "_ROOT", tmp_path)
    with pytest.raises(StartError, match="name one with --config"):
        default_config()
    installed = tmp_path / "server" / "data" / "config.yaml"
    installed.parent.mkdir(parents=True)
    installed.touch()
    assert default_config() == installed
