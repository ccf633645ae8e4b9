"""What wraps a PDU on its way to one device: a community, or the user-based security model of version 3."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from server.core.errors import SourceError


@dataclass(frozen=True, slots=True)
class Community:
    """SNMPv1 (`version` 0, RFC 1157) or SNMPv2c (`version` 1, RFC 1901)."""

    version: int
    community: bytes = field(repr=False)


class ReportReceived(SourceError):
    """The device answered with a Report (RFC 3414 section 3.2): it has to be synchronised with again.

    Its text is the name of what the Report counts: `usmStatsNotInTimeWindows`, ...
    """


class Usm(Protocol):
    """SNMPv3's user-based security with one device. Nothing here waits."""

    def encode(self, pdu: bytes, request_id: int) -> bytes:
        """The message of this PDU (whole, tag and length included); its msgID is `request_id`."""
        ...

    def open(self, datagram: bytes, request_id: int) -> bytes:
        """The PDU, whole, of a message that answers `request_id`.

        Raises BadReply, whose text is the word of the failed check, or ReportReceived.
        """
        ...


Security = Community | Usm
