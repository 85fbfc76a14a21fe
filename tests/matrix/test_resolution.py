"""The package is installed beside the packages of the day on which a release of Airflow came out."""

from __future__ import annotations

import pytest
from tests.support.releases.airflow_releases import RELEASES, AirflowRelease, resolve

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
