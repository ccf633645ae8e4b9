"""`python -m server.demo`: a simulated network and Linewatch on it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from server.core.errors import StartError
from server.demo.launcher import default_config, run_demo, run_simulators
from server.demo.ports import LOOPBACK

EXIT_FAILED = 1


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="linewatch demo", description="A simulated network, and Linewatch on it.")
    parser.add_argument("--port", type=int, default=8888, help="HTTP port of the pages (default: 8888)")
    parser.add_argument("--config", type=Path, help="configuration whose devices are served (default: the shipped one)")
    parser.add_argument(
        "--simulators-only", action="store_true", help="start no server; the agents use the ports of the configuration"
    )
    parser.add_argument("--host", default=LOOPBACK, help="address of the agents with --simulators-only")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the demo; returns its exit status: 0 after Ctrl-C or SIGTERM, 1 when a part of it could not start or died."""
    asked = arguments().parse_args(argv)
    try:
        config = asked.config or default_config()
        if asked.simulators_only:
            run_simulators(config, asked.host, sys.stdout)
        else:
            run_demo(config, asked.port, sys.stdout)
    except StartError as error:
        print(f"linewatch demo: {error}", file=sys.stderr)
        return EXIT_FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
