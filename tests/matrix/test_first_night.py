"""From pip to a first night: the wheel and its packages, `canvas-archive init`, `airflow standalone`, a nightly backup, the doctor.

With no checkout: only the sandbox runs from this one.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.support.airflow.standalone import Standalone
from tests.support.releases.airflow_releases import (
    OLDEST,
    RELEASES,
    AirflowRelease,
    create,
    install,
    wheel,
)

from canvas_sandbox.scenarios import CURRENT_TERM, campus

pytestmark = pytest.mark.matrix

DAG_ID = "canvas_backup_nightly"
LONGEST = 420.0  # seconds of a night
LOCK = Path(__file__).with_name("oldest.lock")  # written by `make lock`
TRIED = [release for release in RELEASES if release is OLDEST or release.version == "3.3.1"]


@pytest.mark.parametrize("release", TRIED, ids=lambda release: release.version)
def test_a_first_night(release: AirflowRelease, tmp_path: Path) -> None:
    python = create(tmp_path / "environment")
    built = wheel(tmp_path / "dist")
    if release is OLDEST:
        install(python, "--require-hashes", "--requirement", str(LOCK))
        install(python, "--no-deps", str(built))
    else:
        install(python, *release.until(), *release.requirements(), str(built))

    project = tmp_path / "campus"
    command = python.with_name("canvas-archive")
    subprocess.run([command, "init", project], check=True, capture_output=True)
    subprocess.run([command, "check", project / "include"], check=True, capture_output=True)
    scenario = campus()
    archive = tmp_path / "archive"
    airflow = Standalone(tmp_path / "airflow", project, python)
    with scenario.sandbox(time_scale=0.2) as canvas:
        try:
            airflow.start()
            assert airflow.api("GET", "/version")["version"] == release.version
            airflow.add_canvas(canvas.url, canvas.token)
            airflow.add_variable("canvas_archive", archive.as_uri())
            airflow.wait_for_dag(DAG_ID)
            night = airflow.trigger(DAG_ID)
            assert airflow.wait_for_end(DAG_ID, night, LONGEST) == "success"
            assert [fact for fact in airflow.consult_doctor() if fact["status"] == "problem"] == []
            assert airflow.api("GET", "/importErrors")["total_entries"] == 0
            assert airflow.api("GET", "/plugins/importErrors")["total_entries"] == 0
        finally:
            airflow.stop()
            shutil.rmtree(airflow.home, ignore_errors=True)
        (report,) = archive.glob(f"runs/*/{DAG_ID}/*/report.json")
        outcomes = {row["context"]: row["outcome"] for row in json.loads(report.read_text())["outcomes"]}
        tonight = [
            each for each in scenario.courses if each.term_id == CURRENT_TERM and each.state == "available"
        ]
        assert outcomes == {f"course:{each.id}": "stored" for each in tonight}
        assert len(canvas.exports) == len(outcomes), "nothing is exported twice"
    packages = list(archive.glob("courses/*/*.imscc"))
    assert len(packages) == len(outcomes)
    assert all(path.with_suffix(".json").is_file() for path in packages)
