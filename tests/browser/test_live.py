"""From a simulated agent's counter to the pixel."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import HOSTILE, STEADY_BPS
from tests.support.agents import SimulatedAgent
from tests.support.live_server import LiveServer

WAIT_MS = 25_000
AXE = "node_modules/axe-core/axe.min.js"


def wall(server: LiveServer, *places: str) -> str:
    names = ",".join(":".join(quote(part, safe="") for part in place.split(":", 1)) for place in places)
    return f"{server.url}/wall?i={names}&t=1m"


def key(place: str) -> str:
    return ":".join(quote(part, safe="") for part in place.split(":", 1))


def chart(page: Page, place: str) -> dict[str, Any]:
    """What the chart of `device:interface` draws: times, up and down (negated), null for a gap."""
    times, up, down = page.evaluate("place => linewatch.charts.get(place).data()", key(place))
    return {"times": times, "up": up, "down": down}


def until_samples(page: Page, place: str, least: int) -> None:
    """Wait until the chart holds `least` samples in a row at its end."""
    page.wait_for_function(
        """([place, least]) => {
            const chart = linewatch.charts.get(place);
            if (!chart) return false;
            const up = chart.data()[1];
            return up.length >= least && up.slice(-least).every((value) => value !== null);
        }""",
        arg=[key(place), least],
        timeout=WAIT_MS,
    )


def colour_at(page: Page, place: str, back: int, value: float) -> list[int]:
    """The strongest pixel within two of where `value` stands at the sample `back` from the end: red, green, blue, alpha."""
    pixel: list[int] = page.evaluate(
        """([place, back, value]) => {
            const chart = linewatch.charts.get(place);
            const plot = chart.plot;
            const x = Math.round(plot.valToPos(chart.data()[0].at(-1 - back), 'x', true));
            const y = Math.round(plot.valToPos(value, 'y', true));
            const found = plot.ctx.getImageData(x, y - 2, 1, 5).data;
            let best = [0, 0, 0, 0];
            for (let at = 0; at < found.length; at += 4) if (found[at + 3] > best[3]) best = [...found.slice(at, at + 4)];
            return best;
        }""",
        [key(place), back, value],
    )
    return pixel


def test_a_steady_line_is_shown_with_its_true_rate_and_drawn_where_that_belongs(page: Page, server: LiveServer) -> None:
    place = "near:et-0/0/0"
    page.goto(wall(server, place))
    until_samples(page, place, 10)
    drawn = chart(page, place)
    assert sum(drawn["up"][-10:]) / 10 == pytest.approx(STEADY_BPS, rel=0.005)
    assert sum(drawn["down"][-10:]) / 10 == pytest.approx(-STEADY_BPS / 2, rel=0.005)
    assert [round(b - a) for a, b in zip(drawn["times"][-10:], drawn["times"][-9:], strict=False)] == [1] * 9

    red, _, blue, alpha = colour_at(page, place, 3, STEADY_BPS)
    assert alpha > 150, "the line of in is not where its rate is"
    assert blue > red, "in is not blue"
    red, _, blue, alpha = colour_at(page, place, 3, -STEADY_BPS / 2)
    assert alpha > 150, "the line of out is not where its rate is"
    assert red > blue, "out is not orange"
    red, _, blue, _ = colour_at(page, place, 3, STEADY_BPS * 1.12)
    assert blue - red < 60, "the line of in is also where it does not belong"
    expect(page.locator(".tile-value.in")).to_have_text(re.compile(r"400\s*Mb/s"))


def test_a_device_that_dies_is_a_gap_and_no_data_with_its_age_while_the_others_go_on_and_comes_back(
    page: Page, server: LiveServer, far: SimulatedAgent
) -> None:
    gone, other = "far:xe-1/0/0", "near:et-0/0/0"
    page.goto(wall(server, gone, other))
    until_samples(page, gone, 4)
    far.stop()
    try:
        tile = page.locator(".tile", has_text="xe-1/0/0")
        expect(tile.locator(".tile-status")).to_have_text(re.compile(r"^No data 1\d\s*s"), timeout=WAIT_MS)
        expect(tile.locator(".tile-value.in")).to_have_text(re.compile("–"))
        dead, alive = chart(page, gone), chart(page, other)
        assert dead["up"][-8:] == [None] * 8
        assert None not in alive["up"][-8:]
        assert sum(alive["up"][-8:]) / 8 == pytest.approx(STEADY_BPS, rel=0.01)
        state = {device["name"]: device for device in server.get("/api/v1/devices")["devices"]}
        assert state["far"]["state"] == "down"
        assert "no answer" in state["far"]["reason"]
        assert state["near"]["state"] == "up"
        page.goto(f"{server.url}/device/far")
        expect(page.locator("[data-part=head]")).to_contain_text(re.compile("no answer", re.IGNORECASE), timeout=WAIT_MS)
    finally:
        far.replace(far.agent)
    page.goto(wall(server, gone, other))
    until_samples(page, gone, 4)
    drawn = chart(page, gone)
    assert None in drawn["up"], "the gap stays a gap"


def test_the_overview_lists_every_device_and_interface_and_what_wants_attention(page: Page, server: LiveServer) -> None:
    page.goto(server.url)
    expect(page.locator("[data-part=interfaces]")).to_have_text("4", timeout=WAIT_MS)
    expect(page.locator("[data-part=device-list] li").filter(visible=True)).to_have_count(2)
    first = page.locator("[data-part=row-list] [role=row]").first
    expect(first).to_contain_text("et-0/0/2", timeout=WAIT_MS)
    expect(first).to_contain_text("In over 90%", timeout=WAIT_MS)
    page.locator("[data-part=filter]").fill("harbour")
    expect(page.locator("[data-part=matched]")).to_have_text(re.compile("^1 of 4"))
    rows = page.locator("[data-part=row-list] [role=row]").filter(visible=True)
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("near et-0/0/2")


def test_what_a_device_says_of_itself_is_text_never_markup(page: Page, server: LiveServer) -> None:
    page.goto(f"{server.url}/device/near")
    shown = HOSTILE.replace("\u202e", "")
    expect(page.get_by_text(shown).first).to_be_visible(timeout=WAIT_MS)
    assert page.locator("img").count() == 0
    assert page.title() != "hacked"


def test_the_page_says_that_it_lost_the_server_and_fills_in_what_it_missed(page: Page, near: SimulatedAgent) -> None:
    place = "near:et-0/0/0"
    config = {"name": "near", "address": "127.0.0.1", "port": near.port, "snmp": {"version": "2c", "community": "public"}}
    with LiveServer([config]) as own:
        page.goto(wall(own, place))
        until_samples(page, place, 3)
        own.stop()
        expect(page.locator("[data-part=banner-text]")).to_contain_text("Connection to the server lost", timeout=WAIT_MS)
        expect(page.locator("[data-part=link-word]")).to_have_text("Reconnecting")
        own.start()
        expect(page.locator("[data-part=link-word]")).to_have_text("Live", timeout=WAIT_MS)
        expect(page.locator("[data-part=banner]")).to_be_hidden()
        until_samples(page, place, 3)


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("path", ["/", "/device/near", "/wall?i=near:et-0%2F0%2F0,far:xe-1%2F0%2F0", "/nothing-here"])
def test_a_page_has_no_accessibility_fault(page: Page, server: LiveServer, path: str, theme: str) -> None:
    page.goto(f"{server.url}{path}{'&' if '?' in path else '?'}theme={theme}")
    if path != "/nothing-here":
        expect(page.locator("[data-part=link-word]")).to_have_text("Live", timeout=WAIT_MS)
    assert axe(page) == []


def axe(page: Page) -> list[Any]:
    """What axe-core finds, run in an isolated world so that the page's own policy stays as it is."""
    source = Path(AXE).read_text(encoding="utf-8")
    session = page.context.new_cdp_session(page)
    frame = session.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
    world = session.send("Page.createIsolatedWorld", {"frameId": frame, "worldName": "axe"})["executionContextId"]
    session.send("Runtime.evaluate", {"expression": source, "contextId": world})
    answer = session.send(
        "Runtime.evaluate",
        {
            "expression": "axe.run().then(({ violations }) => JSON.stringify(violations.map((v) => [v.id, v.help])))",
            "contextId": world,
            "awaitPromise": True,
            "returnByValue": True,
        },
    )
    return list(json.loads(answer["result"]["value"]))
