"""Arguments, configuration, run. The only place that ends the process."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from server import __version__
from server import config as configuration
from server.app import App
from server.config import Config
from server.core import log
from server.core.errors import ConfigError, StartError
from server.core.garbage import keep_searches_short
from server.web.assets import asset

try:
    import resource
except ImportError:  # not on every system
    resource = None  # type: ignore[assignment]

EXIT_FAILED = 1
EXIT_BAD_CONFIG = 2


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="linewatch", description="Live interface traffic for network operations.")
    parser.add_argument("--config", type=Path, help="configuration file (default: ./config.yaml, else the shipped one)")
    parser.add_argument("--host", help="listen on this address instead of the configuration's server.host")
    parser.add_argument("--port", type=int, help="listen on this port instead of the configuration's server.port")
    parser.add_argument("--allow-anonymous", action="store_true", default=None, help="as server.allow_anonymous: true")
    parser.add_argument("--check-config", action="store_true", help="say what is wrong with the configuration, and end")
    parser.add_argument("--version", action="version", version=f"Linewatch {__version__}")
    return parser


async def serve(load: Callable[[], Config], config: Config, *, shipped: bool) -> None:
    """Run until a signal ends it; `load` reads the configuration anew."""
    app = App(config, load, shipped=shipped)
    app.handle_signals()
    await app.run()


def main(argv: list[str] | None = None) -> int:
    """Run the program; returns its exit status: 0 ended in order, 1 could not start, 2 bad configuration or arguments."""
    asked = arguments().parse_args(argv)
    try:
        path = asked.config or (Path("config.yaml") if Path("config.yaml").exists() else asset("config.yaml"))
        given = {"host": asked.host, "port": asked.port, "allow_anonymous": asked.allow_anonymous}
        load = partial(configuration.load, path, {key: value for key, value in given.items() if value is not None})
        config = load()
        if asked.check_config:
            print(f"{path}: good, devices: {len(config.devices)}")
            return 0
        log.set_up(config.log.level, config.log.format == "json")
        _raise_open_files()
        keep_searches_short()
        asyncio.run(serve(load, config, shipped=asked.config is None))
    except ConfigError as error:
        print(error, file=sys.stderr)
        return EXIT_BAD_CONFIG
    except StartError as error:
        print(f"linewatch: {error}", file=sys.stderr)
        return EXIT_FAILED
    return 0


def _raise_open_files() -> None:
    """As many open files as the system lets us have: each device and each browser holds a socket."""
    if resource is not None:
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        with contextlib.suppress(ValueError, OSError):  # macOS names a limit here that it does not grant
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def entry() -> None:
    """The `linewatch` command of the wheel."""
    sys.exit(main())


if __name__ == "__main__":
    entry()
