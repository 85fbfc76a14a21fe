"""Makes an Airflow's database with the runs of one DAG in it: run by the tests in a process of its own.

Arguments: the archive's root. The DAG ``told`` writes the report of a night that the archive already holds; ``untold``
carries what somebody else put under the same name.
"""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from pathlib import Path

from tests.support.airflow.dag_bag import read_dags

DAGS = """
from airflow.sdk import DAG, task
from canvas_exports.operators.run_report import CanvasRunReportOperator

with DAG("told", schedule=None):
    CanvasRunReportOperator(task_id="report", archive={archive!r}, batches=[["course:1", "course:2"]], fail_on="never")

with DAG("untold", schedule=None):
    @task
    def hostile(ti=None):
        import base64, gzip
        page = b"<script>parent.document.title = document.cookie + 'taken'</script><h1>hostile</h1>"
        ti.xcom_push(key="run_report_page", value=base64.b64encode(gzip.compress(page)).decode())

    @task
    def garbled(ti=None):
        ti.xcom_push(key="run_report_page", value="courses/1/a.imscc")

    hostile() >> garbled()
"""


def main(archive: str, folder: Path) -> None:
    """Database, DAGs, and a run of each."""
    folder.mkdir(parents=True)
    (folder / "dags.py").write_text(DAGS.format(archive=archive))
    for dag in read_dags(folder).dags.values():
        run = dag.test(logical_date=datetime(2026, 11, 23, 2, tzinfo=timezone.utc))
        sys.stdout.write(f"RUN {dag.dag_id} {run.run_id} {run.state}\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
