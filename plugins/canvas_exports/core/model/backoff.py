"""How long to wait before a request is repeated."""

from __future__ import annotations

import random
from collections.abc import Iterator

_FIRST, _LONGEST = 0.2, 15.0  # seconds; those of obstore's own client


def pauses(retries: int) -> Iterator[float | None]:
    """A pause in seconds for each repetition that is left, doubling, with jitter; ``None`` in the end: no more."""
    for attempt in range(retries):
        yield min(_LONGEST, _FIRST * 2**attempt) * random.uniform(0.5, 1.5)  # noqa: S311 - no secret
    yield None
