"""SFTP, with the server's key checked before anything is sent to it."""

from __future__ import annotations

import io
import stat as modes
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from canvas_exports.core.storage.options import StoreOptions
from canvas_exports.errors import InputError

if TYPE_CHECKING:
    import paramiko

DEFAULT_PORT = 22
_FILE_MODE, _FOLDER_MODE = 0o640, 0o750
_PIECE = 32 * 1024  # what every server answers in one message
_TIMEOUT = 60  # seconds a server may take to answer


@dataclass(frozen=True)
class RemoteFile:
    """A file: absolute path, size in bytes, time of its last change (UTC)."""

    path: str
    size: int
    modified: datetime


class LinkError(PermissionError):
    """A link lies where a folder below the archive's root should be. It is not followed."""


class OccupiedError(PermissionError):
    """A link, a folder or a pipe has the name of an object."""


class Sftp:
    """Carry out the file operations of one server. Paths are absolute. Used by several threads at once.

    smart_open opens its own connection for streams; it is held to the same host key. Left to itself smart_open accepts any
    server, and sends it the password.

    Errors are paramiko's own; ``is_denied`` finds refusals among them.
    """

    def __init__(self, host: str, port: int | None, username: str | None, options: StoreOptions) -> None:
        try:
            import paramiko  # noqa: PLC0415 - optional, and slow to import
        except ImportError:
            raise InputError(
                "archive", "sftp:// needs paramiko; install airflow-provider-canvas-exports[sftp]"
            ) from None
        self._api = paramiko
        self._host = host
        self._port = port or DEFAULT_PORT
        self._username = options.username or username
        known_as = host if self._port == DEFAULT_PORT else f"[{host}]:{self._port}"
        self._connect: dict[str, Any] = {
            "timeout": _TIMEOUT,
            "banner_timeout": _TIMEOUT,
            "auth_timeout": _TIMEOUT,
            "transport_factory": _checking(_known_keys(paramiko, known_as, options), known_as),
            **_identity(paramiko, options),
        }
        self._password = options.password
        self._lock = threading.RLock()
        self._client: paramiko.SSHClient | None = None
        self._files: paramiko.SFTPClient | None = None
        self._streams: set[paramiko.Transport] = set()
        self._known: set[str] = set()  # folders that are no links

    def uri(self, path: str) -> str:
        """Return the file's URI for smart_open, without user and password, which ``parameters`` holds."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"sftp://{host}:{self._port}{quote(path)}"

    def parameters(self) -> dict[str, Any]:
        """Return smart_open's ``transport_params``: user, password, and how the server is checked."""
        return {"user": self._username, "password": self._password, "connect_kwargs": self._connect}

    def take(self, stream: Any, length: int) -> bytes:
        """Read the next bytes of a stream, at most so many; none at its end.

        All pieces are asked for at once: one by one, each would wait for its answer.
        """
        start, stop = stream.tell(), min(stream.tell() + length, stream.stat().st_size)
        data = b"".join(stream.readv([(at, min(_PIECE, stop - at)) for at in range(start, stop, _PIECE)]))
        stream.seek(start + len(data))
        return data

    def opened(self, stream: Any) -> None:
        """Send without waiting: otherwise every 32 KiB wait for an answer, at 1 MB/s. Mode 0640 where the server has modes."""
        if stream.writable():
            with suppress(OSError):
                stream.chmod(_FILE_MODE)
            stream.set_pipelined(True)

    def closed(self, stream: Any) -> None:
        """Close the channel: smart_open opens one for each file and leaves it open, and servers allow ten."""
        channel = stream.sftp.get_channel()
        self._streams.add(channel.get_transport())
        channel.close()

    def stat(self, path: str) -> RemoteFile | None:
        """Look up a file; ``None`` if there is none: a folder is not one, nor is a link. ``SSH_FXP_LSTAT``."""
        with self._lock:
            try:
                return _file(path, self._sftp().lstat(path))
            except FileNotFoundError:
                return None

    def walk(
        self, folder: str, opens: Callable[[str], bool], report: Callable[[str, str], None]
    ) -> Iterator[RemoteFile]:
        """Yield files, folder by folder, without following links. ``SSH_FXP_READDIR``.

        Args:
            folder: where to begin; nothing is listed if there is no such folder.
            opens: returns whether to open the folder with a path.
            report: called with the path of each entry that is neither file nor folder, or a folder that cannot be read, and the
                reason.
        """
        waiting = [folder]
        while waiting:
            here = waiting.pop()
            with self._lock:
                try:
                    entries = self._sftp().listdir_attr(here)
                except FileNotFoundError:
                    continue
                except PermissionError:
                    if here == folder:
                        raise
                    report(here, "it cannot be read")
                    continue
            folders = []
            for entry in entries:
                path = f"{here}/{entry.filename}"
                if "/" in entry.filename or entry.filename in ("", ".", ".."):
                    continue  # of no honest server
                if modes.S_ISDIR(entry.st_mode or 0):
                    folders.append(path)
                elif (found := _file(path, entry)) is not None:
                    yield found
                else:
                    report(
                        path, "it is a link" if modes.S_ISLNK(entry.st_mode or 0) else "it is no plain file"
                    )
            waiting.extend(filter(opens, sorted(folders, reverse=True)))

    def check_folders(self, root: str, path: str) -> None:
        """Check each folder between the root and a file once: ``LinkError`` if one is a link. ``SSH_FXP_LSTAT``.

        The protocol cannot open one folder in the other.
        """
        folder, checked = path.rpartition("/")[0], set()
        while len(folder) > len(root) and folder not in self._known:
            with self._lock, suppress(FileNotFoundError):
                if modes.S_ISLNK(self._sftp().lstat(folder).st_mode or 0):
                    raise LinkError
                checked.add(folder)
            folder = folder.rpartition("/")[0]
        self._known |= checked  # only now: each of those above them is a folder, too

    def make_folder(self, path: str) -> None:
        """Make each folder that is missing, with mode 0750 where the server has modes. ``SSH_FXP_MKDIR``."""
        with self._lock:
            sftp = self._sftp()
            parts = path.strip("/").split("/")
            for depth in range(1, len(parts) + 1):
                folder = "/" + "/".join(parts[:depth])
                try:
                    sftp.stat(folder)
                except FileNotFoundError:
                    # Another thread or worker may be making it too.
                    with suppress(OSError):
                        sftp.mkdir(folder, _FOLDER_MODE)
                        sftp.chmod(folder, _FOLDER_MODE)  # the server's umask was applied before

    def rename(self, old: str, new: str) -> None:
        """Rename a file; ``FileExistsError`` if the new name is taken. ``SSH_FXP_RENAME``."""
        with self._lock:
            try:
                self._sftp().rename(old, new)
            except OSError:
                if self.stat(new) is not None:
                    raise FileExistsError(new) from None
                with suppress(FileNotFoundError):
                    self._sftp().lstat(new)
                    raise OccupiedError from None
                raise

    def replace(self, old: str, new: str) -> None:
        """Rename over the old file, in one step. ``posix-rename@openssh.com``."""
        with self._lock:
            self._sftp().posix_rename(old, new)

    def delete(self, path: str) -> None:
        """Delete a plain file; anything else stays. ``SSH_FXP_REMOVE``, after a look-up."""
        with self._lock, suppress(FileNotFoundError):
            if self.stat(path) is not None:
                self._sftp().remove(path)

    def is_denied(self, error: Exception) -> bool:
        """Return whether the login or a right was refused, or the server is not the known one."""
        kinds = (
            PermissionError,
            self._api.AuthenticationException,
            self._api.BadHostKeyException,
            UnknownHostError,
        )
        return isinstance(error, kinds)

    def close(self) -> None:
        """Close our connection, and those that smart_open keeps for ever."""
        with self._lock:
            if self._client is not None:
                self._client.close()
            for transport in self._streams:
                transport.close()
            self._client = self._files = None
            self._streams.clear()

    def _sftp(self) -> paramiko.SFTPClient:
        """Return the connection for everything but streams; opened when first needed, and again after it broke."""
        transport = None if self._client is None else self._client.get_transport()
        if self._files is None or transport is None or not transport.is_active():
            self.close()
            client = self._api.SSHClient()
            client.set_missing_host_key_policy(self._api.AutoAddPolicy)
            try:
                client.connect(self._host, self._port, self._username, self._password, **self._connect)
                self._client, self._files = client, client.open_sftp()
            except BaseException:
                client.close()
                raise
        return self._files


