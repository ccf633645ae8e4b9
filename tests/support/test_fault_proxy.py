from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from tests.support.fault_proxy import NONE, Direction, FaultProxy, Faults, fault_proxy
from tests.support.loops import run_alone

COUNT = 100  # at once: no receive buffer overflows


class Echo(asyncio.DatagramProtocol):
    """Gives everything back."""

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.transport.sendto(data, addr)


class Sender(asyncio.DatagramProtocol):
    """Keeps what comes back, and when."""

    def __init__(self) -> None:
        self.heard: list[int] = []
        self.heard_s: list[float] = []
        self._enough = asyncio.Event()
        self._wanted = 0

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.heard.append(int(data))
        self.heard_s.append(asyncio.get_running_loop().time())
        if len(self.heard) == self._wanted:
            self._enough.set()

    async def send(self, numbers: Iterable[int], answers: int) -> list[int]:
        """What came back, as soon as there are so many answers."""
        self._wanted = answers
        for number in numbers:
            self.transport.sendto(str(number).encode())
        async with asyncio.timeout(20):
            await self._enough.wait()
        return self.heard


@asynccontextmanager
async def through(
    to_agent: Faults = NONE, to_poller: Faults = NONE, *, seed: int = 0, host: str = "127.0.0.1"
) -> AsyncIterator[tuple[Sender, FaultProxy]]:
    loop = asyncio.get_running_loop()
    echo, _ = await loop.create_datagram_endpoint(Echo, local_addr=(host, 0))
    async with fault_proxy(echo.get_extra_info("sockname"), to_agent, to_poller, seed=seed) as proxy:
        poller, sender = await loop.create_datagram_endpoint(Sender, remote_addr=proxy.address[:2])
        try:
            yield sender, proxy
        finally:
            poller.close()
            echo.close()


def fates(faults: Faults, count: int, seed: int = 5) -> tuple[list[list[float]], Direction]:
    """What befalls so many datagrams, without a network."""
    direction = FaultProxy(("127.0.0.1", 1), faults, NONE, seed).to_agent
    return [direction.fate() for _ in range(count)], direction


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_without_faults_all_arrive_once_and_in_order(host: str) -> None:
    async def work() -> None:
        async with through(host=host) as (sender, proxy):
            assert await sender.send(range(COUNT), COUNT) == list(range(COUNT))
            assert proxy.to_agent.counts == proxy.to_poller.counts
            assert (proxy.to_agent.counts.came, proxy.to_agent.counts.passed) == (COUNT, COUNT)

    run_alone(work())


def test_pollers_get_their_own_answers() -> None:
    async def work() -> None:
        async with through() as (first, proxy):
            transport, second = await asyncio.get_running_loop().create_datagram_endpoint(Sender, remote_addr=proxy.address)
            assert await first.send([1, 2], 2) == [1, 2]
            assert await second.send([3], 1) == [3]
            assert first.heard == [1, 2]
            transport.close()

    run_alone(work())


def test_each_way_has_its_own_faults_and_counts() -> None:
    async def work() -> None:
        async with through(Faults(lost=0.3), Faults(doubled=0.5), seed=2) as (sender, proxy):
            expected = FaultProxy(("127.0.0.1", 1), proxy.to_agent.faults, proxy.to_poller.faults, 2)
            kept = [number for number in range(COUNT) if expected.to_agent.fate()]
            back = [number for number in kept for _ in expected.to_poller.fate()]
            assert await sender.send(range(COUNT), len(back)) == back
            assert proxy.to_agent.counts.passed == proxy.to_poller.counts.came == len(kept)
            assert proxy.to_poller.counts.passed == len(back)

    run_alone(work())


def test_overtaken_datagrams_arrive_after_later_ones() -> None:
    async def work() -> None:
        async with through(Faults(overtaken=0.1)) as (sender, proxy):
            heard = await sender.send(range(COUNT), COUNT)
            assert sorted(heard) == list(range(COUNT))
            assert any(one > following for one, following in pairwise(heard))
            assert proxy.to_agent.counts.overtaken > 0

    run_alone(work())


def test_a_delay_is_never_cut_short() -> None:
    async def work() -> None:
        faults = Faults(delay_s=0.01, spikes=0.1)
        planned = sorted(delay_s for fate in fates(faults, COUNT)[0] for delay_s in fate)
        async with through(faults, seed=5) as (sender, proxy):
            began_s = asyncio.get_running_loop().time()
            await sender.send(range(COUNT), COUNT)
            took_s = [at_s - began_s for at_s in sender.heard_s]
            assert all(took >= plan - 0.001 for took, plan in zip(took_s, planned, strict=True))
            assert proxy.to_agent.counts.spiked == sum(plan > 0.03 for plan in planned) > 0

    run_alone(work())


def test_what_is_under_way_when_the_proxy_ends_is_lost() -> None:
    async def work() -> None:
        async with through(Faults(delay_s=0.05), Faults(delay_s=0.05)) as (sender, proxy):
            await sender.send(range(COUNT), 1)
            proxy.close()
            assert len(sender.heard) < COUNT
            await asyncio.sleep(0.11)  # after the longest delay there is nobody left to send

    run_alone(work())


def test_shares_are_as_asked_for() -> None:
    faults = Faults(delay_s=0.025, spikes=0.02, lost=0.03, doubled=0.05, overtaken=0.04)
    found, direction = fates(faults, 20_000)
    counts = direction.counts
    assert counts.came == 20_000
    assert counts.lost == pytest.approx(600, abs=100)
    assert counts.doubled == pytest.approx(970, abs=130)
    assert counts.overtaken == pytest.approx(776, abs=120)
    assert counts.spiked == pytest.approx(380, abs=80)
    delays_s = [delay_s for fate in found for delay_s in fate]
    assert 0 <= min(delays_s) < 0.001
    assert 0.3 < max(delays_s) <= 0.025 + 0.3 + 0.02


def test_the_same_seed_gives_the_same_fates() -> None:
    faults = Faults(delay_s=1.0, lost=0.5)
    assert fates(faults, 100, 1)[0] == fates(faults, 100, 1)[0] != fates(faults, 100, 2)[0]


def test_the_loss_of_one_datagram_does_not_change_the_fate_of_the_next() -> None:
    mild, harsh = (fates(Faults(delay_s=1.0, lost=lost), 500)[0] for lost in (0.0, 0.3))
    survived = [(before, after) for before, after in zip(mild, harsh, strict=True) if after]
    assert 300 < len(survived) < 400
    assert all(before == after for before, after in survived)
