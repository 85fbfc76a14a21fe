"""Encryption, storage classes, tags and locks: what a connection asks for is what the cloud is told."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.support.store_servers import azure as azure_servers
from tests.support.store_servers.gcs import GcsServer, service_account
from tests.support.store_servers.places import BUCKET, azure_options, azure_place, gcs_place, s3_options
from tests.support.store_servers.s3 import client
from tests.support.store_servers.stores import MiB

from canvas_exports.core.archive.probe import check_writable
from canvas_exports.core.archive.sweep import sweep
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.options import Protection, StoreOptions
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import ArchiveDeniedError, InputError, LockedError, ObjectNotFoundError

LARGE = "courses/1/20261123T080000Z-zip-1.zip"
SMALL = "courses/1/20261123T080000Z-zip-2.zip"
MANIFEST = "courses/1/20261123T080000Z-zip-1.json"
REPORT = "runs/report.json"
KMS = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd"
CMEK = "projects/campus/locations/eu/keyRings/backups/cryptoKeys/canvas"
MONTH = timedelta(days=30)


def fill(store: Store) -> None:
    """In parts and in one request, a condition on one, an overwriting one."""
    store.put(LARGE, [bytes(8 * MiB), b"0123456789"])
    store.put(SMALL, [b"0123456789"])
    assert store.put_if_absent(MANIFEST, b"{}")
    store.replace(REPORT, b"{}")
    assert store.read(LARGE, -3) == b"789"
    assert store.read(MANIFEST) == b"{}"


@pytest.fixture(scope="session")
def lockable(moto_endpoint: str) -> str:
    client(moto_endpoint).create_bucket(Bucket="lockable", ObjectLockEnabledForBucket=True)
    return "lockable"


class TestS3:
    def store(self, endpoint: str, bucket: str, name: str, protection: Protection) -> Store:
        return open_store(f"s3://{bucket}/{name}", replace(s3_options(endpoint), protection=protection))

    @pytest.mark.parametrize(("encryption", "key"), [("AES256", None), ("aws:kms", KMS)])
    def test_every_object_is_encrypted_as_asked(
        self, moto_endpoint: str, encryption: str, key: str | None
    ) -> None:
        name = f"encrypted-{encryption}".replace(":", "-")
        with self.store(moto_endpoint, BUCKET, name, Protection(encryption=encryption, key=key)) as store:
            fill(store)
        for stored in (LARGE, SMALL, MANIFEST, REPORT):
            head = client(moto_endpoint).head_object(Bucket=BUCKET, Key=f"{name}/{stored}")
            assert (head["ServerSideEncryption"], head.get("SSEKMSKeyId")) == (encryption, key)

    def test_packages_alone_are_of_another_class_and_everything_is_tagged(self, moto_endpoint: str) -> None:
        asked = Protection(storage_class="STANDARD_IA", tags={"owner": "LMS team", "kept": "a/b:c"})
        with self.store(moto_endpoint, BUCKET, "classes", asked) as store:
            fill(store)
        s3 = client(moto_endpoint)
        classes = {}
        for stored in (LARGE, SMALL, MANIFEST, REPORT):
            place = {"Bucket": BUCKET, "Key": f"classes/{stored}"}
            classes[stored] = s3.head_object(**place).get("StorageClass")
            tags = s3.get_object_tagging(**place)["TagSet"]
            assert {tag["Key"]: tag["Value"] for tag in tags} == asked.tags
        assert classes == {LARGE: "STANDARD_IA", SMALL: "STANDARD_IA", MANIFEST: None, REPORT: None}

    def test_a_locked_object_is_neither_deleted_nor_hidden(self, moto_endpoint: str, lockable: str) -> None:
        asked = Protection(lock_mode="compliance", lock_for=MONTH)
        with self.store(moto_endpoint, lockable, "locked", asked) as store:
            check_writable(store)
            fill(store)
            assert store.lock_of(SMALL) is None
            store.lock(SMALL)
            until = store.lock_of(SMALL)
            assert until is not None
            assert abs(until - datetime.now(timezone.utc) - MONTH) < timedelta(minutes=1)
            with pytest.raises(LockedError, match=f"locked until {until:%Y-%m-%d}") as raised:
                store.delete(SMALL)
            assert (raised.value.key, raised.value.until) == (SMALL, until)
            store.delete(LARGE)
        s3 = client(moto_endpoint)
        assert s3.head_object(Bucket=lockable, Key=f"locked/{SMALL}")["ObjectLockMode"] == "COMPLIANCE"
        marks = s3.list_object_versions(Bucket=lockable, Prefix="locked/courses/")["DeleteMarkers"]
        assert [mark["Key"] for mark in marks] == [f"locked/{LARGE}"]

    def test_a_hold_has_no_end_until_somebody_lifts_it(self, moto_endpoint: str, lockable: str) -> None:
        with self.store(moto_endpoint, lockable, "held", Protection(legal_hold=True)) as store:
            fill(store)
            store.lock(SMALL)
            with pytest.raises(LockedError, match="until its hold is removed"):
                store.delete(SMALL)
            client(moto_endpoint).put_object_legal_hold(
                Bucket=lockable, Key=f"held/{SMALL}", LegalHold={"Status": "OFF"}
            )
            store.delete(SMALL)
            assert store.stat(SMALL) is None

    def test_a_bucket_that_cannot_lock_is_found_out_before_anything_is_stored(
        self, moto_endpoint: str
    ) -> None:
        asked = Protection(lock_mode="governance", lock_for=MONTH)
        with self.store(moto_endpoint, BUCKET, "unlockable", asked) as store:
            with pytest.raises(ArchiveDeniedError, match="Object Lock"):
                check_writable(store)
            assert list(store.list()) == []
            store.put(SMALL, [b"x"])
            with pytest.raises(ArchiveDeniedError, match="cannot lock objects"):
                store.lock(SMALL)

    def test_the_sweep_leaves_a_locked_leftover_alone(self, moto_endpoint: str, lockable: str) -> None:
        with self.store(
            moto_endpoint, lockable, "swept", Protection(lock_mode="governance", lock_for=MONTH)
        ) as store:
            store.put(SMALL, [b"locked"])
            store.lock(SMALL)
            store.put(LARGE, [b"not locked"])
            swept = sweep(store, grace=timedelta(seconds=-2))
            assert (swept.packages, swept.keys, swept.problem) == (1, [LARGE], None)
            assert store.read(SMALL) == b"locked"


class TestGcs:
    def test_writing_names_the_key_and_the_class_and_reading_does_not(self, gcs: GcsServer) -> None:
        place = gcs_place(gcs, protection=Protection(key=CMEK, storage_class="COLDLINE"))
        gcs.seen.clear()
        with place.store as store:
            fill(store)
        kept = {name.removeprefix(place.prefix): blob.headers for name, blob in gcs.blobs.items()}
        for stored in (LARGE, SMALL, MANIFEST, REPORT):
            packed = stored.endswith(".zip")
            assert kept[stored]["x-goog-encryption-kms-key-name"] == CMEK
            assert kept[stored]["x-goog-storage-class"] == ("COLDLINE" if packed else "STANDARD")
        named = {verb for verb, _, headers in gcs.seen if "x-goog-encryption-kms-key-name" in headers}
        assert named == {"PUT", "POST"}

    @pytest.mark.parametrize(("mode", "told"), [("governance", "Unlocked"), ("compliance", "Locked")])
    def test_a_locked_object_is_not_deleted(self, gcs: GcsServer, mode: Any, told: str) -> None:
        place = gcs_place(gcs, protection=Protection(lock_mode=mode, lock_for=MONTH))
        with place.store as store:
            check_writable(store)
            fill(store)
            store.lock(SMALL)
            assert gcs.blobs[place.prefix + SMALL].retention["mode"] == told
            with pytest.raises(LockedError, match="locked until 20"):
                store.delete(SMALL)
            gcs.blobs[place.prefix + SMALL].retention["retainUntilTime"] = "2026-01-01T00:00:00.000Z"
            store.delete(SMALL)
            assert place.objects() == {LARGE, MANIFEST, REPORT}

    def test_google_s_own_word_that_it_is_held_is_understood(self, gcs: GcsServer) -> None:
        place = gcs_place(gcs, protection=Protection(legal_hold=True))
        with place.store as store:
            fill(store)
            store.lock(REPORT)
            with pytest.raises(LockedError, match="the store has locked it"):
                store.replace(REPORT, b"[]")
            with pytest.raises(LockedError, match="until its hold is removed"):
                store.delete(REPORT)
            assert store.read(REPORT) == b"{}"

    def test_a_bucket_that_cannot_lock_is_found_out(self) -> None:
        server = GcsServer("plain", lockable=False)
        try:
            place = gcs_place(server, protection=Protection(lock_mode="governance", lock_for=MONTH))
            with place.store as store:
                with pytest.raises(ArchiveDeniedError, match="object retention"):
                    check_writable(store)
                store.put(SMALL, [b"x"])
                with pytest.raises(ArchiveDeniedError, match="cannot lock objects"):
                    store.lock(SMALL)
                with pytest.raises(ObjectNotFoundError):
                    store.lock(LARGE)
        finally:
            server.close()

    def test_application_default_credentials_lock_sweep_and_sign(
        self, gcs: GcsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "credentials.json"
        path.write_text(service_account(gcs.endpoint))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
        place = gcs_place(gcs, service_account=None, protection=Protection(legal_hold=True))
        place.die_while_writing(LARGE)
        with place.store as store:
            store.put(SMALL, [b"x"])
            store.lock(SMALL)
            with pytest.raises(LockedError):
                store.delete(SMALL)
            assert store.sweep(timedelta(0)) == [LARGE]
            assert (store.signed_url(SMALL, timedelta(hours=1)) or "").startswith(gcs.endpoint)

    def test_without_credentials_it_says_so(
        self, gcs: GcsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "absent.json"))
        monkeypatch.setenv("HOME", str(tmp_path))
        with gcs_place(gcs).store as store:
            assert store.lock_of(SMALL) is None
        with pytest.raises(InputError, match="cannot be used"):
            gcs_place(gcs, service_account="not JSON")


class TestAzure:
    def test_packages_alone_are_of_another_tier_and_everything_is_tagged(self, azurite_endpoint: str) -> None:
        asked = Protection(storage_class="Cool", tags={"owner": "LMS team"})
        place = azure_place(azurite_endpoint, protection=asked)
        with place.store as store:
            fill(store)
        for stored in (LARGE, SMALL, MANIFEST, REPORT):
            blob = place.client.get_blob_client(BUCKET, place.prefix + stored)
            assert blob.get_blob_tags() == asked.tags
            assert blob.get_blob_properties().blob_tier == ("Cool" if stored.endswith(".zip") else "Hot")

    def test_writing_goes_into_the_encryption_scope(self, tmp_path: Path) -> None:
        if reason := azure_servers.missing():
            pytest.skip(reason)
        # In its loose mode Azurite checks the signature, of which the scope is part, and ignores what it says.
        with azure_servers.azurite(tmp_path, "--loose") as endpoint:
            azure_servers.client(endpoint).create_container(BUCKET)
            place = azure_place(endpoint, protection=Protection(key="backups"))
            with place.store as store:
                fill(store)
                assert store.capabilities.signs
                store.delete(SMALL)
                assert place.objects() == {LARGE, MANIFEST, REPORT}

    def test_a_request_for_a_lock_is_signed_as_azure_wants_it(self, azurite_endpoint: str) -> None:
        """Azurite looks at the signature, and only then says that it has no locks."""
        asked = Protection(lock_mode="compliance", lock_for=MONTH, legal_hold=True)
        with azure_place(azurite_endpoint, protection=asked).store as store:
            store.put(SMALL, [b"x"])
            with pytest.raises(ArchiveDeniedError, match="HTTP 501"):
                store.lock(SMALL)
            assert store.lock_of(SMALL) is None
        options = azure_options(azurite_endpoint, protection=asked, account_key="d3Jvbmc=")
        with open_store(f"az://{BUCKET}/x", options) as store:
            with pytest.raises(ArchiveDeniedError, match="cannot lock objects"):
                store.lock(SMALL)
            with pytest.raises(ArchiveDeniedError, match="cannot look up locks"):
                store.check_locks()

    def test_a_signature_has_to_name_the_scope_itself(self) -> None:
        def options(signature: str) -> StoreOptions:
            given = {"account": "campus", "sas_token": signature, "protection": Protection(key="backups")}
            return StoreOptions(**given)  # type: ignore[arg-type]  # of several types

        open_store("az://container/x", options("?sv=2021-12-02&ses=backups&sig=x"))
        with pytest.raises(InputError, match="ses"):
            open_store("az://container/x", options("sv=2021-12-02&sig=x"))

    def test_a_locked_blob_is_neither_deleted_nor_made_an_old_version(self, locking: LockingAzure) -> None:
        asked = Protection(lock_mode="compliance", lock_for=MONTH, legal_hold=True)
        with open_store(
            f"az://{BUCKET}/x", azure_options(locking.endpoint, protection=asked, retries=0)
        ) as store:
            store.check_locks()
            store.lock(SMALL)
            policy, hold = locking.seen
            assert policy["path"].endswith(f"/{BUCKET}/x/{SMALL}?comp=immutabilityPolicies")
            assert policy["x-ms-immutability-policy-mode"] == "locked"
            assert (hold["path"].rpartition("?")[2], hold["x-ms-legal-hold"]) == ("comp=legalhold", "true")
            with pytest.raises(LockedError, match="until its hold is removed"):
                store.delete(SMALL)
            del locking.told["x-ms-legal-hold"]
            with pytest.raises(LockedError, match="locked until 20"):
                store.delete(SMALL)
            assert locking.deleted == []
            locking.container.clear()
            with pytest.raises(ArchiveDeniedError, match="version-level immutability"):
                store.check_locks()


class LockingAzure:
    """What Azure answers about locks, which Azurite does not know. Keeps what it is told."""

    def __init__(self) -> None:
        self.container = {"x-ms-immutable-storage-with-versioning-enabled": "true"}
        self.told: dict[str, str] = {}
        self.seen: list[dict[str, str]] = []
        self.deleted: list[str] = []
        azure = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self._send(azure.told)

            def do_GET(self) -> None:
                self._send(azure.container)

            def do_PUT(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                assert headers["authorization"].startswith(f"SharedKey {azure_servers.ACCOUNT}:")
                azure.seen.append({"path": self.path, **headers})
                names = ("x-ms-legal-hold", "x-ms-immutability-policy-until-date")
                azure.told |= {name: headers[name] for name in names if name in headers}
                self._send({})

            def do_POST(self) -> None:
                azure.deleted.append(self.path)
                self._send({})

            def _send(self, headers: dict[str, str]) -> None:
                self.send_response(200)
                for name, value in {**headers, "Content-Length": "0"}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=[0.01], daemon=True).start()
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}/{azure_servers.ACCOUNT}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def locking() -> Iterator[LockingAzure]:
    server = LockingAzure()
    yield server
    server.close()


@pytest.mark.parametrize(
    ("uri", "package", "extra"),
    [
        ("s3://place/x", "botocore", "s3"),
        ("gs://place/x", "google.cloud.storage", "gcs"),
        ("az://place/x", "azure.storage.blob", "azure"),
    ],
)
def test_without_the_extra_what_needs_it_is_declared_absent_or_refused(
    monkeypatch: pytest.MonkeyPatch, uri: str, package: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)  # as if it were not installed
    known = StoreOptions(
        access_key="a",
        secret_key="b",
        service_account=service_account(),
        account="campus",
        account_key="a2V5",
    )
    with pytest.raises(InputError, match=f"legal_hold.*install the extra {extra}"):
        open_store(uri, replace(known, protection=Protection(legal_hold=True)))
    with open_store(uri, known) as store:
        assert not store.capabilities.locks
        assert not store.capabilities.sweeps
        store.check_locks()
        assert store.lock_of(SMALL) is None
        if extra == "azure":  # which forgets unfinished uploads by itself
            assert store.sweep(timedelta(0)) == []
            return
        with pytest.raises(ArchiveDeniedError, match=f"install the extra {extra}, or set a lifecycle rule"):
            store.sweep(timedelta(0))


def test_an_encryption_scope_takes_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "azure.storage.blob", None)
    asked = StoreOptions(account="campus", account_key="a2V5", protection=Protection(key="backups"))
    with pytest.raises(InputError, match="install the extra azure"):
        open_store("az://place/x", asked)


@pytest.mark.parametrize("uri", ["file:///archive", "sftp://backup@host/x"])
@pytest.mark.parametrize(
    "asked", [Protection(legal_hold=True), Protection(tags={"a": "b"}), Protection(storage_class="Cool")]
)
def test_what_a_store_does_not_have_is_refused_not_ignored(uri: str, asked: Protection) -> None:
    with pytest.raises(InputError, match="locks or tags"):
        open_store(uri, StoreOptions(protection=asked))
