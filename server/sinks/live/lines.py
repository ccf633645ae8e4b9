"""The device lines of a summary, written for all devices at once.

`DeviceLine` says what is in a line. 5,200 devices have 250,000 ports, and as objects these alone would hold the loop too
long: so numbers are written by the column, and what a device seldom changes is kept as it was written.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

from server.core.model import Floats
from server.sinks.live.board import Survey
from server.sinks.live.roster import Member

_LINES_AT_ONCE = 1000
_NO_DATA, _DOWN, _NO_SPEED = -2, -1, 101
_CODES = range(_NO_DATA, _NO_SPEED + 1)

_encoder = msgspec.json.Encoder()
_TEXTS = np.frombuffer(b"".join(b"%3d," % code for code in _CODES), dtype="S4")
_WIDTHS = np.array([len(b"%d," % code) for code in _CODES], dtype=np.intp)


def port_codes(found: Survey) -> NDArray[np.int8]:
    """(rows,) as `DeviceLine.ports` has them."""
    rows = found.rows
    busier = np.fmax(rows.in_percent, rows.out_percent)
    unknown, missing = np.isnan(busier), np.isnan(rows.in_bps) & np.isnan(rows.out_bps)
    codes = np.clip(np.where(unknown, 0, busier), 0, 100).astype(np.int8)
    codes[unknown] = _NO_SPEED
    codes[missing] = _NO_DATA
    codes[rows.down] = _DOWN
    codes[found.devices.silent[rows.owner]] = _NO_DATA
    return codes


def written(found: Survey, heads: dict[Member, bytes]) -> Iterator[bytes]:
    """The lines of all devices, some at a time, with commas between them. `heads` is kept for the next time."""
    numbers = np.array([member.number for member in found.members], dtype=np.intp)
    texts, ends = _ports(found)
    for begin in range(0, len(numbers), _LINES_AT_ONCE):
        members = found.members[begin : begin + _LINES_AT_ONCE]
        columns = zip(members, *_columns(found, numbers[begin : begin + _LINES_AT_ONCE]), strict=True)
        lines = []
        for member, in_bps, out_bps, interval_s, cadence_s, reply_ms, age_s in columns:
            head = heads.get(member)
            if head is None:
                head = heads[member] = _head(member)
            first = member.start
            last = first + (len(member.table.rows) if member.table else 0)
            ports = texts[ends[first] : ends[last] - 1] if last > first else b""
            lines.append(
                b'%b,"in_bps":%b,"out_bps":%b,"interval_s":%b,"cadence_s":%b,"reply_ms":%b,"age_s":%b,"ports":[%b]}'
                % (head, in_bps, out_bps, interval_s, cadence_s, reply_ms, age_s, ports)
            )
        yield b",".join(lines)


def _columns(found: Survey, numbers: NDArray[np.intp]) -> Iterator[list[bytes]]:
    devices = found.devices
    yield _numbers(found.sums.device_bps[0][numbers])
    yield _numbers(found.sums.device_bps[1][numbers])
    yield _numbers(devices.interval_s[numbers])
    yield _numbers(devices.cadence_s[numbers])
    yield _numbers(devices.reply_ms[numbers])
    yield _numbers(devices.age_s[numbers].round(1))


def _numbers(values: Floats) -> list[bytes]:
    """Each number as it is written; null for NaN."""
    return _encoder.encode(values.tolist())[1:-1].split(b",")


def _ports(found: Survey) -> tuple[bytes, list[int]]:
    """All port codes with a comma after each, and where each row's begins; the last one is the end."""
    places = port_codes(found).astype(np.intp) - _NO_DATA
    ends = np.concatenate(([0], np.cumsum(_WIDTHS[places])))
    return _TEXTS[places].tobytes().translate(None, b" "), ends.tolist()


def _head(member: Member) -> bytes:
    status = member.status
    facts = {
        "name": status.device,
        "address": status.address,
        "state": status.state.value,
        "reason": status.reason,
        "interfaces": len(member.table.rows) if member.table else 0,
    }
    return _encoder.encode(facts)[:-1]
