"""A package over several connections at once, handed on in order.

Worth it where every connection is throttled, as some storage and many firewalls do it. Elsewhere one connection is as
fast, and this costs requests. Every part lies in a block of its own of the caller's memory, which is taken in order and
never waited for while another one is held: so packages cannot block each other, and memory stays what the caller allows.
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

_STEP = 1024 * 1024  # bytes between two looks at whether anybody still wants them
_MOST_BREAKS = 100  # of one package or part, and one more for each of the bytes that follow
_BYTES_A_BREAK = 256 * 1024
_WINDOW, _LEAST = 60.0, 64 * 1024  # seconds in which fewer bytes than these are nothing

OpenPart = Callable[[int, int], Stream | None]


class Space(Protocol):
    """Memory of the caller that bytes are written to in place."""

    def free_space(self) -> memoryview:
        """Where the next bytes go, in order: at least one."""

    def acquire(self, *, wait: bool) -> memoryview | None:
        """A block for later bytes, to be yielded when it is their turn, or given up. ``None``: not without waiting."""

    def release(self, buffer: memoryview) -> None:
        """Nobody will write to this block any more, and it will not be yielded."""


class ReusedBuffer:
    """The space of a caller that brings none: one buffer, filled again and again.

    Args:
        size: bytes.
    """

    def __init__(self, size: int) -> None:
        self._buffer = memoryview(bytearray(size))

    def free_space(self) -> memoryview:
        """The buffer."""
        return self._buffer

    def acquire(self, *, wait: bool) -> None:
        """There is no other."""

    def release(self, buffer: memoryview) -> None:
        """Nothing was taken."""


class ParallelRanges:
    """The parts of one package.

    Args:
        size: of the package, in bytes.
        space: where they lie.
        open_part: opens the bytes from a start to a stop, from any thread. ``None`` if storage does not serve them, or
            has another package by now.
        line: how ``open_part`` asks and waits; called off at the end.
        peer: how often is tried.
    """

    def __init__(
        self,
        size: int,
        space: Space,
        open_part: OpenPart,
        *,
        runner: FlowRunner,
        session: CanvasSession,
    ) -> None:
        self._size = size
        self._space = space
        self._open_part = open_part
        self._runner = runner
        self._session = session

    def in_order(
        self, first: memoryview, begun: Mapping[int, Stream], connections: int
    ) -> Generator[memoryview, None, None]:
        """The package, part by part. Whatever ends the iteration also ends the connections.

        Args:
            first: the block of the first part, from ``space``.
            begun: bodies that are open already, by the offset at which they stand.
            connections: parts under way at once.

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
                            block = self._space.acquire(wait=not waiting)
                        if block is None:
                            break
                        part = block[: self._size - start]
                        fetched = threads.submit(self._fetch, start, part, begun.get(start))
                        waiting.append((fetched, part, block))
                        start, block = start + len(part), None
                    fetched, part, whole = waiting[0]
                    fetched.result()
                    waiting.popleft()
                    del whole
                    yield part
            finally:
                self._runner.stop_signal.stop()
                for fetched, _, _ in waiting:
                    fetched.cancel()
                threads.shutdown()
                for body in begun.values():
                    body.close()
                for _, _, whole in waiting:
                    self._space.release(whole)
                if block is not None:
                    self._space.release(block)

    def _fetch(self, start: int, part: memoryview, body: Stream | None) -> None:
        """Fill a part."""
        if not fetch_range(part, start, self._open_part, self._runner, self._session, body):
            raise DownloadError("storage no longer serves parts of the package", restart=True)


def fetch_range(  # noqa: PLR0917 -- one place for both ways to ask for parts
    part: memoryview,
    start: int,
    open_part: OpenPart,
    runner: FlowRunner,
    session: CanvasSession,
    body: Stream | None = None,
) -> bool:
    """Fill a part with the bytes from a start; take it up where it breaks. What has arrived is kept.

    Returns:
        ``False`` where storage does not serve them.

    Raises:
        DownloadError: bounded attempts failed.
        Stopped: the line was called off.
    """
    reconnects = ReconnectPolicy(len(part), session)
    filled = 0
    while filled < len(part):
        body = body or open_part(start + filled, start + len(part))
        if body is None:
            return False
        before = filled
        with closing(body):
            speed = StallDetector(session.clock)
            while not speed.is_stalled and filled < len(part):
                runner.stop_signal.check()
                with speed:
                    speed.got = count = read_some(body, part[filled : filled + _STEP])
                if not count:
                    break
                filled += count
        body = None
        if filled < len(part):
            pause = reconnects.after(0 if speed.is_stalled else filled - before)
            if pause is None:
                raise DownloadError(f"the bytes from {start + filled} broke off, again and again")
            runner.stop_signal.wait(pause)
    return True


class ReconnectPolicy:
    """How often a connection that broke is taken up again.

    Args:
        size: bytes that are wanted. Each break that has brought some hundred thousand of them is one more that is allowed.
        peer: how often in a row it may break without bringing anything.
    """

    def __init__(self, size: int, session: CanvasSession) -> None:
        self._most = _MOST_BREAKS + size // _BYTES_A_BREAK
        self._session = session
        self._breaks = self._stalls = 0

    def after(self, brought: int) -> float | None:
        """Seconds to wait after a break before the next connection; ``None`` to give up."""
        self._breaks += 1
        self._stalls = 0 if brought else self._stalls + 1
        if self._stalls >= self._session.attempts or self._breaks >= self._most:
            return None
        first = 0.5 if self._stalls else 0.05
        return backoff_delay(self._stalls, first=first, longest=15.0, jitter=self._session.jitter)


class StallDetector:
    """Whether a connection brings anything worth waiting for. Times the reading alone: a slow archive is not its fault.

    Attributes:
        got: bytes of the last reading, to be set within it.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._came = 0
        self._took = self._began = 0.0
        self.got = 0
        self.is_stalled = False

    def __enter__(self) -> None:
        self._began = self._clock()

    def __exit__(self, *_: object) -> None:
        self._took += self._clock() - self._began
        self._came += self.got
        if self._took >= _WINDOW:
            self.is_stalled = self._came < _LEAST
            self._came, self._took = 0, 0.0


def read_some(body: Stream, view: memoryview) -> int:
    """The next bytes; 0 at the end, and where the connection breaks: the count of bytes tells the two apart."""
    try:
        return body.readinto(view) if view else 0
    except OSError:
        return 0
