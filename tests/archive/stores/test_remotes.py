"""FTP and HDFS beyond the conformance suite: being refused, and servers with other manners."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.archive.stores import ftp_server
from tests.archive.stores.ftp_server import FtpServer
from tests.archive.stores.hdfs_servers import WebHdfsServer
from tests.archive.stores.places import FolderPlace, Place
from tests.archive.stores.sftp_server import PASSWORD, USER

from canvas_exports.archive.credentials import StoreOptions
from canvas_exports.archive.opening import check_writable, open_store
from canvas_exports.errors import AlreadyStoredError, ArchiveDeniedError, ArchiveUnavailableError


@pytest.mark.parametrize("password", [None, "guessed"])
def test_ftp_denies_who_is_not_known(tmp_path: Path, password: str | None) -> None:
    server = FtpServer(tmp_path)
    try:
        with open_store(f"ftp://{USER}@127.0.0.1:{server.port}/x", StoreOptions(password=password)) as store:
            with pytest.raises(ArchiveDeniedError) as raised:
                check_writable(store)
            with pytest.raises(ArchiveDeniedError):
                list(store.list())
        assert "guessed" not in str(raised.value)
    finally:
        server.close()


def test_an_ftp_server_that_never_replaces_is_helped(
    open_place: Callable[[str], Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = open_place("ftp")
    rename = ftp_server._FtpSession._rnto

    def cautious(session: ftp_server._FtpSession, path: str) -> None:
        if session._real(path).exists():
            session._say("553 exists")
        else:
            rename(session, path)

    monkeypatch.setattr(ftp_server._FtpSession, "_rnto", cautious)
    place.store.replace("r.json", b"one")
    place.store.replace("r.json", b"two")
    assert place.store.read("r.json") == b"two"


def test_ftps_wants_a_certificate_it_can_trust(tmp_path: Path) -> None:
    server = FtpServer(tmp_path)
    try:
        store = open_store(f"ftps://{USER}@127.0.0.1:{server.port}/x", StoreOptions(password=PASSWORD))
        with pytest.raises((ArchiveDeniedError, ArchiveUnavailableError)):
            check_writable(store)
    finally:
        server.close()


def test_webhdfs_denies_who_is_not_known(tmp_path: Path) -> None:
    server = WebHdfsServer(tmp_path)
    try:
        for user in ("stranger@", ""):
            store = open_store(f"webhdfs://{user}127.0.0.1:{server.port}/x")
            with pytest.raises(ArchiveDeniedError):
                check_writable(store)
    finally:
        server.close()


@pytest.mark.parametrize("kind", ["sftp", "ftp", "webhdfs", "hdfs"])
def test_a_key_taken_while_the_stream_flowed_is_not_replaced(
    open_place: Callable[[str], Place], kind: str
) -> None:
    place = open_place(kind)

    def overtaken() -> Iterator[bytes]:
        yield b"second"
        place.store.put("a.zip", [b"first"])

    with pytest.raises(AlreadyStoredError):
        place.store.put("a.zip", overtaken())
    assert place.store.read("a.zip") == b"first"
    assert place.leftovers() == []


@pytest.mark.parametrize("kind", ["sftp", "ftp", "webhdfs", "hdfs"])
def test_a_store_that_kept_less_than_it_accepted_is_not_believed(
    open_place: Callable[[str], Place], kind: str
) -> None:
    place = open_place(kind)
    original = place.store._remote.stat  # type: ignore[attr-defined]

    def shorter(path: str) -> object:
        found = original(path)
        return found and type(found)(found.path, found.size - 1, found.modified)

    place.store._remote.stat = shorter  # type: ignore[attr-defined]
    with pytest.raises(ArchiveUnavailableError, match="did not keep"):
        place.store.put("a.zip", [b"x" * 1000])
    assert place.objects() == set()
    assert place.leftovers() == []


def hdfs_that(says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = tmp_path / "hdfs"
    command.write_text(f"#!/bin/sh\necho '{says}' >&2\nexit 1\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")


@pytest.mark.parametrize(
    ("says", "kind"),
    [
        ("mkdir: Permission denied: user=nobody", ArchiveDeniedError),
        ("mkdir: Name node is in safe mode.", ArchiveUnavailableError),
    ],
)
def test_hdfs_is_denied_or_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, kind: type[Exception]
) -> None:
    hdfs_that(says, tmp_path, monkeypatch)
    with open_store("hdfs://cluster/canvas") as store, pytest.raises(kind):
        check_writable(store)


def test_without_the_hdfs_command_the_store_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with open_store("hdfs://cluster/canvas") as store, pytest.raises(ArchiveUnavailableError):
        check_writable(store)


def test_a_file_that_shrinks_while_it_is_read_is_noticed(open_place: Callable[[str], Place]) -> None:
    place = open_place("sftp")
    assert isinstance(place, FolderPlace)
    place.store.put("a.zip", [b"x" * 3_000_000])
    blocks = place.store.blocks("a.zip")
    next(blocks)
    os.truncate(place.folder / "a.zip", 1_000_000)
    with pytest.raises(ArchiveUnavailableError):
        list(blocks)
