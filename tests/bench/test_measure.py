"""Pollers are believed only when they read what they were asked to."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.__main__ import names
from bench.measure import Poller, Rate, Result, measure, true_means
from bench.toolchain import Missing

DEVICES, TICKS = 2, 3
WHOLE = DEVICES * TICKS * 98
MEAN = true_means(DEVICES)[0] * 1.00001


def poller(name: str, program: Callable[[], list[str]]) -> Poller:
    return Poller(name, program, port=1, devices=DEVICES, ticks=TICKS)


def prints(**result: float) -> Callable[[], list[str]]:
    whole = {"vb": WHOLE, "bad": 0, "cpu": 0.5, "mean": MEAN} | result
    return lambda: [sys.executable, "-c", f"print({json.dumps(whole)!r})"]


def test_a_result_is_read_from_one_line_of_json() -> None:
    assert Result.parse('{"vb": 5, "bad": 1, "cpu": 0.25, "mean": 2e12}\n') == Result(5, 1, 0.25, 2e12)


@pytest.mark.parametrize("text", ["", "[]", "5", "no json", '{"vb": 5}', '{"vb": 5, "bad": 0, "cpu": 0, "mean": 1}'])
def test_anything_else_is_no_result(text: str) -> None:
    with pytest.raises(ValueError, match=r"no result|no time"):
        Result.parse(text)


def test_rounds_are_interleaved_and_each_gives_a_value(capfd: pytest.CaptureFixture[str]) -> None:
    rates = measure([poller("a", prints()), poller("b", prints(cpu=1.0))], rounds=2)
    assert rates["a"].values == [WHOLE / 0.5] * 2
    assert rates["b"].values == [WHOLE / 1.0] * 2
    order = [line.split(":")[1].split()[0] for line in capfd.readouterr().err.splitlines()]
    assert order == ["a", "b", "a", "b"]


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ({"vb": WHOLE // 2}, "read 294 of 588 varbinds"),
        ({"vb": WHOLE * 2}, "read 1,176 of 588"),
        ({"mean": 5.0}, "mean of 5"),
    ],
)
def test_who_reads_other_than_asked_has_no_speed(result: dict[str, float], words: str) -> None:
    (rate,) = measure([poller("cheat", prints(**result))], rounds=1).values()
    assert rate.values == []
    assert words in rate.missing


def test_a_poller_that_fails_is_told_with_its_last_words_and_does_not_stop_the_others() -> None:
    failing = poller("failing", lambda: [sys.executable, "-c", "raise SystemExit('no such library')"])
    rates = measure([failing, poller("a", prints())], rounds=2)
    assert "no such library" in rates["failing"].missing
    assert len(rates["a"].values) == 2


def test_what_is_not_installed_is_told_as_missing() -> None:
    def absent() -> list[str]:
        raise Missing("go")

    rates = measure([poller("gosnmp", absent), poller("a", prints())], rounds=1)
    assert rates["gosnmp"].figure().words == "missing: go"
    ratio = rates["a"].over(rates["gosnmp"], "x", ">= 8")
    assert (ratio.value, ratio.missing, ratio.holds) == (None, "go", False)


def test_ratios_are_made_round_by_round() -> None:
    ratio = Rate([10.0, 30.0, 90.0]).over(Rate([1.0, 10.0, 10.0]), "x", ">= 8")
    assert (ratio.value, ratio.spread) == (9.0, (3.0, 10.0))


def test_each_module_that_is_offered_as_a_benchmark_can_be_run() -> None:
    for name in names():
        text = (Path(__file__).parents[2] / "bench" / f"{name}.py").read_text()
        assert "\ndef run(long: bool = False) -> dict[str, Figure]:" in text, name
