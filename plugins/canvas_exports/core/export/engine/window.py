"""Compute how many exports to request: enough to keep Canvas busy until a worker is back, and no more."""

from __future__ import annotations

from math import ceil

_MIN_QUEUED = 25  # when a worker leaves: for fewer, none comes again soon
_QUEUED_PER_RUNNING = 0.5
_QUEUED_PER_FINISHED = 2.0


def exports_to_request(largest: int, *, queued: int, running: int, finished: int) -> int:
    """Return how many exports to request now.

    Canvas runs some exports at a time and queues the rest, for all its users. So the queued exports of a batch are kept to a
    few, to half of the running ones, or to twice of those that finished since the last visit: about as many start until the
    next visit. An empty queue means that Canvas can do more, so the number in flight is doubled.

    Args:
        largest: exports in flight at most.
        queued: in flight, and not seen to be worked on.
        running: in flight, and seen to be worked on.
        finished: ended since the last visit.
    """
    if queued == 0 or running + finished == 0:
        wanted = max(_MIN_QUEUED, running + finished)
    else:
        wanted = max(_MIN_QUEUED, ceil(_QUEUED_PER_RUNNING * running), ceil(_QUEUED_PER_FINISHED * finished))
    return max(min(wanted - queued, largest - queued - running), 0)
