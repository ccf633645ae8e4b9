from __future__ import annotations

from unittest.mock import patch

import pytest

from server.core.errors import UnknownHost
from server.sources.snmp.link import Link
from server.sources.snmp.pysnmp_stack.polling import PysnmpEngine
from tests.sources.snmp.recorder import device
from tests.sources.snmp.tables import table
from tests.support.hostile_agent import hostile_agent


@pytest.mark.gen_test
async def test_it_knows_when_its_name_leads_elsewhere(io_loop: object) -> None:
    async with hostile_agent(table()) as agent:
        link = Link(device(agent.port, address="localhost"), lambda check: None)
        peers = iter([("127.0.0.1", agent.port), ("127.0.0.1", agent.port), ("127.0.0.2", agent.port)])

        async def resolved(*_: object) -> tuple[str, int]:
            return next(peers)

        with patch("server.sources.snmp.link.resolve", resolved):
            await link.open(PysnmpEngine())
            assert not await link.leads_elsewhere()
            assert link.peer == ("127.0.0.1", agent.port)
            assert await link.leads_elsewhere()
        await link.close()
        await link.close()


@pytest.mark.gen_test
async def test_a_name_that_is_lost_leaves_the_open_session(io_loop: object) -> None:
    async with hostile_agent(table()) as agent:
        link = Link(device(agent.port), lambda check: None)
        await link.open(PysnmpEngine())
        first = link.session

        async def lost(*_: object) -> tuple[str, int]:
            raise UnknownHost("gone")

        with patch("server.sources.snmp.link.resolve", lost), pytest.raises(UnknownHost):
            await link.open(PysnmpEngine())
        assert link.session is first
        await link.close()
