"""The connection ``canvas_archive``: an archive under a name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import Connection
from tests.support.store_servers.s3 import ACCESS_KEY, SECRET_KEY, client, moto
from tests.support.store_servers.sftp import PASSWORD, USER, SftpServer

from canvas_exports.core.archive.probe import check_writable
from canvas_exports.errors import InputError
from canvas_exports.hooks.archive import open_archive
from canvas_exports.hooks.archive_connection import CanvasArchiveHook
from canvas_exports.hooks.archive_location import ArchiveLocation, find_location, root_uri
from canvas_exports.hooks.archive_protection import EXTRAS
from canvas_exports.hooks.archive_replicas import find_locations, named_archives, open_archives
from canvas_exports.provider import get_provider_info

Connect = Callable[..., None]


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Connect:
    def made(name: str, conn_type: str = "canvas_archive", **fields: Any) -> None:
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps({"conn_type": conn_type, **fields}))

    return made


def test_it_says_where_and_with_whose_credentials(connect: Connect) -> None:
    connect(
        "campus", host=" s3://campus/canvas ", extra={"archive_conn_id": "aws_default", "lock_for": "P1D"}
    )
    assert find_location("campus") == ArchiveLocation(
        "s3://campus/canvas", "aws_default", {"lock_for": "P1D"}, named="campus"
    )
    assert root_uri("campus") == "s3://campus/canvas"
    assert root_uri("file:///srv/a") == "file:///srv/a"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"host": ""}, "connection campus, host: it is empty"),
        (
            {"conn_type": "aws", "host": "s3://a"},
            "connection campus: it is of type aws, which names no archive",
        ),
        (
            {"host": "campus-backups"},
            "connection campus, host: 'campus-backups' is not a place to store in|campus",
        ),
        (
            {"host": "sftp://me:hunter2@host/a"},
            "connection campus, host: credentials do not belong in the URI",
        ),
        (
            {"host": "file:///srv/a", "extra": {"also_archives": "b, s3://c"}},
            "connection campus, also_archives: one of them is not a name",
        ),
        (
            {"host": "file:///srv/a", "extra": {"also_archives": 7}},
            "connection campus, also_archives: it is no list of names",
        ),
        (
            {"host": "file:///srv/a", "extra": {"also_archives": {"archive": "b"}}},
            "connection campus, also_archives: it is no list of names",
        ),
        ({"host": "file:///srv/a", "extra": {"lock_for": "P1D"}}, "connection campus, extra lock_for"),
    ],
)
def test_what_is_wrong_is_said_with_the_connection_and_the_field(
    connect: Connect, fields: dict[str, Any], said: str
) -> None:
    connect("campus", **fields)
    with pytest.raises(InputError, match=said) as raised:
        open_archive("campus")
    assert "hunter2" not in str(raised.value)


def test_a_name_that_nobody_has_given_is_a_sentence() -> None:
    with pytest.raises(
        InputError, match=r"^archive: 'campus' is no URI, and there is no connection of this name"
    ):
        open_archive("campus")


def test_credentials_are_not_named_twice(connect: Connect) -> None:
    connect("campus", host="s3://campus/canvas")
    with pytest.raises(InputError, match=r"^archive_conn_id: the Canvas archive campus names the connection"):
        open_archive("campus", "aws_default")


def test_credentials_are_those_of_the_connection_that_it_names(connect: Connect, tmp_path: Path) -> None:
    server = SftpServer(tmp_path)
    try:
        connect("campus", host=f"sftp://127.0.0.1:{server.port}/canvas", extra={"archive_conn_id": "files"})
        known = {"host": "127.0.0.1", "port": server.port, "login": USER, "password": PASSWORD}
        connect("files", "sftp", extra={"host_key": server.host_key}, **known)
        with open_archive("campus") as store:
            check_writable(store)
        connect("files", "smtp", **known)
        with pytest.raises(InputError, match="connection files: it is of type smtp"):
            open_archive("campus")
    finally:
        server.close()


def test_its_protection_wins_over_that_of_the_credentials(connect: Connect) -> None:
    with moto() as endpoint:
        s3 = client(endpoint)
        s3.create_bucket(Bucket="archive")
        connect(
            "keys",
            "aws",
            login=ACCESS_KEY,
            password=SECRET_KEY,
            extra={"endpoint_url": endpoint, "tags": {"owner": "nobody"}},
        )
        connect(
            "campus",
            host="s3://archive/canvas",
            extra={"archive_conn_id": "keys", "tags": '{"owner": "LMS"}'},
        )
        with open_archive("campus") as store:
            assert store.put_if_absent("runs/a.json", b"{}")
        found = s3.get_object_tagging(Bucket="archive", Key="canvas/runs/a.json")["TagSet"]
        assert found == [{"Key": "owner", "Value": "LMS"}]


def test_further_archives_are_named_and_each_is_one(connect: Connect, tmp_path: Path) -> None:
    connect("one", host=(tmp_path / "one").as_uri(), extra={"also_archives": "two, three"})
    connect("two", host=(tmp_path / "two").as_uri(), extra={"also_archives": ["four"]})
    connect("three", host=(tmp_path / "three").as_uri())
    with open_archives("one", None) as stores:
        assert [store.uri.rpartition("/")[2] for store in stores] == ["one", "two", "three"]
    with open_archive("one") as store:
        assert store.uri.endswith("/one")
    with pytest.raises(InputError, match="an archive is named twice"):
        find_locations("one", None, [(tmp_path / "two").as_uri()])


def test_names_and_uris_go_together_and_a_name_inherits_no_credentials() -> None:
    assert named_archives("s3://a/b", "aws", ["mirror", "s3://c/d"]) == [
        ("s3://a/b", "aws"),
        ("mirror", None),
        ("s3://c/d", "aws"),
    ]


class TestTheButton:
    def test_it_says_that_the_archive_can_be_used(self, connect: Connect, tmp_path: Path) -> None:
        connect("campus", host=tmp_path.as_uri(), extra={"also_archives": "two"})
        connect("two", host="s3://two/canvas")
        works, said = CanvasArchiveHook("campus").test_connection()
        assert works
        assert said == (
            f"{tmp_path.as_uri()} can be read and written from this machine, and is empty. "
            "Further archives: s3://two/canvas."
        )
        (tmp_path / "courses").mkdir()
        (tmp_path / "courses" / "a.json").write_text("{}")
        assert "is not empty" in CanvasArchiveHook("campus").test_connection()[1]

    def test_or_what_is_wrong_in_a_sentence(self, connect: Connect) -> None:
        connect("campus", host="file:///proc/no-such-place")
        works, said = CanvasArchiveHook("campus").test_connection()
        assert not works
        assert said.count("\n") == 0
        assert CanvasArchiveHook("nobody").test_connection()[0] is False

    @pytest.mark.parametrize(
        ("extra", "said"),
        [
            ({"also_archives": "campus"}, "also_archives: an archive is named twice"),
            ({"also_archives": "two, two"}, "also_archives: an archive is named twice"),
            ({"forms": {"canvas_export": True}}, "connection campus, forms: it is no list of names"),
        ],
    )
    def test_or_what_a_task_would_find_wrong_with_it(
        self, connect: Connect, tmp_path: Path, extra: dict[str, Any], said: str
    ) -> None:
        connect("two", host="s3://two/canvas")
        connect("campus", host=tmp_path.as_uri(), extra=extra)
        works, sentence = CanvasArchiveHook("campus").test_connection()
        assert not works
        assert said in sentence
        assert not list(tmp_path.iterdir())

    def test_airflow_finds_the_hook_by_the_type(self, connect: Connect) -> None:
        (info,) = (
            each
            for each in get_provider_info()["connection-types"]
            if each["connection-type"] == CanvasArchiveHook.conn_type
        )
        module, _, name = info["hook-class-name"].rpartition(".")
        assert (module, name) == (CanvasArchiveHook.__module__, CanvasArchiveHook.__name__)
        assert info["hook-name"] == CanvasArchiveHook.hook_name
        assert set(info["conn-fields"]) == {"archive_conn_id", "also_archives", "digest", "forms", *EXTRAS}
        connect("campus", host="s3://a/b")
        assert Connection.get("campus").conn_type == CanvasArchiveHook.conn_type
