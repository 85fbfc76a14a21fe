"""SFTP beyond the conformance suite: who is talked to, and what happens when the connection ends."""

from __future__ import annotations

import io
import os
import stat
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import paramiko
import pytest
from tests.support.store_servers.sftp import PASSWORD, USER, SftpServer

from canvas_exports.core.archive.probe import check_writable
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.options import StoreOptions
from canvas_exports.errors import (
    ArchiveDeniedError,
    ArchiveUnavailableError,
    InputError,
    ObjectNotFoundError,
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SftpServer]:
    started = SftpServer(tmp_path)
    yield started
    started.close()


def options(server: SftpServer) -> StoreOptions:
    return StoreOptions(password=PASSWORD, host_key=server.host_key)


def uri(server: SftpServer) -> str:
    return f"sftp://{USER}@127.0.0.1:{server.port}/canvas"


def refused(server: SftpServer, given: StoreOptions) -> None:
    with open_store(uri(server), given) as store:
        with pytest.raises(ArchiveDeniedError) as raised:
            check_writable(store)
        with pytest.raises(ArchiveDeniedError):
            store.put("a.zip", [b"x"])
    assert PASSWORD not in str(raised.value)


def test_a_server_whose_key_is_not_known_gets_no_password(
    server: SftpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    refused(server, StoreOptions(password=PASSWORD))
    assert server.logins == []


def test_a_server_with_another_key_gets_no_password(server: SftpServer) -> None:
    other = paramiko.ECDSAKey.generate()
    refused(server, replace(options(server), host_key=f"{other.get_name()} {other.get_base64()}"))
    assert server.logins == []


@pytest.mark.parametrize("key", ["ssh-ed25519 !", "nonsense", "ssh-unknown AAAA"])
def test_a_host_key_that_is_none_is_an_input_error(server: SftpServer, key: str) -> None:
    with pytest.raises(InputError, match="host_key"):
        open_store(uri(server), replace(options(server), host_key=key))


def test_a_wrong_password_is_denied(server: SftpServer) -> None:
    refused(server, replace(options(server), password="guessed"))


@pytest.mark.parametrize("named", [True, False])
def test_the_known_hosts_file_is_believed(
    server: SftpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    known = tmp_path / ".ssh" / "known_hosts"
    known.parent.mkdir()
    known.write_text(f"[127.0.0.1]:{server.port} {server.host_key}\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    given = StoreOptions(password=PASSWORD, known_hosts=str(known) if named else None)
    with open_store(uri(server), given) as store:
        check_writable(store)
        store.put("a.zip", [b"x"])


def test_a_private_key_is_used_from_text_or_file(server: SftpServer, tmp_path: Path) -> None:
    key = paramiko.ECDSAKey.generate()
    server.accepted_keys.append(key)
    text = io.StringIO()
    key.write_private_key(text, "passphrase")
    path = tmp_path / "key"
    path.write_text(text.getvalue())
    known = StoreOptions(host_key=server.host_key, passphrase="passphrase")
    for identity in (replace(known, private_key=text.getvalue()), replace(known, key_file=str(path))):
        with open_store(uri(server), identity) as store:
            check_writable(store)
            store.replace("a.zip", b"x")
    assert server.logins == []


def test_a_private_key_that_is_none_is_an_input_error(server: SftpServer) -> None:
    with pytest.raises(InputError, match="private_key"):
        open_store(uri(server), replace(options(server), private_key="not a key"))


def test_more_files_than_a_connection_has_channels_can_be_written(server: SftpServer) -> None:
    with open_store(uri(server), options(server)) as store:
        for number in range(15):
            store.put(f"{number}.zip", [b"x"])
            assert store.read(f"{number}.zip") == b"x"
    assert server.most_channels <= 3


def test_a_connection_that_ended_is_made_anew(server: SftpServer) -> None:
    with open_store(uri(server), options(server)) as store:
        store.put("a.zip", [b"x"])
        server.hang_up()
        for _ in range(100):
            if not connections():
                break
            threading.Event().wait(0.02)
        store.put("b.zip", [b"y"])
        assert {info.key for info in store.list()} == {"a.zip", "b.zip"}


def connections() -> list[threading.Thread]:
    return [
        thread
        for thread in threading.enumerate()
        if isinstance(thread, paramiko.Transport) and thread.is_active()
    ]


def test_closing_the_store_ends_every_connection(server: SftpServer) -> None:
    with open_store(uri(server), options(server)) as store:
        store.put("a.zip", [b"x"])
        assert store.read("a.zip") == b"x"
    for _ in range(100):
        if not connections():
            break
        threading.Event().wait(0.02)
    assert connections() == []


def test_without_paramiko_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "paramiko", None)
    with pytest.raises(InputError, match=r"canvas-exports\[sftp\]"):
        open_store("sftp://u@host/x", StoreOptions(password="x"))


def test_a_server_with_keys_of_several_kinds_is_asked_for_the_known_one(server: SftpServer) -> None:
    known = paramiko.RSAKey.generate(2048)  # known by one name, and used by others
    server.more_keys.append(known)
    with open_store(
        uri(server), replace(options(server), host_key=f"{known.get_name()} {known.get_base64()}")
    ) as store:
        store.put("a.zip", [b"x"])
        assert store.read("a.zip") == b"x"


def test_files_are_0640_and_folders_0750_whatever_the_servers_umask(
    server: SftpServer, tmp_path: Path
) -> None:
    old = os.umask(0o022)
    try:
        with open_store(uri(server), options(server)) as store:
            store.put("courses/1/a.zip", [b"x"])
            store.replace("runs/report.json", b"{}")
    finally:
        os.umask(old)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "canvas").rglob("*")}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o640}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o750}


