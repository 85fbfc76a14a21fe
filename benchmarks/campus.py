"""The university of a night: so many courses, how long Canvas takes over each, and the least it could take over all."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

FIRST = 10_001  # the number of the first course
_FILES, _FILES_SIGMA, _MOST_FILES = 60, 1.0, 900


@dataclass(frozen=True)
class Campus:
    """A Canvas and its courses.

    Attributes:
        courses: how many.
        median: seconds, of the lognormal distribution of what one export takes.
        sigma: its spread.
        workers: exports that Canvas runs at once; the others queue.
        latency: seconds Canvas takes over a request.
        size: bytes of a package.
        seed: of the distribution.
    """

    courses: int
    median: float
    sigma: float = 0.8
    workers: int = 20
    latency: float = 0.05
    size: int = 200_000
    seed: int = 1

    def durations(self) -> dict[int, float]:
        """Seconds that the export of each course takes, by its number."""
        dice = random.Random(self.seed)  # noqa: S311 - durations, not secrets
        numbers = range(FIRST, FIRST + self.courses)
        return {number: self.median * dice.lognormvariate(0.0, self.sigma) for number in numbers}

    def files(self) -> list[int]:
        """Number of files of each course, lognormal: half have more than 60, three in ten more than fit one page."""
        dice = random.Random(self.seed + 1)  # noqa: S311 - numbers of files, not secrets
        found = (round(_FILES * dice.lognormvariate(0.0, _FILES_SIGMA)) for _ in range(self.courses))
        return [min(max(number, 1), _MOST_FILES) for number in found]

    def to_json(self) -> dict[str, Any]:
        """For the command line of the server."""
        return asdict(self)


def ends(durations: Iterable[float], workers: int) -> list[float]:
    """When each job ends on so many workers, first come, first served, if all are there from the start."""
    free_at = [0.0] * workers
    found = []
    for seconds in durations:
        end = free_at[0] + seconds
        heapq.heapreplace(free_at, end)
        found.append(end)
    return found


def ideal(durations: Iterable[float], workers: int) -> float:
    """Seconds until the last of them has ended: what Canvas would take if it were never kept waiting."""
    return max(ends(durations, workers))
