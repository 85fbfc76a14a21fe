"""Local files beyond the conformance suite: what file systems and servers do that ext4 does not."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from canvas_exports.core.archive.probe import check_writable
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import (
    AlreadyStoredError,
    ArchiveDeniedError,
    ArchiveError,
    ArchiveUnavailableError,
    ObjectNotFoundError,
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


@pytest.mark.skipif(not hasattr(os, "posix_fadvise"), reason="this system takes no advice about files")
def test_the_disk_is_written_to_while_the_stream_flows_where_the_file_system_can(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    advised: list[tuple[int, int]] = []

    def refuse(_: int, start: int, length: int, advice: int) -> None:
        assert advice == os.POSIX_FADV_DONTNEED
        advised.append((start, length))
        raise OSError(errno.EINVAL, "no")

    monkeypatch.setattr(os, "posix_fadvise", refuse)
    store.put(KEY, [b"first", b"next"])
    assert advised == [(0, 5), (5, 4)]
    assert store.read(KEY) == b"firstnext"


@pytest.mark.parametrize(
    "failure",
    [
        (errno.EACCES, ArchiveDeniedError),
        (errno.EROFS, ArchiveDeniedError),
        (errno.ENOSPC, ArchiveUnavailableError),
        (errno.EDQUOT, ArchiveUnavailableError),
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
    assert ("free space" in str(raised.value)) == (number in (errno.ENOSPC, errno.EDQUOT))
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
    scandir = os.scandir

    @contextmanager
    def late(folder: int) -> Iterator[Iterator[os.DirEntry[str]]]:
        """All names are read, then the file is deleted, then each is looked at."""
        with scandir(folder) as entries:
            found = list(entries)
        store.delete(KEY)
        yield iter(found)

    monkeypatch.setattr(os, "scandir", late)
    assert list(store.list("courses/1/")) == []


def test_a_temporary_file_that_is_still_written_to_is_left_alone(store: Store) -> None:
    def swept_meanwhile() -> Iterator[bytes]:
        yield b"first"
        assert store.sweep(timedelta(hours=1)) == []
        yield b"second"

    store.put(KEY, swept_meanwhile())
    assert store.read(KEY) == b"firstsecond"


class TestModes:
    @pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
    def test_files_are_0640_and_folders_0750_whatever_the_umask(self, tmp_path: Path, umask: int) -> None:
        old = os.umask(umask)
        try:
            with open_store(f"file://{tmp_path}/deep/canvas") as store:
                store.put(KEY, [b"x"])
                store.put_if_absent("courses/1/a.json", b"{}")
                store.replace("runs/report.json", b"{}")
        finally:
            os.umask(old)
        modes = {path: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
        assert {mode for path, mode in modes.items() if path.is_file()} == {0o640}
        assert {mode for path, mode in modes.items() if path.is_dir()} == {0o750}

    def test_a_folder_that_is_there_keeps_its_mode_and_what_its_group_inherits(
        self, store: Store, tmp_path: Path
    ) -> None:
        (tmp_path / "canvas" / "courses").mkdir(parents=True)
        (tmp_path / "canvas" / "courses").chmod(0o2770)
        store.put(KEY, [b"x"])
        assert stat.S_IMODE((tmp_path / "canvas" / "courses").stat().st_mode) == 0o2770
        assert stat.S_IMODE((tmp_path / "canvas" / "courses" / "1").stat().st_mode) == 0o2750


class TestLinks:
    """A link below the root could have been laid by anybody who may write there."""

    @pytest.fixture
    def outside(self, tmp_path: Path) -> Path:
        folder = tmp_path / "outside"
        (folder / "1").mkdir(parents=True)
        (folder / "1" / "a.zip").write_bytes(b"theirs")
        return folder

    @pytest.mark.parametrize("depth", [0, 1])
    def test_a_folder_that_is_one_is_neither_read_nor_written_through(
        self, store: Store, tmp_path: Path, outside: Path, depth: int
    ) -> None:
        if depth == 0:
            (tmp_path / "canvas").mkdir()
            (tmp_path / "canvas" / "courses").symlink_to(outside)
        else:
            (tmp_path / "canvas" / "courses").mkdir(parents=True)
            (tmp_path / "canvas" / "courses" / "1").symlink_to(outside / "1")
        assert store.stat(KEY) is None
        assert list(store.list()) == list(store.list("courses/1/")) == []
        for read in (lambda: store.read(KEY), lambda: list(store.blocks(KEY))):
            with pytest.raises(ObjectNotFoundError):
                read()
        store.delete(KEY)
        for write in (
            lambda: store.put("courses/1/b.zip", [b"x"]),
            lambda: store.put_if_absent("courses/1/b.json", b"x"),
            lambda: store.replace(KEY, b"x"),
        ):
            with pytest.raises(ArchiveDeniedError, match="links below the archive's root are not followed"):
                write()
        assert store.sweep(timedelta(0)) == []
        assert {path.name for path in outside.rglob("*")} == {"1", "a.zip"}
        assert (outside / "1" / "a.zip").read_bytes() == b"theirs"

    @pytest.mark.parametrize("target", ["1/a.zip", "nothing"])
    def test_a_key_that_is_one_is_no_object_and_is_not_written_through(
        self, store: Store, tmp_path: Path, outside: Path, target: str
    ) -> None:
        folder = tmp_path / "canvas" / "courses" / "1"
        folder.mkdir(parents=True)
        (folder / "a.zip").symlink_to(outside / target)
        assert store.stat(KEY) is None
        with pytest.raises(ObjectNotFoundError):
            store.read(KEY)
        for links in (True, False):
            with pytest.MonkeyPatch.context() as patched:
                if not links:
                    patched.setattr(os, "link", failing(errno.ENOTSUP))
                with pytest.raises(ArchiveDeniedError, match=r"a\.zip there is no file; move it away"):
                    store.put(KEY, [b"ours"])
        store.delete(KEY)
        assert (folder / "a.zip").is_symlink()
        assert (outside / "1" / "a.zip").read_bytes() == b"theirs"
        assert not (outside / "nothing").exists()
        store.replace(KEY, b"ours")  # takes the place of the link, not of what it leads to
        assert not (folder / "a.zip").is_symlink()
        assert (outside / "1" / "a.zip").read_bytes() == b"theirs"

    def test_a_root_that_is_one_is_the_administrators_choice(self, tmp_path: Path, outside: Path) -> None:
        (tmp_path / "canvas").symlink_to(outside)
        with open_store(f"file://{tmp_path}/canvas") as store:
            store.put(KEY, [b"x"])
            assert {info.key for info in store.list()} == {KEY, "1/a.zip"}
        assert (outside / KEY).read_bytes() == b"x"

    def test_a_folder_that_becomes_one_while_a_stream_flows_is_not_followed(
        self, store: Store, tmp_path: Path, outside: Path
    ) -> None:
        courses = tmp_path / "canvas" / "courses"

        def swapped() -> Iterator[bytes]:
            yield b"first"
            courses.rename(tmp_path / "aside")
            courses.symlink_to(outside)
            yield b"second"

        store.put("courses/1/b.zip", swapped())
        assert {path.name for path in outside.rglob("*")} == {"1", "a.zip"}
        assert (tmp_path / "aside" / "1" / "b.zip").read_bytes() == b"firstsecond"


def test_a_pipe_a_socket_or_a_folder_under_a_key_is_no_object_and_nobody_waits_for_it(
    store: Store, tmp_path: Path
) -> None:
    folder = tmp_path / "canvas" / "courses" / "1"
    folder.mkdir(parents=True)
    os.mkfifo(folder / "a.zip")
    (folder / "b.zip").mkdir()
    for key in (KEY, "courses/1/b.zip"):
        assert store.stat(key) is None
        for read in (lambda key=key: store.read(key), lambda key=key: list(store.blocks(key))):
            with pytest.raises(ObjectNotFoundError):
                read()
        with pytest.raises(ArchiveDeniedError, match="is no file"):
            store.put(key, [b"x"])
        store.delete(key)
    assert len(list(folder.iterdir())) == 2
    assert list(store.list()) == []


@contextmanager
def nobody() -> Iterator[Path]:
    """A folder of its own, and no rights but those that its modes give: root is not asked for any."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    user = os.geteuid()
    try:
        if user == 0:
            os.chown(folder, 65534, -1)
            os.seteuid(65534)
        yield folder
    finally:
        os.seteuid(user)
        for path in (folder, *folder.rglob("*")):
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o700)
        shutil.rmtree(folder)


