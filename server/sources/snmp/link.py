"""Finding a device and opening a session with it; finding it again when its name leads elsewhere."""

from __future__ import annotations

from collections.abc import Callable

from server.sources.snmp.engine import Engine, Session
from server.sources.snmp.session import resolve
from server.sources.snmp.settings import DeviceSettings

_RESOLVE_S = 5.0


class Link:
    """The session with one device, and where it goes."""

    def __init__(self, settings: DeviceSettings, engine: Engine, bad: Callable[[str], None]) -> None:
        self._settings = settings
        self._engine = engine
        self._bad = bad
        self._peer: tuple[str, int] | None = None
        self._session: Session | None = None

    @property
    def session(self) -> Session:
        assert self._session is not None, "not open"
        return self._session

    async def open(self) -> None:
        """Resolve the address and open a new session where it leads elsewhere than the one that is open, or none is.

        Raises UnknownHost, NoAnswer.
        """
        peer = await resolve(self._settings.address, self._settings.port, _RESOLVE_S)
        if self._session is not None and peer == self._peer:
            return
        session = await self._engine.open(peer, self._settings.snmp, self._bad)
        await self.close()
        self._peer, self._session = peer, session

    async def close(self) -> None:
        session, self._peer, self._session = self._session, None, None
        if session is not None:
            await session.close()
