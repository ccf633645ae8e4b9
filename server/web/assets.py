"""The files beside the code: static, templates, config.yaml; in a checkout at its top, in a wheel under `server/data`."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from server.core.errors import StartError

_PACKAGE = Path(__file__).resolve().parent.parent
VENDOR = ("vendor/uplot/uPlot.esm.js", "vendor/uplot/uPlot.min.css")


def asset(name: str) -> Path:
    """Path of `static`, `templates` or `config.yaml`. Raises StartError when it is in neither place."""
    for folder in (_PACKAGE / "data", _PACKAGE.parent):
        if (folder / name).exists():
            return folder / name
    raise StartError(f"{name} was not installed with the program; install it again")


class StaticFiles:
    """URLs of static files that change when the file does, so that browsers may keep them for ever.

    Read once at start: `modules` is the import map of the pages.
    """

    def __init__(self, folder: Path, prefix: str) -> None:
        for needed in VENDOR:
            if not (folder / needed).is_file():
                raise StartError(f"static/{needed} is missing; ./linewatch run fetches it, or: npm ci && ./linewatch vendor")
        self.folder = folder
        self._prefix = prefix
        self._versions = {
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()[:12]
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        modules = [name for name in self._versions if name.startswith("js/") and name.endswith(".js")]
        self.preload = [self.url(name) for name in modules]
        imports = {f"{prefix}/static/{name}": self.url(name) for name in modules}
        self.import_map = json.dumps({"imports": {"uplot": self.url("vendor/uplot/uPlot.esm.js"), **imports}})

    def url(self, name: str) -> str:
        """The versioned URL of a file under `static/`."""
        return f"{self._prefix}/static/{name}?v={self._versions[name]}"
