"""Finding a device and opening a session with it; finding it again when its name leads elsewhere."""

from __future__ import annotations

from server.sources.snmp.engine import Bad, PollEngine, Session
from server.sources.snmp.session import resolve
from server.sources.snmp.settings import DeviceSettings

_RESOLVE_S = 5.0


class Link:
    """The session with one device, and where it goes."""

    def __init__(self, settings: DeviceSettings, bad: Bad) -> None:
        self._settings = settings
        self._bad = bad
        self._peer: tuple[str, int] | None = None
        self._session: Session | None = None

    @property
    def session(self) -> Session:
        assert self._session is not None, "not open"
        return self._session

    @property
    def peer(self) -> tuple[str, int]:
        """(IP address, port) of the session."""
        assert self._peer is not None, "not open"
        return self._peer

    async def leads_elsewhere(self) -> bool:
        """Whether the address is another one now than that of the session. Raises UnknownHost."""
        return await self._resolve() != self._peer

    async def open(self, engine: PollEngine) -> None:
        """Open a session, in the place of the one that is open. Raises UnknownHost, NoAnswer."""
        peer = await self._resolve()
        session = await engine.open(peer, self._settings.snmp, self._bad)
        await self.close()
        self._peer, self._session = peer, session

    async def _resolve(self) -> tuple[str, int]:
        return await resolve(self._settings.address, self._settings.port, _RESOLVE_S)

    async def close(self) -> None:
        """Close the session, if one is open."""
        session, self._peer, self._session = self._session, None, None
        if session is not None:
            await session.close()
