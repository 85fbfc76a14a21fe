"""The package works installed and dropped into a plugins folder, and Airflow finds exactly one plugin either way."""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
from airflow.providers_manager import ProvidersManager
from tests.support.airflow.moved_names import hooks

from canvas_exports.provider import get_provider_info

REPOSITORY = Path(__file__).parents[2]

PROBE = """
import json, sys
from airflow import plugins_manager
if hasattr(plugins_manager, "_get_plugins"):
    plugins, errors = plugins_manager._get_plugins()
else:  # Airflow 3.1
    plugins_manager.ensure_plugins_loaded()
    plugins, errors = plugins_manager.plugins, plugins_manager.import_errors
import canvas_exports
print("RESULT" + json.dumps({
    "plugins": [plugin.name for plugin in plugins if plugin.name == "canvas_exports"],
    "errors": errors,
    "links": sorted(link.name for plugin in plugins for link in plugin.operator_extra_links),
    "stray": sorted({"hooks", "operators", "triggers", "export", "archive", "canvas", "web", "plugin", "provider", "errors"} & set(sys.modules)),
    "file": canvas_exports.__file__,
    "heavy": sorted({"smart_open", "obstore", "boto3"} & set(sys.modules)),
}))
"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site-packages with all that is installed here, but without ours."""
    site = tmp_path_factory.mktemp("bare") / "site-packages"
    site.mkdir()
    for path in Path(sysconfig.get_paths()["purelib"]).iterdir():
        if "canvas_exports" not in path.name and path.suffix != ".pth":
            (site / path.name).symlink_to(path)
    return site


@pytest.fixture(scope="module")
def installed(bare: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with our wheel, built from this checkout."""
    built = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(built)],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
    )
    site = tmp_path_factory.mktemp("installed") / "site-packages"
    shutil.copytree(bare, site, symlinks=True)
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return site


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A plugins folder as an administrator would fill it."""
    plugins = tmp_path / "plugins"
    shutil.copytree(REPOSITORY / "plugins", plugins, ignore=shutil.ignore_patterns("__pycache__"))
    return plugins


def airflow_finds(site: Path, home: Path, plugins: Path) -> dict[str, Any]:
    """What a fresh Airflow process finds."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    environment |= {
        "PYTHONPATH": str(site),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(plugins),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
    ran = subprocess.run(
        [sys.executable, "-S", "-c", PROBE], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    result: dict[str, Any] = json.loads(ran.stdout.rpartition("RESULT")[2])
    return result


def test_dropped_into_a_folder(bare: Path, tmp_path: Path, folder: Path) -> None:
    found = airflow_finds(bare, tmp_path / "home", folder)
    assert found["plugins"] == ["canvas_exports"]
    assert found["errors"] == {}
    assert found["stray"] == [], "sys.modules is not polluted"
    assert Path(found["file"]).is_relative_to(folder)
    assert found["links"] == ["Canvas", "Run report"]
    assert found["heavy"] == [], "nobody pays for storage libraries before storing something"


def test_installed_from_its_wheel(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "plugins").mkdir()
    found = airflow_finds(installed, tmp_path / "home", tmp_path / "plugins")
    assert found["plugins"] == ["canvas_exports"]
    assert found["errors"] == {}
    assert Path(found["file"]).is_relative_to(installed)


def test_installed_and_in_the_folder_it_registers_once(installed: Path, tmp_path: Path, folder: Path) -> None:
    found = airflow_finds(installed, tmp_path / "home", folder)
    assert found["plugins"] == ["canvas_exports"]
    assert found["errors"] == {}
    assert found["stray"] == []


def test_the_wheel_holds_types_and_schemas_and_nothing_else(installed: Path) -> None:
    package = installed / "canvas_exports"
    assert (package / "py.typed").exists()
    source = REPOSITORY / "plugins" / "canvas_exports"
    wanted = {
        path.relative_to(source) for path in source.rglob("*") if path.is_file() and path.suffix != ".pyc"
    }
    found = {
        path.relative_to(package) for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc"
    }
    assert found == wanted


class TestProvider:
    def test_airflow_lists_it_with_its_connection_type(self) -> None:
        assert "airflow-provider-canvas-exports" in ProvidersManager().providers
        hook = hooks()["canvas"]
        assert hook is not None
        assert hook.hook_class_name == "canvas_exports.hooks.canvas.CanvasHook"
        assert hook.connection_id_attribute_name == "canvas_conn_id"

    def test_everything_it_names_can_be_imported(self) -> None:
        info = get_provider_info()
        modules = [
            name
            for part in ("hooks", "operators", "triggers")
            for row in info[part]
            for name in row["python-modules"]
        ]
        for name in modules:
            importlib.import_module(name)
        classes = [
            *info["extra-links"],
            *info["notifications"],
            *(row["plugin-class"] for row in info["plugins"]),
        ]
        for name in classes:
            module, _, attribute = name.rpartition(".")
            assert hasattr(importlib.import_module(module), attribute)

    def test_it_names_every_module_there_is(self) -> None:
        info = get_provider_info()
        for part, kind in (("operators", "Operator"), ("hooks", "Hook"), ("triggers", "Trigger")):
            named = {name for row in info[part] for name in row["python-modules"]}
            folder = REPOSITORY / "plugins" / "canvas_exports" / part
            found = {
                f"canvas_exports.{part}.{path.stem}"
                for path in folder.glob("*.py")
                if re.search(rf"^class Canvas\w*{kind}\(", path.read_text(), re.MULTILINE)
            }
            assert named == found

    def test_its_name_is_the_distribution(self) -> None:
        assert distribution("airflow-provider-canvas-exports").name == get_provider_info()["package-name"]
