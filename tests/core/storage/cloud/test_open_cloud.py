"""What is told to obstore, and what its errors become."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from obstore import exceptions
from tests.support.store_servers.places import BUCKET
from tests.support.store_servers.s3 import ACCESS_KEY, SECRET_KEY, rclone
from tests.support.store_servers.stores import MiB

from canvas_exports.core.archive.probe import check_writable
from canvas_exports.core.storage.cloud import open_cloud
from canvas_exports.core.storage.cloud.retried_requests import ObstoreRequests
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.options import AccessKeys, StoreOptions
from canvas_exports.errors import (
    AlreadyStoredError,
    ArchiveDeniedError,
    ArchiveError,
    ArchiveUnavailableError,
    LockedError,
    ObjectNotFoundError,
)

URI = "az://container/canvas"
HEAD = "Error performing PUT https://x/y?sig=SECRET in 3ms - Server returned non-2xx status code: "


def became(error: Exception, action: str = "read") -> Exception:
    with pytest.raises(ArchiveError) as raised, ObstoreRequests(URI, 0).translated(action, "a.zip"):
        raise error
    assert "SECRET" not in str(raised.value)
    return raised.value


@pytest.mark.parametrize(
    ("text", "kind", "told"),
    [
        (
            f"{HEAD}403 Forbidden: <Error><Code>AccessDenied</Code></Error>",
            ArchiveDeniedError,
            "AccessDenied, HTTP 403",
        ),
        (f"{HEAD}401 Unauthorized", ArchiveDeniedError, "HTTP 401"),
        (f"{HEAD}404 Not Found: <Code>NoSuchBucket</Code>", ArchiveDeniedError, "there is no bucket"),
        (f"{HEAD}301 Moved Permanently", ArchiveError, "check region and endpoint"),
        (f"{HEAD}400 Bad Request: <Code>AuthorizationHeaderMalformed</Code>", ArchiveError, "check region"),
        (f"{HEAD}400 Bad Request: <Code>ExpiredToken</Code>", ArchiveUnavailableError, "ExpiredToken"),
        (f"{HEAD}403 Forbidden: <Code>RetentionPolicyNotMet</Code>", LockedError, "locked"),
        (f"{HEAD}403 Forbidden: <Code>ObjectUnderActiveHold</Code>", LockedError, "locked"),
        (f"{HEAD}409 Conflict: <Code>BlobImmutableDueToPolicy</Code>", LockedError, "locked"),
        (
            "DeleteFailed: 409, This operation is not permitted as the blob is immutable due to a legal hold.",
            LockedError,
            "locked",
        ),
        (f"{HEAD}503 Slow Down", ArchiveUnavailableError, "HTTP 503"),
        (
            "Error performing PUT http://169.254.169.254/latest/api/token in 1s",
            ArchiveDeniedError,
            "no credentials",
        ),
        ("Error performing GET http://metadata.google.internal/x", ArchiveDeniedError, "no credentials"),
        ("dns error: no such host", ArchiveUnavailableError, "dns error"),
        (
            "invalid peer certificate: UnknownIssuer",
            ArchiveUnavailableError,
            "invalid peer certificate: UnknownIssuer",
        ),
        ("operation timed out", ArchiveUnavailableError, "timed out"),
        ("something else ?sig=SECRET", ArchiveUnavailableError, "no answer"),
    ],
)
def test_an_error_becomes_what_a_person_can_act_on(text: str, kind: type[ArchiveError], told: str) -> None:
    error = became(exceptions.GenericError(text))
    assert type(error) is kind
    assert told in str(error)


def test_errors_that_obstore_tells_apart_stay_apart() -> None:
    assert isinstance(became(exceptions.AlreadyExistsError("x")), AlreadyStoredError)
    assert isinstance(became(exceptions.PermissionDeniedError("x")), ArchiveDeniedError)
    assert isinstance(became(exceptions.UnauthenticatedError("x")), ArchiveDeniedError)
    assert isinstance(became(FileNotFoundError(f"{HEAD}404 Not Found")), ObjectNotFoundError)
    assert isinstance(became(FileNotFoundError(f"{HEAD}404 Not Found"), "store"), ArchiveDeniedError)


@pytest.fixture
def no_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine on which nobody ever logged in to AWS."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    return tmp_path / "credentials"


def test_a_profile_is_found_where_boto3_is_installed(no_keys: Path, rclone_endpoint: str) -> None:
    no_keys.write_text(f"[default]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n")
    with open_store(f"s3://{BUCKET}/profile", StoreOptions(endpoint=rclone_endpoint)) as store:
        check_writable(store)
        assert store.sweep(timedelta(0)) == []


@pytest.mark.usefixtures("no_keys")
def test_without_any_keys_a_sweep_says_what_is_missing() -> None:
    with (
        open_store("s3://bucket/x") as store,
        pytest.raises(ArchiveDeniedError, match="no credentials are given, and the environment has none"),
    ):
        store.sweep(timedelta(0))


def test_keys_without_an_expiry_are_asked_for_again_before_long() -> None:
    told = open_cloud._refreshing(lambda: AccessKeys("a", "b", "c"))()
    assert (told["access_key_id"], told["secret_access_key"], told["token"]) == ("a", "b", "c")
    assert told["expires_at"] is not None
    assert told["expires_at"] < datetime.now(timezone.utc) + timedelta(hours=1)


def test_certificates_can_be_trusted_or_left_unchecked(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(b"PEM")
    assert open_cloud._client(StoreOptions(verify=False), None)["allow_invalid_certificates"]
    assert open_cloud._client(StoreOptions(verify=str(bundle)), None)["root_certificate"] == b"PEM"
    assert not open_cloud._client(StoreOptions(), "https://s3.example.edu")["allow_http"]


def test_gcs_takes_a_service_account_as_text_or_file(tmp_path: Path) -> None:
    account = json.dumps({"disable_oauth": True, "client_email": "", "private_key": "", "private_key_id": ""})
    path = tmp_path / "account.json"
    path.write_text(account)
    (tmp_path / "buckets" / BUCKET).mkdir(parents=True)
    # Google's XML dialect is close enough to S3's for a server that wants no signature.
    with rclone(tmp_path / "buckets", signed=False) as endpoint:
        known = StoreOptions(endpoint=endpoint, retries=0)
        for number, given in enumerate(
            (replace(known, service_account=account), replace(known, key_file=str(path)))
        ):
            with open_store(f"gs://{BUCKET}/{number}", given) as store:
                store.put("a.zip", [bytes(8 * MiB), b"0123456789"])
                assert store.read("a.zip", -3) == b"789"
                assert [info.key for info in store.list()] == ["a.zip"]
                assert store.sweep(timedelta(0)) == []


def test_a_server_that_knows_no_conditions_is_written_to_all_the_same(
    moto_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = StoreOptions(endpoint=moto_endpoint, access_key=ACCESS_KEY, secret_key=SECRET_KEY)
    with open_store(f"s3://{BUCKET}/unconditional", options) as store:
        put = store._api.put  # type: ignore[attr-defined]

        def unconditional(*args: object, **kwargs: object) -> object:
            if kwargs.pop("mode", None) == "create":
                raise exceptions.NotSupportedError("conditional put")
            return put(*args, **kwargs)

        monkeypatch.setattr("obstore.put", unconditional)
        assert store.put_if_absent("a.json", b"{}")
        assert not store.put_if_absent("a.json", b"[]")
        assert store.read("a.json") == b"{}"
