"""The layout is the map: what stands where, and how large a file may grow."""

from __future__ import annotations

import re
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
CODE = [*TOP.glob("server/**/*.py"), *TOP.glob("static/js/**/*.js"), *TOP.glob("bench/*.py")]


def test_no_file_of_code_is_longer_than_300_lines() -> None:
    long = {str(path.relative_to(TOP)): lines for path in CODE if (lines := path.read_text().count("\n")) > 300}
    assert long == {}


def test_only_sources_snmp_and_the_demo_speak_of_object_identifiers() -> None:
    allowed = (TOP / "server/sources/snmp", TOP / "server/demo")
    knowing = [
        str(path.relative_to(TOP))
        for path in TOP.glob("server/**/*.py")
        if not path.is_relative_to(allowed[0]) and not path.is_relative_to(allowed[1])
        if re.search(r"1\.3\.6\.1|import pysnmp|from pysnmp", path.read_text())
    ]
    assert knowing == []


def test_text_reaches_the_page_only_as_text() -> None:
    unsafe = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|setAttribute\(['\"]style")
    found = [str(path.relative_to(TOP)) for path in TOP.glob("static/js/**/*.js") if unsafe.search(path.read_text())]
    assert found == []


def test_templates_have_no_inline_style_or_handler() -> None:
    unsafe = re.compile(r"\sstyle=|\son[a-z]+=|<style|javascript:")
    found = [str(path.relative_to(TOP)) for path in TOP.glob("templates/**/*.html") if unsafe.search(path.read_text())]
    assert found == []


def test_every_package_says_in_one_line_why_it_exists() -> None:
    silent = [
        str(path.relative_to(TOP)) for path in TOP.glob("server/**/__init__.py") if not path.read_text().startswith('"""')
    ]
    assert silent == []
