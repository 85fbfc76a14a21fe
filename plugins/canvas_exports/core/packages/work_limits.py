"""Limit the work that a package may cause: counted, not timed, so that the result is the same on every machine."""

from __future__ import annotations

import time

from canvas_exports.core.storage.buffers import MiB
from canvas_exports.errors import HostileXmlError

# One unit is about ten nanoseconds of one processor: the time to read one byte of XML.
ELEMENT = 200
ATTRIBUTE = 40
RECOVERED_BYTE = 4
REFERENCE = 300

# Dense XML takes five units a byte, and zips compress it to a thirtieth: 150 units a byte of a package.
_AT_LEAST = 500_000_000
_PER_BYTE = 1_000

# In case the counts are wrong, processor time is limited, too: for a machine five times slower than the slowest measured.
_SECONDS_AT_LEAST = 60.0
_SECONDS_PER_MIB = 60.0
_CHECK_EVERY = 10_000_000


class WorkLimit:
    """The work that is left for one package. Use it only in the thread that created it.

    Args:
        size: size of the package in bytes.
        share: fraction of the limit of a package of this size.
        units: the limit itself, instead of the one for the size.
        seconds: limit of processor time, instead of the one for the size.
        check_every: units between two readings of the clock.
    """

    def __init__(
        self,
        size: int = 0,
        share: float = 1.0,
        *,
        units: int | None = None,
        seconds: float | None = None,
        check_every: int = _CHECK_EVERY,
    ) -> None:
        self.size = size
        self.left = int(share * (_AT_LEAST + _PER_BYTE * size)) if units is None else units
        self._seconds = _SECONDS_AT_LEAST + _SECONDS_PER_MIB * size / MiB if seconds is None else seconds
        self._check_every = check_every
        self._began = time.thread_time()
        self._next_check = max(self.left - check_every, 0)

    def spend(self, units: int, name: str) -> None:
        """Count the work of a step before it is done.

        Args:
            units: work of the step.
            name: document that it is done for.

        Raises:
            HostileXmlError: the package needs more work than any course.
        """
        self.left -= units
        if self.left < self._next_check:
            self._check(name)

    def _check(self, name: str) -> None:
        self._next_check = max(self.left - self._check_every, 0)
        if self.left < 0 or time.thread_time() - self._began > self._seconds:
            self._next_check = self.left
            raise HostileXmlError(
                f"{name}: to read on would take more work than the documents of any course of this size do"
            )
