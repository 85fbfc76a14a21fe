"""An SFTP server over a folder of this machine."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import paramiko
from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL, OPEN_SUCCEEDED
from paramiko.sftp import SFTP_OK, SFTP_PERMISSION_DENIED

USER, PASSWORD = "backup", "correct horse"


class _Login(paramiko.ServerInterface):
    def __init__(self, server: SftpServer) -> None:
        self._server = server

    def check_auth_publickey(self, _username: str, key: paramiko.PKey) -> int:
        accepted: int = AUTH_SUCCESSFUL if key in self._server.accepted_keys else AUTH_FAILED
        return accepted

    def check_auth_password(self, username: str, password: str) -> int:
        self._server.logins.append(username)
        accepted = (username, password) == (USER, PASSWORD)
        return AUTH_SUCCESSFUL if accepted else AUTH_FAILED

    def get_allowed_auths(self, _username: str) -> str:
        return "password,publickey"

    def check_channel_request(self, _kind: str, _chanid: int) -> int:
        self._server.count_channels()
        return OPEN_SUCCEEDED


class _Handle(paramiko.SFTPHandle):
    keeps: int | None = None  # bytes of the file, once it is closed; all

    def close(self) -> None:
        if self.keeps is not None:
            self.writefile.truncate(self.keeps)  # type: ignore[attr-defined]
        super().close()

    def stat(self) -> paramiko.SFTPAttributes:
        return paramiko.SFTPAttributes.from_stat(os.fstat(self.writefile.fileno()))  # type: ignore[attr-defined]

    def chattr(self, attr: paramiko.SFTPAttributes) -> int:
        os.fchmod(self.writefile.fileno(), attr.st_mode or 0)  # type: ignore[attr-defined]
        return SFTP_OK


def _sftp_files(server: SftpServer) -> type[paramiko.SFTPServerInterface]:
    """A server that keeps to version 3 of the protocol: plain rename never replaces."""

    def answer(error: OSError) -> int:
        return paramiko.SFTPServer.convert_errno(error.errno or 0)

    class Files(paramiko.SFTPServerInterface):
        def _real(self, path: str) -> str:
            return str(server.root) + self.canonicalize(path)

        def list_folder(self, path: str) -> list[paramiko.SFTPAttributes] | int:
            try:
                return [
                    paramiko.SFTPAttributes.from_stat(entry.stat(follow_symlinks=False), entry.name)
                    for entry in os.scandir(self._real(path))
                ]
            except OSError as error:
                return answer(error)

        def stat(self, path: str) -> paramiko.SFTPAttributes | int:
            try:
                return paramiko.SFTPAttributes.from_stat(Path(self._real(path)).stat())
            except OSError as error:
                return answer(error)

        def lstat(self, path: str) -> paramiko.SFTPAttributes | int:
            try:
                return paramiko.SFTPAttributes.from_stat(Path(self._real(path)).lstat())
            except OSError as error:
                return answer(error)

        def chattr(self, path: str, attr: paramiko.SFTPAttributes) -> int:
            return self._try(lambda real: Path(real).chmod(attr.st_mode or 0), path)

        def open(self, path: str, flags: int, _attr: object) -> paramiko.SFTPHandle | int:
            if flags & os.O_WRONLY and self._real(path).startswith(tuple(server.refused)):
                return SFTP_PERMISSION_DENIED
            try:
                file = os.fdopen(
                    os.open(self._real(path), flags, 0o666), "wb" if flags & os.O_WRONLY else "rb"
                )
            except OSError as error:
                return answer(error)
            handle = _Handle(flags)
            if flags & os.O_WRONLY:
                handle.keeps = server.keeps
            handle.readfile = handle.writefile = file  # type: ignore[attr-defined]
            return handle

        def remove(self, path: str) -> int:
            return self._try(os.remove, path)

        def mkdir(self, path: str, attr: paramiko.SFTPAttributes) -> int:
            return self._try(lambda real: Path(real).mkdir(attr.st_mode or 0o777), path)

        def rename(self, old: str, new: str) -> int:
            linked = self._try(os.link, old, new)  # as OpenSSH: in one step, and never over another file
            return self._try(os.unlink, old) if linked == SFTP_OK else linked

        def posix_rename(self, old: str, new: str) -> int:
            return self._try(os.replace, old, new)

        def _try(self, call: Callable[..., object], *paths: str) -> int:
            try:
                call(*map(self._real, paths))
            except OSError as error:
                return answer(error)
            return SFTP_OK

    return Files


class SftpServer:
    """Knows a user with a password, and keeps count of who tried to log in and of the channels that were open.

    ``refused``: paths of this machine below which nobody may write. ``keeps``: bytes that are left of each written file.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.refused: set[str] = set()
        self.keeps: int | None = None
        self.key = paramiko.ECDSAKey.generate()
        self._files = _sftp_files(self)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._transports: list[paramiko.Transport] = []
        self.more_keys: list[paramiko.PKey] = []
        self.accepted_keys: list[paramiko.PKey] = []
        self.logins: list[str] = []
        self.most_channels = 0
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def host_key(self) -> str:
        return f"{self.key.get_name()} {self.key.get_base64()}"

    def count_channels(self) -> None:
        open_now = max(len(transport._channels.values()) for transport in self._transports)  # type: ignore[attr-defined]
        self.most_channels = max(self.most_channels, open_now)

    def hang_up(self) -> None:
        for transport in self._transports:
            transport.close()

    def close(self) -> None:
        # shutdown() wakes the thread that waits in accept(); close() alone would leave it there.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                transport = paramiko.Transport(connection)
                for key in (self.key, *self.more_keys):
                    transport.add_server_key(key)
                transport.set_subsystem_handler("sftp", paramiko.SFTPServer, self._files)
                self._transports.append(transport)
                with suppress(paramiko.SSHException, EOFError):
                    transport.start_server(threading.Event(), _Login(self))
