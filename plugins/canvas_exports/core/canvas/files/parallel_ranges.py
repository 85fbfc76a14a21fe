"""Download a package in ranges over several connections at once, and yield them in order.

This helps where each connection is throttled, as by some storage and many firewalls. Elsewhere one connection is as fast, and
ranges cost more requests. Every range is written to a block of the caller's memory. Blocks are acquired in order, and never
waited for while another one is in use, so packages cannot block each other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import Protocol

from canvas_exports.core.canvas.http.blocking_calls import FlowRunner
from canvas_exports.core.canvas.http.messages import Stream
from canvas_exports.core.canvas.http.session import CanvasSession
from canvas_exports.core.model.backoff import backoff_delay
from canvas_exports.errors import DownloadError

_STEP = 1024 * 1024  # bytes between two checks of the stop signal
_MOST_BREAKS, _BYTES_PER_BREAK = (
    100,
    256 * 1024,
)  # breaks allowed, and one more for so many bytes of the package
_WINDOW, _LEAST = 60.0, 64 * 1024  # a connection with fewer bytes than these in so many seconds is stalled

OpenRange = Callable[[int, int], Stream | None]


class BlockMemory(Protocol):
    """Memory of the caller to which the bytes are written."""

    def free_space(self) -> memoryview:
        """Return memory of at least one byte for the next bytes in order."""

    def acquire(self, *, wait: bool) -> memoryview | None:
        """Return a block for later bytes, to be yielded in its turn or released; ``None`` where that would mean to wait."""

    def release(self, buffer: memoryview) -> None:
        """Take back a block that is not written to any more, and will not be yielded."""


class ReusedBuffer:
    """The default memory: one buffer, filled again and again.

    Args:
        size: bytes.
    """

    def __init__(self, size: int) -> None:
        self._buffer = memoryview(bytearray(size))

    def free_space(self) -> memoryview:
        """Return the buffer."""
        return self._buffer

    def acquire(self, *, wait: bool) -> None:
        """Return ``None``: there is no other buffer."""

    def release(self, buffer: memoryview) -> None:
        """Do nothing: nothing was acquired."""


class ParallelRanges:
    """Download the ranges of one package.

    Args:
        size: of the package, in bytes.
        memory: memory for the blocks.
        open_range: opens the bytes from a start to a stop, from any thread; ``None`` if storage does not serve them, or has
            another package by now.
        runner: runs the requests of ``open_range``; stopped at the end.
        session: how often is tried.
    """

    def __init__(
        self,
        size: int,
        memory: BlockMemory,
        open_range: OpenRange,
        *,
        runner: FlowRunner,
        session: CanvasSession,
    ) -> None:
        self._size = size
        self._memory = memory
        self._open_range = open_range
        self._runner = runner
        self._session = session

    def in_order(
        self, first: memoryview, begun: Mapping[int, Stream], connections: int
    ) -> Generator[memoryview, None, None]:
        """Yield the package, block by block. The end of the iteration closes all connections.

        Args:
            first: the block of the first range, from ``memory``.
            begun: bodies that are open already, by their offset.
            connections: ranges under way at once.

        Raises:
            DownloadError: bounded attempts failed. With ``restart``, a new download may start right away.
        """
        waiting: deque[tuple[Future[None], memoryview, memoryview]] = deque()
        block: memoryview | None = first
        start = 0
        with ThreadPoolExecutor(connections, thread_name_prefix="range") as threads:
            try:
                while start < self._size or waiting:
                    while start < self._size and len(waiting) < connections:
                        if block is None:
                            block = self._memory.acquire(wait=not waiting)
                        if block is None:
                            break
                        part = block[: self._size - start]
                        download = threads.submit(self._download, start, part, begun.get(start))
                        waiting.append((download, part, block))
                        start, block = start + len(part), None
                    download, part, whole = waiting[0]
                    download.result()
                    waiting.popleft()
                    del whole
                    yield part
            finally:
                self._runner.stop_signal.stop()
                for download, _, _ in waiting:
                    download.cancel()
                threads.shutdown()
                for body in begun.values():
                    body.close()
                for _, _, whole in waiting:
                    self._memory.release(whole)
                if block is not None:
                    self._memory.release(block)

    def _download(self, start: int, part: memoryview, body: Stream | None) -> None:
        if not download_range(part, start, self._open_range, self._runner, self._session, body):
            raise DownloadError("storage no longer serves ranges of the package", restart=True)


def download_range(  # noqa: PLR0917 -- one place for both ways to ask for ranges
    part: memoryview,
    start: int,
    open_range: OpenRange,
    runner: FlowRunner,
    session: CanvasSession,
    body: Stream | None = None,
) -> bool:
    """Fill a buffer with the bytes from a start, and resume after breaks.

    Returns:
        ``False`` where storage does not serve them.

    Raises:
        DownloadError: bounded attempts failed.
        Stopped: the client was stopped.
    """
    reconnects = ReconnectPolicy(len(part), session)
    filled = 0
    while filled < len(part):
        body = body or open_range(start + filled, start + len(part))
        if body is None:
            return False
        before = filled
        with closing(body):
            stalls = StallDetector(session.clock)
            while not stalls.is_stalled and filled < len(part):
                runner.stop_signal.check()
                with stalls:
                    stalls.received = count = read_some(body, part[filled : filled + _STEP])
                if not count:
                    break
                filled += count
        body = None
        if filled < len(part):
            pause = reconnects.after(0 if stalls.is_stalled else filled - before)
            if pause is None:
                raise DownloadError(f"the bytes from {start + filled} broke off, again and again")
            runner.stop_signal.wait(pause)
    return True


class ReconnectPolicy:
    """Decides whether a connection that broke is opened again, and after how many seconds.

    Args:
        size: bytes that are wanted; a larger package may break more often.
        session: how often in a row a connection may break without a byte.
    """

    def __init__(self, size: int, session: CanvasSession) -> None:
        self._most = _MOST_BREAKS + size // _BYTES_PER_BREAK
        self._session = session
        self._breaks = self._stalls = 0

    def after(self, received: int) -> float | None:
        """Return the seconds to wait before the next connection, or ``None`` to give up."""
        self._breaks += 1
        self._stalls = 0 if received else self._stalls + 1
        if self._stalls >= self._session.attempts or self._breaks >= self._most:
            return None
        first = 0.5 if self._stalls else 0.05
        return backoff_delay(self._stalls, first=first, longest=15.0, jitter=self._session.jitter)


class StallDetector:
    """Detects a connection that brings next to nothing. Only reading is timed: a slow archive is no reason.

    Attributes:
        received: bytes of the last read, to be set within it.
        is_stalled: too few bytes came in the last period.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._came = 0
        self._took = self._began = 0.0
        self.received = 0
        self.is_stalled = False

    def __enter__(self) -> None:
        self._began = self._clock()

    def __exit__(self, *_: object) -> None:
        self._took += self._clock() - self._began
        self._came += self.received
        if self._took >= _WINDOW:
            self.is_stalled = self._came < _LEAST
            self._came, self._took = 0, 0.0


def read_some(body: Stream, view: memoryview) -> int:
    """Read the next bytes. Return 0 at the end, and where the connection breaks; the offset shows which it was."""
    try:
        return body.readinto(view) if view else 0
    except OSError:
        return 0
