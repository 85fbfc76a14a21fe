"""Compute how long to wait before a request is repeated: exponential back-off with jitter."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

jitter: Callable[[], float] = random.SystemRandom().random
"""Return a random number from 0 to 1. The operating system makes it: threads share no state, nor do forked workers."""

_FIRST, _LONGEST = 0.2, 15.0  # seconds; those of obstore's own client


def backoff_delay(
    attempt: int, *, first: float, longest: float, jitter: Callable[[], float] = jitter
) -> float:
    """Return the seconds to wait before a repetition: ``first``, doubled for each attempt before, times 0.5 to 1.5.

    Args:
        attempt: number of the repetition, from 0.
        first: seconds before repetition 0, without jitter.
        longest: seconds at most, without jitter.
        jitter: returns a random number from 0 to 1.
    """
    return min(first * 2.0**attempt, longest) * (0.5 + jitter())


def backoff_delays(retries: int) -> Iterator[float | None]:
    """Yield the seconds to wait before each repetition that is left, then ``None`` for no more."""
    for attempt in range(retries):
        yield backoff_delay(attempt, first=_FIRST, longest=_LONGEST)
    yield None
