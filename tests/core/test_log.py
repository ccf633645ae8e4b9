from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator

import pytest

from server.core.log import JsonFormatter, logger, set_up


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("linewatch")
    before = root.handlers[:], root.level, ours.level
    yield
    root.handlers[:], level, our_level = before
    root.setLevel(level)
    ours.setLevel(our_level)


def record(text: str, *values: object, error: BaseException | None = None) -> logging.LogRecord:
    trace = (type(error), error, error.__traceback__) if error else None
    made = logging.LogRecord("linewatch.hub", logging.WARNING, __file__, 1, text, values, trace)
    made.created, made.msecs = 1_795_201_234.25, 250.0
    return made


def test_a_json_line_tells_time_level_part_and_text() -> None:
    line = JsonFormatter().format(record("%d frames lost", 3))
    assert json.loads(line) == {
        "time": "2026-11-20T19:00:34.250Z",
        "level": "warning",
        "part": "linewatch.hub",
        "text": "3 frames lost",
    }


def test_a_record_is_one_line_whatever_is_in_it() -> None:
    line = JsonFormatter().format(record("alias %s", 'a\nb" {"level": "critical"}  é'))
    assert "\n" not in line
    assert json.loads(line)["text"] == 'alias a\nb" {"level": "critical"}  é'
    assert "é" in line


def test_a_traceback_is_in_the_same_line() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        1 / 0  # noqa: B018
    line = JsonFormatter().format(record("failed", error=caught.value))
    assert "\n" not in line
    assert json.loads(line)["traceback"].endswith("ZeroDivisionError: division by zero")


def test_setting_up_sends_json_lines_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    set_up("info", as_json=True)
    logger("poll").info("up")
    logger("poll").debug("too much")
    out, err = capsys.readouterr()
    assert out == ""
    assert [json.loads(line)["text"] for line in err.splitlines()] == ["up"]


def test_setting_up_for_a_terminal_gives_plain_lines_and_replaces_what_was_there(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up("info", as_json=True)
    set_up("error", as_json=False)
    logger("poll").warning("not told")
    logger("poll").error("told")
    err = capsys.readouterr().err
    assert err.rstrip().endswith("ERROR   linewatch.poll: told")
    assert len(err.splitlines()) == 1
    assert len(logging.getLogger().handlers) == 1
    assert logging.getLogger().handlers[0].stream is sys.stderr  # type: ignore[attr-defined]


def test_libraries_speak_only_from_warning_on(capsys: pytest.CaptureFixture[str]) -> None:
    set_up("debug", as_json=False)
    logging.getLogger("library").info("chatter")
    logging.getLogger("library").warning("trouble")
    assert "chatter" not in (err := capsys.readouterr().err)
    assert "trouble" in err
