"""Track Canvas's job queue, as far as this process sees it, to poll only the queued exports that are worth it."""

from __future__ import annotations

from collections import deque

from canvas_exports.core.export.polling.interval import PollInterval

_RUN_TIMES = 100  # remembered
_ENOUGH = 20  # run times known before they are used; a twentieth of them may be shorter


class CanvasQueue:
    """Hold what all polling loops of one process know of one Canvas's queue. Does no I/O and reads no clock.

    Canvas starts exports in the order in which they were created, which is the order of their ids. So of all queued exports
    only the oldest is worth a poll, and once an export has started, all older ones have. Canvas guarantees no order, though:
    this decides which exports to poll, and never what became of one.

    Attributes:
        polled_at: when the oldest queued export was last polled.
        queued_at: when an export was last seen queued; all newer ones were queued then, too.
        interval: seconds until the oldest is polled again: shorter while the queue moves.
    """

    def __init__(self) -> None:
        self.polled_at = float("-inf")
        self.queued_at = float("-inf")
        self.interval = 0.0
        self._newest_started = 0
        self._run_times: deque[float] = deque(maxlen=_RUN_TIMES)
        self._oldest: dict[object, int] = {}

    def set_oldest(self, watch: object, export_id: int | None) -> None:
        """Set a polling loop's oldest queued export; ``None`` if it has none."""
        if export_id is None:
            self._oldest.pop(watch, None)
        else:
            self._oldest[watch] = export_id

    def is_oldest(self, export_id: int) -> bool:
        """Return whether no polling loop has an older queued export."""
        return export_id <= min(self._oldest.values(), default=export_id)

    def record_poll(
        self,
        export_id: int,
        *,
        started: bool,
        at: float,
        interval: PollInterval,
        seen_at: float | None = None,
    ) -> None:
        """Take the result of polling an export that was thought to be queued.

        Args:
            export_id: the export.
            started: it is no longer queued.
            at: when it was polled.
            interval: limits of the next interval.
            seen_at: when it was last seen, where this poll may have failed; by default ``at``.
        """
        if started:
            self._newest_started = max(self._newest_started, export_id)
        if self.is_oldest(export_id) and not started:
            self.queued_at = max(self.queued_at, at if seen_at is None else seen_at)
        if self.is_oldest(export_id):
            self.polled_at = at
            self.interval = interval.oldest_queued(self.interval, moved=started)

    def record_run_time(self, seconds: float) -> None:
        """Take how long Canvas worked on an export."""
        self._run_times.append(seconds)

    @property
    def shortest_run_time(self) -> float:
        """Return the seconds in which hardly any export is built; 0 while too little is known."""
        if len(self._run_times) < _ENOUGH:
            return 0.0
        return sorted(self._run_times)[len(self._run_times) // _ENOUGH]

    def has_started(self, export_id: int) -> bool:
        """Return whether this export or a newer one has started."""
        return export_id <= self._newest_started


_shared: dict[str, CanvasQueue] = {}


def shared_queue(host: str) -> CanvasQueue:
    """Return the one queue of a Canvas in this process: its jobs wait together, for all clients."""
    return _shared.setdefault(host, CanvasQueue())
