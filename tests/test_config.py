"""config.yaml: every fault at once, at its place, in words that mend it."""

from __future__ import annotations

from pathlib import Path

import pytest

from server import config as configuration
from server.core.errors import ConfigError

GOOD = """\
devices:
  - name: fra1-pe1
    address: 192.0.2.1
    snmp: {version: "2c", community: secret-word}
"""


@pytest.fixture
def check(tmp_path: Path):
    """Load a text as config.yaml and give its problems without the folder; [] when it is good."""

    def load(text: str | bytes) -> list[str]:
        path = tmp_path / "config.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        try:
            configuration.load(path)
        except ConfigError as error:
            return [problem.replace(f"{tmp_path}/", "") for problem in error.problems]
        return []

    return load


def test_a_device_alone_is_a_whole_configuration(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(GOOD)
    config = configuration.load(path)
    assert (config.server.host, config.server.port) == ("127.0.0.1", 8888)
    assert config.devices[0].name == "fra1-pe1"
    assert config.devices[0].port == 161


def test_every_fault_is_told_at_once_with_line_and_column(check) -> None:
    problems = check(
        """\
server:
  port: 99999
  colour: red
devices:
  - name: "not a name"
    address: 192.0.2.1
    snmp: {version: "4", community: public}
  - name: core
    address: 192.0.2.2
    interval_s: 0.01
    snmp:
      version: "3"
      user: me
      auth: {protocol: SHA3, key: "12345678"}
"""
    )
    assert [problem.split(": ")[0] for problem in problems] == [
        "config.yaml:2:3",
        "config.yaml:3:3",
        "config.yaml:5:5",
        "config.yaml:7:5",
        "config.yaml:10:5",
        "config.yaml:14:14",
    ]
    assert "server.port" in problems[0]
    assert "99999" in problems[0]
    assert "server.colour: unknown key" in problems[1]
    assert "devices.0.name" in problems[2]
    assert '"1", "2c" or "3"' in problems[3]
    assert "devices.1.interval_s" in problems[4]
    assert "devices.1.snmp.auth.protocol" in problems[5]
    assert "SHA3" in problems[5]


def test_a_key_given_twice_is_refused_with_both_lines(check) -> None:
    problems = check(GOOD + "server: {port: 1}\nserver: {port: 2}\n")
    assert problems == ["config.yaml:6:1: server: given twice; first in line 5"]


def test_two_devices_of_one_name_are_refused_at_the_second_with_all_other_faults(check) -> None:
    problems = check(GOOD + GOOD.removeprefix("devices:\n") + "server: {port: 0, host: 0.0.0.0}\n")
    assert problems[0] == "config.yaml:5:5: devices.1.name: 'fra1-pe1' is also the name of device 0; names must differ"
    assert "allow_anonymous: true" in problems[1]
    assert "server.port" in problems[2]


def test_an_empty_device_list_says_what_is_needed(check) -> None:
    assert check("devices: []\n") == ["config.yaml:1:1: devices: the list is empty: name at least one device to poll"]


def test_missing_devices_are_named(check) -> None:
    assert check("server: {port: 8000}\n") == ["config.yaml:1:1: devices: is missing"]


def test_a_missing_key_is_named_at_the_device_that_lacks_it(check) -> None:
    assert check("devices:\n  - name: a\n    address: 192.0.2.1\n") == ["config.yaml:2:5: devices.0.snmp: is missing"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("devices: [\n", "config.yaml:2:1: not valid YAML"),
        ("devices:\n\t- name: a\n", "config.yaml:2:1: not valid YAML"),
        ("", "config.yaml:1:1: the file must hold keys and values"),
        ("- just\n- a list\n", "config.yaml:1:1: the file must hold keys and values"),
        (b"devices: \xff\n", "config.yaml: is not UTF-8 text (byte 9)"),
        ("devices: " + "[" * 5000 + "\n", "config.yaml:1:1: nested too deeply"),
        ("devices: &a [*a]\n", "config.yaml:1:10: devices.0: this anchor holds itself"),
        ("devices: !!python/object:os.system {}\n", "config.yaml:1:1: could not determine a constructor"),
    ],
)
def test_what_is_no_configuration_is_told_at_its_place(check, text: str | bytes, expected: str) -> None:
    problems = check(text)
    assert len(problems) == 1
    assert problems[0].startswith(expected)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        configuration.load(tmp_path / "absent.yaml")


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    with path.open("wb") as file:
        file.truncate(configuration.MOST_BYTES + 1)
    with pytest.raises(ConfigError, match="this is no configuration"):
        configuration.load(path)


def test_a_secret_is_in_no_error_and_no_repr(check, tmp_path: Path) -> None:
    text = GOOD.replace("secret-word", "[s3cret-canary]").replace("192.0.2.1", "") + "    x: s3cret-canary\n"
    text += "  - {name: b, address: 192.0.2.2, snmp: {version: '3', user: u, auth: {protocol: SHA, key: s3cret}}}\n"
    problems = check(text)
    assert len(problems) >= 3
    assert "s3cret" not in "\n".join(problems)
    (tmp_path / "good.yaml").write_text(GOOD)
    assert "secret-word" not in repr(configuration.load(tmp_path / "good.yaml"))


def test_secrets_come_from_the_environment_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "community").write_text("from-file\n")
    monkeypatch.setenv("LINEWATCH_TEST_COMMUNITY", "from-env")
    path = tmp_path / "config.yaml"
    path.write_text(
        f"""\
devices:
  - {{name: a, address: 192.0.2.1, snmp: {{version: "2c", community: {{env: LINEWATCH_TEST_COMMUNITY}}}}}}
  - {{name: b, address: 192.0.2.1, snmp: {{version: "2c", community: {{file: {tmp_path}/community}}}}}}
"""
    )
    devices = configuration.load(path).devices
    assert [device.snmp.community.get_secret_value() for device in devices] == ["from-env", "from-file"]


def test_a_secret_that_is_not_there_is_told_at_its_place(check) -> None:
    problems = check(GOOD.replace("secret-word", "{env: LINEWATCH_NOT_SET}"))
    assert len(problems) == 1
    assert problems[0].startswith("config.yaml:4:27: devices.0.snmp.community")
    assert "LINEWATCH_NOT_SET" in problems[0]


def test_listening_for_other_machines_must_be_said(check) -> None:
    problems = check("server: {host: 0.0.0.0}\n" + GOOD)
    assert len(problems) == 1
    assert "allow_anonymous: true" in problems[0]
    assert check("server: {host: 0.0.0.0, allow_anonymous: true}\n" + GOOD) == []
