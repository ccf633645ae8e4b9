"""`python -m bench NAME [--json] [--long] [--write]`."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import signal
import sys
from pathlib import Path

import bench
from bench import report

_NO_BENCHMARKS = {"__main__", "browsers", "fastagent", "measure", "processes", "report", "toolchain"}


def names() -> list[str]:
    """The benchmarks: each module here that is not part of the harness."""
    return sorted(
        module.name
        for module in pkgutil.iter_modules(bench.__path__)
        if not module.ispkg and module.name not in _NO_BENCHMARKS
    )


def main() -> int:
    """Run one; exit status 0 when every limit holds, 1 when one does not, 2 for an unknown name."""
    parser = argparse.ArgumentParser(prog="./linewatch bench", description="Measure one claim.")
    parser.add_argument("name", nargs="?", choices=names())
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    parser.add_argument("--long", action="store_true", help="longer than 15 minutes is allowed")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/benchmarks.md")
    asked = parser.parse_args()
    if asked.name is None:
        for name in names():
            print(f"{name:12} {(importlib.import_module(f'bench.{name}').__doc__ or '').splitlines()[0]}")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # what it started ends with it
    module = importlib.import_module(f"bench.{asked.name}")
    figures: dict[str, report.Figure] = module.run(long=asked.long)
    print(report.as_text(figures))
    if asked.write:
        report.write(Path("docs/benchmarks.md"), asked.name, (module.__doc__ or "").strip(), figures)
    if asked.json:
        print(report.as_json(figures))
    return 0 if all(figure.holds for figure in figures.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
