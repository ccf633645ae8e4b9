"""WebSocket text frames (RFC 6455, section 5.2), written to Tornado's stream at once.

`WebSocketHandler.write_message` makes two futures and a task for each message. A server's frames are not masked and nothing
is compressed here, so a frame is its head and its text; pings, pongs and closes remain Tornado's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from tornado.iostream import IOStream, StreamClosedError

_FINAL_TEXT = 0x81
_LENGTH_16, _LENGTH_64 = 126, 127


def framed(messages: Sequence[bytes]) -> bytes:
    """Each message as one whole text frame, one after the other."""
    parts: list[bytes] = []
    for message in messages:
        length = len(message)
        if length < _LENGTH_16:
            parts.append(bytes((_FINAL_TEXT, length)))
        elif length < 1 << 16:
            parts.append(bytes((_FINAL_TEXT, _LENGTH_16, length >> 8, length & 0xFF)))
        else:
            parts.append(bytes((_FINAL_TEXT, _LENGTH_64)) + length.to_bytes(8, "big"))
        parts.append(message)
    return b"".join(parts)


def send(stream: IOStream, messages: Sequence[bytes]) -> asyncio.Future[None] | None:
    """Write these after all that was written to the stream before.

    None when the system has taken everything; otherwise what is done when it has. Raises ConnectionError when the stream is
    closed; the future then fails with StreamClosedError.
    """
    data = memoryview(framed(messages))
    if type(stream) is IOStream and not stream.writing() and not stream.closed():  # no TLS between, nothing before it
        try:
            sent = stream.socket.send(data)
        except OSError:  # full, or broken: the stream sees the same and acts on it
            sent = 0
        if sent == len(data):
            return None
        data = data[sent:]
    try:
        written = stream.write(data)
    except StreamClosedError as error:
        raise ConnectionError("the browser is gone") from error
    return None if written.done() and written.exception() is None else written
