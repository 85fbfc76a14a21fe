"""A backup with several archives, from its file to its tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.backups.backup_dags import build, round_trip

from canvas_exports.core.backups import load_backups

ALSO = ["gs://mirror/canvas", {"archive": "az://third/canvas", "archive_conn_id": "azure"}]
FILE = """
name: twice
schedule: null
archive: s3://first/canvas
archive_conn_id: aws
courses: {ids: [101]}
also_archives:
"""


def loaded(tmp_path: Path, lines: str) -> Any:
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "twice.yaml").write_text(FILE + lines)
    return load_backups(tmp_path)


def test_a_file_may_name_further_archives_with_connections_of_their_own(tmp_path: Path) -> None:
    found = loaded(
        tmp_path,
        "  - gs://mirror/canvas\n  - archive: az://third/canvas\n    archive_conn_id: azure\n",
    )
    assert found.problems == ()
    assert found.backups[0].also_archives == tuple(ALSO)


@pytest.mark.parametrize(
    ("lines", "field", "said"),
    [
        ("  - the mirror\n", "also_archives[0]", "does not fit"),
        ("  - archive: the mirror\n", "also_archives[0].archive", "does not fit"),
        ("  - archive_conn_id: azure\n", "also_archives[0].archive", "is missing"),
        ("  - archive: gs://mirror\n    conn: x\n", "also_archives[0].conn", "there is no such field"),
        ("  - gs://mirror\n  - gs://mirror\n", "also_archives", "twice"),
        ("  - 7\n", "also_archives[0]", "not text or a mapping"),
        ("  - s3://user:secret@mirror\n", "also_archives[0]", "does not fit"),
    ],
)
def test_what_is_no_archive_is_reported_with_its_line_and_without_a_password(
    tmp_path: Path, lines: str, field: str, said: str
) -> None:
    (problem,) = loaded(tmp_path, lines).problems
    assert said in str(problem)
    assert problem.line >= 7
    assert "secret" not in str(problem)
    assert str(problem.field) == field


def test_each_task_gets_them_and_each_archive_has_retention_of_its_own() -> None:
    dag = build(
        archive="s3://first/canvas",
        also_archives=tuple(ALSO),
        connections={"archive_conn_id": "aws"},
        keep={"last": 7},
    )
    tasks: Any = {name: dag.get_task(name) for name in dag.task_ids}
    for name in ("list", "report"):
        assert tasks[name].also_archives == ALSO
    assert tasks["export"].partial_kwargs["also_archives"] == ALSO
    pruned = [tasks[name] for name in ("retention", "retention_2", "retention_3")]
    assert [(task.archive, task.archive_conn_id) for task in pruned] == [
        ("s3://first/canvas", "aws"),
        ("gs://mirror/canvas", "aws"),
        ("az://third/canvas", "azure"),
    ]
    assert set(round_trip(dag).task_dict) >= {"retention_2", "retention_3"}
