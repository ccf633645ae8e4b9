from __future__ import annotations

import socket
import threading

from pyasn1.codec.ber import decoder  # type: ignore[import-untyped]
from pysnmp.proto.mpmod.rfc3412 import SNMPv3Message

from server.demo.ports import LOOPBACK, Port
from server.demo.probe import discovery_request, wait_for_answer


def test_the_request_is_whole_ber() -> None:
    for message_id in (1, 127, 128, 70_000):
        message, rest = decoder.decode(discovery_request(message_id), asn1Spec=SNMPv3Message())
        assert not rest
        assert [int(message[0]), int(message[1][0])] == [3, message_id]


def test_it_waits_for_an_agent_that_comes_up_later(port: Port) -> None:
    refused = threading.Event()

    def alive() -> bool:
        refused.set()  # asked before each try: the first one meets no agent
        return True

    def come_up() -> None:
        refused.wait()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as agent:
            agent.bind((LOOPBACK, port.number))
            _, asker = agent.recvfrom(2048)
            agent.sendto(b"no SNMP", asker)
            _, asker = agent.recvfrom(2048)
            agent.sendto(b"\x30\x00", asker)

    agent = threading.Thread(target=come_up)
    agent.start()
    assert wait_for_answer(LOOPBACK, port.number, 10.0, alive)
    agent.join()


def test_it_gives_up_on_an_agent_that_stays_silent() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((LOOPBACK, 0))
        assert not wait_for_answer(LOOPBACK, silent.getsockname()[1], 0.3, lambda: True)


def test_it_gives_up_at_once_when_the_process_is_gone() -> None:
    assert not wait_for_answer(LOOPBACK, 9, 3600.0, lambda: False)
