from __future__ import annotations

import json
from typing import Any

import pytest
from snmpsim.error import NoDataNotification

from server.core.clock import boot_ns
from server.demo.behaviour import EPOCH_VARIABLE, LAUNCHER_VARIABLE
from server.demo.traffic import NS
from server.demo.variation import linewatch

GET = {"nextFlag": False, "exactMatch": True, "setFlag": False, "origOid": "asked", "errorStatus": "absent"}
ABSENT = ("asked", "2", "absent")


def begin(monkeypatch: pytest.MonkeyPatch, elapsed_s: float, **behaviour: float) -> None:
    monkeypatch.setenv(EPOCH_VARIABLE, str(boot_ns() - round(elapsed_s * NS)))
    monkeypatch.delenv(LAUNCHER_VARIABLE, raising=False)
    linewatch.init(options=json.dumps(behaviour), mode="variating")


def value_of(record: dict[str, Any], **context: Any) -> Any:
    return linewatch.variate("1.3", "2", json.dumps(record), **{**GET, **context})


def test_each_kind_of_record_has_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    begin(monkeypatch, 100.0)
    hour = {"mean_bps": 8_000_000, "speed_bps": 8_000_000, "steady": True, "refresh_s": 50.0}
    assert value_of({"counter": hour}) == ("1.3", "2", 100_000_000)
    assert 10_000 <= value_of({"uptime": True})[2] < 11_000
    assert value_of({"cleared": 30.0})[2] == 9_000
    assert value_of({"cleared": 300.0})[2] == 0
    assert value_of({"status": [3600.0, 0.0]})[2] == 1
    assert value_of({"status": [180.0, 100.0]})[2] == 2
    assert value_of({"value": 7})[2] == 7
    assert value_of({"value": "Zürich"})[2] == "Zürich".encode()
    with pytest.raises(ValueError, match="no kind of record"):
        value_of({"colour": 1})


def test_no_record_answers_a_set_or_a_get_of_what_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    begin(monkeypatch, 0.0)
    assert value_of({"value": 7}, setFlag=True) == ABSENT
    assert value_of({"value": 7}, exactMatch=False) == ABSENT
    assert value_of({"value": 7}, exactMatch=False, nextFlag=True) == ("1.3", "2", 7)


def test_a_record_exists_in_its_boots_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for elapsed_s, boot in ((100.0, 0), (300.0, 1), (500.0, 0)):
        begin(monkeypatch, elapsed_s, reboot_every_s=240.0)
        assert value_of({"value": 7, "boots": [boot, 2]}) == ("1.3", "2", 7)
        assert value_of({"value": 7, "boots": [1 - boot, 2]}) == ABSENT


def test_a_silent_agent_has_no_answer_of_any_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    begin(monkeypatch, 48.0, silent_every_s=50.0, silent_s=3.0)
    with pytest.raises(NoDataNotification):
        value_of({"value": 7})
    linewatch.shutdown()
