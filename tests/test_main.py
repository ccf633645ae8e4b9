"""The program as it is started: its arguments, its exit status, its words."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from server.__main__ import main

TOP = Path(__file__).resolve().parent.parent


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def write_config(path: Path, port: int, names: tuple[str, ...] = ("nobody",)) -> Path:
    devices = "".join(
        f'  - {{name: {name}, address: 127.0.0.1, port: 9, snmp: {{version: "2c", community: public}}}}\n' for name in names
    )
    path.write_text(f"server: {{port: {port}}}\ndevices:\n{devices}")
    return path


@contextmanager
def program(config: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    started = subprocess.Popen(
        [sys.executable, "-m", "server", "--config", str(config), *more],
        cwd=TOP,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        yield started
    finally:
        started.kill()
        started.communicate()


def said(started: subprocess.Popen[str], words: str) -> str:
    """Read what the program says until a line holds `words`."""
    assert started.stderr is not None
    lines = []
    for line in started.stderr:
        lines.append(line)
        if words in line:
            return "".join(lines)
    raise AssertionError(f"{words!r} was not said, but: {''.join(lines)}")


def names_served(port: int) -> list[str]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/devices", timeout=10) as answer:
        return [device["name"] for device in json.load(answer)["devices"]]


def until(condition, what: str) -> None:
    """Wait for a state of another process that sends no event."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def test_check_config_of_the_shipped_file_is_good(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", str(TOP / "config.yaml"), "--check-config"]) == 0
    assert "good, devices: 6" in capsys.readouterr().out


def test_check_config_tells_the_faults_and_exits_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("devices: []\ncolour: red\n")
    assert main(["--config", str(path), "--check-config"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        f"{path}:1:1: devices: the list is empty: name at least one device to poll",
        f"{path}:2:1: colour: unknown key; see docs/configuration.md for those there are",
    ]


def test_a_bad_configuration_does_not_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", str(tmp_path / "absent.yaml")]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_a_port_in_use_is_said_with_the_mend(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with program(write_config(tmp_path / "config.yaml", port)) as started:
            _, error = started.communicate(timeout=20)
    assert started.returncode == 1
    assert f"port {port} of 127.0.0.1 is in use" in error
    assert "Traceback" not in error


def test_it_serves_until_sigterm_and_ends_in_order(tmp_path: Path) -> None:
    port = free_port()
    with program(write_config(tmp_path / "config.yaml", 1), "--port", str(port)) as started:
        said(started, f"serving http://127.0.0.1:{port}/, devices: 1")
        assert names_served(port) == ["nobody"]
        started.send_signal(signal.SIGTERM)
        _, rest = started.communicate(timeout=10)
    assert started.returncode == 0
    assert "Traceback" not in rest


def test_sighup_swaps_whole_or_not_at_all(tmp_path: Path) -> None:
    port = free_port()
    path = write_config(tmp_path / "config.yaml", port, ("a", "b"))
    with program(path) as started:
        said(started, "serving")
        until(lambda: names_served(port) == ["a", "b"], "both devices are there")

        path.write_text(path.read_text() + "colour: red\n")
        started.send_signal(signal.SIGHUP)
        text = said(started, "nothing was changed")
        assert "colour: unknown key" in text
        assert names_served(port) == ["a", "b"]

        write_config(path, free_port(), ("c",))
        started.send_signal(signal.SIGHUP)
        text = said(started, "nothing was changed")
        assert "server can only be changed by a restart" in text
        assert names_served(port) == ["a", "b"]

        write_config(path, port, ("b", "c"))
        started.send_signal(signal.SIGHUP)
        said(started, "reload: done, devices: 2")
        until(lambda: names_served(port) == ["b", "c"], "a is gone and c is there")
