"""The nightly backup under ``dag.test()``: one process, an inline triggerer, a real metadata database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from canvas_sandbox import Course, Fault, Sandbox, Switches, Term

REPOSITORY = Path(__file__).parents[2]

RUN = """
import sys
from airflow.utils.db import initdb
initdb()
from canvas_exports.core.backups import include_folder
from canvas_exports.dags.backups import backup_dags
dag = backup_dags(include_folder(sys.argv[1]))["canvas_backup_nightly"]
run = dag.test(run_conf={"batch_size": 2, "stall_after": "PT20S"})
print("STATE", run.state)
"""


def test_the_nightly_backup_runs_under_dag_test(tmp_path: Path) -> None:
    courses = [
        Course(id=101, term_id=1),
        Course(id=102, term_id=1),
        Course(id=103, term_id=1, faults=[Fault.INCOMPLETE]),
        Course(id=104, term_id=1, faults=[Fault.VANISHED]),
        Course(id=105, term_id=2),
    ]
    terms = [Term(1, "Autumn", starts=-10, ends=10), Term(2, "Spring", starts=-300, ends=-200)]
    archive = tmp_path / "archive"
    archive.mkdir()
    with Sandbox(courses, terms=terms, switches=Switches(duration=0.2)) as canvas:
        environment = {
            **os.environ,
            "AIRFLOW_HOME": str(tmp_path / "airflow"),
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(tmp_path / "airflow" / "logs"),
            "AIRFLOW_VAR_CANVAS_ARCHIVE": archive.as_uri(),
            "AIRFLOW_CONN_CANVAS_DEFAULT": json.dumps(
                {"conn_type": "canvas", "host": canvas.url, "password": canvas.token}
            ),
        }
        ran = subprocess.run(
            [sys.executable, "-c", RUN, str(REPOSITORY / "dags" / "canvas_backups.py")],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        made = sorted(export.context for export in canvas.exports)
    assert ran.returncode == 0, ran.stderr[-3000:]
    (report,) = archive.glob("runs/*/canvas_backup_nightly/*/report.json")
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
