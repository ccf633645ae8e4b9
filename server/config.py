"""config.yaml as one model: it unites each part's settings, and tells every fault at once with file, line and column."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from server.core.errors import ConfigError
from server.sinks.live.settings import LiveSettings
from server.sources.snmp.settings import DeviceSettings, PollingDefaults
from server.web.settings import ServerSettings

MOST_BYTES = 16 * 1024 * 1024
_SECRET_KEYS = {"community", "key"}
_Path = tuple[str | int, ...]
_Marks = dict[_Path, yaml.Mark]


class LogSettings(BaseModel):
    """What the program says of itself on standard error."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    level: Annotated[Literal["debug", "info", "warning", "error"], Field(description="The least that is said.")] = "info"
    format: Annotated[Literal["text", "json"], Field(description="Lines for people, or one JSON object a line.")] = "text"


class Config(BaseModel):
    """The whole configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    server: Annotated[ServerSettings, Field(description="Where the pages are served.")] = ServerSettings()
    log: Annotated[LogSettings, Field(description="What is logged, and how.")] = LogSettings()
    live: Annotated[LiveSettings, Field(description="What one browser may ask for.")] = LiveSettings()
    polling: Annotated[PollingDefaults, Field(description="How devices are polled.")] = PollingDefaults()
    devices: Annotated[tuple[DeviceSettings, ...], Field(description="What is polled.")]

    @field_validator("devices")
    @classmethod
    def _some(cls, value: tuple[DeviceSettings, ...]) -> tuple[DeviceSettings, ...]:
        if not value:
            raise ValueError("the list is empty: name at least one device to poll")
        return value


def load(path: Path, server: dict[str, Any] | None = None) -> Config:
    """Read and check a file; `server` holds settings that stand above those of the file's own `server` part.

    Raises ConfigError with one line for each fault: `config.yaml:15:14: devices.1.port: what`.
    """
    text = _read(path)
    try:
        return _parse(path, text, server or {})
    except RecursionError:
        raise ConfigError([f"{path}:1:1: nested too deeply; this is no configuration"]) from None


def _parse(path: Path, text: str, server: dict[str, Any]) -> Config:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ConfigError([_syntax(path, error)]) from error
    if not isinstance(root, yaml.MappingNode):
        raise ConfigError([f"{path}:1:1: the file must hold keys and values; the first that is needed is `devices:`"])
    marks: _Marks = {(): root.start_mark}
    problems = [_at(path, mark, what) for mark, what in _walk(root, (), marks, set())]
    if problems:  # a key given twice, or a loop: what the values are is not certain
        raise ConfigError(problems)
    try:
        given = _over(yaml.load(text, Loader=yaml.SafeLoader), server)
        problems = [_at(path, marks[("devices", place, "name")], what) for place, what in _named_twice(given)]
        config = Config.model_validate(given)
    except ValidationError as error:
        problems += [_fault(path, marks, fault) for fault in error.errors()]
        raise ConfigError(sorted(problems, key=_line_of)) from error
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError([f"{path}:1:1: {error}"]) from error
    if problems:
        raise ConfigError(problems)
    return config


def _over(given: dict[str, Any], server: dict[str, Any]) -> dict[str, Any]:
    own = given.get("server") or {}
    return {**given, "server": {**own, **server}} if server and isinstance(own, dict) else given


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ConfigError([f"{path}: larger than {MOST_BYTES // 2**20} MiB; this is no configuration"])
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: is not UTF-8 text (byte {error.start})"]) from error


def _syntax(path: Path, error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        parts = [part for part in (error.problem, error.context) if part]
        return _at(path, error.problem_mark, f"not valid YAML: {', '.join(parts)}")
    return f"{path}:1:1: not valid YAML: {error}"


def _at(path: Path, mark: yaml.Mark, what: str) -> str:
    return f"{path}:{mark.line + 1}:{mark.column + 1}: {what}"


def _walk(node: yaml.Node, place: _Path, marks: _Marks, open_nodes: set[int]) -> Iterator[tuple[yaml.Mark, str]]:
    """Note where each key and element stands; yields duplicate keys and anchors that hold themselves."""
    if id(node) in open_nodes:
        yield node.start_mark, f"{_name(place)}: this anchor holds itself"
        return
    open_nodes.add(id(node))
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, yaml.Mark] = {}
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                yield key.start_mark, f"{_name((*place, name))}: given twice; first in line {seen[name].line + 1}"
            seen.setdefault(name, key.start_mark)
            yield from _walk(value, (*place, name), marks, open_nodes)
            marks[(*place, name)] = key.start_mark
    elif isinstance(node, yaml.SequenceNode):
        for number, element in enumerate(node.value):
            marks[(*place, number)] = element.start_mark
            yield from _walk(element, (*place, number), marks, open_nodes)
    open_nodes.discard(id(node))


def _fault(path: Path, marks: _Marks, fault: Any) -> str:
    """One of pydantic's errors as a line. Its location holds union tags that are in no file: they are skipped."""
    place: _Path = ()
    unknown = fault["type"] == "extra_forbidden"
    for part in fault["loc"]:
        if (*place, part) in marks:
            place = (*place, part)
    name = place
    if fault["type"] == "missing":
        name = (*place, fault["loc"][-1])
    what = "unknown key; see docs/configuration.md for those there are" if unknown else _words(fault)
    return _at(path, marks[place], f"{_name(name)}: {what}")


def _words(fault: Any) -> str:
    text = str(fault["msg"]).removeprefix("Value error, ")
    text = {"Field required": "is missing"}.get(text, text)
    given = fault["input"]
    secret = any(part in _SECRET_KEYS for part in fault["loc"])
    if fault["type"] != "value_error" and isinstance(given, str | int | float) and not secret:
        return f"{text} (got {str(given)[:40]!r})"
    return text


def _name(place: _Path) -> str:
    return ".".join(map(str, place)) or "the file"


def _line_of(problem: str) -> tuple[int, int]:
    line, column = problem.split(": ", maxsplit=1)[0].rsplit(":", 2)[1:]
    return int(line), int(column)


def _named_twice(given: dict[str, Any]) -> Iterator[tuple[int, str]]:
    """Devices whose name another one before them has, whatever else is wrong with the file."""
    first: dict[str, int] = {}
    devices = given.get("devices")
    for place, device in enumerate(devices if isinstance(devices, list) else []):
        name = device.get("name") if isinstance(device, dict) else None
        if not isinstance(name, str):
            continue
        if name in first:
            yield place, f"devices.{place}.name: {name!r} is also the name of device {first[name]}; names must differ"
        first.setdefault(name, place)
