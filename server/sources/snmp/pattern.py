"""Regular expressions that an operator gives and that run on a device's text.

Python's `re` backtracks: `^(\\w+\\s?)+:$` on 26 letters holds the event loop for seconds. pydantic-core's engine (Rust's
`regex`) takes linear time, and bounds what a compiled expression may occupy.
"""

from __future__ import annotations

from collections.abc import Callable

from pydantic_core import SchemaError, SchemaValidator, core_schema


def searcher(pattern: str) -> Callable[[str], bool]:
    """Whether a text has a match anywhere. Raises ValueError, in words, where the engine does not take the pattern."""
    schema = core_schema.str_schema(pattern=pattern, regex_engine="rust-regex")
    try:
        validator = SchemaValidator(schema)
    except SchemaError as error:
        raise ValueError(f"not a regular expression that can be used here: {_words(str(error))}") from None
    return validator.isinstance_python


def _words(text: str) -> str:
    """The engine's own words, without the picture of the expression that stands before them."""
    words = text.rpartition("error: ")[2].rpartition("SchemaError: ")[2].strip()
    if "not supported" in words:
        return f"{words} (they can take for ever on a device's text)"
    if "size limit" in words:
        return "it is too large; a repetition such as {400} counts as often as it says"
    return words
