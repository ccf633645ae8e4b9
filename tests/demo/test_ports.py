from __future__ import annotations

import socket

import pytest

from server.core.errors import StartError
from server.demo import ports
from server.demo.ports import LOOPBACK, Port, udp_is_free


def test_no_two_reservations_have_one_port_and_the_agent_can_bind_its_own() -> None:
    reserved = [Port.reserve() for _ in range(50)]
    assert len({port.number for port in reserved}) == 50
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as agent:
        agent.bind((LOOPBACK, reserved[0].number))
    for port in [*reserved, *reserved]:
        port.release()


def test_a_port_is_held_until_it_is_released() -> None:
    port = Port.reserve()
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as other, pytest.raises(OSError, match="in use"):
        other.bind((LOOPBACK, port.number))
    port.release()
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as other:
        other.bind((LOOPBACK, port.number))


def test_a_udp_port_in_use_is_not_free() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as used:
        used.bind((LOOPBACK, 0))
        assert not udp_is_free(LOOPBACK, used.getsockname()[1])


def test_when_every_port_is_taken_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "udp_is_free", lambda _host, _port: False)
    with pytest.raises(StartError, match="no free UDP port"):
        Port.reserve()