def test_a_folder_that_is_a_link_is_neither_read_nor_written_through(
    server: SftpServer, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    (outside / "1").mkdir(parents=True)
    (outside / "1" / "a.zip").write_bytes(b"theirs")
    (tmp_path / "canvas").mkdir()
    (tmp_path / "canvas" / "courses").symlink_to(outside)
    key = "courses/1/a.zip"
    with open_store(uri(server), options(server)) as store:
        assert store.stat(key) is None
        assert list(store.list()) == list(store.list("courses/1/")) == []
        with pytest.raises(ObjectNotFoundError):
            store.read(key)
        store.delete(key)
        for write in (
            lambda: store.put("courses/1/b.zip", [b"x"]),
            lambda: store.put_if_absent("courses/1/b.json", b"x"),
            lambda: store.replace(key, b"x"),
        ):
            with pytest.raises(ArchiveDeniedError, match="a link is on the way, and is not followed"):
                write()
        assert store.sweep(timedelta(0)) == []
    assert {path.name for path in outside.rglob("*")} == {"1", "a.zip"}
    assert (outside / "1" / "a.zip").read_bytes() == b"theirs"


@pytest.mark.parametrize("target", ["theirs.zip", "nothing"])
def test_a_key_that_is_a_link_is_no_object_and_is_not_written_through(
    server: SftpServer, tmp_path: Path, target: str
) -> None:
    (tmp_path / "theirs.zip").write_bytes(b"theirs")
    (tmp_path / "canvas").mkdir()
    (tmp_path / "canvas" / "a.zip").symlink_to(tmp_path / target)
    with open_store(uri(server), options(server)) as store:
        assert store.stat("a.zip") is None
        with pytest.raises(ObjectNotFoundError):
            store.read("a.zip")
        with pytest.raises(ArchiveDeniedError, match=r"what is called a\.zip there is no file; move it away"):
            store.put("a.zip", [b"ours"])
        store.delete("a.zip")
    assert (tmp_path / "canvas" / "a.zip").is_symlink()
    assert (tmp_path / "theirs.zip").read_bytes() == b"theirs"
    assert not (tmp_path / "nothing").exists()


def test_an_unwritable_folder_is_named_once(server: SftpServer, tmp_path: Path) -> None:
    with open_store(uri(server), options(server)) as store:
        store.put("courses/1/a.zip", [b"x"])
        server.refused.add(str(tmp_path / "canvas" / "courses" / "1"))
        with pytest.raises(ArchiveDeniedError) as raised:
            store.put("courses/1/b.zip", [b"x"])
    place = f"sftp://127.0.0.1:{server.port}/canvas/courses/1"
    assert f"cannot store in {place}: no permission" in str(raised.value)
    assert str(raised.value).count(place) == 1


def test_a_server_that_kept_less_than_it_accepted_is_not_believed(server: SftpServer, tmp_path: Path) -> None:
    server.keeps = 999
    with open_store(uri(server), options(server)) as store:
        with pytest.raises(ArchiveUnavailableError, match="did not keep"):
            store.put("a.zip", [b"x" * 1000])
        assert list(store.list()) == []
    assert list((tmp_path / "canvas").iterdir()) == []
