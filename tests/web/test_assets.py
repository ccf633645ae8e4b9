from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from server.core.errors import StartError
from server.web import assets
from server.web.assets import VENDOR, StaticFiles, asset
from tests.web.site import FILES, write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path, FILES)


def test_a_url_changes_when_the_file_does_and_only_then(folder: Path) -> None:
    before = StaticFiles(folder, "")
    assert re.fullmatch(r"/static/js/main\.js\?v=[0-9a-f]{12}", before.url("js/main.js"))
    assert StaticFiles(folder, "").url("js/main.js") == before.url("js/main.js")
    (folder / "js/main.js").write_text("changed")
    after = StaticFiles(folder, "")
    assert after.url("js/main.js") != before.url("js/main.js")
    assert after.url("css/app.css") == before.url("css/app.css")


def test_the_import_map_leads_each_module_and_the_chart_library_to_its_versioned_url(folder: Path) -> None:
    files = StaticFiles(folder, "/lw")
    assert json.loads(files.import_map) == {
        "imports": {
            "uplot": files.url("vendor/uplot/uPlot.esm.js"),
            "/lw/static/js/components/row.js": files.url("js/components/row.js"),
            "/lw/static/js/main.js": files.url("js/main.js"),
        }
    }
    assert files.url("js/main.js").startswith("/lw/static/js/main.js?v=")
    assert sorted(files.preload) == sorted(files.url(name) for name in ("js/main.js", "js/components/row.js"))


@pytest.mark.parametrize("name", VENDOR)
def test_a_missing_vendor_file_stops_the_start_and_names_the_mend(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(StartError) as told:
        StaticFiles(folder, "")
    assert f"static/{name} is missing" in str(told.value)
    assert "./linewatch" in str(told.value)


def test_an_asset_is_found_beside_the_package_or_inside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "_PACKAGE", tmp_path / "server")
    (tmp_path / "templates").mkdir()
    assert asset("templates") == tmp_path / "templates"
    (tmp_path / "server/data/templates").mkdir(parents=True)
    assert asset("templates") == tmp_path / "server/data/templates"


def test_an_asset_that_is_nowhere_stops_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "_PACKAGE", tmp_path / "server")
    with pytest.raises(StartError, match=r"config\.yaml was not installed"):
        asset("config.yaml")
