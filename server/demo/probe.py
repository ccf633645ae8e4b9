"""Does an agent answer? One SNMPv3 discovery request (RFC 3414, section 4): any engine answers it without credentials."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

from server.core.clock import boot_ns
from server.demo.traffic import NS

_INTEGER, _OCTETS, _SEQUENCE, _GET = 0x02, 0x04, 0x30, 0xA0
_TRY_S = 0.2
_REFUSED_S = 0.02


def _tlv(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return bytes([tag, len(body)]) + body


def _integer(value: int) -> bytes:
    return _tlv(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def discovery_request(message_id: int) -> bytes:
    """A GetRequest without variables to an unknown engine: the answer is a Report that names the engine."""
    empty = _tlv(_OCTETS)
    header = _tlv(_SEQUENCE, _integer(message_id), _integer(65_507), _tlv(_OCTETS, b"\x04"), _integer(3))
    security = _tlv(_OCTETS, _tlv(_SEQUENCE, empty, _integer(0), _integer(0), empty, empty, empty))
    request = _tlv(_GET, _integer(message_id), _integer(0), _integer(0), _tlv(_SEQUENCE))
    return _tlv(_SEQUENCE, _integer(3), header, security, _tlv(_SEQUENCE, empty, empty, request))


def wait_for_answer(host: str, port: int, timeout_s: float, alive: Callable[[], bool]) -> bool:
    """Ask until the agent answers; False when it has not in `timeout_s`, or is no longer `alive`."""
    give_up_ns = boot_ns() + round(timeout_s * NS)
    message_id = 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(_TRY_S)
        asking.connect((host, port))
        while boot_ns() < give_up_ns and alive():
            message_id += 1
            try:
                asking.send(discovery_request(message_id))
                if asking.recv(2048)[:1] == bytes([_SEQUENCE]):
                    return True
            except ConnectionRefusedError:
                time.sleep(_REFUSED_S)  # nothing is bound to the port yet
            except TimeoutError:
                pass
    return False
