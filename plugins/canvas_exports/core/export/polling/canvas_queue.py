"""Canvas's queue, as far as this process can see it: which of all the exports that wait is worth a look."""

from __future__ import annotations

from collections import deque

from canvas_exports.core.export.polling.interval import Pace

_RUN_TIMES = 100  # remembered
_ENOUGH = 20  # run times known before anything is said, and the tenth of them that may be shorter


class Queue:
    """What the watches of one process know together of one Canvas's queue. Does no I/O and knows no clock.

    Canvas starts exports in the order in which they were created, which is the order of their ids. So of all that
    wait, only the oldest need be looked at, and once an export has begun, all that are older have. Canvas promises no
    order, though: this says which exports are worth a look, and never what became of one.

    Attributes:
        looked_at: when the oldest was last looked at.
        waiting_at: when an export was last seen to wait; all that are newer did, too.
        pause: seconds until it is looked at again: shorter while the queue moves.
    """

    def __init__(self) -> None:
        self.looked_at = float("-inf")
        self.waiting_at = float("-inf")
        self.pause = 0.0
        self._newest_begun = 0
        self._run_times: deque[float] = deque(maxlen=_RUN_TIMES)
        self._oldest: dict[object, int] = {}

    def stand(self, watch: object, export_id: int | None) -> None:
        """Note a watch's oldest export that waits, or that none does."""
        if export_id is None:
            self._oldest.pop(watch, None)
        else:
            self._oldest[watch] = export_id

    def is_next(self, export_id: int) -> bool:
        """Whether no other watch has an older one."""
        return export_id <= min(self._oldest.values(), default=export_id)

    def note(
        self, export_id: int, *, begun: bool, at: float, pace: Pace, seen_at: float | None = None
    ) -> None:
        """The result of a look at an export that was thought to wait.

        Args:
            export_id: which.
            begun: it waits no more.
            at: when the look was.
            pace: how soon the next may be.
            seen_at: when it was last seen, where this look may have failed; by default, now.
        """
        if begun:
            self._newest_begun = max(self._newest_begun, export_id)
        if self.is_next(export_id) and not begun:
            self.waiting_at = max(self.waiting_at, at if seen_at is None else seen_at)
        if self.is_next(export_id):
            self.looked_at = at
            self.pause = pace.front(self.pause, moved=begun)

    def finished(self, run_time: float) -> None:
        """An export has been built in so many seconds."""
        self._run_times.append(run_time)

    @property
    def soonest(self) -> float:
        """Seconds that an export will hardly be built in; 0 while too little is known."""
        if len(self._run_times) < _ENOUGH:
            return 0.0
        return sorted(self._run_times)[len(self._run_times) // _ENOUGH]

    def has_begun(self, export_id: int) -> bool:
        """Whether a newer one has begun, or this very one."""
        return export_id <= self._newest_begun


_shared: dict[str, Queue] = {}


def shared_queue(host: str) -> Queue:
    """The one queue of a Canvas in this process: its jobs wait together, whoever asked for them."""
    return _shared.setdefault(host, Queue())
