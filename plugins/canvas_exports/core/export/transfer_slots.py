"""How many packages move at once: a few large ones, and many small ones.

A large package needs bandwidth; a few of them fill a line. A small one needs a dozen answers of Canvas and of the store,
and next to no bandwidth: it waits for the network, so dozens of them can wait together. Nobody knows beforehand which
are small. So a batch begins with a few, and every package that has proven to be small makes room for one more.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from canvas_exports.core.storage.buffers import is_small

SMALL_FOR_A_LARGE = 16  # small packages at once for each large one that may move
_LOOK_UP = 1.0  # seconds after which someone who waits for a lane sees that the transfers were cancelled


class Lanes:
    """Safe between threads.

    Args:
        large: packages of more than a mebibyte that may move at once.

    Attributes:
        most: transfers that will ever be under way at once.
    """

    def __init__(self, large: int) -> None:
        self.most = large * SMALL_FOR_A_LARGE
        self._open = large
        self._large = threading.BoundedSemaphore(large)
        self._lock = threading.Lock()

    @property
    def open(self) -> int:
        """Transfers that may be under way now, those included that wait for a lane."""
        return self._open

    @contextmanager
    def lane(self, size: int | None, cancelled: threading.Event) -> Iterator[None]:
        """Room to move one package of so many bytes. A small one has it at once; a large one may wait for it.

        Goes on without room when ``cancelled`` is set: the transfer is about to find out by itself.
        """
        if is_small(size):
            yield
            with self._lock:
                self._open = min(self._open + 1, self.most)
            return
        while not (got := self._large.acquire(timeout=_LOOK_UP)) and not cancelled.is_set():
            continue
        try:
            yield
        finally:
            if got:
                self._large.release()
