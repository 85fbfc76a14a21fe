"""The examples of the operators are DAGs that Airflow reads, and it finds them as those of other providers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization

from canvas_exports import example_dags
from canvas_exports.provider import get_provider_info

FOLDER = Path(next(iter(example_dags.__path__)))

BUNDLES = """
import json
from airflow.dag_processing.bundles.manager import DagBundlesManager
found = {bundle.name: str(bundle.path) for bundle in DagBundlesManager().get_all_dag_bundles()}
print("RESULT" + json.dumps(found))
"""


@pytest.fixture(scope="module")
def bag() -> DagBag:
    return DagBag(dag_folder=FOLDER, bundle_path=FOLDER)


def test_they_have_no_import_error_and_serialise(bag: DagBag) -> None:
    assert bag.import_errors == {}
    assert set(bag.dags) == {path.stem for path in FOLDER.glob("example_*.py")}
    for dag in bag.dags.values():
        DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag))))


def test_none_runs_by_itself(bag: DagBag) -> None:
    assert {dag.schedule for dag in bag.dags.values()} == {None}
    assert all("example" in dag.tags for dag in bag.dags.values())


def test_every_operator_has_an_example() -> None:
    texts = "".join(path.read_text() for path in FOLDER.glob("example_*.py"))
    for row in get_provider_info()["operators"]:
        for module in row["python-modules"]:
            assert f"from {module} import " in texts


def test_each_marked_part_is_closed() -> None:
    for path in FOLDER.glob("example_*.py"):
        text = path.read_text()
        starts = [line.split()[2] for line in text.splitlines() if "# [START" in line]
        ends = [line.split()[2] for line in text.splitlines() if "# [END" in line]
        assert starts
        assert starts == ends


def test_airflow_finds_them_where_examples_are_loaded(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "True",
        "AIRFLOW__CORE__DAGS_FOLDER": str(tmp_path),
    }
    ended = subprocess.run(
        [sys.executable, "-c", BUNDLES], env=environment, capture_output=True, text=True, check=True
    )
    found = json.loads(ended.stdout.rpartition("RESULT")[2])
    assert Path(found["airflow-provider-canvas-exports-example-dags"]).samefile(FOLDER)
    assert "Could not load provider module airflow_provider_canvas_exports" not in ended.stdout + ended.stderr
