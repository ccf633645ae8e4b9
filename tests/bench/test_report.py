"""What a benchmark prints and writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.report import Figure, as_json, as_text, write


@pytest.mark.parametrize(("value", "limit", "holds"), [(9.0, ">= 8", True), (7.9, ">= 8", False), (10.0, "<= 10", True)])
def test_a_figure_holds_when_it_keeps_its_limit(value: float, limit: str, holds: bool) -> None:
    assert Figure(value, "x", limit).holds is holds


def test_a_missing_figure_keeps_no_limit_and_says_what_is_missing() -> None:
    missing = Figure(None, "x", ">= 8", missing="go")
    assert not missing.holds
    assert "| batch over gosnmp | missing: go | >= 8 | NO |" in as_text({"batch over gosnmp": missing})


def test_a_figure_without_a_limit_fails_nothing_even_where_it_is_missing() -> None:
    assert Figure(None, "x", missing="go").holds
    assert Figure(1.0, "x").holds


def test_a_median_is_told_with_its_spread_and_rounds() -> None:
    figure = Figure.median_of([9.0, 30_000.0, 10.0], "x", ">= 8")
    assert (figure.value, figure.spread, figure.rounds) == (10.0, (9.0, 30_000.0), 3)
    assert figure.words == "10 x (9 to 30,000, 3 rounds)"


def test_the_json_line_has_all_of_each_figure() -> None:
    found = json.loads(as_json({"a": Figure.median_of([1.0, 2.0], "s", "<= 2"), "b": Figure(None, "s", missing="gcc")}))
    assert found["a"] == {
        "value": 1.5,
        "unit": "s",
        "limit": "<= 2",
        "holds": True,
        "spread": [1.0, 2.0],
        "rounds": 2,
        "missing": "",
    }
    assert (found["b"]["value"], found["b"]["missing"]) == (None, "gcc")


def test_writing_again_replaces_only_the_part_of_that_benchmark(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    write(page, "one", "What one says.", {"first": Figure(1.0, "s")})
    write(page, "two", "What two says.", {"second": Figure(2.0, "s")})
    write(page, "one", "What one says.", {"third": Figure(3.0, "s")})
    text = page.read_text()
    assert "first" not in text
    assert text.count("<!-- one -->") == 1
    assert all(word in text for word in ("| third | 3 s |", "| second | 2 s |", "Python 3."))
