"""How much work a package may make: counted, not timed, so that the same package is judged alike on every machine."""

from __future__ import annotations

import time

from canvas_exports.core.storage.buffers import MiB
from canvas_exports.errors import HostileXmlError

# One unit is some ten nanoseconds of one processor: a byte of XML that is looked at.
ELEMENT = 200
ATTRIBUTE = 40
MENDED_BYTE = 4
REFERENCE = 300

# Dense XML makes five units a byte, and zips pack it to a thirtieth: 150 units a byte of a package.
_AT_LEAST = 500_000_000
_PER_BYTE = 1_000

# Where counting should be wrong: processor time, on a machine five times slower than the slowest it was measured on.
_SECONDS_AT_LEAST = 60.0
_SECONDS_PER_MIB = 60.0
_LOOK_EVERY = 10_000_000


class Work:
    """What may still be done for one package; to be used in the thread that made it.

    Args:
        size: bytes of the package.
        share: of what may be done for a package.
    """

    def __init__(self, size: int = 0, share: float = 1.0) -> None:
        self.size = size
        self.left = int(share * (_AT_LEAST + _PER_BYTE * size))
        self._seconds = _SECONDS_AT_LEAST + _SECONDS_PER_MIB * size / MiB
        self._began = time.thread_time()
        self._next_look = max(self.left - _LOOK_EVERY, 0)

    def spend(self, units: int, name: str) -> None:
        """Count what is done next, for a document.

        Raises:
            HostileXmlError: the package makes more work than any course.
        """
        self.left -= units
        if self.left < self._next_look:
            self._look(name)

    def _look(self, name: str) -> None:
        self._next_look = max(self.left - _LOOK_EVERY, 0)
        if self.left < 0 or time.thread_time() - self._began > self._seconds:
            self._next_look = self.left
            raise HostileXmlError(
                f"{name}: to read on would take more work than the documents of any course of this size do"
            )
