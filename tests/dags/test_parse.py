"""What parsing DAGs loads: a DAG processor does it every half minute, and runs no task."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]

PROBE = """
import importlib, json, pkgutil, runpy, sys
from pathlib import Path

importlib.import_module("airflow.dag_processing.processor")  # what every DAG processor has loaded
from airflow.sdk import DAG, BaseHook, BaseNotifier, BaseOperator, BaseOperatorLink, Connection, Param
before = set(sys.modules)

import canvas_exports.dags
from canvas_exports.plugin import CanvasExportsPlugin
from canvas_exports.provider import get_provider_info
info = get_provider_info()
for part in ("hooks", "operators"):
    for row in info[part]:
        for name in row["python-modules"]:
            importlib.import_module(name)
for name in (*info["notifications"], *info["extra-links"]):
    importlib.import_module(name.rpartition(".")[0])
for module in pkgutil.iter_modules(canvas_exports.dags.__path__, "canvas_exports.dags."):
    importlib.import_module(module.name)
dags = {}
for path in sorted(Path(sys.argv[1]).glob("*.py")):
    dags |= {name: each for name, each in runpy.run_path(str(path)).items() if isinstance(each, DAG)}
print("RESULT" + json.dumps({"before": sorted(before), "new": sorted(set(sys.modules) - before), "dags": sorted(dags)}))
"""


@pytest.fixture(scope="module")
def parsed() -> dict[str, Any]:
    """What a fresh process has loaded before and after it parses every DAG of the project."""
    ran = subprocess.run(
        [sys.executable, "-c", PROBE, str(REPOSITORY / "dags")], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    result: dict[str, Any] = json.loads(ran.stdout.rpartition("RESULT")[2])
    return result


def test_no_library_is_loaded_that_airflow_has_not_loaded(parsed: dict[str, Any]) -> None:
    assert "canvas_backup_nightly" in parsed["dags"]
    packages = {name.partition(".")[0] for name in parsed["new"]}
    assert packages - sys.stdlib_module_names == {"airflow", "canvas_exports"}


@pytest.mark.parametrize("library", ["aiohttp", "urllib3", "lxml", "obstore", "smart_open"])
def test_these_are_libraries_of_tasks(library: str, parsed: dict[str, Any]) -> None:
    loaded = {name.partition(".")[0] for name in (*parsed["before"], *parsed["new"])}
    assert library not in loaded, "if Airflow has begun to load it, the test above says less than it did"


@pytest.mark.parametrize(
    "package",
    [
        "archive.catalog",
        "archive.publishing",
        "canvas.client",
        "canvas.async_client",
        "canvas.http.transports",
        "export.engine",
        "export.batch",
        "packages.cartridge",
        "packages.zip",
        "reports",
        "restore.restore",
    ],
)
def test_what_runs_a_task_is_loaded_when_a_task_runs(package: str, parsed: dict[str, Any]) -> None:
    name = f"canvas_exports.core.{package}"
    inside = [each for each in parsed["new"] if each.startswith(f"{name}.") or each == name]
    assert inside == []
