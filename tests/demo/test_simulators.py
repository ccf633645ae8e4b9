from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from server.core.clock import boot_ns
from server.core.errors import StartError
from server.demo import simulators
from server.demo.ports import LOOPBACK, Port
from server.demo.recording import Agent
from server.demo.simulators import Access, Simulator, Simulators, V3User
from tests.demo.asking import NAME, Asker
from tests.demo.processes import children, ends
from tests.support.agents import AgentBuilder, SimulatedAgent

AGENT: Agent = AgentBuilder("sw1").interface("et-0/0/1").build()
PUBLIC = Access(communities=("public",))


def simulator(port: int, folder: Path, access: Access = PUBLIC) -> Simulator:
    return Simulator(AGENT, access, (LOOPBACK, port), boot_ns(), folder)


def test_all_answer_when_the_context_is_entered_and_none_is_left_after_it(tmp_path: Path) -> None:
    before = children()
    with ExitStack() as stack:
        ports = [stack.enter_context(Port.reserve()) for _ in range(3)]
        running = stack.enter_context(Simulators([simulator(port.number, tmp_path / str(port.number)) for port in ports]))
        assert [Asker(port.number).walk(NAME) for port in ports] == [{"1": "et-0/0/1"}] * 3
        assert len(children()) == len(before) + 3
        assert running.failure() is None
    assert children() == before


def test_when_one_cannot_start_the_others_are_ended(tmp_path: Path, port: Port) -> None:
    before = children()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((LOOPBACK, 0))
        used = taken.getsockname()[1]
        both = Simulators([simulator(port.number, tmp_path / "a"), simulator(used, tmp_path / "b")])
        with pytest.raises(StartError, match=f"sw1: UDP port {used} on 127.0.0.1 is in use"):
            both.__enter__()
    assert children() == before


def test_a_simulator_that_ends_says_which_and_why(tmp_path: Path, port: Port) -> None:
    one = simulator(port.number, tmp_path)
    with Simulators([one]) as running:
        assert one.pid is not None
        os.kill(one.pid, signal.SIGKILL)
        os.waitid(os.P_PID, one.pid, os.WEXITED | os.WNOWAIT)
        assert running.failure() == "sw1: the simulator was ended by signal 9"
    assert running.failure() == "sw1: the simulator is not started"


def test_what_a_simulator_wrote_before_it_failed_is_told(tmp_path: Path, port: Port) -> None:
    weak = Access(users=(V3User("reader", auth_key="short"),), contexts=("inside",))
    one = simulator(port.number, tmp_path, weak)
    one.start()
    with pytest.raises(StartError, match=r"sw1: the simulator ended with exit code \d+: .*8"):
        one.wait_ready()
    one.stop()


def test_a_simulator_that_does_not_answer_in_time_is_told(tmp_path: Path, port: Port) -> None:
    one = simulator(port.number, tmp_path)
    one.start()
    one.pause()
    with pytest.raises(StartError, match=r"does not answer after 0\.1 s"):
        one.wait_ready(0.1)
    process = one._process
    assert process is not None
    one.stop()
    assert process.returncode == -signal.SIGTERM  # a paused process ends in order, too
    assert one.pid is None
    one.stop()


def test_a_process_that_does_not_hear_sigterm_is_killed(tmp_path: Path, port: Port, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulators, "_END_TIMEOUT_S", 0.2)
    one = simulator(port.number, tmp_path)
    deaf = (
        "import signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); sys.stderr.write('deaf'); sys.stderr.flush(); "
    )
    monkeypatch.setattr(one, "_command", lambda *_: [sys.executable, "-c", f"{deaf}sys.stdin.read()"])
    one.start()
    pid = one.pid
    assert pid is not None
    while (tmp_path / "stderr").read_text() != "deaf":
        assert one.failure() is None
    one.stop()
    assert pid not in children()


def test_an_agent_ends_when_the_process_that_started_it_is_killed(tmp_path: Path) -> None:
    program = (
        "import time; from tests.support.agents import AgentBuilder, SimulatedAgent\n"
        "with SimulatedAgent(AgentBuilder().interface('a')) as agent:\n"
        "    print(agent.simulator.pid, flush=True); time.sleep(3600)\n"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}  # a killed process leaves its folder
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment) as launcher:
        assert launcher.stdout is not None
        pid = int(launcher.stdout.readline())
        launcher.kill()
        assert ends(pid)


def test_a_simulated_agent_that_cannot_start_leaves_nothing() -> None:
    before = children()
    agent = SimulatedAgent(AgentBuilder(), users=(V3User("reader", auth_key="short"),))
    with pytest.raises(StartError, match="exit code"):
        agent.__enter__()
    assert children() == before
