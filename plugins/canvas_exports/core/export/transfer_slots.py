"""Limit how many packages move at once: a few large ones, or many small ones.

A large package needs bandwidth, and a few of them fill a line. A small package needs a dozen responses of Canvas and of the
store and next to no bandwidth, so dozens of them can wait for the network together. Sizes are not known beforehand: a batch
begins with a few transfers, and each package that was small allows one more.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from canvas_exports.core.storage.buffers import is_small

SMALL_FOR_A_LARGE = 16  # small packages at once for each large one that may move
_CHECK_CANCELLED = 1.0  # seconds between two checks whether the transfers were cancelled


class TransferSlots:
    """Limit concurrent transfers by the size of packages. Safe between threads.

    Args:
        large: packages of more than a mebibyte that may move at once.

    Attributes:
        max_width: upper limit of ``width``.
    """

    def __init__(self, large: int) -> None:
        self.max_width = large * SMALL_FOR_A_LARGE
        self._width = large
        self._large = threading.BoundedSemaphore(large)
        self._lock = threading.Lock()

    @property
    def width(self) -> int:
        """Return how many transfers may be under way now, including those that wait for a slot."""
        return self._width

    @contextmanager
    def slot(self, size: int | None, cancelled: threading.Event) -> Iterator[None]:
        """Hold a slot for one package of ``size`` bytes; ``None`` counts as large.

        A small package gets its slot at once, a large one may wait. Goes on without a slot when ``cancelled`` is set: the
        transfer is about to find out by itself.
        """
        if is_small(size):
            yield
            with self._lock:
                self._width = min(self._width + 1, self.max_width)
            return
        while not (acquired := self._large.acquire(timeout=_CHECK_CANCELLED)) and not cancelled.is_set():
            continue
        try:
            yield
        finally:
            if acquired:
                self._large.release()
