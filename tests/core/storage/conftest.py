from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.store_servers import azure
from tests.support.store_servers.gcs import GcsServer
from tests.support.store_servers.places import BUCKET, azure_place, gcs_place, s3_options, s3_place
from tests.support.store_servers.s3 import FaultProxy, client, moto, rclone
from tests.support.store_servers.sftp import PASSWORD, USER, SftpServer
from tests.support.store_servers.stores import (
    FolderPlace,
    MiB,
    Place,
    S3Place,
    WildPlace,
)
from tests.support.store_servers.wild_s3 import Habits, WildS3

from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.options import StoreOptions

#: S3 as it is in the wild: what a server does otherwise than Amazon.
WILD = {
    "wild": Habits(),
    "unencoded": Habits(encodes_names=False, page=3, tells_marker=False),
    "501": Habits(condition="501"),
    "400": Habits(condition="400"),
    "careless": Habits(condition="ignored"),
    "busy": Habits(refuses_each=9),
}
KINDS = (
    *("file", "s3-rclone", "s3-moto", "gs", "az", "sftp"),
    *(f"s3-{name}" for name in WILD),
)


@pytest.fixture(scope="session")
def rclone_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with rclone(tmp_path_factory.mktemp("rclone")) as endpoint:
        client(endpoint).create_bucket(Bucket=BUCKET)
        yield endpoint


@pytest.fixture(scope="session")
def moto_endpoint() -> Iterator[str]:
    with moto() as endpoint:
        client(endpoint).create_bucket(Bucket=BUCKET)
        yield endpoint


@pytest.fixture(scope="session")
def gcs() -> Iterator[GcsServer]:
    server = GcsServer(BUCKET)
    yield server
    server.close()


@pytest.fixture(scope="session")
def azurite_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if reason := azure.missing():
        pytest.skip(reason)
    with azure.azurite(tmp_path_factory.mktemp("azurite")) as endpoint:
        azure.client(endpoint).create_container(BUCKET)
        yield endpoint


@pytest.fixture
def faulty_s3(rclone_endpoint: str) -> Iterator[tuple[S3Place, FaultProxy]]:
    """rclone's server behind a proxy that can fail; ``Place`` looks past the proxy."""
    proxy = FaultProxy(rclone_endpoint)
    place = s3_place(rclone_endpoint, through=proxy.endpoint, retries=0)
    try:
        with place.store:
            yield place, proxy
    finally:
        proxy.close()


@pytest.fixture
def open_place(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[[str], Place]]:
    """Opens an empty place of a kind; starts the server it needs."""
    with ExitStack() as cleanup:

        def folder(uri: str, options: StoreOptions | None = None) -> Place:
            store = cleanup.enter_context(open_store(uri, options))
            return FolderPlace(store, 3 * MiB, True, tmp_path / "root" / "canvas")

        def start(kind: str) -> Place:
            root = tmp_path / "root"
            root.mkdir()
            if kind == "file":
                return folder(f"file://{root}/canvas")
            if kind.startswith("s3-") and (name := kind.removeprefix("s3-")) in WILD:
                wild = WildS3(BUCKET, replace(WILD[name]))
                cleanup.callback(wild.close)
                store = cleanup.enter_context(
                    open_store(f"s3://{BUCKET}/canvas", s3_options(wild.endpoint, retries=4))
                )
                heeds = wild.habits.condition == "honoured"
                return WildPlace(
                    store,
                    20 * MiB,
                    True,
                    wild,
                    "canvas/",
                    heeds_conditions=heeds,
                    checks_signatures=False,
                    tags_are_md5=True,
                )
            if kind.startswith("s3-"):
                server_name = kind.removeprefix("s3-")
                endpoint = request.getfixturevalue(f"{server_name}_endpoint")
                place = s3_place(endpoint, tells_age=server_name != "moto")
                place.heeds_conditions = place.serves_ranges = server_name == "moto"
                place.replaces_conditionally = server_name == "moto"
                place.checks_signatures = server_name == "rclone"
                cleanup.enter_context(place.store)
                return place
            if kind in ("gs", "az"):
                cloud: Place = (
                    gcs_place(request.getfixturevalue("gcs"))
                    if kind == "gs"
                    else azure_place(request.getfixturevalue("azurite_endpoint"))
                )
                cleanup.enter_context(cloud.store)
                return cloud
            server = SftpServer(root)
            cleanup.callback(server.close)
            options = StoreOptions(password=PASSWORD, host_key=server.host_key)
            return folder(f"sftp://{USER}@127.0.0.1:{server.port}/canvas", options)

        yield start


@pytest.fixture(params=KINDS)
def place(open_place: Callable[[str], Place], request: pytest.FixtureRequest) -> Place:
    return open_place(request.param)
