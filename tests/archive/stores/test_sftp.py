"""SFTP beyond the conformance suite: who is talked to, and what happens when the connection ends."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import paramiko
import pytest
from tests.archive.stores.sftp_server import PASSWORD, USER, SftpServer

from canvas_exports.archive.credentials import StoreOptions
from canvas_exports.archive.opening import check_writable, open_store
from canvas_exports.archive.stores import sftp
from canvas_exports.errors import ArchiveDeniedError, InputError


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


def test_rsa_keys_are_known_by_all_their_algorithms() -> None:
    assert sftp._algorithms("ssh-rsa") == ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa")
    assert sftp._algorithms("ssh-ed25519") == ("ssh-ed25519",)