class UnknownHostError(Exception):
    """The server's key is not one that is known for it."""


def _known_keys(api: Any, host: str, options: StoreOptions) -> list[paramiko.PKey]:
    if options.host_key:
        try:
            entry = api.hostkeys.HostKeyEntry.from_line(f"{host} {options.host_key}")
        except api.SSHException:
            entry = None
        if entry is None or entry.key is None:
            raise InputError(
                "host_key", "not a public key", accepted="ssh-ed25519 AAAA..., as in a known_hosts file"
            )
        return [entry.key]
    path = Path(options.known_hosts or "~/.ssh/known_hosts").expanduser()
    known = api.HostKeys(str(path)) if path.exists() else api.HostKeys()
    return list((known.lookup(host) or {}).values())


def _checking(known: list[paramiko.PKey], host: str) -> Callable[..., paramiko.Transport]:
    """Return a kind of transport that ends the connection, before any credential is sent, if the server's key is not known."""
    import paramiko  # noqa: PLC0415 - optional, and slow to import

    class CheckingTransport(paramiko.Transport):
        def start_client(self, event: threading.Event | None = None, timeout: float | None = None) -> None:
            # A server has keys of several kinds and shows the one it is asked for.
            kinds = [kind for key in known for kind in _algorithms(key.get_name())]
            options = self.get_security_options()
            options.key_types = [kind for kind in options.key_types if kind in kinds] or options.key_types
            try:
                super().start_client(event, timeout)
                trusted = self.get_remote_server_key() in known
            except BaseException:
                self.sock.close()
                raise
            if not trusted:
                self.close()
                self.sock.close()
                raise UnknownHostError(f"{host} shows a key that is not known for it")

    return CheckingTransport


def _algorithms(kind: str) -> tuple[str, ...]:
    return ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa") if kind == "ssh-rsa" else (kind,)


def _identity(api: Any, options: StoreOptions) -> dict[str, Any]:
    """Return how to log in: with the given key, the given password, or the keys of the user's agent and files."""
    if options.private_key:
        for kind in (api.Ed25519Key, api.ECDSAKey, api.RSAKey):
            with suppress(api.SSHException):
                key = kind.from_private_key(io.StringIO(options.private_key), options.passphrase)
                return {"pkey": key, "look_for_keys": False, "allow_agent": False}
        raise InputError(
            "private_key", "not a private key that paramiko can read", accepted="Ed25519, ECDSA or RSA"
        )
    if options.key_file:
        return {"key_filename": options.key_file, "passphrase": options.passphrase}
    if options.password:
        return {"look_for_keys": False, "allow_agent": False}
    return {}


def _file(path: str, found: paramiko.SFTPAttributes) -> RemoteFile | None:
    """Return a plain file; from a server without modes, any entry."""
    if found.st_mode and not modes.S_ISREG(found.st_mode):
        return None
    return RemoteFile(path, found.st_size or 0, datetime.fromtimestamp(found.st_mtime or 0, timezone.utc))
