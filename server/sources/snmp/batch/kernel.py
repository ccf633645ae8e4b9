"""`sendmmsg` and `recvmmsg` of Linux by ctypes: many datagrams for one call, without a compiler."""

from __future__ import annotations

import ctypes
import errno
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

# struct mmsghdr and struct iovec of a 64-bit Linux.
MMSGHDR = np.dtype(
    {
        "names": ["name", "name_octets", "iov", "iov_count", "control", "control_octets", "flags", "octets"],
        "formats": ["u8", "u4", "u8", "u8", "u8", "u8", "i4", "u4"],
        "offsets": [0, 8, 16, 24, 32, 40, 48, 56],
        "itemsize": 64,
    }
)
IOVEC = np.dtype([("base", "u8"), ("octets", "u8")])
MSG_DONTWAIT, MSG_TRUNC = 0x40, 0x20
FULL = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS, errno.ENOMEM, errno.EINTR})

SO_RCVBUFFORCE, SO_SNDBUFFORCE = 33, 32
SO_TIMESTAMPNS = 35  # and the type of its control message
CONTROL = np.dtype([("octets", "u8"), ("level", "i4"), ("type", "i4"), ("s", "i8"), ("ns", "i8")])


@dataclass(frozen=True, slots=True)
class Kernel:
    """(descriptor, address of the headers, their count) to the number done, or -1 and `error()`."""

    send: Callable[[int, int, int], int]
    receive: Callable[[int, int, int], int]

    @staticmethod
    def error() -> int:
        """The errno of the call before."""
        return ctypes.get_errno()

    @classmethod
    def find(cls) -> Kernel | None:
        """None where there is no such call, or the structures are not the ones above."""
        if sys.platform != "linux" or ctypes.sizeof(ctypes.c_void_p) != 8 or ctypes.sizeof(ctypes.c_long) != 8:
            return None
        libc = ctypes.CDLL(None, use_errno=True)
        send, receive = getattr(libc, "sendmmsg", None), getattr(libc, "recvmmsg", None)
        if send is None or receive is None:
            return None
        send.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int)
        receive.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_void_p)
        send.restype = receive.restype = ctypes.c_int
        return cls(
            lambda descriptor, headers, count: int(send(descriptor, headers, count, MSG_DONTWAIT)),
            lambda descriptor, headers, count: int(receive(descriptor, headers, count, MSG_DONTWAIT, None)),
        )
