"""Finds a device's interfaces over its session, for as long as that may take."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from server.core.clock import loop_s
from server.sources.snmp.discovery import Discovered, Wanted, discover, glance
from server.sources.snmp.engine import Bad
from server.sources.snmp.link import Link
from server.sources.snmp.message import Operation
from server.sources.snmp.names import still_named
from server.sources.snmp.settings import DeviceSettings, PollingDefaults
from server.sources.snmp.walk import Limits

_FULL_LOOK = 4
_DISCOVERY_S = 120.0  # 400 interfaces at 10 % loss take half a minute


class Finder:
    """Reads the interfaces of one device, in turn with other devices at these `places`."""

    def __init__(
        self, settings: DeviceSettings, polling: PollingDefaults, link: Link, bad: Bad, places: asyncio.Semaphore
    ) -> None:
        self._wanted = Wanted(settings.name, polling.interfaces, polling.interval_s)
        self._operation = Operation.GET_NEXT if settings.snmp.version == "1" else Operation.GET_BULK
        self._polling = polling
        self._link = link
        self._bad = bad
        self._places = places
        self._filter = polling.interfaces
        self._glances = 0

    async def find(self) -> Discovered:
        """Raises SourceError."""
        return await discover(self._wanted, self._link.session, self._limits(), self._bad, self._places)

    def _limits(self) -> Limits:
        polling, deadline_s = self._polling, loop_s() + _DISCOVERY_S
        return Limits(self._operation, polling.max_rows, deadline_s, polling.retries + 1, polling.timeout_s)

    async def unchanged(self, known: Discovered) -> bool:
        """Whether a glance shows what was found before. Each `_FULL_LOOK`-th time it is not taken for enough.

        Raises SourceError.
        """
        self._glances += 1
        by_status = any(rule.status for rules in (self._filter.include, self._filter.exclude) for rule in rules)
        if by_status or self._glances % _FULL_LOOK == 0:
            return False
        return await glance(self._link.session, self._limits(), self._bad, self._places) == known.glance

    async def still_named(self, known: Discovered) -> bool:
        """Whether the rows that were found have the names that they had. Raises SourceError."""
        return await still_named(known.names, self._link.session, self._limits().wait())

    async def find_since_restart(self, restarts: Callable[[], int]) -> Discovered:
        """The same; what was begun to be read before a restart tells nothing of the ifIndexes after it."""
        while True:
            before = restarts()
            found = await self.find()
            if restarts() == before:
                return found


def remark(found: Discovered) -> str:
    """What to say of a device that answers."""
    if found.table.rows:
        return ""
    if found.found:
        return f"none of its {found.found} interfaces passes the filter"
    return "the device lists no interfaces, or does not let these credentials see them"
