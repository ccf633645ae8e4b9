"""The real server as a process, on a configuration of the test's own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

from server.demo.ports import Port
from tests.support.agents import SimulatedAgent

READY_S = 30.0


def v2c(name: str, agent: SimulatedAgent, **more: Any) -> dict[str, Any]:
    """A device of the configuration that is polled with v2c."""
    return {
        "name": name,
        "address": "127.0.0.1",
        "port": agent.port,
        "snmp": {"version": "2c", "community": "public"},
        **more,
    }


class LiveServer:
    """`python -m server` on these devices, as a context; every device was tried once when it is entered."""

    def __init__(self, devices: list[dict[str, Any]], **settings: Any) -> None:
        self.devices = devices
        self._settings = settings
        self._folder = tempfile.TemporaryDirectory(prefix="linewatch-server-")
        self._process: subprocess.Popen[bytes] | None = None
        held = Port.reserve()
        self.port = held.number
        held.release()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What it said so far."""
        return (Path(self._folder.name) / "log").read_text()

    def __enter__(self) -> LiveServer:
        self._write()
        self.start()
        return self

    def reload(self, devices: list[dict[str, Any]]) -> None:
        """Go over to these devices, as an operator does: new file, SIGHUP."""
        self.devices = devices
        self._write()
        assert self._process is not None, "the server is not started"
        self._process.send_signal(signal.SIGHUP)

    def _write(self) -> None:
        config = {"server": {"port": self.port}, "devices": self.devices, **self._settings}
        (Path(self._folder.name) / "config.yaml").write_text(json.dumps(config))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
        self._folder.cleanup()

    def start(self) -> None:
        """Start the process; returns when it is ready."""
        folder = Path(self._folder.name)
        with (folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "server", "--config", str(folder / "config.yaml")], env=os.environ.copy(), stderr=log
            )
        end = time.monotonic() + READY_S
        while not self._ready():
            assert self._process.poll() is None, self.log
            assert time.monotonic() < end, f"not ready: {self.log}"
            time.sleep(0.05)

    def stop(self) -> None:
        """End it as a service manager does."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def get(self, path: str) -> Any:
        """The JSON at a path."""
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return json.load(answer)

    def _ready(self) -> bool:
        try:
            self.get("/readyz")
        except (urllib.error.URLError, ConnectionError):
            return False
        return True
