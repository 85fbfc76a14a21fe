"""Put a deadline on a whole response of ``http.client``, and not only on each of its bytes.

A socket's time-out restarts with every byte. A server that sends one every half second would keep a thread for days, in
the middle of a header as well as of a body.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from functools import partial
from typing import Any

import urllib3

from canvas_exports.core.canvas.http.transports.timeouts import Timeouts


class DeadlineResponse(http.client.HTTPResponse):
    """A response that must be complete some seconds after its request was sent.

    Args:
        sock: the connection.
        silence: seconds without a byte after which it counts as broken.
        total: seconds for all of it.

    Attributes:
        is_complete: the body ended where the server announced its end.
    """

    def __init__(self, sock: socket.socket, *args: Any, silence: float, total: float, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._bytes = _DeadlineBytes(sock, self.fp.detach(), silence, time.monotonic() + total)
        self.fp = io.BufferedReader(self._bytes)
        self.is_complete = False

    def remove_deadline(self) -> None:
        """Let the rest take as long as it needs, while bytes arrive."""
        self._bytes.remove_deadline()

    def read_available(self, target: memoryview) -> int:
        """Read the next bytes, as many as arrive at once. Return their number; 0 at the end.

        ``readinto`` waits until the target is full, and loses the bytes that arrived when the connection breaks before.

        Raises:
            OSError: the connection broke, or the deadline passed.
            http.client.HTTPException: the bytes are not HTTP, or break off.
        """
        if self.isclosed() or not target:
            return 0
        if self.chunked:
            data = self.read1(len(target))
            target[: len(data)] = data
            self.is_complete = not data
            return len(data)
        wanted = target if self.length is None else target[: self.length]
        count: int = self.fp.readinto1(wanted) if wanted else 0
        if self.length is not None:
            self.length -= count
            if wanted and not count:
                raise ConnectionError("the connection broke")
        if not count or self.length == 0:
            self.is_complete = self.length == 0
            self._finish()
        return count

    def _finish(self) -> None:
        stream = self.fp
        self.fp = None  # type: ignore[assignment] # how http.client itself notes that nothing more comes
        stream.close()


class _DeadlineBytes(io.RawIOBase):
    """The bytes that arrive on a socket until a deadline."""

    def __init__(self, sock: socket.socket, raw: io.RawIOBase, silence: float, deadline: float) -> None:
        self._sock, self._raw, self._silence = sock, raw, silence
        self._deadline: float | None = deadline

    def remove_deadline(self) -> None:
        """Wait for each byte as long as the silence may last. Set once: a package takes 61,000 reads a GB over TLS."""
        self._deadline = None
        self._sock.settimeout(self._silence)

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int | None:
        if self._deadline is None:
            return self._sock.recv_into(target)
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the response took too long")
        self._sock.settimeout(min(self._silence, left))
        return self._raw.readinto(target)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


def with_deadline(pool: urllib3.HTTPConnectionPool, timeouts: Timeouts) -> urllib3.HTTPConnectionPool:
    """Make all responses over a pool ``DeadlineResponse``. Return the pool."""
    response: Any = staticmethod(partial(DeadlineResponse, silence=timeouts.read, total=timeouts.total))
    pool.ConnectionCls = type("_WithDeadline", (pool.ConnectionCls,), {"response_class": response})
    return pool