class TestRights:
    """What cannot be written to is named, once, and by its whole path."""

    def test_an_unwritable_root(self) -> None:
        with nobody() as folder, open_store(f"file://{folder}") as store:
            folder.chmod(0o555)
            with pytest.raises(ArchiveDeniedError) as raised:
                check_writable(store)
            said = str(raised.value)
        assert said.count(str(folder)) == 1
        assert f"cannot store in {folder}: Permission denied; let the user" in said
        assert raised.value.__cause__ is None
        assert raised.value.__suppress_context__

    def test_a_root_that_cannot_be_made(self) -> None:
        with nobody() as folder, open_store(f"file://{folder}/canvas/deep") as store:
            folder.chmod(0o555)
            with pytest.raises(ArchiveDeniedError) as raised:
                check_writable(store)
        assert f"cannot store in {folder}: Permission denied" in str(raised.value)
        assert str(raised.value).count(str(folder)) == 1

    def test_an_unwritable_folder_of_a_course(self) -> None:
        with nobody() as folder, open_store(f"file://{folder}") as store:
            store.put(KEY, [b"x"])
            (folder / "courses" / "1").chmod(0o555)
            with pytest.raises(ArchiveDeniedError) as raised:
                store.put_if_absent("courses/1/a.json", b"{}")
        assert str(raised.value).count(f"{folder}/courses/1") == 1
        assert str(raised.value).count(str(folder)) == 1

    def test_a_folder_that_cannot_be_read_is_an_error_if_it_was_asked_for_and_else_costs_itself(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        with nobody() as folder, open_store(f"file://{folder}") as store:
            store.put(KEY, [b"x"])
            store.put("courses/2/a.zip", [b"x"])
            (folder / "courses" / "1").chmod(0o000)
            assert [info.key for info in store.list("courses/")] == ["courses/2/a.zip"]
            assert "'courses/1' is left alone" in caplog.text
            with pytest.raises(ArchiveDeniedError, match=f"{folder}/courses/1"):
                list(store.list("courses/1/"))
            (folder / "courses").chmod(0o000)
            with pytest.raises(ArchiveDeniedError):
                list(store.list("courses/"))

    def test_a_folder_that_may_only_be_passed_through_hides_nothing_below_it(self) -> None:
        with nobody() as folder, open_store(f"file://{folder}") as store:
            store.put(KEY, [b"x"])
            (folder / "courses").chmod(0o311)
            assert store.read(KEY) == b"x"
            store.put("courses/1/b.zip", [b"x"])
            assert len(list(store.list("courses/1/"))) == 2
