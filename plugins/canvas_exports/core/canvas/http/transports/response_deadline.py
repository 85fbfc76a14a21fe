"""Answers over ``http.client`` that come within a time, not only each byte of them within one.

A socket's time-out begins anew with every byte. A server that sends one every half second would so keep a thread for days,
in the middle of a header as well as of a body.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from functools import partial
from typing import Any

import urllib3


class TimedResponse(http.client.HTTPResponse):
    """A response that has to be whole some seconds after its request was sent.

    Args:
        sock: the connection.
        silence: seconds without a byte after which it counts as broken.
        total: seconds for all of it.

    Attributes:
        is_complete: it has ended where the server itself said that it ends.
    """

    def __init__(self, sock: socket.socket, *args: Any, silence: float, total: float, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._bytes = _TimedBytes(sock, self.fp.detach(), silence, time.monotonic() + total)
        self.fp = io.BufferedReader(self._bytes)
        self.is_complete = False

    def take_your_time(self) -> None:
        """What is still to come may take as long as it wants, while something comes."""
        self._bytes.until = float("inf")

    def arrive(self, target: memoryview) -> int:
        """The next bytes, as many as come at once; 0 at the end.

        ``readinto`` waits until the target is full, and forgets what it has when the connection breaks before.

        Raises:
            OSError: the connection broke, or the time is up.
            http.client.HTTPException: what comes is not HTTP, or breaks off.
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


class _TimedBytes(io.RawIOBase):
    """What arrives on a socket, until a time."""

    def __init__(self, sock: socket.socket, raw: io.RawIOBase, silence: float, until: float) -> None:
        self._sock, self._raw, self._silence = sock, raw, silence
        self.until = until

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int | None:
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        self._sock.settimeout(min(self._silence, left))
        return self._raw.readinto(target)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


def timed(pool: urllib3.HTTPConnectionPool, *, silence: float, total: float) -> urllib3.HTTPConnectionPool:
    """The pool, all answers over which are ``TimedResponse``."""
    response: Any = staticmethod(partial(TimedResponse, silence=silence, total=total))
    pool.ConnectionCls = type("_Timed", (pool.ConnectionCls,), {"response_class": response})
    return pool
