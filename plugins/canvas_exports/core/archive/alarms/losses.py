"""Decide whether a number fell by more than it should, by its own history.

Pure arithmetic. ``docs/alarms.md`` explains the limits, and ``python -m benchmarks.alarms`` shows how quiet they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

#: What a number may lose at once, as a share of it. A teacher who cleans up takes less; half of the pages is more.
ORDINARY = 0.44
#: Of all things together, where chance evens out.
ORDINARY_IN_ALL = 0.47
#: What it may lose within a week, in several steps.
ORDINARY_IN_A_WEEK = 0.67
#: Of small numbers the limit is a loss of so many: 3 of 3, 4 of 6, 5 of 10.
_FEW = 2.5
#: Of things that are deleted by chance, a kind loses a larger share than the rest by so many standard deviations, at most.
_DEVIATIONS = 3.0
_FEWEST = 3
#: A loss as large as the course had so often before is ordinary for it.
_OFTEN = 3


def is_loss(
    before: int,
    after: int,
    earlier: Sequence[int] = (),
    *,
    elsewhere: float = 0.0,
    ordinary: float = ORDINARY,
) -> bool:
    """Return whether a number fell by more than it should.

    Args:
        before: the number.
        after: what is left of it.
        earlier: the numbers of the copies up to ``before``, oldest first: a loss of the same share that happened three times
            in them is ordinary.
        elsewhere: the share that the rest of the course lost at the same time. Where a course is cleaned up, a small kind may
            lose more than the others by chance.
        ordinary: the share that may be lost; of small numbers more.
    """
    lost = before - after
    if lost < _FEWEST:
        return False
    share, common = lost / before, min(max(elsewhere, 0.0), ordinary)
    by_chance = common + _DEVIATIONS * (common * (1 - common) / before) ** 0.5
    return share > max(ordinary, _FEW / lost - 1e-9, by_chance) and not _is_usual(share, earlier)


def _is_usual(share: float, earlier: Sequence[int]) -> bool:
    """Return whether losses of this share are usual: the third largest of the losses before is as large."""
    losses = sorted(((a - b) / a for a, b in pairwise(earlier) if a - b >= _FEWEST), reverse=True)
    return len(losses) >= _OFTEN and losses[_OFTEN - 1] >= share
