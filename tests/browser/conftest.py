"""A real browser on the real server on simulated agents. Run as a pytest process of its own: Playwright keeps a loop."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.agents import AgentBuilder, SimulatedAgent
from tests.support.live_server import LiveServer, v2c

STEADY_BPS = 400_000_000
HOSTILE = "<img src=x onerror=\"document.title='hacked'\"><b>&amp;\u202e{{7*7}}"
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=_FLAGS)
        yield one
        one.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of its own; an error of the page's script, or a breach of its content security policy, fails the test."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    one = context.new_page()
    faults: list[str] = []
    one.on("pageerror", lambda error: faults.append(str(error)))
    one.on("console", lambda message: faults.append(message.text) if "Content Security" in message.text else None)
    yield one
    context.close()
    assert faults == []


@pytest.fixture(scope="module")
def near() -> Iterator[SimulatedAgent]:
    """A device with one steady line and one whose description is an attack."""
    rows = AgentBuilder("near").interface("et-0/0/0", in_bps=STEADY_BPS, out_bps=STEADY_BPS // 2, speed_bps=1_000_000_000)
    rows = rows.interface("et-0/0/1", in_bps=1_000_000, alias=HOSTILE)
    rows = rows.interface(
        "et-0/0/2", in_bps=9_500_000, out_bps=1_000, speed_bps=10_000_000, alias="Cust: Harbour [10M] {4711}"
    )
    with SimulatedAgent(rows) as agent:
        yield agent


@pytest.fixture(scope="module")
def far() -> Iterator[SimulatedAgent]:
    """A device that a test may silence."""
    with SimulatedAgent(AgentBuilder("far").interface("xe-1/0/0", in_bps=STEADY_BPS, out_bps=STEADY_BPS)) as agent:
        yield agent


@pytest.fixture(scope="module")
def server(near: SimulatedAgent, far: SimulatedAgent) -> Iterator[LiveServer]:
    with LiveServer([v2c("near", near), v2c("far", far)]) as one:
        yield one
