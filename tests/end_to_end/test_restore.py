"""A restore by the form, and a drill, under ``dag.test()``: one process, an inline triggerer, a real metadata database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.exports.restore_rig import back_up

from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.model.contexts import Context
from canvas_exports.core.storage.local import FileStore
from canvas_sandbox import Course, Sandbox, Switches

RUN = """
from airflow.utils.db import initdb
initdb()
from canvas_exports.triggers import restore
patient = restore.wait_for
restore.wait_for = lambda client, waiting, **_: patient(client, waiting, shortest=0.1, longest=0.2)
from canvas_exports.dags.restore_drill import canvas_restore_drill
from canvas_exports.dags.restore import canvas_restore
print("RESTORE", canvas_restore().test(run_conf={"course": "101", "into": "sis_course_id:NEW"}).state)
print("DRILL", canvas_restore_drill().test(run_conf={"count": 2}).state)
print("AGAIN", canvas_restore_drill().test().state)
"""


def test_a_course_is_restored_by_the_form_and_two_for_trial(tmp_path: Path) -> None:
    courses = [
        Course(id=101),
        Course(id=102),
        Course(id=300, sis_course_id="NEW", state="claimed", size=0),
        Course(id=301, sis_course_id="DRILL-1", state="claimed", size=0),
        Course(id=302, state="claimed", size=0),
    ]
    archive = tmp_path / "archive"
    archive.mkdir()
    with Sandbox(courses, switches=Switches(duration=0.1, import_duration=0.1)) as canvas:
        store = FileStore(archive.as_uri(), archive)
        with CanvasClient(canvas.url, canvas.token) as client:
            copies = [back_up(client, store, number) for number in (101, 102)]
        environment = {
            **os.environ,
            "AIRFLOW_HOME": str(tmp_path / "airflow"),
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(tmp_path / "airflow" / "logs"),
            "AIRFLOW_VAR_CANVAS_ARCHIVE": archive.as_uri(),
            "AIRFLOW_VAR_CANVAS_DRILL_COURSES": "sis_course_id:DRILL-1, 302",
            "AIRFLOW_CONN_CANVAS_DEFAULT": json.dumps(
                {"conn_type": "canvas", "host": canvas.url, "password": canvas.token}
            ),
        }
        ran = subprocess.run(
            [sys.executable, "-c", RUN], env=environment, capture_output=True, text=True, check=False
        )
        with CanvasClient(canvas.url, canvas.token) as client:
            held = {
                number: {row.type: row.count for row in client.content_list(Context.parse(number))}
                for number in (101, 102, 300, 301, 302)
            }
        imports = {record.context: record.imports for record in canvas.migrations}
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert "RESTORE success" in ran.stdout, ran.stdout[-5000:]
    assert "DRILL success" in ran.stdout, ran.stdout[-5000:]
    assert "AGAIN failed" in ran.stdout, "no course is empty any more"
    assert imports == {"course:300": 1, "course:301": 1, "course:302": 1}
    assert held[300] == held[101]
    assert sorted(map(str, (held[301], held[302]))) == sorted(map(str, (held[101], held[102])))
    records = [json.loads(path.read_text()) for path in archive.glob("courses/*/*.drill-*-passed.json")]
    assert sorted(record["manifest"] for record in records) == sorted(copy.key for copy in copies)
    assert canvas.token not in ran.stdout + ran.stderr
