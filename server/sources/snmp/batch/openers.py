"""How the batch engine gets to know a device: by a conversation, of version 3 with pysnmp's message models."""

from __future__ import annotations

from server.sources.snmp.batch.plain_codec import PlainCodec
from server.sources.snmp.batch.security import Community, Security
from server.sources.snmp.batch.usm import usm_peer
from server.sources.snmp.engine import Bad, Credentials, Session, Unsupported
from server.sources.snmp.pysnmp_stack.codec import Codecs, V3Codec
from server.sources.snmp.session import SocketSession
from server.sources.snmp.settings import SnmpV1V2


class Openers:
    """State: the SNMP engines that devices with equal version 3 credentials share."""

    def __init__(self) -> None:
        self._codecs = Codecs()

    async def session(self, peer: tuple[str, int], credentials: Credentials, bad: Bad) -> SocketSession:
        """A session with this agent. Raises NoAnswer."""
        if isinstance(credentials, SnmpV1V2):
            return await SocketSession.open(peer, PlainCodec(credentials), bad)
        return await SocketSession.open(peer, await self._codecs.codec(credentials), bad)


def security(session: Session, credentials: Credentials) -> Security:
    """What wraps the requests to a device, which has answered in this session of ours. Raises Unsupported, NoAnswer."""
    if isinstance(credentials, SnmpV1V2):
        version = 0 if credentials.version == "1" else 1
        return Community(version, credentials.community.get_secret_value().encode())
    if not isinstance(session, SocketSession) or not isinstance(session.codec, V3Codec):
        raise Unsupported("the session was opened by another engine")
    return usm_peer(session.codec, credentials)
