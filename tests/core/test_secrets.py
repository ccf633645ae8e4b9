from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from server.core.secrets import Secret


class Model(BaseModel):
    key: Secret


def read(given: object) -> str:
    return Model.model_validate({"key": given}).key.get_secret_value()


def test_a_secret_is_its_text() -> None:
    assert read("canary-1") == "canary-1"


def test_a_secret_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINEWATCH_TEST", "canary-2")
    assert read({"env": "LINEWATCH_TEST"}) == "canary-2"


def test_a_secret_comes_from_a_file_without_its_last_line_end(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(" canary-3 \n")
    assert read({"file": str(tmp_path / "key")}) == " canary-3 "


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"env": "LINEWATCH_UNSET"}, "environment variable LINEWATCH_UNSET is not set"),
        ({"env": "LINEWATCH_EMPTY"}, "environment variable LINEWATCH_EMPTY is empty"),
        ({"file": "missing-file"}, "secret file missing-file: No such file or directory"),
        ({"file": "empty-file"}, "secret file empty-file: it is empty"),
        ({"file": "binary-file"}, "secret file binary-file: it is not UTF-8 text"),
        ({"other": "x"}, "{env: NAME} or {file: path}"),
        ({"env": "A", "file": "b"}, "{env: NAME} or {file: path}"),
        (12345, "put it in quotes"),
        ("", "the secret is empty"),
    ],
)
def test_a_secret_that_cannot_be_read_says_why(
    given: object, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LINEWATCH_EMPTY", "")
    Path("empty-file").write_text("\n")
    Path("binary-file").write_bytes(b"\xff\xfe")
    with pytest.raises(ValidationError) as caught:
        read(given)
    assert words in str(caught.value)


def test_a_secret_never_shows_in_a_repr() -> None:
    model = Model.model_validate({"key": "canary-4"})
    assert "canary-4" not in repr(model) + str(model) + model.model_dump_json()
