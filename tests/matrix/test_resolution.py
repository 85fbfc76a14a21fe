"""The package is installed beside the packages of the day on which a release of Airflow came out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.releases.airflow_releases import RELEASES, REPOSITORY, AirflowRelease, resolve, uv

pytestmark = pytest.mark.matrix

EXTRAS = ("s3", "gcs", "azure", "sftp", "celery", "postgres", "metrics")


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.version)
@pytest.mark.parametrize("which", [0, 1], ids=["its least Python", "its greatest Python"])
def test_every_extra_resolves(release: AirflowRelease, which: int) -> None:
    found = dict(
        line.split("==")
        for line in resolve(release, release.pythons[which], *EXTRAS).splitlines()
        if "==" in line
    )
    airflow = found["apache-airflow"]
    assert airflow == release.version if release.day else airflow.startswith("3.4.")
    assert found["apache-airflow-core"] == airflow
    assert {"obstore", "smart-open", "isoduration", "celery", "google-cloud-storage"} <= set(found)


@pytest.mark.parametrize("version", ["7.3.0", "7.6.0", "8.0.1"])
def test_the_guard_of_writers_holds_with_older_releases_of_smart_open(version: str, tmp_path: Path) -> None:
    """The newest is that of the lock."""
    uv("pip", "install", "--quiet", "--target", str(tmp_path), "--no-deps", f"smart-open=={version}")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "sftp or smart_open"),
            *("tests/core/storage/remote", "tests/core/storage/test_conformance.py"),
        ],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        stdout=sys.stderr,
        check=False,
    )
    assert done.returncode == 0
