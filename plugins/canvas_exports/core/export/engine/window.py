"""How many exports to ask for: enough to keep Canvas busy until we are back, and no more."""

from __future__ import annotations

from math import ceil

_LEAST = 25  # to have queued when a worker leaves: none is worth coming again soon for fewer
_OF_RUNNING = 0.5
_OF_FINISHED = 2.0


def room(largest: int, *, queued: int, running: int, finished: int) -> int:
    """Exports to ask for now.

    Canvas runs some at a time and queues the rest, for everybody who uses it. So what queues of ours is kept to a few,
    to half of what runs, or to twice of what has finished since we last came: as many will be started until we come
    again. An empty queue says that Canvas can do more than we thought, so what it has is doubled.

    Args:
        largest: exports in flight at most.
        queued: in flight, and not seen to be worked on.
        running: in flight, and seen to be worked on.
        finished: ended since the last time.
    """
    if queued == 0 or running + finished == 0:
        wanted = max(_LEAST, running + finished)
    else:
        wanted = max(_LEAST, ceil(_OF_RUNNING * running), ceil(_OF_FINISHED * finished))
    return max(min(wanted - queued, largest - queued - running), 0)
