"""net-snmp's snmpd as a context: a real agent, which refreshes its counters every 3 s."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

from server.demo.ports import LOOPBACK, Port
from server.demo.probe import wait_for_answer

_START_S = 10.0


def snmpd() -> str | None:
    """The path of the program, None where it is not installed."""
    return shutil.which("snmpd", path="/usr/sbin:/usr/bin:/usr/local/sbin")


class RealSnmpd:
    """It answers to the community public on loopback when the context is entered. Needs `snmpd()`."""

    def __init__(self) -> None:
        self._port: Port | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> RealSnmpd:
        self._port = Port.reserve()
        self._folder = tempfile.TemporaryDirectory(prefix="linewatch-snmpd-")
        folder = Path(self._folder.name)
        conf = folder / "snmpd.conf"
        conf.write_text(f"agentaddress udp:{LOOPBACK}:{self.port}\nrocommunity public {LOOPBACK}\n")
        command = [str(snmpd()), "-f", "-Lf", str(folder / "log"), "-C", "-c", str(conf), "-p", str(folder / "pid")]
        process = subprocess.Popen(command, env={"SNMP_PERSISTENT_DIR": str(folder), "PATH": "/usr/bin:/bin"})
        self._process = process
        with contextlib.suppress(OSError):  # it refreshes on time, however busy the machine is
            os.sched_setscheduler(process.pid, os.SCHED_FIFO, os.sched_param(1))
        if not wait_for_answer(LOOPBACK, self.port, _START_S, lambda: process.poll() is None):
            words = (folder / "log").read_text()
            self.close()
            raise RuntimeError(f"snmpd does not answer: {words}")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def port(self) -> int:
        assert self._port is not None, "snmpd is not started"
        return self._port.number

    def device(self, name: str) -> dict[str, Any]:
        """It as a device of the configuration."""
        return {"name": name, "address": LOOPBACK, "port": self.port, "snmp": {"version": "2c", "community": "public"}}

    def close(self) -> None:
        """End the process and give the port back."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
        if self._folder is not None:
            self._folder.cleanup()
        if self._port is not None:
            self._port.release()
