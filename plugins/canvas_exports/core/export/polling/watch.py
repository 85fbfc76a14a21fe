"""Poll running exports until a worker is needed. Asynchronous, stateless, restartable."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

from canvas_exports.core.export.engine.running_export import COMPLETE, RunningExport
from canvas_exports.core.export.polling.canvas_queue import CanvasQueue
from canvas_exports.core.export.polling.interval import PollInterval
from canvas_exports.core.export.polling.poll import READY, TRUST_PROGRESS, UNANSWERED, PollingClient, poll
from canvas_exports.core.export.polling.poll_results import PollResult, ProgressLog, WakeRule
from canvas_exports.core.model.backoff import jitter
from canvas_exports.errors import CanvasError, CredentialError

_DELAY_PER_AGE = 2.0
_MIN_SLEEP = 0.001  # seconds; the shortest sleep that surely makes a clock move
_INTERVAL_PER_DELAY = 1 / 6  # to know it sooner is of no use while finished exports wait for others
_AT_ONCE = 8  # polls begun together; the rate limiter decides how many are really in flight


async def watch(
    client: PollingClient,
    exports: Iterable[RunningExport],
    wake: WakeRule | None,
    *,
    interval: PollInterval | None = None,
    queue: CanvasQueue | None = None,
    now: Callable[[], float] = time.time,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    uniform: Callable[[], float] = jitter,
    on_counts: Callable[[int, int], None] | None = None,
    progress_log: ProgressLog | None = None,
    log: Callable[[str], None] | None = None,
) -> PollResult:
    """Poll exports until ``wake`` says that a worker is needed, and return what was found.

    ``wake=None`` polls each export that is due once, and returns. A poll that Canvas does not answer changes nothing: the
    client has retried it already, and the next interval tries again. If Canvas answers polls of other exports, or
    ``/users/self``, an unanswered poll counts as one that found no change, so that an export which Canvas never shows is
    stalled in the end. May run twice at the same time, and again from the start.

    No poll outlasts the deadline, however slow Canvas is or however long its rate limit lasts.

    Args:
        client: of the Canvas.
        exports: the running exports.
        wake: when to stop.
        interval: limits of the poll interval.
        queue: Canvas's queue, shared by the polling loops of a process.
        now: the clock, in seconds since the epoch.
        sleep: waits.
        uniform: returns numbers in [0, 1), to spread polls.
        on_counts: takes, at the beginning and after each poll, how many exports are waited for and how many are ready.
        progress_log: what ``log`` is given, and how often.
        log: takes a line for people every few minutes: what is done, and what is waited for.

    Raises:
        CredentialError: the token is no longer valid (permanent).
    """
    schedule = _Schedule(
        list(exports), wake, interval or PollInterval(), queue or CanvasQueue(), now=now, uniform=uniform
    )
    if on_counts is not None:
        on_counts(*schedule.counts())
    progress_log = ProgressLog() if progress_log is None else progress_log
    trust_progress = TRUST_PROGRESS if wake is None else min(TRUST_PROGRESS, wake.stall_after / 2)
    silent_until = now() + progress_log.every if log is not None else float("inf")
    try:
        while (at := schedule.next_at()) is not None:
            if log is not None and now() >= silent_until:
                silent_until = now() + progress_log.every
                log(schedule.progress_line(progress_log))
            if at > now():
                await sleep(max(min(at, silent_until) - now(), _MIN_SLEEP))
                continue
            numbers = schedule.take_due()
            due = [schedule.exports[number] for number in numbers]
            try:
                polls = await asyncio.wait_for(
                    _poll_all(client, due, now, trust_progress), schedule.time_left()
                )
            except asyncio.TimeoutError:  # Canvas is slow: the worker that is woken polls again
                polls = [(export, None) for export in due]
            for number, (export, ending) in zip(numbers, polls, strict=True):
                schedule.record_poll(number, export, ending)
            if on_counts is not None:
                on_counts(*schedule.counts())
    finally:
        schedule.leave_queue()
    if wake is not None and (rest := schedule.started + wake.min_wait - now()) > 0:
        await sleep(rest)
    return schedule.result()


async def _poll_all(
    client: PollingClient, exports: list[RunningExport], now: Callable[[], float], trust_progress: float
) -> list[tuple[RunningExport, str | None]]:
    """Poll exports together. Where Canvas answers, but did not show an export, that counts as having seen it.

    Raises:
        CredentialError: Canvas refuses the token (permanent).
    """
    polls = await asyncio.gather(
        *(poll(client, export, now, trust_progress=trust_progress) for export in exports)
    )
    unanswered = [ending == UNANSWERED for _, ending in polls]
    answers = not all(unanswered) or await _answers(client)
    return [
        (replace(export, seen_at=now()) if answers else export, None) if missing else (export, ending)
        for (export, ending), missing in zip(polls, unanswered, strict=True)
    ]


async def _answers(client: PollingClient) -> bool:
    """Return whether Canvas answers at all, after it has shown none of the polled exports.

    Raises:
        CredentialError: it refuses the token (permanent).
    """
    try:
        await client.whoami()
    except CanvasError as error:
        if isinstance(error, CredentialError):
            raise
        return False
    return True


class _Schedule:
    """Keep the state of one polling loop: when each export is due, the observations, and whether a worker is needed."""

    def __init__(
        self,
        exports: list[RunningExport],
        wake: WakeRule | None,
        interval: PollInterval,
        queue: CanvasQueue,
        *,
        now: Callable[[], float],
        uniform: Callable[[], float],
    ) -> None:
        self.started = now()
        self.exports = exports
        self._oldest = min((export.created_at for export in exports), default=0.0)
        self._wake = wake
        self._interval = interval
        self._queue = queue
        self._now = now
        self._uniform = uniform
        self._result = PollResult()
        self._first_finished: float | None = None
        #: Queued exports, the oldest first. May also hold some that are known to have started.
        self._line = deque(
            sorted(
                (number for number, export in enumerate(exports) if export.running_since is None),
                key=lambda number: exports[number].export_id,
            )
        )
        self._queued = set(self._line)
        #: When each export is due. The heap of (when, number) may also hold times that no longer hold.
        self._due_at: dict[int, float] = {}
        self._due: list[tuple[float, int]] = []
        for number in range(len(exports)):
            self._schedule(number, self._first_poll(number))

    def next_at(self) -> float | None:
        """Return when to poll or to decide again; ``None`` when a worker is to be woken."""
        self._advance_line()
        while self._due and self._due_at.get(self._due[0][1]) != self._due[0][0]:
            heapq.heappop(self._due)
        if not self._due:
            return None
        at = self._due[0][0]
        if self._wake is None:
            return at if at <= self.started else None
        until = self._until(self._wake)
        if until <= self._now():
            return None
        if self._queued:  # another polling loop may find that the queue has moved
            until = min(until, self._now() + max(self._queue.interval, self._interval.shortest / 5))
        return min(at, until)

    def time_left(self) -> float | None:
        """Return the seconds that a poll which begins now may take; ``None`` without a limit."""
        if self._wake is None:
            return None
        return max(self._wake.deadline, self.started + self._wake.min_wait) - self._now()

    def _advance_line(self) -> None:
        """Schedule exports that must have started by now, and the oldest of those still queued."""
        now, queue = self._now(), self._queue
        while self._line and (
            self._line[0] not in self._queued or queue.has_started(self.exports[self._line[0]].export_id)
        ):
            number = self._line.popleft()
            if number in self._queued:
                self._queued.discard(number)
                self._seen_queued(number)
                self._schedule(number, now + self._interval.first_poll(self._uniform))
        front = self._line[0] if self._line else None
        queue.set_oldest(self, None if front is None else self.exports[front].export_id)
        if front is not None and front in self._due_at and queue.is_oldest(self.exports[front].export_id):
            at = max(queue.polled_at + queue.interval, now)
            if at < self._due_at[front]:
                self._schedule(front, at)

    def _until(self, wake: WakeRule) -> float:
        """Return the moment at which a worker is to be woken, as far as known now."""
        times = [wake.deadline]
        if any(self._unchanged_for(number) >= wake.stall_after for number in self._due_at):
            times.append(self.started)
        if self._first_finished is not None:
            enough = len(self._result.ready) + len(self._result.failed) >= wake.enough
            times.append(self._first_finished + (0.0 if enough else self._batch_delay(wake)))
        if wake.wants_more and all(self.exports[number].running_since is not None for number in self._due_at):
            times.append(self.started)
        return max(min(times), self.started + wake.min_wait)

    def _batch_delay(self, wake: WakeRule) -> float:
        """Return the seconds the first finished export waits for others: longer the slower Canvas is."""
        at = self._now() if self._first_finished is None else self._first_finished
        return max(wake.batch_delay, min(_DELAY_PER_AGE * (at - self._oldest), wake.max_batch_delay))

    def _unchanged_for(self, number: int) -> float:
        """Return the seconds for which an export was seen without a change. Time without a poll does not count."""
        export = self.exports[number]
        queued_at = self._queue.queued_at if number in self._queued else 0.0
        return max(export.seen_at or 0.0, queued_at) - export.changed_at

    def take_due(self) -> list[int]:
        """Return the exports to poll now."""
        numbers: list[int] = []
        while self._due and self._due[0][0] <= self._now() and len(numbers) < _AT_ONCE:
            at, number = heapq.heappop(self._due)
            if self._due_at.get(number) == at:
                del self._due_at[number]
                numbers.append(number)
                if number in self._queued:
                    self._seen_queued(number)
        return numbers

    def _seen_queued(self, number: int) -> None:
        """Count an export as seen when an older one was seen queued."""
        export = self.exports[number]
        if export.seen_at is not None:
            self.exports[number] = replace(export, seen_at=max(export.seen_at, self._queue.queued_at))

    def record_poll(self, number: int, export: RunningExport, ending: str | None) -> None:
        """Take the result of a poll; ``ending`` is ``None`` while the export runs."""
        self._due_at.pop(number, None)  # it may have been scheduled again while it was polled
        self.exports[number] = export
        if ending == READY:
            self._result.ready.append(export.export_id)
            if export.running_since is not None:
                self._queue.record_run_time(self._now() - export.running_since)
        elif ending is not None:
            self._result.failed[export.export_id] = ending
        if ending is not None and self._first_finished is None:
            self._first_finished = self._now()
        started = ending is not None or export.running_since is not None
        if number in self._queued:
            self._queue.record_poll(
                export.export_id,
                started=started,
                at=self._now(),
                interval=self._interval,
                seen_at=export.seen_at or 0.0,
            )
            if started:
                self._queued.discard(number)
        if ending is None:
            self._schedule(number, self._now() + self._delay(number))

    def counts(self) -> tuple[int, int]:
        """Return how many exports are waited for, and how many are ready."""
        ready = len(self._result.ready)
        return len(self.exports) - ready - len(self._result.failed), ready

    def progress_line(self, log: ProgressLog) -> str:
        """Return a line for people: what is done, and what is waited for."""
        over = {*self._result.ready, *self._result.failed}
        waiting = [export for export in self.exports if export.export_id not in over]
        done = log.done + len(over)
        line = f"{done} of {max(log.total, done + len(waiting))} done"
        if waiting:
            slowest = min(waiting, key=lambda export: export.changed_at)
            minutes = max(self._now() - slowest.changed_at, 0.0) / 60
            more = f" and {len(waiting) - 1} more" if waiting[1:] else ""
            problem = f" ({slowest.problem})" if slowest.problem else ""
            line += f"; waiting for {slowest.context}{more}, no progress for {minutes:.0f} min{problem}"
        return line

    def _schedule(self, number: int, at: float) -> None:
        self._due_at[number] = at
        heapq.heappush(self._due, (at, number))

    def _delay(self, number: int) -> float:
        """Return the seconds from the last poll of an export to the next."""
        if number in self._queued:
            return self._interval.other_queued(self._uniform)
        export, now = self.exports[number], self._now()
        if export.completion is not None and export.completion >= COMPLETE:
            age, running_for = now - export.changed_at, 0.0  # the package is being saved
        else:
            age = now - export.created_at
            running_for = now - (now if export.running_since is None else export.running_since)
        delay = self._interval.next_poll(
            age=max(age, 0.0), completion=export.completion, running_for=running_for, uniform=self._uniform
        )
        if running_for <= 0:
            return delay
        if self._wake is not None and self._wake.max_batch_delay:
            delay = max(
                delay, min(_INTERVAL_PER_DELAY * self._batch_delay(self._wake), self._interval.longest)
            )
        return max(delay, self._queue.shortest_run_time - running_for)

    def _first_poll(self, number: int) -> float:
        """Return when an export is first due: as if no loop had ended before, but late polls are spread out."""
        export = self.exports[number]
        if export.seen_at is None:
            return self.started + (self._interval.first_poll(self._uniform) if self._wake else 0.0)
        delay = self._delay(number)
        at = export.seen_at + delay
        if at > self.started or self._wake is None:
            return at
        return self.started + delay * self._uniform()

    def leave_queue(self) -> None:
        """Stop counting among the loops that wait for the oldest queued export."""
        self._queue.set_oldest(self, None)

    def result(self) -> PollResult:
        """Return all that was found."""
        for number in self._due_at:
            if number in self._queued:
                self._seen_queued(number)
            export = self.exports[number]
            self._result.running[export.export_id] = export
        return self._result
