from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from server.sources.snmp.settings import DeviceSettings, InterfaceFilter, PollingDefaults, SnmpV1V2, SnmpV3

V2 = {"version": "2c", "community": "public"}
V3 = {
    "version": "3",
    "user": "u",
    "auth": {"protocol": "SHA256", "key": "canary-auth"},
    "privacy": {"protocol": "AES", "key": "canary-priv"},
}


def device(**given: Any) -> DeviceSettings:
    return DeviceSettings.model_validate({"name": "r1", "address": "192.0.2.1", "snmp": V2, **given})


def problems(**given: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        device(**given)
    return str(caught.value)


@pytest.mark.parametrize(("given", "read"), [("1", "1"), (1, "1"), ("2c", "2c")])
def test_version_1_and_2c_take_a_community(given: object, read: str) -> None:
    snmp = device(snmp={"version": given, "community": "public"}).snmp
    assert isinstance(snmp, SnmpV1V2)
    assert (snmp.version, snmp.community.get_secret_value()) == (read, "public")


@pytest.mark.parametrize("version", ["3", 3])
def test_version_3_takes_a_user_with_keys(version: object) -> None:
    snmp = device(snmp={**V3, "version": version}).snmp
    assert isinstance(snmp, SnmpV3)
    assert snmp.privacy is not None
    assert snmp.privacy.key.get_secret_value() == "canary-priv"


@pytest.mark.parametrize(
    "snmp", [{**V2, "version": "4"}, {**V2, "version": 2}, {"community": "public"}, {**V2, "version": True}, "public"]
)
def test_another_version_is_refused_with_the_three_that_work(snmp: object) -> None:
    assert '"1", "2c" or "3"' in problems(snmp=snmp)


def test_privacy_without_auth_is_refused() -> None:
    given = {key: value for key, value in V3.items() if key != "auth"}
    assert "privacy needs auth" in problems(snmp=given)


def test_a_short_v3_key_is_refused() -> None:
    assert "at least 8 characters" in problems(snmp={**V3, "auth": {"protocol": "SHA", "key": "seven77"}})


def test_no_key_shows_in_a_repr_or_an_error() -> None:
    assert "canary" not in repr(device(snmp=V3))
    assert "canary" not in problems(snmp={**V3, "extra": 1})
    assert "canary" not in problems(snmp={**V3, "auth": {"protocol": "SHA", "key": "canary"}})
    assert "canary" not in problems(snmp={**V2, "community": ["canary"]})


@pytest.mark.parametrize(
    "given",
    [
        {"name": "no spaces"},
        {"name": ""},
        {"address": "a b"},
        {"port": 0},
        {"interval_s": 0.2},
        {"interval_s": 301},
        {"retries": -1},
        {"unknown": 1},
        {"engine": "linewatch"},
    ],
)
def test_a_setting_out_of_bounds_is_refused(given: dict[str, Any]) -> None:
    assert next(iter(given)) in problems(**given)


def test_a_port_in_the_address_is_told_where_it_goes() -> None:
    assert "goes into `port`" in problems(address="192.0.2.1:1161")


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1", "fe80::1%eth0", "fra1-pe1.example.net"])
def test_an_address_is_a_host_name_or_ipv4_or_ipv6(address: str) -> None:
    assert device(address=address).address == address


def test_a_device_overrides_the_defaults_and_inherits_the_rest() -> None:
    defaults = PollingDefaults(interval_s=2.0, retries=3)
    polling = device(retries=0, interfaces={"include": [{"name": "^et-"}]}).polling(defaults)
    assert (polling.interval_s, polling.retries) == (2.0, 0)
    assert polling.interfaces.include[0].name == "^et-"


@pytest.mark.parametrize(("given", "number"), [("ethernetCsmacd", 6), ("ieee8023adLag", 161), ("53", 53), (24, 24)])
def test_an_interface_type_is_given_by_name_or_number(given: object, number: int) -> None:
    rule = InterfaceFilter.model_validate({"exclude": [{"type": given}]}).exclude[0]
    assert rule.type == number


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"name": "("}, "include.0.name\n  Value error, not a regular expression that can be used here: unclosed group"),
        ({"name": "(?=x)"}, "look-ahead and look-behind, is not supported"),
        ({"alias": r"(x)\1"}, "backreferences are not supported (they can take for ever on a device's text)"),
        ({"alias": r"\w{900}"}, "it is too large"),
        ({"name": "x" * 201}, "at most 200"),
        ({"type": "ethernet"}, "is not an interface type known here"),
        ({"status": "broken"}, "status"),
        ({}, "at least one of"),
    ],
)
def test_a_bad_filter_rule_is_refused_when_it_is_loaded(rule: dict[str, Any], words: str) -> None:
    assert words in problems(interfaces={"include": [rule]})


def test_a_rule_that_was_used_still_equals_one_that_was_not() -> None:
    used, unused = (InterfaceFilter.model_validate({"include": [{"name": "^et-"}]}) for _ in range(2))
    assert used.include[0].name_fits("et-0/0/1")
    assert used == unused
