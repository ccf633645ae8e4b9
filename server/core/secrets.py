"""Secrets in a configuration: given as text, or as the place where the text is. They never appear in a repr or an error."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, SecretStr


def read_secret(given: Any) -> Any:
    """The text of a secret: itself, or what `{env: NAME}` or `{file: path}` leads to. Raises ValueError in words."""
    if isinstance(given, dict):
        if len(given) == 1 and isinstance(name := given.get("env"), str):
            return _from_environment(name)
        if len(given) == 1 and isinstance(path := given.get("file"), str):
            return _from_file(path)
        raise ValueError("a secret is text in quotes, {env: NAME} or {file: path}")
    if isinstance(given, str) and not given:
        raise ValueError("the secret is empty")
    if not isinstance(given, str | SecretStr):
        raise ValueError("a secret is text: put it in quotes, or give {env: NAME} or {file: path}")  # noqa: TRY004
    return given


def _from_environment(name: str) -> str:
    value = os.environ.get(name)
    if value is None:
        raise ValueError(f"environment variable {name} is not set")
    if not value:
        raise ValueError(f"environment variable {name} is empty")
    return value


def _from_file(path: str) -> str:
    try:
        value = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise ValueError(f"secret file {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"secret file {path}: it is not UTF-8 text") from None
    if not value:
        raise ValueError(f"secret file {path}: it is empty")
    return value


Secret = Annotated[SecretStr, BeforeValidator(read_secret)]
"""A secret of a configuration model; `.get_secret_value()` gives its text."""
