from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from canvas_exports.core.archive.probe import check_writable, is_probe
from canvas_exports.core.storage.cloud.object_store import ObjectStore
from canvas_exports.core.storage.local import FileStore
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.options import AccessKeys, StoreOptions
from canvas_exports.core.storage.remote.smart_open_store import SmartOpenStore
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import ArchiveDeniedError, ArchiveUnavailableError, InputError

SECRETS = StoreOptions(
    access_key="AKIA-SECRET", secret_key="SECRET", password="SECRET", account_key="U0VDUkVU"
)


@pytest.mark.parametrize(
    ("uri", "kind", "shown"),
    [
        ("s3://bucket/canvas", ObjectStore, "s3://bucket/canvas"),
        ("s3://bucket", ObjectStore, "s3://bucket"),
        (" s3://bucket/a/b/ ", ObjectStore, "s3://bucket/a/b"),
        ("gs://bucket/canvas", ObjectStore, "gs://bucket/canvas"),
        ("az://container/canvas", ObjectStore, "az://container/canvas"),
        ("file:///srv/canvas/", FileStore, "file:///srv/canvas"),
        ("file://localhost/srv/canvas", FileStore, "file://localhost/srv/canvas"),
        (
            "sftp://ada@files.example.edu:2222/srv/canvas",
            SmartOpenStore,
            "sftp://files.example.edu:2222/srv/canvas",
        ),
        ("scp://files.example.edu/srv", SmartOpenStore, "scp://files.example.edu/srv"),
        ("ssh://ada@files.example.edu/srv", SmartOpenStore, "ssh://files.example.edu/srv"),
    ],
)
def test_every_scheme_opens_its_store_without_a_connection_and_shows_no_user(
    uri: str, kind: type[Store], shown: str
) -> None:
    with open_store(uri, StoreOptions(account="account", access_key="a", secret_key="b")) as store:
        assert isinstance(store, kind)
        assert store.uri == shown


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "bucket/canvas",
        "/srv/canvas",
        "s3:/bucket",
        "s3://",
        "s3://b",
        "s3://bucket/with space",
        "s3://bucket/../other",
        "s3://bucket/a//b",
        "gs://bucket/ä",
        "https://bucket.example/canvas",
        "ftp://ada@files.example.edu/canvas",
        "ftps://files.example.edu/canvas",
        "hdfs:///canvas",
        "viewfs://cluster/canvas",
        "webhdfs://ada@node:9870/canvas",
        "file://server/share",
        "file:relative",
        "sftp:///no-host",
        "sftp://host:port/x",
        "sftp://host/a/../../b",
        "s3://bucket/x?versionId=7",
        "s3://bucket/x#1",
        "[",
    ],
)
def test_what_is_no_place_is_refused_and_the_accepted_schemes_named(uri: str) -> None:
    with pytest.raises(InputError, match="archive: ") as raised:
        open_store(uri)
    accepted = str(raised.value).partition("Accepted: ")[2]
    assert accepted.startswith(("s3://bucket/path, gs://", "A-Z a-z 0-9"))


def test_the_error_blames_the_field_it_came_from() -> None:
    with pytest.raises(InputError, match=r"^course_list: "):
        open_store("nowhere", field="course_list")


@pytest.mark.parametrize(
    "uri", ["sftp://ada:SECRET@host/x", "s3://AKIA:SECRET@bucket/x", "scp://:SECRET@host/x"]
)
def test_a_password_in_a_uri_is_refused_and_not_repeated(uri: str) -> None:
    with pytest.raises(InputError, match="connection") as raised:
        open_store(uri)
    assert "SECRET" not in str(raised.value)


def test_no_secret_shows_in_options_keys_or_stores() -> None:
    assert "SECRET" not in repr(SECRETS)
    assert "SECRET" not in repr(AccessKeys("SECRET", "SECRET", "SECRET"))
    for uri in ("s3://bucket/x", "sftp://host/x", "az://container/x"):
        with open_store(uri, StoreOptions(**{**SECRETS.__dict__, "account": "account"})) as store:
            assert "SECRET" not in repr(store)
            assert "SECRET" not in repr(vars(store))


@pytest.mark.parametrize(
    ("uri", "options"),
    [
        ("az://container/x", StoreOptions(account="account", account_key="SECRET!")),
        ("gs://bucket/x", StoreOptions(service_account='{"private_key": "SECRET"}')),
        ("s3://bucket/x", StoreOptions(access_key="a", secret_key="SECRET", settings={"no_such": "setting"})),
        ("s3://bucket/x", StoreOptions(access_key="a", secret_key="SECRET", verify="/no/such/bundle.pem")),
    ],
)
def test_settings_that_cannot_be_used_are_an_input_error_that_repeats_none(
    uri: str, options: StoreOptions
) -> None:
    with pytest.raises(InputError, match="settings") as raised:
        open_store(uri, options)
    assert "SECRET" not in str(raised.value)


def test_a_server_that_is_not_there_is_unavailable() -> None:
    nowhere = StoreOptions(password="x", retries=0)
    with (
        open_store("sftp://u@127.0.0.1:1/x", nowhere) as store,
        pytest.raises(ArchiveUnavailableError) as raised,
    ):
        check_writable(store)
    assert raised.value.retryable


class Worm(FileStore):
    """A store that forbids deleting."""

    def delete(self, key: str) -> None:
        raise ArchiveDeniedError("write once, read many", key=key)


def test_a_store_that_forbids_deleting_is_writable(tmp_path: Path) -> None:
    store = Worm("file:///worm", tmp_path)
    check_writable(store)
    check_writable(store)
    assert all(is_probe(path.name) for path in tmp_path.iterdir())


def test_a_root_below_a_file_is_denied(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with open_store(f"file://{tmp_path}/file/canvas") as store, pytest.raises(ArchiveDeniedError):
        check_writable(store)


@pytest.fixture(scope="module")
def imported() -> set[str]:
    """Every module that is imported with the archive and the stores, other than those of clouds and file servers."""
    code = (
        "import sys, pkgutil, importlib, canvas_exports.core as core;"
        "layers = [f'{core.__path__[0]}/{name}' for name in ('archive', 'packages', 'storage', 'model', 'text')];"
        "roots = [(path, 'canvas_exports.core.' + path.rpartition('/')[2] + '.') for path in layers];"
        "names = [m.name for path, name in roots for m in pkgutil.walk_packages([path], name)];"
        "names = [name for name in names if '.cloud.' not in name and '.remote.' not in name];"
        "[importlib.import_module(name) for name in names];"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    return {name.partition(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize(
    "heavy", ["obstore", "smart_open", "boto3", "paramiko", "fastjsonschema", "jsonschema", "airflow"]
)
def test_nothing_slow_is_imported_before_it_is_needed(imported: set[str], heavy: str) -> None:
    assert heavy not in imported
