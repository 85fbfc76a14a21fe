"""A server whose response never ends: a few bytes at a time, for ever."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def dripping(begin: bytes, drop: bytes) -> Iterator[str]:
    """A server that answers with a beginning, and then some bytes every few hundredths of a second, for ever."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip(connection: socket.socket) -> None:
            with suppress(OSError), connection:
                connection.recv(65536)
                connection.sendall(begin)
                while not over.wait(0.05):
                    connection.sendall(drop)

        def serve() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=drip, args=listener.accept()[:1], daemon=True).start()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
