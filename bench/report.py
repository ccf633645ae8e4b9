"""What a benchmark found: figures with their limits, as text for people and as one JSON object for programs."""

from __future__ import annotations

import json
import operator
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
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
    """One measured number. `limit` is text such as `<= 0.5`, or None.

    A peer that was missing has `value` None, and `missing` says what was not there. A median of several rounds has the
    least and the most of them as `spread`.
    """

    value: float | None
    unit: str
    limit: str | None = None
    spread: tuple[float, float] | None = None
    rounds: int | None = None
    missing: str = ""

    @classmethod
    def median_of(cls, values: Sequence[float], unit: str, limit: str | None = None) -> Figure:
        """One value a round."""
        return cls(statistics.median(values), unit, limit, (min(values), max(values)), len(values))

    @property
    def holds(self) -> bool:
        """Whether the limit is kept; a missing value keeps none."""
        if self.limit is None:
            return True
        if self.value is None:
            return False
        relation, bound = self.limit.split()
        return _HOLDS[relation](self.value, float(bound))

    @property
    def words(self) -> str:
        """The value for people."""
        if self.value is None:
            return f"missing: {self.missing}" if self.missing else "missing"
        text = f"{_short(self.value)} {self.unit}"
        if self.spread is not None:
            text += f" ({_short(self.spread[0])} to {_short(self.spread[1])}, {self.rounds} rounds)"
        return text


def _short(value: float) -> str:
    """Four digits; no exponent where the number is large."""
    return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"


def as_text(figures: dict[str, Figure]) -> str:
    """A Markdown table."""
    lines = ["| figure | value | limit | holds |", "| --- | --- | --- | --- |"]
    for name, figure in figures.items():
        holds = "–" if figure.limit is None else "yes" if figure.holds else "NO"
        lines.append(f"| {name} | {figure.words} | {figure.limit or '–'} | {holds} |")
    return "\n".join(lines)


def as_json(figures: dict[str, Figure]) -> str:
    """One line: figure → value, unit, limit, holds, spread (least, most), rounds, missing."""
    return json.dumps(
        {
            name: {
                "value": figure.value,
                "unit": figure.unit,
                "limit": figure.limit,
                "holds": figure.holds,
                "spread": figure.spread,
                "rounds": figure.rounds,
                "missing": figure.missing,
            }
            for name, figure in figures.items()
        }
    )


def write(page: Path, name: str, about: str, figures: dict[str, Figure]) -> None:
    """Replace this benchmark's part of the page, or add it at the end."""
    start, end = _START.format(name=name), _END.format(name=name)
    stamp = f"{time.strftime('%Y-%m-%d', time.gmtime())}, {machine()}"
    part = f"{start}\n## {name}\n\n{about}\n\n{stamp}\n\n{as_text(figures)}\n{end}\n"
    text = page.read_text() if page.exists() else "# Benchmarks\n\nWritten by `./linewatch bench NAME --write`.\n\n"
    if start in text:
        before, rest = text.split(start, 1)
        text = before + part + rest.split(end, 1)[1].lstrip("\n")
    else:
        text += part
    page.write_text(text)


def machine() -> str:
    """What the figures were measured on."""
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} x {_processor()}, {platform.machine()}, {system}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else "processor"
