from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import Connection

from canvas_exports.core.storage.options import StoreOptions
from canvas_exports.errors import InputError
from canvas_exports.hooks.archive import open_archive, store_options

TYPES = {"s3": "s3", "gs": "google_cloud_platform", "az": "wasb", "sftp": "sftp"}


def options(uri: str, **fields: Any) -> StoreOptions:
    extra = json.dumps(fields.pop("extra", {}))
    conn_type = TYPES[uri.partition(":")[0]]
    return store_options(
        uri, Connection(**{"conn_id": "archive", "conn_type": conn_type, "extra": extra, **fields})
    )


def test_without_a_connection_the_environment_decides(tmp_path: Path) -> None:
    with open_archive(tmp_path.as_uri()) as store:
        assert store.put_if_absent("runs/a.json", b"{}")
    assert (tmp_path / "runs" / "a.json").read_bytes() == b"{}"


def test_a_connection_is_looked_up_by_its_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ARCHIVE", json.dumps({"conn_type": "generic"}))
    with open_archive(tmp_path.as_uri(), "archive") as store:
        assert store.uri == tmp_path.as_uri()


def test_a_malformed_root_is_refused() -> None:
    with pytest.raises(InputError, match="archive"):
        open_archive("campus-backups")


class TestRequiredDigest:
    @pytest.mark.parametrize("uri", ["s3://bucket/root", "gs://bucket", "az://container", "sftp://host/root"])
    def test_a_connection_of_any_kind_may_require_sha256(self, uri: str) -> None:
        host = {"host": "host"} if uri.startswith("sftp") else {}
        assert options(uri, **host).required_digest is None
        assert options(uri, extra={"digest": ""}, **host).required_digest is None
        assert options(uri, extra={"digest": "sha256"}, **host).required_digest == "sha256"

    @pytest.mark.parametrize("digest", ["SHA256", "blake3", "md5", True, 256, ["sha256"], {}])
    def test_another_is_refused(self, digest: Any) -> None:
        with pytest.raises(InputError, match="extra digest") as caught:
            options("s3://bucket/root", extra={"digest": digest})
        assert "sha256, or nothing" in str(caught.value)

    def test_a_named_archive_has_its_own(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        given = {"conn_type": "canvas_archive", "host": tmp_path.as_uri(), "extra": {"digest": "sha256"}}
        monkeypatch.setenv("AIRFLOW_CONN_CAMPUS", json.dumps(given))
        with open_archive("campus") as store:
            assert store.required_digest == "sha256"

    def test_the_named_archive_wins_over_its_credentials(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, extra in {
            "plain": {"archive_conn_id": "keys"},
            "strict": {"archive_conn_id": "keys", "digest": "sha256"},
        }.items():
            given = {"conn_type": "canvas_archive", "host": tmp_path.as_uri(), "extra": extra}
            monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(given))
        for keys, expected in (({}, [None, "sha256"]), ({"digest": "sha256"}, ["sha256", "sha256"])):
            monkeypatch.setenv("AIRFLOW_CONN_KEYS", json.dumps({"conn_type": "generic", "extra": keys}))
            found = []
            for name in ("plain", "strict"):
                with open_archive(name) as store:
                    found.append(store.required_digest)
            assert found == expected


class TestS3:
    def test_a_generic_connection_gives_its_own_fields(self) -> None:
        found = options(
            "s3://bucket/root",
            login="key",
            password="secret",
            extra={
                "endpoint_url": "http://127.0.0.1:9000",
                "region_name": "eu-west-1",
                "verify": False,
                "unsigned_payload": True,
            },
        )
        assert (found.access_key, found.secret_key) == ("key", "secret")
        assert (found.endpoint, found.region, found.verify) == ("http://127.0.0.1:9000", "eu-west-1", False)
        assert found.unsigned_payload is True
        assert found.keys is None

    def test_an_aws_connection_goes_through_the_amazon_provider(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(
            "AIRFLOW_CONN_AWS_ARCHIVE",
            json.dumps(
                {
                    "conn_type": "aws",
                    "login": "AKIAEXAMPLE",
                    "password": "s3cret",
                    "extra": {"region_name": "us-east-2", "aws_session_token": "session"},
                }
            ),
        )
        connection = Connection.get("aws_archive")
        found = store_options("s3://bucket/root", connection)
        assert found.keys is not None
        keys = found.keys()
        assert (keys.access_key, keys.secret_key, keys.session_token) == ("AKIAEXAMPLE", "s3cret", "session")
        assert found.region == "us-east-2"

    def test_the_providers_way_to_name_an_endpoint_is_understood(self) -> None:
        extra = {"service_config": {"s3": {"endpoint_url": "http://127.0.0.1:9000"}}}
        assert options("s3://bucket/root", extra=extra).endpoint == "http://127.0.0.1:9000"

    @pytest.mark.parametrize(
        "extra",
        [
            {"addressing_style": "virtual"},
            {"config_kwargs": {"s3": {"addressing_style": "virtual"}}},
            {"service_config": {"s3": {"addressing_style": "virtual"}}},
            {"service_config": {"s3": {"config_kwargs": {"s3": {"addressing_style": "virtual"}}}}},
            {"addressing_style": "virtual", "config_kwargs": {"s3": {"addressing_style": "path"}}},
        ],
    )
    def test_the_addressing_style_is_read_here_and_where_the_provider_has_it(
        self, extra: dict[str, Any]
    ) -> None:
        assert options("s3://bucket/root", extra=extra).addressing_style == "virtual"

    @pytest.mark.parametrize("extra", [{}, {"config_kwargs": {"s3": None}}, {"config_kwargs": "x"}])
    def test_without_a_style_it_is_as_boto3_does_it(self, extra: dict[str, Any]) -> None:
        assert options("s3://bucket/root", extra=extra).addressing_style == "auto"

    def test_secrets_never_show(self) -> None:
        shown = repr(options("s3://bucket/root", login="AKIAEXAMPLE", password="s3cret"))
        assert "s3cret" not in shown
        assert "AKIAEXAMPLE" not in shown


def test_azure_gives_account_and_key_or_signature() -> None:
    found = options("az://container/root", login="account", password="key", extra={"sas_token": "sig"})
    assert (found.account, found.account_key, found.sas_token) == ("account", "key", "sig")


def test_azure_gives_an_application_of_entra_id() -> None:
    found = options(
        "az://container/root",
        host="https://campus.blob.core.windows.net",
        login="application",
        password="secret",
        extra={"tenant_id": "tenant"},
    )
    assert (found.account, found.account_key) == ("campus", None)
    assert found.settings == {"client_id": "application", "client_secret": "secret", "tenant_id": "tenant"}
    assert "secret" not in repr(found)


@pytest.mark.parametrize("key", ['{"type": "service_account"}', {"type": "service_account"}])
def test_gcs_gives_its_service_account(key: object) -> None:
    found = options("gs://bucket/root", extra={"keyfile_dict": key})
    assert found.service_account is not None
    assert json.loads(found.service_account) == {"type": "service_account"}


def test_sftp_gives_user_key_and_the_hosts_key() -> None:
    found = options(
        "sftp://host/root",
        host="host",
        login="backup",
        password="pw",
        extra={"private_key": "PEM", "private_key_passphrase": "pp", "host_key": "ssh-ed25519 AAAA"},
    )
    assert (found.username, found.password, found.private_key, found.passphrase) == (
        "backup",
        "pw",
        "PEM",
        "pp",
    )
    assert found.host_key == "ssh-ed25519 AAAA"
