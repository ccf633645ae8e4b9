"""A real snmpsim agent for the tests of the SNMP source."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.sources.snmp.message import Operation, Request
from server.sources.snmp.mib import SYS_UP_TIME
from server.sources.snmp.pysnmp_stack.codec import CommunityCodec
from server.sources.snmp.settings import SnmpV1V2
from tests.sources.snmp.catalogue import RECORDINGS
from tests.sources.snmp.recording import Recording

AUTH_KEY, PRIVACY_KEY = "authentic-key", "private-key-1"
V3 = {
    "version": "3",
    "user": "priv-AES",
    "auth": {"protocol": "SHA256", "key": AUTH_KEY},
    "privacy": {"protocol": "AES", "key": PRIVACY_KEY},
    "context": "two",
}
AUTH = ("MD5", "SHA", "SHA224", "SHA256", "SHA384", "SHA512")
PRIVACY = {"DES": "DES", "3DES": "3DES", "AES": "AES", "AES192": "AES192", "AES256": "AES256"} | {
    "AES192-BLUMENTHAL": "AES192BLMT",
    "AES256-BLUMENTHAL": "AES256BLMT",
}


def v3_users() -> list[tuple[str, str | None, str | None]]:
    """(user, authentication, privacy): each protocol once."""
    users: list[tuple[str, str | None, str | None]] = [("plain", None, None)]
    users += [(f"auth-{auth}", auth, None) for auth in AUTH]
    users += [(f"priv-{privacy}", "SHA256", privacy) for privacy in PRIVACY]
    return users


class Agent:
    """A running snmpsim. A recording `x` answers to community `x`, and to SNMPv3 context `x`.

    snmpsim reads a folder once, so new recordings need a restart: a new engine ID, and sysUpTime from its start again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as reserved:
            reserved.bind(("127.0.0.1", 0))
            self.port: int = reserved.getsockname()[1]
        self._starts = 0
        self._process: subprocess.Popen[bytes] | None = None

    def serve(self, recordings: dict[str, Recording]) -> None:
        """Start, or start again with other recordings."""
        self.stop()
        self._starts += 1
        folder = self._folder / str(self._starts)
        folder.mkdir()
        for community, recording in recordings.items():
            (folder / f"{community}.snmprec").write_text(recording.text())
        log = self._folder / "log"
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                _command(folder, self._folder / "cache", self.port),
                env={**os.environ, "SNMPSIM_ALLOW_ROOT": "true"},
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        _await_answer(self._process, self.port, next(iter(recordings)), log)

    def stop(self) -> None:
        if self._process is not None:
            self.resume()
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def pause(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


@pytest.fixture(scope="package")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    """An agent with the whole catalogue, which tests share."""
    yield from _run(tmp_path_factory.mktemp("agent"), RECORDINGS)


@pytest.fixture
def own_agent(tmp_path: Path) -> Iterator[Agent]:
    """An agent that a test may pause and start again."""
    yield from _run(tmp_path, {"two": RECORDINGS["two"]})


def _run(folder: Path, recordings: dict[str, Recording]) -> Iterator[Agent]:
    agent = Agent(folder)
    try:
        agent.serve(recordings)
        yield agent
    finally:
        agent.stop()


def _command(data: Path, cache: Path, port: int) -> list[str]:
    command = [
        str(Path(sys.executable).with_name("snmpsim-command-responder")),
        f"--data-dir={data}",
        f"--cache-dir={cache}",
        "--log-level=error",
    ]
    for user, auth, privacy in v3_users():
        command += [f"--v3-user={user}"]
        if auth is not None:
            command += [f"--v3-auth-key={AUTH_KEY}", f"--v3-auth-proto={auth}"]
        if privacy is not None:
            command += [f"--v3-priv-key={PRIVACY_KEY}", f"--v3-priv-proto={PRIVACY[privacy]}"]
    return [*command, f"--agent-udpv4-endpoint=127.0.0.1:{port}"]


def _await_answer(process: subprocess.Popen[bytes], port: int, community: str, log: Path) -> None:
    codec = CommunityCodec(SnmpV1V2.model_validate({"version": "2c", "community": community}))
    request = codec.encode(Request.of(Operation.GET, (SYS_UP_TIME,)), 77)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(0.2)
        client.connect(("127.0.0.1", port))
        for _ in range(150):
            if process.poll() is not None:
                break
            try:
                client.send(request)
                client.recv(2048)
            except TimeoutError:
                continue
            except ConnectionRefusedError:
                # Nothing listens yet; the error comes at once, so a wait is needed before the next try.
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as pause:
                    pause.bind(("127.0.0.1", 0))
                    pause.settimeout(0.1)
                    try:
                        pause.recv(1)
                    except TimeoutError:
                        continue
            else:
                return
    raise RuntimeError(f"snmpsim did not start: {log.read_text()[-2000:]}")


@pytest.fixture
def soon_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence is told sooner."""
    monkeypatch.setattr("server.sources.snmp.health.DOWN_S", 0.9)
