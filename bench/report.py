"""What a benchmark found: figures with their limits, as text for people and as one JSON object for programs."""

from __future__ import annotations

import json
import operator
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_HOLDS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_START, _END = "<!-- {name} -->", "<!-- end of {name} -->"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number. `limit` is text such as `<= 0.5`, or None. A peer that was missing has `value` None."""

    value: float | None
    unit: str
    limit: str | None = None

    @property
    def holds(self) -> bool:
        """Whether the limit is kept; a missing value keeps none."""
        if self.value is None:
            return False
        if self.limit is None:
            return True
        relation, bound = self.limit.split()
        return _HOLDS[relation](self.value, float(bound))


def as_text(figures: dict[str, Figure]) -> str:
    """A Markdown table."""
    lines = ["| figure | value | limit | holds |", "| --- | --- | --- | --- |"]
    for name, figure in figures.items():
        value = "missing" if figure.value is None else f"{figure.value:.4g} {figure.unit}"
        lines.append(f"| {name} | {value} | {figure.limit or '–'} | {'yes' if figure.holds else 'NO'} |")
    return "\n".join(lines)


def as_json(figures: dict[str, Figure]) -> str:
    """One line: figure → value, unit, limit, holds."""
    return json.dumps(
        {
            name: {"value": figure.value, "unit": figure.unit, "limit": figure.limit, "holds": figure.holds}
            for name, figure in figures.items()
        }
    )


def write(page: Path, name: str, about: str, figures: dict[str, Figure]) -> None:
    """Replace this benchmark's part of the page, or add it at the end."""
    machine = f"{platform.machine()}, {platform.system()} {platform.release()}, Python {platform.python_version()}"
    start, end = _START.format(name=name), _END.format(name=name)
    stamp = f"{time.strftime('%Y-%m-%d', time.gmtime())}, {machine}"
    part = f"{start}\n## {name}\n\n{about}\n\n{stamp}\n\n{as_text(figures)}\n{end}\n"
    text = page.read_text() if page.exists() else "# Benchmarks\n\nWritten by `./linewatch bench NAME --write`.\n\n"
    if start in text:
        before, rest = text.split(start, 1)
        text = before + part + rest.split(end, 1)[1].lstrip("\n")
    else:
        text += part
    page.write_text(text)
