"""A package over several connections at once, handed on in order.

Worth it where every connection is throttled, as some storage and many firewalls do it. Elsewhere one connection is as
fast, and this costs requests. Every part lies in a block of its own of the caller's memory, which is taken in order and
never waited for while another one is held: so packages cannot block each other, and memory stays what the caller allows.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import Any, Protocol

from canvas_exports.canvas.wire import Stream
from canvas_exports.errors import DownloadError

_STEP = 1024 * 1024  # bytes between two looks at whether anybody still wants them


class Space(Protocol):
    """Memory of the caller that bytes are written to in place."""

    def part(self) -> memoryview:
        """Where the next bytes go, in order: at least one."""

    def whole(self, *, wait: bool) -> memoryview | None:
        """A block for later bytes, to be yielded when it is their turn, or given up. ``None``: not without waiting."""

    def give_up(self, whole: memoryview) -> None:
        """Nobody will write to this block any more, and it will not be yielded."""


class OneBuffer:
    """The space of a caller that brings none: one buffer, filled again and again.

    Args:
        size: bytes.
    """

    def __init__(self, size: int) -> None:
        self._buffer = memoryview(bytearray(size))

    def part(self) -> memoryview:
        """The buffer."""
        return self._buffer

    def whole(self, *, wait: bool) -> None:
        """There is no other."""

    def give_up(self, whole: memoryview) -> None:
        """Nothing was taken."""


class Parts:
    """The parts of one package.

    Args:
        size: of the package, in bytes.
        space: where they lie.
        open_part: opens the bytes from a start to a stop, from any thread. ``None`` if storage does not serve them, or
            has another package by now.
        attempts: how often in a row a part may break without bringing anything.
        pause: waits before the next attempt; told how many have failed.
    """

    def __init__(
        self,
        size: int,
        space: Space,
        open_part: Callable[[int, int], Stream | None],
        *,
        attempts: int,
        pause: Callable[[int], Any],
    ) -> None:
        self._size = size
        self._space = space
        self._open_part = open_part
        self._attempts = attempts
        self._pause = pause
        self._unwanted = threading.Event()

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
                            block = self._space.whole(wait=not waiting)
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
                self._unwanted.set()
                for fetched, _, _ in waiting:
                    fetched.cancel()
                threads.shutdown()
                for body in begun.values():
                    body.close()
                for _, _, whole in waiting:
                    self._space.give_up(whole)
                if block is not None:
                    self._space.give_up(block)

    def _fetch(self, start: int, part: memoryview, body: Stream | None) -> None:
        """Fill a part; take it up where it broke."""
        filled = failures = 0
        while filled < len(part):
            body = body or self._open_part(start + filled, start + len(part))
            if body is None:
                raise DownloadError("storage no longer serves parts of the package", restart=True)
            before = filled
            with closing(body):
                while not self._unwanted.is_set() and (
                    count := read(body, part[filled : min(filled + _STEP, len(part))])
                ):
                    filled += count
            body = None
            if self._unwanted.is_set():
                return
            if filled < len(part):
                failures = 1 if filled > before else failures + 1
                if failures >= self._attempts:
                    raise DownloadError(
                        f"the bytes from {start + filled} of {self._size} broke off, again and again"
                    )
                self._pause(failures)


def read(body: Stream, view: memoryview) -> int:
    """The next bytes; 0 at the end, and where the connection breaks: the count of bytes tells the two apart."""
    try:
        return body.readinto(view) if view else 0
    except OSError:
        return 0
