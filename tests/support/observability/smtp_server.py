"""A mail server on the loopback interface that keeps what it is given."""

from __future__ import annotations

import socketserver
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import TracebackType


class _Dialogue(socketserver.StreamRequestHandler):
    """One client, by RFC 5321: every command is accepted."""

    server: MailServer

    def handle(self) -> None:
        self._say("220 loopback")
        while line := self.rfile.readline():
            command = line.strip().upper()
            if command.startswith(b"DATA"):
                self._say("354 go on")
                self.server.keep(b"".join(iter(self.rfile.readline, b".\r\n")))
            if command.startswith(b"QUIT"):
                self._say("221 bye")
                return
            self._say("250 ok")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


class MailServer(socketserver.ThreadingTCPServer):
    """Answers on a free port while it is open.

    Attributes:
        mails: in the order in which they came.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Dialogue)
        self.mails: list[EmailMessage] = []
        self._thread = threading.Thread(target=lambda: self.serve_forever(poll_interval=0.02), daemon=True)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def connection(self) -> dict[str, object]:
        """An Airflow connection to it."""
        extra = '{"disable_ssl": true, "disable_tls": true, "from_email": "airflow@example.edu"}'
        return {"conn_type": "smtp", "host": "127.0.0.1", "port": self.port, "extra": extra}

    def keep(self, data: bytes) -> None:
        self.mails.append(message_from_bytes(data.replace(b"\r\n..", b"\r\n."), policy=policy.default))

    def __enter__(self) -> MailServer:  # noqa: PYI034 - typing.Self is newer than Python 3.10
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()
