"""A connection opens the archive: each type against a server that checks who asks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.support.store_servers import azure
from tests.support.store_servers.gcs import GcsServer, service_account
from tests.support.store_servers.s3 import ACCESS_KEY, SECRET_KEY, client, moto, rclone
from tests.support.store_servers.sftp import PASSWORD, USER, SftpServer

from canvas_exports.core.archive.probe import check_writable
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import ArchiveDeniedError, ArchiveError
from canvas_exports.hooks.archive import open_archive

BUCKET = "archive"
KEY = "courses/1/20261123T080000Z-zip-1.zip"
Connect = Callable[..., str]


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Connect:
    """Makes a connection; its id."""

    def made(conn_type: str, **fields: Any) -> str:
        monkeypatch.setenv("AIRFLOW_CONN_CAMPUS", json.dumps({"conn_type": conn_type, **fields}))
        return "campus"

    return made


def use(store: Store) -> None:
    with store:
        check_writable(store)
        store.put(KEY, [b"package"])
        assert store.read(KEY) == b"package"
        assert [info.key for info in store.list("courses/")] == [KEY]
        store.delete(KEY)


def refused(store: Store) -> None:
    with store, pytest.raises(ArchiveDeniedError):
        check_writable(store)


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with rclone(tmp_path_factory.mktemp("rclone")) as endpoint:
        client(endpoint).create_bucket(Bucket=BUCKET)
        yield endpoint


@pytest.mark.parametrize("conn_type", ["aws", "generic"])
def test_s3(s3: str, connect: Connect, conn_type: str) -> None:
    extra = {"endpoint_url": s3, "region_name": "us-east-1"}
    known = connect(conn_type, login=ACCESS_KEY, password=SECRET_KEY, extra=extra)
    use(open_archive(f"s3://{BUCKET}/canvas", known))
    refused(
        open_archive(
            f"s3://{BUCKET}/canvas", connect(conn_type, login=ACCESS_KEY, password="wrong", extra=extra)
        )
    )


def test_locks_and_tags_of_an_aws_connection_reach_the_bucket(connect: Connect) -> None:
    with moto() as endpoint:
        s3 = client(endpoint)
        s3.create_bucket(Bucket="lockable", ObjectLockEnabledForBucket=True)
        asked = {"lock_mode": "governance", "lock_for": "P7D", "tags": {"owner": "LMS"}, "legal_hold": True}
        known = connect(
            "aws", login=ACCESS_KEY, password=SECRET_KEY, extra={"endpoint_url": endpoint, **asked}
        )
        with open_archive("s3://lockable/canvas", known) as store:
            check_writable(store)
            store.put(KEY, [b"package"])
            store.lock(KEY)
        place = {"Bucket": "lockable", "Key": f"canvas/{KEY}"}
        head = s3.head_object(**place)
        assert (head["ObjectLockMode"], head["ObjectLockLegalHoldStatus"]) == ("GOVERNANCE", "ON")
        assert s3.get_object_tagging(**place)["TagSet"] == [{"Key": "owner", "Value": "LMS"}]


class TestGoogle:
    @pytest.fixture(scope="class", name="server")
    @staticmethod
    def google() -> Iterator[GcsServer]:
        server = GcsServer(BUCKET)
        yield server
        server.close()

    @pytest.mark.parametrize("form", ["text", "object", "file"])
    def test_google_cloud_platform(
        self, server: GcsServer, connect: Connect, tmp_path: Path, form: str
    ) -> None:
        account = service_account()
        path = tmp_path / "account.json"
        path.write_text(account)
        given = {
            "text": {"keyfile_dict": account},
            "object": {"keyfile_dict": json.loads(account)},
            "file": {"key_path": str(path)},
        }[form]
        known = connect("google_cloud_platform", extra={"endpoint_url": server.endpoint, **given})
        use(open_archive(f"gs://{BUCKET}/canvas", known))

    def test_the_environments_credentials(
        self, server: GcsServer, connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "credentials.json"
        path.write_text(service_account(server.endpoint))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
        known = connect("google_cloud_platform", extra={"endpoint_url": server.endpoint})
        use(open_archive(f"gs://{BUCKET}/canvas", known))


class TestAzure:
    @pytest.fixture(scope="class", name="endpoint")
    @staticmethod
    def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
        if reason := azure.missing():
            pytest.skip(reason)
        with azure.azurite(tmp_path_factory.mktemp("azurite")) as endpoint:
            azure.client(endpoint).create_container(BUCKET)
            yield endpoint

    def test_account_and_key(self, endpoint: str, connect: Connect) -> None:
        extra = {"endpoint_url": endpoint}
        account, key = azure.ACCOUNT, azure.ACCOUNT_KEY
        use(open_archive(f"az://{BUCKET}/canvas", connect("wasb", login=account, password=key, extra=extra)))
        wrong = connect("wasb", login=account, password="d3Jvbmc=", extra=extra)
        refused(open_archive(f"az://{BUCKET}/canvas", wrong))

    @pytest.mark.parametrize("whole_url", [True, False])
    def test_a_shared_access_signature(self, endpoint: str, connect: Connect, whole_url: bool) -> None:
        signature = azure.signature(BUCKET)
        given = f"https://campusbackups.blob.core.windows.net/?{signature}" if whole_url else signature
        extra = {"endpoint_url": endpoint, "sas_token": given}
        with open_archive(
            f"az://{BUCKET}/canvas", connect("wasb", login=azure.ACCOUNT, extra=extra)
        ) as store:
            assert store.signed_url(KEY, timedelta(hours=1)) is None
            assert not store.capabilities.signs
            use(store)

    def test_a_connection_string(self, endpoint: str, connect: Connect) -> None:
        text = (
            f"DefaultEndpointsProtocol=http;AccountName={azure.ACCOUNT};"
            f"AccountKey={azure.ACCOUNT_KEY};BlobEndpoint={endpoint};"
        )
        use(open_archive(f"az://{BUCKET}/canvas", connect("wasb", extra={"connection_string": text})))


def test_sftp(tmp_path: Path, connect: Connect) -> None:
    server = SftpServer(tmp_path)
    try:
        uri = f"sftp://127.0.0.1:{server.port}/canvas"
        extra = {"host_key": server.host_key}
        host: dict[str, Any] = {"host": "127.0.0.1", "port": server.port, "extra": extra}
        use(open_archive(uri, connect("sftp", login=USER, password=PASSWORD, **host)))
        refused(open_archive(uri, connect("sftp", login=USER, password="wrong", **host)))
    finally:
        server.close()


def test_no_secret_is_in_an_error(connect: Connect, s3: str) -> None:
    known = connect("aws", login=ACCESS_KEY, password="hush-hush", extra={"endpoint_url": s3})
    with open_archive(f"s3://{BUCKET}/canvas", known) as store, pytest.raises(ArchiveError) as raised:
        store.stat(KEY)
    assert "hush-hush" not in str(raised.value) + repr(raised.value)
