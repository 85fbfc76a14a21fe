"""The nightly backup under ``dag.test()``: one process, an inline triggerer, a real metadata database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from canvas_sandbox import Course, Fault, NewQuizzes, Sandbox, Switches, Term

REPOSITORY = Path(__file__).parents[2]

RUN = """
import sys
from airflow.utils.db import initdb
initdb()
from canvas_exports.core.backups import include_folder
from canvas_exports.dags.backups import backup_dags
dag = backup_dags(include_folder(sys.argv[1]))["canvas_backup_nightly"]
for _ in range(int(sys.argv[2])):
    run = dag.test(run_conf={"batch_size": 2, "stall_after": "PT20S"})
    print("STATE", run.state)
"""


TERMS = [Term(1, "Autumn", starts=-10, ends=10), Term(2, "Spring", starts=-300, ends=-200)]


def run(canvas: Sandbox, folder: Path, nights: int = 1) -> subprocess.CompletedProcess[str]:
    """Run the shipped nightly backup, night after night; the archive is ``archive`` in the folder."""
    archive = folder / "archive"
    archive.mkdir()
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(folder / "airflow" / "logs"),
        "AIRFLOW_VAR_CANVAS_ARCHIVE": archive.as_uri(),
        "AIRFLOW_CONN_CANVAS_DEFAULT": json.dumps(
            {"conn_type": "canvas", "host": canvas.url, "password": canvas.token}
        ),
    }
    return subprocess.run(
        [sys.executable, "-c", RUN, str(REPOSITORY / "dags" / "canvas_backups.py"), str(nights)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_nightly_backup_runs_under_dag_test(tmp_path: Path) -> None:
    courses = [
        Course(id=101, term_id=1),
        Course(id=102, term_id=1),
        Course(id=103, term_id=1, faults=[Fault.INCOMPLETE]),
        Course(id=104, term_id=1, faults=[Fault.VANISHED]),
        Course(id=105, term_id=2),
    ]
    with Sandbox(courses, terms=TERMS, switches=Switches(duration=0.2)) as canvas:
        ran = run(canvas, tmp_path)
        made = sorted(export.context for export in canvas.exports)
    assert ran.returncode == 0, ran.stderr[-3000:]
    (report,) = tmp_path.glob("archive/runs/*/canvas_backup_nightly/*/report.json")
    outcomes = {row["context"]: row["outcome"] for row in json.loads(report.read_text())["outcomes"]}
    assert outcomes == {
        "course:101": "stored",
        "course:102": "stored",
        "course:103": "incomplete",
        "course:104": "gone",
    }
    assert made == ["course:101", "course:102", "course:103"]
    assert "STATE failed" in ran.stdout, "two courses have no whole copy, and the backup says fail_on: any"
    assert canvas.token not in ran.stdout + ran.stderr


def test_the_second_night_confirms_what_has_not_changed(tmp_path: Path) -> None:
    courses = [Course(id=number, term_id=1) for number in (101, 102, 103)]
    switches = Switches(duration=0.2, new_quizzes=NewQuizzes.NONE)
    with Sandbox(courses, terms=TERMS, switches=switches) as canvas:
        ran = run(canvas, tmp_path, nights=2)
        made = sorted(export.context for export in canvas.exports)
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert ran.stdout.count("STATE success") == 2, ran.stdout[-3000:]
    assert made == ["course:101", "course:102", "course:103"]
    reports = [json.loads(path.read_text()) for path in tmp_path.glob("archive/runs/*/*/*/report.json")]
    (second,) = [report for report in reports if "probes" in report["totals"]]
    assert second["totals"]["probes"] == {"skipped": 3, "checks": 0, "misses": 0}
    assert second["totals"]["outcomes"] == {"unchanged": 3}
    assert all(row["reason"].endswith("; not exported") for row in second["outcomes"])
    manifests = [json.loads(path.read_text()) for path in tmp_path.glob("archive/courses/*/*.json")]
    assert sum("confirmed_at" in manifest for manifest in manifests) == 3
