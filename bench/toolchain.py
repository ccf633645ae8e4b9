"""What benchmarks need besides Python's packages: Debian packages, compiled programs, virtual environments of their own.

What was made is kept in a cache folder and made anew when its sources change.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

NATIVE = Path(__file__).parent / "native"
_WARNINGS = ("-Wall", "-Wextra")


class Missing(Exception):
    """Something that is measured cannot be had on this machine; the text names what is missing."""


def cache_folder() -> Path:
    """Where programs and environments are kept from run to run."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "linewatch-bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def install(packages: Sequence[str]) -> None:
    """Install these Debian packages where that is possible, and say so. What it cannot get is missing when it is used."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return
    wanted = [package for package in packages if not _installed(package)]
    if not wanted:
        return
    print(f"installing {' '.join(wanted)} (apt)", file=sys.stderr)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], check=False, env=environment, stdout=subprocess.DEVNULL)
    for package in wanted:  # one by one: one that this release lacks does not keep the others out
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", package]
        done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
        if done.returncode:
            print(f"apt cannot install {package}: {done.stderr.strip()[-200:]}", file=sys.stderr)


def _installed(package: str) -> bool:
    command = ["dpkg-query", "-W", "-f", "${db:Status-Status}", package]
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout == "installed"


def program(name: str) -> str:
    """The path of an installed program; raises Missing."""
    found = shutil.which(name)
    if found is None:
        raise Missing(name)
    return found


def compiled(name: str, sources: Sequence[Path], options: Sequence[str] = ()) -> Path:
    """A C program, made with gcc; `options` may hold libraries. Raises Missing with what the compiler lacked."""
    headers = sorted({header for source in sources for header in source.parent.glob("*.h")})

    def command(target: Path) -> list[str]:
        return [program("gcc"), "-std=gnu11", "-O2", *_WARNINGS, "-o", str(target), *map(str, sources), *options]

    return _made(name, [*sources, *headers], command(Path(name)), command, {})


def compiled_go(name: str, source: Path) -> Path:
    """A Go program that uses what Debian has packaged. Raises Missing."""
    environment = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": str(cache_folder() / "go")}

    def command(target: Path) -> list[str]:
        return [program("go"), "build", "-o", str(target), str(source)]

    return _made(name, [source], command(Path(name)), command, environment)


def python_with(package: str) -> Path:
    """The interpreter of a virtual environment that holds this package of the Python package index. Raises Missing."""
    folder = cache_folder() / f"venv-{package}-{sys.version_info.major}.{sys.version_info.minor}"
    python, done = folder / "bin" / "python", folder / "done"
    if not done.exists():
        print(f"installing {package} (pip, in an environment of its own)", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(folder)], "venv", {})
        _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", package], package, {})
        done.touch()
    return python


def _made(
    name: str, sources: Sequence[Path], key: list[str], command: Callable[[Path], list[str]], environment: dict[str, str]
) -> Path:
    digest = hashlib.sha256("\0".join(key).encode())
    for source in sources:
        digest.update(source.read_bytes())
    target = cache_folder() / f"{name}-{digest.hexdigest()[:16]}"
    if not target.exists():
        with tempfile.TemporaryDirectory(dir=cache_folder()) as folder:
            made = Path(folder) / name
            _run(command(made), name, environment)
            made.rename(target)  # two runs at once end with one whole program
    return target


def _run(command: list[str], what: str, environment: dict[str, str]) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True, env={**os.environ, **environment})
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error" in line.lower() or "cannot find" in line]
        raise Missing(f"{what} ({(lines or done.stderr.splitlines() or ['no reason given'])[0].strip()[:160]})")
