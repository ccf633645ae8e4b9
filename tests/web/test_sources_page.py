"""The page of sources reads the REST list of devices: what it reads must be there, and each state have its place."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from server.core.model import DeviceState
from server.sinks.inventory.handlers import Device

JS = Path(__file__).resolve().parent.parent.parent / "static" / "js"
TYPES = {str: "string", int: "number", float: "number", float | None: "number|null"}


def test_what_the_page_reads_of_a_device_is_what_the_api_says_of_it() -> None:
    _, _, after = (JS / "sources.js").read_text(encoding="utf-8").partition("@typedef {object} Source\n")
    read = {name: kind for kind, name in re.findall(r"@property \{(\S+)\} (\w+)", after.partition("*/")[0])}
    said = {field.name: TYPES.get(field.type) for field in msgspec.structs.fields(Device)}
    assert read
    assert read == {name: said.get(name) for name in read}


@pytest.mark.parametrize("state", DeviceState)
def test_each_state_of_a_device_has_its_place_in_the_order_and_its_word(state: DeviceState) -> None:
    order = re.search(r"const ORDER = .*", (JS / "sources.js").read_text(encoding="utf-8"))
    assert order
    assert f"'{state.value}'" in order[0]
    assert re.search(rf"^ +{state.value}: \[", (JS / "components/device-head.js").read_text(encoding="utf-8"), re.MULTILINE)
