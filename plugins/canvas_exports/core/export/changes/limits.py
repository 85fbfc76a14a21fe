"""Compute the longest time that a course goes without a real export.

``skip_unchanged: P7D`` promises that no course, active or concluded, goes more than seven days between two exports that the
rule would have skipped for ever. Three things shorten it for a course, nothing lengthens it:

* A *miss*: a forced export whose content differed although every probe was equal. Each halves the limit, until four forced
  exports without a miss have made up for it.
* Its share: courses that were first exported in one night come due spread over the last quarter of the limit, not all in one
  night.
* The largest limit there is, 30 days.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

LARGEST = timedelta(days=30)

_MAKES_UP = 4  # forced exports without a miss, for one miss
_MOST_HALVINGS = 16
_SPREAD = 0.25  # of the limit


def limit_of(course: str, longest: timedelta, *, misses: int = 0, checks: int = 0) -> timedelta:
    """Return the limit of one course.

    Args:
        course: its context, such as ``course:101``.
        longest: ``skip_unchanged`` of the backup.
        misses: misses of the course so far.
        checks: forced exports of the course so far, misses among them.
    """
    right = max(checks - misses, 0)
    halvings = min(max(misses - right // _MAKES_UP, 0), _MOST_HALVINGS)
    share = int.from_bytes(hashlib.sha256(course.encode()).digest()[:4], "big") / 2**32
    return max(min(longest, LARGEST), timedelta(0)) / (1 << halvings) * (1 - _SPREAD * share)
