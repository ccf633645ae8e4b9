"""Simulated agents as processes: one snmpsim for each, started, watched and ended."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from secrets import token_hex
from types import TracebackType

from server.core.errors import StartError
from server.demo.behaviour import EPOCH_VARIABLE, LAUNCHER_VARIABLE
from server.demo.ports import udp_is_free
from server.demo.probe import wait_for_answer
from server.demo.recording import Agent, recording

START_TIMEOUT_S = 20.0
_END_TIMEOUT_S = 2.0
_ROOT = Path(__file__).parents[2]
_VARIATIONS = Path(__file__).parent / "variation"
_ENGINE_PREFIX = "80004fb805"  # RFC 3411: pysnmp's enterprise number, then octets of our own
_LONG_AGO_S = 1_000_000_000  # snmpsim builds its index twice when the recording is as new as the index


@dataclass(frozen=True, slots=True)
class V3User:
    """A user of the User-based Security Model (RFC 3414), in snmpsim's words; a key None leaves that part out."""

    name: str
    auth_key: str | None = None
    auth_protocol: str = "SHA256"
    privacy_key: str | None = None
    privacy_protocol: str = "AES"


@dataclass(frozen=True, slots=True)
class Access:
    """Who may read an agent. Communities (v1, v2c) and SNMPv3 contexts are names of the same recording.

    Without `communities` the agent speaks SNMPv3 alone.
    """

    communities: tuple[str, ...] = ()
    users: tuple[V3User, ...] = ()
    contexts: tuple[str, ...] = ()


class Simulator:
    """One agent's process. `start`, then `wait_ready`; `stop` in any case."""

    def __init__(self, agent: Agent, access: Access, at: tuple[str, int], epoch_ns: int, folder: Path) -> None:
        """`at` is host and UDP port; `folder`, made when missing, keeps the recording and standard error."""
        self.agent = agent
        self.host, self.port = at
        self._access = access
        self._epoch_ns = epoch_ns
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        return self.agent.name

    @property
    def pid(self) -> int | None:
        """The process while there is one."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Write the recording and start the process. Raises StartError when the port is taken."""
        if not udp_is_free(self.host, self.port):
            raise StartError(f"{self.name}: UDP port {self.port} on {self.host} is in use; end what holds it")
        data, index = self._folder / "data", self._folder / "index"
        data.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(index, ignore_errors=True)  # it may be of another agent's recording
        for stem in {*self._access.communities, *self._access.contexts}:
            path = data / f"{stem}.snmprec"
            path.write_text(recording(self.agent), encoding="ascii")
            os.utime(path, (_LONG_AGO_S, _LONG_AGO_S))
        with self._stderr.open("wb") as stderr:
            self._process = subprocess.Popen(  # noqa: S603  our own interpreter and arguments
                self._command(data, index),
                env=self._environment(),
                cwd=self._folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,  # Ctrl-C is for the launcher, which ends us in order
            )

    def wait_ready(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Return when the agent answers. Raises StartError, with what it wrote, when it does not."""
        if wait_for_answer(self.host, self.port, timeout_s, lambda: self.failure() is None):
            return
        raise StartError(self.failure() or f"{self.name}: the simulator does not answer after {timeout_s:g} s{self._said()}")

    def failure(self) -> str | None:
        """Why the process is gone, in words; None while it runs."""
        if self._process is None:
            return f"{self.name}: the simulator is not started"
        code = self._process.poll()
        if code is None:
            return None
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return f"{self.name}: the simulator {how}{self._said()}"

    def pause(self) -> None:
        """Let the agent fall silent: SIGSTOP. Requests queue in its socket and are answered after `resume`."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on: SIGCONT."""
        self._signal(signal.SIGCONT)

    def replace(self, agent: Agent) -> None:
        """Another agent takes over the address: renumbered, rebooted or exchanged. Returns when it answers."""
        self.stop()
        self.agent = agent
        self.start()
        self.wait_ready()

    def stop(self) -> None:
        """End the process: SIGTERM, and SIGKILL after 2 s. Can be called twice."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
            os.killpg(process.pid, signal.SIGCONT)
        try:
            process.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if process.stdin:
            process.stdin.close()

    @property
    def _stderr(self) -> Path:
        return self._folder / "stderr"

    def _said(self) -> str:
        """The last line on its standard error, for an error text; snmpsim also tells there where it listens."""
        lines = self._stderr.read_text(encoding="utf-8", errors="replace").split("\n") if self._stderr.exists() else []
        lines = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("Listening at")]
        return f": {lines[-1]}" if lines else ""

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, number)

    def _environment(self) -> dict[str, str]:
        return {
            "HOME": os.environ.get("HOME", str(self._folder)),
            **os.environ,
            "SNMPSIM_ALLOW_ROOT": "true",
            "PYTHONPATH": os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")])),
            EPOCH_VARIABLE: str(self._epoch_ns),
            LAUNCHER_VARIABLE: "1",
        }

    def _command(self, data: Path, index: Path) -> list[str]:
        command = [sys.executable, "-m", "snmpsim.commands.responder", "--log-level", "error"]
        command += ["--variation-modules-dir", str(_VARIATIONS), "--cache-dir", str(index)]
        command += [f"--variation-module-options=linewatch:{json.dumps(asdict(self.agent.behaviour))}"]
        if not self._access.communities:
            command.append("--v3-only")
        command += ["--v3-engine-id", _ENGINE_PREFIX + token_hex(8), "--data-dir", str(data)]
        for user in self._access.users:
            command += ["--v3-user", user.name]
            if user.auth_key:
                command += ["--v3-auth-key", user.auth_key, "--v3-auth-proto", user.auth_protocol]
            if user.privacy_key:
                command += ["--v3-priv-key", user.privacy_key, "--v3-priv-proto", user.privacy_protocol]
        return [*command, "--agent-udpv4-endpoint", f"{self.host}:{self.port}"]


class Simulators:
    """Several agents, as one context: all answer when it is entered, none is left when it ends."""

    def __init__(self, simulators: Sequence[Simulator]) -> None:
        self.simulators = tuple(simulators)

    def __enter__(self) -> Simulators:
        try:
            for simulator in self.simulators:
                simulator.start()
            for simulator in self.simulators:
                simulator.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def failure(self) -> str | None:
        """What is wrong with the first one that is gone; None while all run."""
        return next(filter(None, (simulator.failure() for simulator in self.simulators)), None)

    def stop(self) -> None:
        """End all of them, whatever happens to one."""
        with contextlib.ExitStack() as stack:
            for simulator in self.simulators:
                stack.callback(simulator.stop)
