"""The page of sources: how each device is polled, and why so."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import HOSTILE, STEADY_BPS
from tests.browser.test_live import WAIT_MS, axe
from tests.support.agents import AgentBuilder, SimulatedAgent
from tests.support.live_server import LiveServer, v2c

CADENCE_MS = 60_000
GONE_MS = 45_000


@pytest.fixture(scope="module")
def slow() -> Iterator[SimulatedAgent]:
    """A device that refreshes its counters only every 3 s."""
    rows = AgentBuilder("slow", refresh_s=3).interface("et-0/0/0", in_bps=STEADY_BPS, out_bps=STEADY_BPS)
    with SimulatedAgent(rows) as agent:
        yield agent


@pytest.fixture(scope="module")
def server(near: SimulatedAgent, far: SimulatedAgent, slow: SimulatedAgent) -> Iterator[LiveServer]:
    with LiveServer([v2c("near", near, engine="pysnmp"), v2c("slow", slow), v2c("far", far)]) as one:
        yield one


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=name, exact=True))


def names(page: Page) -> list[str]:
    return page.get_by_role("rowheader").all_inner_texts()


def test_each_device_says_which_engine_polls_it_and_why_how_often_and_how_slow_its_counters_are(
    page: Page, server: LiveServer
) -> None:
    page.goto(server.url)
    page.get_by_role("link", name="Sources").click()
    expect(page.locator("[data-part=as-of]")).to_have_text(re.compile(r"^as of \d\d:\d\d:\d\d UTC$"), timeout=WAIT_MS)
    expect(row(page, "near")).to_contain_text("pysnmpset in the configuration", timeout=WAIT_MS)
    expect(row(page, "near")).to_contain_text(re.compile(r"Answering.*every 1\s*s.*\d\s*ms3\d+\.\d\s*s$"), timeout=WAIT_MS)
    expect(row(page, "slow")).to_contain_text("batch")
    expect(row(page, "slow")).to_contain_text(re.compile(r"counters update every (3\.0|2\.9|3\.1)\s*s"), timeout=CADENCE_MS)
    expect(row(page, "near")).not_to_contain_text("counters update")
    row(page, "near").get_by_role("link").click()
    expect(page).to_have_url(re.compile("/device/near$"))
    expect(page.locator("[data-part=facts]")).to_contain_text("pysnmp (set in the configuration)", timeout=WAIT_MS)


def test_a_device_that_does_not_answer_comes_first_with_the_reason_and_goes_back_to_its_place(
    page: Page, server: LiveServer, far: SimulatedAgent
) -> None:
    page.goto(f"{server.url}/sources")
    expect(row(page, "slow")).to_contain_text("Answering", timeout=WAIT_MS)
    far.stop()
    try:
        expect(row(page, "far")).to_contain_text(re.compile("Not answering.*no answer", re.IGNORECASE), timeout=WAIT_MS)
        assert names(page)[0] == "far"
        expect(row(page, "far").locator("[data-label='Newest sample']")).to_have_attribute(
            "data-level", "none", timeout=WAIT_MS
        )
    finally:
        far.replace(far.agent)
    expect(row(page, "far")).to_contain_text("Answering", timeout=WAIT_MS)


def test_find_narrows_the_list_and_stands_in_the_address(page: Page, server: LiveServer) -> None:
    page.goto(f"{server.url}/sources")
    expect(page.locator("[data-part=matched]")).to_have_text("3 of 3 devices", timeout=WAIT_MS)
    page.keyboard.press("/")
    page.keyboard.type("PYSNMP set")
    expect(page.locator("[data-part=matched]")).to_have_text("1 of 3 devices")
    assert names(page) == ["near"]
    page.reload()
    expect(page.locator("[data-part=matched]")).to_have_text("1 of 3 devices", timeout=WAIT_MS)
    page.locator("[data-part=filter]").fill("no such device")
    expect(page.get_by_text("No device matches.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("[data-part=matched]")).to_have_text("3 of 3 devices")


def test_without_the_server_the_page_says_so_and_soon_claims_nothing_any_more(page: Page, near: SimulatedAgent) -> None:
    with LiveServer([v2c("near", near)]) as own:
        page.goto(f"{own.url}/sources")
        expect(row(page, "near")).to_contain_text("Answering", timeout=WAIT_MS)
        own.stop()
        expect(page.locator("[data-part=banner-text]")).to_contain_text("Connection to the server lost", timeout=WAIT_MS)
        expect(page.locator("[data-part=overdue]")).to_have_text("Not fetched: the server does not answer", timeout=WAIT_MS)
        expect(row(page, "near")).to_contain_text("Not known", timeout=GONE_MS)
        expect(row(page, "near")).not_to_contain_text(re.compile("Answering|every|ms"))
        own.start()
        expect(row(page, "near")).to_contain_text("Answering", timeout=WAIT_MS)
        expect(page.locator("[data-part=overdue]")).to_be_empty()
        expect(page.locator("[data-part=banner]")).to_be_hidden()


def test_what_the_server_says_of_a_device_is_text_never_markup(page: Page, server: LiveServer) -> None:
    known = server.get("/api/v1/devices")["devices"][0]
    attack = {**known, "reason": HOSTILE, "engine_why": HOSTILE, "note": HOSTILE, "state": HOSTILE}
    page.route("**/api/v1/devices", lambda route: route.fulfill(json={"devices": [attack]}))
    page.goto(f"{server.url}/sources")
    expect(row(page, known["name"]).get_by_text(HOSTILE, exact=True)).to_have_count(4, timeout=WAIT_MS)
    assert page.locator("img").count() == 0
    assert page.title() != "hacked"


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("width", [1440, 390])
def test_the_page_has_no_accessibility_fault_and_fits_its_window(
    page: Page, server: LiveServer, width: int, theme: str
) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"{server.url}/sources?theme={theme}")
    expect(page.get_by_role("rowheader")).to_have_count(3, timeout=WAIT_MS)
    expect(page.get_by_role("columnheader")).to_have_count(8)
    assert axe(page) == []
    assert page.evaluate("document.querySelector('.scroll').scrollWidth <= innerWidth"), "nothing hides at the right"
