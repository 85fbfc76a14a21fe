"""Local files beyond the conformance suite: what file systems and servers do that ext4 does not."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from canvas_exports.archive.opening import open_store
from canvas_exports.archive.store import Store
from canvas_exports.errors import (
    AlreadyStoredError,
    ArchiveDeniedError,
    ArchiveError,
    ArchiveUnavailableError,
)

KEY = "courses/1/a.zip"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"file://{tmp_path}/canvas") as opened:
        yield opened


def test_a_strangers_file_of_any_name_is_not_listed_and_hinders_nothing(store: Store, tmp_path: Path) -> None:
    store.put(KEY, [b"x"])
    (tmp_path / "canvas" / "courses" / "1" / "my scan (old).pdf").write_bytes(b"x")
    assert [info.key for info in store.list()] == [KEY]


def failing(number: int) -> Callable[..., Any]:
    def call(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return call


def test_a_file_server_without_hard_links_is_written_to_all_the_same(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", failing(errno.ENOTSUP))
    store.put(KEY, [b"first"])
    with pytest.raises(AlreadyStoredError):
        store.put(KEY, [b"second"])
    assert store.read(KEY) == b"first"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["a.zip"]


@pytest.mark.parametrize("links", [True, False])
def test_a_key_taken_while_the_stream_flowed_is_not_replaced(
    store: Store, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    if not links:
        monkeypatch.setattr(os, "link", failing(errno.ENOTSUP))

    def overtaken() -> Iterator[bytes]:
        yield b"second"
        store.put(KEY, [b"first"])

    with pytest.raises(AlreadyStoredError):
        store.put(KEY, overtaken())
    assert store.read(KEY) == b"first"


def test_a_folder_that_cannot_be_forced_to_disk_is_no_failure(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync = os.fsync
    forced: list[bool] = []

    def refuse_folders(descriptor: int) -> None:
        folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        forced.append(folder)
        if folder:
            raise OSError(errno.EINVAL, "no")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", refuse_folders)
    store.put(KEY, [b"x"])
    assert forced == [False, True]


@pytest.mark.parametrize(
    "failure",
    [
        (errno.EACCES, ArchiveDeniedError),
        (errno.EROFS, ArchiveDeniedError),
        (errno.ENOSPC, ArchiveUnavailableError),
        (errno.EIO, ArchiveUnavailableError),
        (errno.ESTALE, ArchiveUnavailableError),
    ],
)
@pytest.mark.parametrize("call", ["fsync", "link"])
def test_a_file_system_that_fails_leaves_nothing_and_says_why(
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
    failure: tuple[int, type[ArchiveError]],
) -> None:
    number, kind = failure
    monkeypatch.setattr(os, call, failing(number))
    with pytest.raises(kind, match=os.strerror(number)) as raised:
        store.put(KEY, [b"x"])
    assert type(raised.value) is kind
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_root_that_is_a_file_is_denied(tmp_path: Path) -> None:
    (tmp_path / "canvas").write_bytes(b"")
    with open_store(f"file://{tmp_path}/canvas") as store:
        with pytest.raises(ArchiveDeniedError):
            store.put(KEY, [b"x"])
        assert store.stat(KEY) is None
        assert list(store.list()) == []


def test_an_object_that_vanishes_while_it_is_listed_is_left_out(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put(KEY, [b"x"])
    monkeypatch.setattr(store, "stat", lambda _key: None)
    assert list(store.list()) == []


def test_a_temporary_file_that_is_still_written_to_is_left_alone(store: Store) -> None:
    def swept_meanwhile() -> Iterator[bytes]:
        yield b"first"
        assert store.sweep(timedelta(hours=1)) == []
        yield b"second"

    store.put(KEY, swept_meanwhile())
    assert store.read(KEY) == b"firstsecond"
