"""Say what is missing from a wheel, or should not be in it. `python tests/wheel_files.py linewatch-….whl`."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
VENDOR = ("static/vendor/uplot/uPlot.esm.js", "static/vendor/uplot/uPlot.min.css")
FORBIDDEN = ("tests/", "bench/", "node_modules/", "__pycache__", "requirements/")


def expected() -> set[str]:
    """Every code file, and every file beside the code in its place in the package."""
    code = {path.relative_to(TOP).as_posix() for path in TOP.glob("server/**/*.py")}
    beside = [*TOP.glob("static/css/**/*.css"), *TOP.glob("static/js/**/*.js"), *TOP.glob("templates/**/*.html")]
    data = {f"server/data/{path.relative_to(TOP).as_posix()}" for path in beside}
    return code | data | {"server/data/config.yaml"} | {f"server/data/{name}" for name in VENDOR}


def main() -> int:
    names = set(zipfile.ZipFile(sys.argv[1]).namelist())
    missing = sorted(expected() - names)
    unwanted = sorted(name for name in names if any(part in name for part in FORBIDDEN))
    for name in missing:
        print(f"missing from the wheel: {name}")
    for name in unwanted:
        print(f"should not be in the wheel: {name}")
    return 1 if missing or unwanted else 0


if __name__ == "__main__":
    sys.exit(main())
