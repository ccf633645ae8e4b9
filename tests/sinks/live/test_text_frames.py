"""What is written to the stream by hand, read by a library and by hand."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Iterator

import pytest
from tornado.iostream import IOStream, StreamClosedError

from server.sinks.live.text_frames import framed, send


@pytest.mark.parametrize(
    ("length", "head"),
    [
        (0, b"\x81\x00"),
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (65_535, b"\x81\x7e\xff\xff"),
        (65_536, b"\x81\x7f" + struct.pack("!Q", 65_536)),
        (1_000_000, b"\x81\x7f" + struct.pack("!Q", 1_000_000)),
    ],
)
def test_the_head_of_a_frame_tells_its_length_in_the_shortest_form(length: int, head: bytes) -> None:
    assert framed([b"x" * length]) == head + b"x" * length


def test_several_messages_are_several_frames() -> None:
    assert framed([b"one", b"", b"three"]) == b"\x81\x03one\x81\x00\x81\x05three"
    assert framed([]) == b""


Ends = tuple[IOStream, socket.socket]


@pytest.fixture
def ends(io_loop: object) -> Iterator[Ends]:
    """A stream, and the other end of its socket."""
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16 * 1024)
    theirs.setblocking(False)
    stream = IOStream(ours)
    yield stream, theirs
    stream.close()
    theirs.close()


async def _read(theirs: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        found += await asyncio.get_running_loop().sock_recv(theirs, 65536)
    return found


@pytest.mark.gen_test
async def test_what_the_system_takes_is_gone_at_once(ends: Ends) -> None:
    stream, theirs = ends
    assert send(stream, [b"hello", b"again"]) is None
    assert theirs.recv(100) == b"\x81\x05hello\x81\x05again"
    assert not stream.writing()


@pytest.mark.gen_test
async def test_what_does_not_fit_follows_in_order_and_the_future_tells_when(ends: Ends) -> None:
    stream, theirs = ends
    large = bytes(range(256)) * 4000
    first = send(stream, [large])
    assert first is not None
    taken = theirs.recv(len(large))  # there is room now, before the stream has seen it
    second = send(stream, [b"after"])
    assert second is not None
    third = stream.write(b"\x89\x00")  # Tornado's own, a ping
    whole = framed([large, b"after"]) + b"\x89\x00"
    assert not first.done()
    assert taken + await _read(theirs, len(whole) - len(taken)) == whole
    await first
    await second
    await third
    assert send(stream, [b"now"]) is None


@pytest.mark.gen_test
async def test_a_closed_stream_is_a_connection_error(ends: Ends) -> None:
    stream, _ = ends
    stream.close()
    with pytest.raises(ConnectionError):
        send(stream, [b"hello"])


@pytest.mark.gen_test
async def test_a_stream_that_closes_later_fails_the_future(ends: Ends) -> None:
    stream, _ = ends
    written = send(stream, [b"x" * 1_000_000])
    assert written is not None
    stream.close()
    with pytest.raises(StreamClosedError):
        await written


@pytest.mark.gen_test
async def test_an_end_that_is_gone_closes_the_stream(ends: Ends) -> None:
    stream, theirs = ends
    theirs.close()
    written = send(stream, [b"hello"])
    assert written is not None
    with pytest.raises(StreamClosedError):
        await written
    assert stream.closed()
