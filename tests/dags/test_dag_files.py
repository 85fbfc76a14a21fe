"""What Airflow's own reader makes of the files in dags/."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization
from airflow.utils.file import might_contain_dag
from tests.support.backups.backup_files import GOOD
from tests.support.repository.markdown import page

REPOSITORY = Path(__file__).parents[2]
DAGS = REPOSITORY / "dags"
Write = Callable[..., None]

#: The DAGs that are there without any backup.
SHIPPED = {"canvas_export", "canvas_hold", "canvas_restore", "canvas_restore_drill", "canvas_verify"}


def parse() -> DagBag:
    return DagBag(dag_folder=DAGS, bundle_path=DAGS)


def test_the_shipped_dags_have_no_import_error_and_serialise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CANVAS_EXPORTS_INCLUDE", raising=False)
    bag = parse()
    assert bag.import_errors == {}
    assert set(bag.dags) == SHIPPED | {
        "canvas_backup_nightly",
        "canvas_backup_end_of_term_archive",
        "canvas_backup_pilot",
    }
    for dag in bag.dags.values():
        DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag))))
        assert Path(str(dag.fileloc)).parent == DAGS


def test_every_shipped_dag_tells_a_newcomer_what_it_is_for_and_who_answers_for_it() -> None:
    for dag in parse().dags.values():
        assert re.search(dag.dag_id.replace("_", "."), dag.dag_display_name, re.IGNORECASE), dag.dag_id
        assert dag.description
        if dag.dag_id in SHIPPED:
            assert [f"`{dag.dag_id}`", dag.dag_display_name] in page("backups").table("Backup files")
        assert len(dag.doc_md or "") > 200
        assert {task.owner for task in dag.tasks} == {"Canvas administrators"}


@pytest.mark.usefixtures("include")
def test_no_backup_is_no_error() -> None:
    bag = parse()
    assert (bag.import_errors, set(bag.dags)) == ({}, SHIPPED)


def test_a_broken_backup_breaks_only_its_own_dag(write: Write) -> None:
    write("nightly")
    write("weekly")
    write(
        "broken",
        "name: broken\nschedule: null\narchive: file:///a\ncourses: {ids: [1]}\nexport_types: [cartridge]\n",
    )
    bag = parse()
    assert set(bag.dags) == SHIPPED | {"canvas_backup_nightly", "canvas_backup_weekly"}
    (told,) = bag.import_errors.items()
    assert told[0] == "canvas_backups_broken.py"
    assert (
        "include/backups/broken.yaml, line 5, export_types[0]: 'cartridge' is not one. "
        "Accepted: common_cartridge, qti, zip." in told[1]
    )
    assert "nightly" not in told[1]


def test_a_second_file_of_its_name_leaves_a_dag_as_it_was(write: Write) -> None:
    write("nightly")
    (before,) = [DagSerialization.to_dict(dag) for dag in parse().dags.values() if dag.dag_id not in SHIPPED]
    write("anatomy", GOOD.format(name="nightly").replace("0 2", "0 5"))
    bag = parse()
    (after,) = [DagSerialization.to_dict(dag) for dag in bag.dags.values() if dag.dag_id not in SHIPPED]
    assert after == before
    told = bag.import_errors["canvas_backups_broken.py"]
    for one, other in (("nightly", "anatomy"), ("anatomy", "nightly")):
        assert (
            f"include/backups/{one}.yaml, line 2, name: 'nightly' is also the name of include/backups/{other}.yaml"
            in told
        )


def test_all_broken_backups_are_reported_in_one_error(write: Write) -> None:
    write("a", "name: [\n")
    write("b", "name: b\n")
    told = parse().import_errors["canvas_backups_broken.py"]
    assert "include/backups/a.yaml, line 2: not valid YAML" in told
    assert "include/backups/b.yaml, line 1, schedule: is missing" in told


def test_a_new_file_is_a_new_dag(write: Write) -> None:
    write("nightly")
    assert "canvas_backup_law" not in parse().dags
    write("law")
    assert "canvas_backup_law" in parse().dags


def test_a_missing_include_folder_is_an_import_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CANVAS_EXPORTS_INCLUDE", str(tmp_path / "nowhere"))
    bag = parse()
    assert set(bag.dags) == SHIPPED
    assert "nowhere/backups: there is no such folder" in bag.import_errors["canvas_backups_broken.py"]


def test_the_include_folder_is_found_beside_a_copied_dag_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("CANVAS_EXPORTS_INCLUDE", raising=False)
    shutil.copytree(DAGS, tmp_path / "dags", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(REPOSITORY / "include" / "backups", tmp_path / "include" / "backups")
    (tmp_path / "include" / "backups" / "pilot.yaml").unlink()
    bag = DagBag(dag_folder=tmp_path / "dags", bundle_path=tmp_path / "dags")
    assert bag.import_errors == {}
    assert set(bag.dags) == SHIPPED | {"canvas_backup_nightly", "canvas_backup_end_of_term_archive"}


def test_the_include_folder_may_lie_in_the_dag_folder_where_nothing_else_is_copied(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("CANVAS_EXPORTS_INCLUDE", raising=False)
    shutil.copytree(DAGS, tmp_path / "dags", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(REPOSITORY / "include", tmp_path / "dags" / "include")
    bag = DagBag(dag_folder=tmp_path / "dags", bundle_path=tmp_path / "dags")
    assert bag.import_errors == {}
    assert "canvas_backup_pilot" in bag.dags
    (tmp_path / "include" / "backups").mkdir(parents=True)
    beside = DagBag(dag_folder=tmp_path / "dags", bundle_path=tmp_path / "dags")
    assert set(beside.dags) == SHIPPED


@pytest.mark.parametrize("path", sorted(DAGS.glob("*.py")), ids=lambda path: path.name)
def test_every_file_is_found_by_airflow_in_safe_mode_and_holds_no_logic(path: Path) -> None:
    assert might_contain_dag(str(path), safe_mode=True)
    code = path.read_text().rpartition('"""')[2].strip().splitlines()
    assert len([line for line in code if line]) <= 5


PARSE = """
import json, os, sys
from airflow.dag_processing.dagbag import DagBag

spoken, opened = [], []
def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        spoken.append(event)
        raise ConnectionError(event)
    if event == "open" and isinstance(arguments[0], str):
        opened.append(os.path.realpath(arguments[0]))
sys.addaudithook(watch)
bag = DagBag(dag_folder=sys.argv[1], bundle_path=None)
print(json.dumps({"dags": sorted(bag.dags), "errors": bag.import_errors, "spoken": spoken, "opened": opened,
                  "modules": sorted(sys.modules)}))
"""


def test_reading_the_dag_folder_makes_no_request_reads_only_yaml_and_imports_nothing_heavy(
    tmp_path: Path,
) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "CANVAS_EXPORTS_INCLUDE"}
    done = subprocess.run(
        [sys.executable, "-c", PARSE, str(DAGS)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert len(seen["dags"]) == 3 + len(SHIPPED)
    assert (seen["errors"], seen["spoken"]) == ({}, [])
    heavy = {"smart_open", "obstore", "boto3", "botocore", "paramiko", "moto"}
    assert heavy.isdisjoint(name.partition(".")[0] for name in seen["modules"])
    ours = {Path(name) for name in seen["opened"] if Path(name).is_relative_to(REPOSITORY / "include")}
    assert ours == set((REPOSITORY / "include" / "backups").glob("*.yaml"))
