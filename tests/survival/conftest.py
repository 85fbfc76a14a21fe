from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.support.store_servers.places import BUCKET
from tests.support.store_servers.s3 import client, rclone
from tests.survival.support.cluster import DAG_ID, OpenScene, Scene

from canvas_cluster.cluster import Cluster
from canvas_cluster.installed_programs import missing
from canvas_sandbox import Course, Switches

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """The Airflow of all scenarios. What it wrote stays on disk if one of them failed."""
    if why := missing():
        pytest.skip(why)
    folder = Path(tempfile.mkdtemp(prefix="canvas-cluster-"))
    with Cluster(folder, REPOSITORY, dags=Path(__file__).parent / "dags", slots=8) as cluster:
        cluster.wait_for_dag(DAG_ID)
        yield cluster
    if not request.session.testsfailed:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The S3 server of all archives."""
    with rclone(tmp_path_factory.mktemp("s3")) as endpoint:
        client(endpoint).create_bucket(Bucket=BUCKET)
        yield endpoint


@pytest.fixture(scope="module")
def open_scene(cluster: Cluster, s3: str) -> Iterator[OpenScene]:
    """Makes a scene; all are closed with the module."""
    with ExitStack() as cleanup:

        def open_one(name: str, courses: Iterable[Course], switches: Switches | None = None) -> Scene:
            scene = Scene(cluster, s3, name, courses, switches)
            cleanup.callback(scene.close)
            return scene

        yield open_one


@pytest.fixture(autouse=True)
def whole_cluster(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each scenario finds every service running, whatever the one before has done."""
    yield
    if "cluster" in request.fixturenames:
        request.getfixturevalue("cluster").restore()
