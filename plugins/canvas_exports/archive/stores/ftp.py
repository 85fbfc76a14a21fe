"""FTP and FTPS."""

from __future__ import annotations

import ftplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from typing import Any
from urllib.parse import quote

from canvas_exports.archive.capabilities import Capabilities
from canvas_exports.archive.credentials import StoreOptions
from canvas_exports.archive.stores.remote import Remote, RemoteFile, no_matter

DEFAULT_PORT = 21
_NOT_LOGGED_IN = "530"


class Ftp(Remote):
    """One server. Every operation opens its own connection: servers hang up on idle ones."""

    capabilities = Capabilities(one_winner=False, ranges=False)

    def __init__(
        self, scheme: str, host: str, port: int | None, username: str | None, options: StoreOptions
    ) -> None:
        self._scheme = scheme
        self._host = host
        self._port = port or DEFAULT_PORT
        self._username = options.username or username or "anonymous"
        self._password = options.password or ""

    def uri(self, path: str) -> str:
        """With user and password: smart_open takes them from nowhere else. It is not kept, logged or shown."""
        user, password = quote(self._username, safe=""), quote(self._password, safe="")
        return f"{self._scheme}://{user}:{password}@{self._host}:{self._port}{quote(path)}"

    def opened(self, stream: Any) -> None:
        """A server that is silent for so long is gone."""
        stream.socket.settimeout(self.TIMEOUT)
        stream.conn.sock.settimeout(self.TIMEOUT)

    def stat(self, path: str) -> RemoteFile | None:
        """``SIZE`` and ``MDTM``."""
        with self._connected() as ftp:
            return _stat(ftp, path)

    def walk(
        self, folder: str, enters: Callable[[str], bool] = bool, odd: Callable[[str, str], None] = no_matter
    ) -> Iterator[RemoteFile]:
        """``NLST``, ``SIZE`` and ``MDTM``: old servers know no ``MLSD``."""
        with self._connected() as ftp:
            try:
                names = ftp.nlst(folder)
            except ftplib.error_perm:
                return
            found = {
                name: _stat(ftp, f"{folder}/{name}") for name in sorted({n.rpartition("/")[2] for n in names})
            }
        for name, file in found.items():
            if file is not None:
                yield file
            elif name not in (".", "..", "") and enters(f"{folder}/{name}"):
                yield from self.walk(f"{folder}/{name}", enters, odd)

    def make_folder(self, path: str) -> None:
        """``MKD`` for each folder on the way; if one cannot be made, storing into it will fail."""
        parts = path.strip("/").split("/")
        with self._connected() as ftp:
            for depth in range(1, len(parts) + 1):
                with suppress(ftplib.error_perm):
                    ftp.mkd("/" + "/".join(parts[:depth]))

    def rename(self, old: str, new: str) -> None:
        """``RNFR`` and ``RNTO``, after a look: servers replace a file without a word."""
        with self._connected() as ftp:
            if _stat(ftp, new) is not None:
                raise FileExistsError(new)
            ftp.rename(old, new)

    def replace(self, old: str, new: str) -> None:
        """``RNTO`` over the old file, or after its ``DELE`` where the server refuses."""
        with self._connected() as ftp:
            try:
                ftp.rename(old, new)
            except ftplib.error_perm:
                ftp.delete(new)
                ftp.rename(old, new)

    def delete(self, path: str) -> None:
        """``DELE``."""
        with self._connected() as ftp:
            if _stat(ftp, path) is not None:
                ftp.delete(path)

    def is_denied(self, error: Exception) -> bool:
        """Not logged in, not allowed, or a certificate that cannot be trusted."""
        return isinstance(error, ftplib.error_perm | ssl.SSLCertVerificationError)

    @contextmanager
    def _connected(self) -> Iterator[ftplib.FTP]:
        secure = self._scheme == "ftps"
        ftp = (
            ftplib.FTP_TLS(context=ssl.create_default_context(), timeout=self.TIMEOUT)  # noqa: S321 - an admin who has nothing else asks for it by name
            if secure
            else ftplib.FTP(timeout=self.TIMEOUT)  # noqa: S321 - as above
        )
        with ftp:
            ftp.connect(self._host, self._port)
            ftp.login(self._username, self._password)
            if isinstance(ftp, ftplib.FTP_TLS):
                ftp.prot_p()
            ftp.voidcmd("TYPE I")
            yield ftp


def _stat(ftp: ftplib.FTP, path: str) -> RemoteFile | None:
    try:
        ftp.voidcmd("TYPE I")  # NLST switches to text, and SIZE of text is refused
        size = ftp.size(path)
        changed = ftp.voidcmd(f"MDTM {path}")
    except ftplib.error_perm as error:
        if str(error).startswith(_NOT_LOGGED_IN):
            raise
        return None
    modified = datetime.strptime(changed.split()[1][:14], "%Y%m%d%H%M%S").replace(tzinfo=timezone.utc)
    return RemoteFile(path, size or 0, modified)
