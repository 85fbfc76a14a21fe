"""An FTP server over a folder of this machine."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.archive.stores.sftp_server import PASSWORD, USER


class _FtpSession(socketserver.StreamRequestHandler):
    """Enough of RFC 959 and 3659 for ftplib, and no MLSD: like the most common server."""

    server: FtpServer

    def handle(self) -> None:
        self._name = self._renamed = ""
        self._data = socket.socket()
        self._say("220 ready")
        for line in self.rfile:
            verb, _, argument = line.decode().strip().partition(" ")
            if verb == "QUIT":
                self._say("221 bye")
                break
            try:
                getattr(self, f"_{verb.lower()}", self._unknown)(argument)
            except OSError:
                self._data.close()
                self._say("550 no")
        self._data.close()

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def _real(self, path: str) -> Path:
        return self.server.root / path.strip("/")

    def _unknown(self, _: str) -> None:
        self._say("502 not here")

    def _user(self, name: str) -> None:
        self._name = name
        self._say("331 and?")

    def _pass(self, password: str) -> None:
        self._say("230 in" if (self._name, password) == (USER, PASSWORD) else "530 no")

    def _type(self, _: str) -> None:
        self._say("200 ok")

    def _pasv(self, _: str) -> None:
        self._data.close()
        self._data = socket.create_server(("127.0.0.1", 0))
        high, low = divmod(self._data.getsockname()[1], 256)
        self._say(f"227 (127,0,0,1,{high},{low})")

    @contextmanager
    def _transfer(self) -> Iterator[socket.socket]:
        self._say("150 go")
        connection, _ = self._data.accept()
        self._data.close()
        with connection:
            yield connection
        self._say("226 done")

    def _stor(self, path: str) -> None:
        # "226" is a promise: it is said when the file has all bytes, so they are not kept in a buffer until then.
        with self._real(path).open("wb", buffering=0) as file, self._transfer() as connection:
            while data := connection.recv(1 << 16):
                file.write(data)

    def _retr(self, path: str) -> None:
        with self._real(path).open("rb") as file, suppress(ConnectionError), self._transfer() as connection:
            connection.sendfile(file)

    def _nlst(self, path: str) -> None:
        names = sorted(entry.name for entry in self._real(path).iterdir())
        with self._transfer() as connection:
            connection.sendall("".join(f"{path}/{name}\r\n" for name in names).encode())

    def _size(self, path: str) -> None:
        real = self._real(path)
        self._say(f"213 {real.stat().st_size}" if real.is_file() else "550 no file")

    def _mdtm(self, path: str) -> None:
        self._say(time.strftime("213 %Y%m%d%H%M%S", time.gmtime(self._real(path).stat().st_mtime)))

    def _mkd(self, path: str) -> None:
        self._real(path).mkdir()
        self._say("257 made")

    def _rnfr(self, path: str) -> None:
        self._renamed = path
        self._say("350 to?")

    def _rnto(self, path: str) -> None:
        self._real(self._renamed).replace(self._real(path))
        self._say("250 renamed")

    def _dele(self, path: str) -> None:
        self._real(path).unlink()
        self._say("250 gone")


class FtpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), _FtpSession)
        self.root = root
        threading.Thread(target=self.serve_forever, args=[0.01], daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def close(self) -> None:
        self.shutdown()
        self.server_close()
