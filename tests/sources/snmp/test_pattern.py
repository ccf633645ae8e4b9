from __future__ import annotations

import time

import pytest

from server.sources.snmp.pattern import searcher


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("Core", "a Core: b", True),
        ("^Core", "a Core: b", False),
        ("(?i)^core:", "Core: b", True),
        (r"^\w+$", "Zürich", True),
        ("x$", "x\udc80", False),
    ],
)
def test_an_expression_is_searched_for_anywhere(pattern: str, text: str, found: bool) -> None:
    assert searcher(pattern)(text) is found


@pytest.mark.parametrize("pattern", [r"^(\w+\s?)+:$", "(x+x+)+y", "(x|x)*y", "(.*)*y"])
def test_no_text_of_a_device_makes_an_expression_slow(pattern: str) -> None:
    search = searcher(pattern)
    begin_s = time.thread_time()
    assert not search("x" * 255)
    assert time.thread_time() - begin_s < 0.1


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("(", "unclosed group"),
        ("(?<!x)y", "look-around, including look-ahead and look-behind, is not supported"),
        (r"(x)\1", "backreferences are not supported"),
        (r"x\Z", "unrecognized escape sequence"),
        (r"(\w{50}){50}", "it is too large"),
    ],
)
def test_what_the_engine_does_not_take_is_told_in_one_line(pattern: str, words: str) -> None:
    with pytest.raises(ValueError, match="not a regular expression that can be used here: ") as caught:
        searcher(pattern)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
