"""Look at running exports until there is something worth waking a worker for. Asynchronous, stateless, restartable."""

from __future__ import annotations

import asyncio
import heapq
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable

from canvas_exports.core.export.engine.items import COMPLETE
from canvas_exports.core.export.polling.canvas_queue import Queue
from canvas_exports.core.export.polling.interval import Pace
from canvas_exports.core.export.polling.poll import DOUBT_AFTER, REFUSED, Looks, Subject, look
from canvas_exports.core.export.polling.poll_results import News, Seen, Sightings, Wake, Watched
from canvas_exports.errors import CanvasError, CredentialError

_OF_AGE = 2.0
_NAP = 0.001  # seconds; the shortest sleep that surely makes a clock move
_OF_LINGER = 1 / 6  # to know it sooner is of no use while finished exports wait for company
_AT_ONCE = 8  # looks begun together; the rate budget decides how many are really in flight


async def watch(
    client: Looks,
    exports: Iterable[Watched],
    wake: Wake | None,
    *,
    pace: Pace | None = None,
    now: Callable[[], float] = time.time,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    chance: Callable[[], float] = random.random,
    queue: Queue | None = None,
    tell: Callable[[int, int], None] | None = None,
    news: News | None = None,
    say: Callable[[str], None] | None = None,
) -> Sightings:
    """Poll until something is worth telling.

    ``wake=None`` looks once at each export whose turn has come, and returns. A look that is refused is not news: the
    client has retried it already, and the next interval tries again. Where Canvas answers others, or says who we are, it
    counts as a look at which nothing had changed, so that an export which Canvas will never show is stalled in the end.
    Can be run twice at the same time, and again from the start.

    No look outlasts the deadline, however slow Canvas is or however long its rate limit lasts.

    ``say`` takes a line for people every few minutes, as ``news`` has it: what is done, and what is waited for.
    ``tell`` takes, at the beginning and after each look, how many exports are waited for and how many are ready.

    Raises:
        CredentialError: the token is no longer valid (permanent).
    """
    vigil = _Vigil(list(exports), wake, pace or Pace(), now, chance=chance, queue=queue or Queue())
    if tell is not None:
        tell(*vigil.counts())
    news = News() if news is None else news
    doubt_after = DOUBT_AFTER if wake is None else min(DOUBT_AFTER, wake.stall_after / 2)
    silent_until = now() + news.every if say is not None else float("inf")
    try:
        while (at := vigil.next_at()) is not None:
            if say is not None and now() >= silent_until:
                silent_until = now() + news.every
                say(vigil.told(news))
            if at > now():
                await sleep(max(min(at, silent_until) - now(), _NAP))
                continue
            numbers = vigil.take_due()
            try:
                found, shown = await asyncio.wait_for(
                    _looks(client, [vigil.subjects[number] for number in numbers], now, doubt_after),
                    vigil.patience(),
                )
            except asyncio.TimeoutError:  # Canvas is slow: whoever is woken looks again
                found, shown = [None] * len(numbers), False
            for number, what in zip(numbers, found, strict=True):
                if what == REFUSED and shown:
                    vigil.subjects[number].seen_at = now()
                vigil.note(number, None if what == REFUSED else what)
            if tell is not None:
                tell(*vigil.counts())
    finally:
        vigil.leave()
    if wake is not None and (rest := vigil.started + wake.dwell - now()) > 0:
        await sleep(rest)
    return vigil.sightings()


async def _looks(
    client: Looks, subjects: list[Subject], now: Callable[[], float], doubt_after: float
) -> tuple[list[str | None], bool]:
    """What is seen of some exports, and whether Canvas answers anybody."""
    news = await asyncio.gather(
        *(look(client, subject, now, doubt_after=doubt_after) for subject in subjects)
    )
    return news, any(what != REFUSED for what in news) or await _answers(client)


async def _answers(client: Looks) -> bool:
    """Whether Canvas answers at all, where it has shown nothing that was asked for.

    Raises:
        CredentialError: it does not know the token (permanent).
    """
    try:
        await client.whoami()
    except CanvasError as error:
        if isinstance(error, CredentialError):
            raise
        return False
    return True


class _Vigil:
    """The book-keeping of one watch: who is due when, what was seen, and whether it is worth waking for."""

    def __init__(
        self,
        exports: list[Watched],
        wake: Wake | None,
        pace: Pace,
        now: Callable[[], float],
        *,
        chance: Callable[[], float],
        queue: Queue,
    ) -> None:
        self.started = now()
        self._queue = queue
        self.subjects = [
            Subject(
                one.context,
                one.export_id,
                one.progress_id,
                one.completion,
                one.changed_at,
                one.running_since,
                one.seen_at,
            )
            for one in exports
        ]
        self._created_at = [one.created_at for one in exports]
        self._oldest = min(self._created_at, default=0.0)
        self._wake = wake
        self._pace = pace
        self._now = now
        self._chance = chance
        self._found = Sightings()
        self._first_finished: float | None = None
        #: Those that queue, the oldest first.
        self._line = deque(
            sorted(
                (number for number, one in enumerate(exports) if one.running_since is None),
                key=lambda number: exports[number].export_id,
            )
        )
        self._waiting = set(self._line)
        #: When each is due. The heap of (when, number) may also hold times that no longer hold.
        self._due_at: dict[int, float] = {}
        self._due: list[tuple[float, int]] = []
        for number in range(len(exports)):
            self._schedule(number, self._resumed(number))

    def next_at(self) -> float | None:
        """When to look or think again; ``None`` when it is time to tell."""
        self._move_up()
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
        if self._waiting:  # other watches may come to know that the queue has moved
            until = min(until, self._now() + max(self._queue.pause, self._pace.shortest / 5))
        return min(at, until)

    def patience(self) -> float | None:
        """Seconds that a look which begins now may take; ``None`` without a bound."""
        if self._wake is None:
            return None
        return max(self._wake.deadline, self.started + self._wake.dwell) - self._now()

    def _move_up(self) -> None:
        """Look at what must have begun by now, and at the oldest of all that queue."""
        now, queue = self._now(), self._queue
        while self._line and (
            self._line[0] not in self._waiting or queue.has_begun(self.subjects[self._line[0]].export_id)
        ):
            number = self._line.popleft()
            if number in self._waiting:
                self._waiting.discard(number)
                self._waited(number)
                self._schedule(number, now + self._pace.first(self._chance))
        front = self._line[0] if self._line else None
        queue.stand(self, None if front is None else self.subjects[front].export_id)
        if front is not None and front in self._due_at and queue.is_next(self.subjects[front].export_id):
            at = max(queue.looked_at + queue.pause, now)
            if at < self._due_at[front]:
                self._schedule(front, at)

    def _until(self, wake: Wake) -> float:
        """The moment at which there is something to tell, as far as known now."""
        times = [wake.deadline]
        if any(self._quiet(number) >= wake.stall_after for number in self._due_at):
            times.append(self.started)
        if self._first_finished is not None:
            enough = len(self._found.ready) + len(self._found.dead) >= wake.enough
            times.append(self._first_finished + (0.0 if enough else self._linger(wake)))
        if wake.hungry and all(self.subjects[number].running_since is not None for number in self._due_at):
            times.append(self.started)
        return max(min(times), self.started + wake.dwell)

    def _linger(self, wake: Wake) -> float:
        """Seconds the first finished export waits for company: the slower Canvas is, the longer until there is some."""
        at = self._now() if self._first_finished is None else self._first_finished
        return max(wake.linger, min(_OF_AGE * (at - self._oldest), wake.patience))

    def _quiet(self, number: int) -> float:
        """Seconds for which an export was seen without a change. A time in which nobody could look does not count."""
        subject = self.subjects[number]
        waiting = self._queue.waiting_at if number in self._waiting else 0.0
        return max(subject.seen_at or 0.0, waiting) - subject.changed_at

    def take_due(self) -> list[int]:
        """The exports to look at now."""
        numbers: list[int] = []
        while self._due and self._due[0][0] <= self._now() and len(numbers) < _AT_ONCE:
            at, number = heapq.heappop(self._due)
            if self._due_at.get(number) == at:
                del self._due_at[number]
                numbers.append(number)
                if number in self._waiting:
                    self._waited(number)
        return numbers

    def _waited(self, number: int) -> None:
        """It waited at least as long as any that is older."""
        subject = self.subjects[number]
        if subject.seen_at is not None:
            subject.seen_at = max(subject.seen_at, self._queue.waiting_at)

    def note(self, number: int, what: str | None) -> None:
        """Take in the result of a look."""
        self._due_at.pop(number, None)  # one that was overtaken while it was looked at
        subject = self.subjects[number]
        if what == "ready":
            self._found.ready.append(subject.export_id)
            if subject.running_since is not None:
                self._queue.finished(self._now() - subject.running_since)
        elif what is not None:
            self._found.dead[subject.export_id] = what
        if what is not None and self._first_finished is None:
            self._first_finished = self._now()
        begun = what is not None or subject.running_since is not None
        if number in self._waiting:
            self._queue.note(
                subject.export_id,
                begun=begun,
                at=self._now(),
                pace=self._pace,
                seen_at=subject.seen_at or 0.0,
            )
            if begun:
                self._waiting.discard(number)
        if what is None:
            self._schedule(number, self._now() + self._delay(number))

    def counts(self) -> tuple[int, int]:
        """How many exports are waited for, and how many are ready."""
        ready = len(self._found.ready)
        return len(self.subjects) - ready - len(self._found.dead), ready

    def told(self, news: News) -> str:
        """What is waited for, in a line for people."""
        over = {*self._found.ready, *self._found.dead}
        waiting = [subject for subject in self.subjects if subject.export_id not in over]
        done = news.done + len(over)
        line = f"{done} of {max(news.total, done + len(waiting))} done"
        if waiting:
            slowest = min(waiting, key=lambda subject: subject.changed_at)
            minutes = max(self._now() - slowest.changed_at, 0.0) / 60
            more = f" and {len(waiting) - 1} more" if waiting[1:] else ""
            trouble = f" ({slowest.trouble})" if slowest.trouble else ""
            line += f"; waiting for {slowest.context}{more}, no progress for {minutes:.0f} min{trouble}"
        return line

    def _schedule(self, number: int, at: float) -> None:
        self._due_at[number] = at
        heapq.heappush(self._due, (at, number))

    def _delay(self, number: int) -> float:
        """Seconds from the last look at an export to the next."""
        if number in self._waiting:
            return self._pace.behind(self._chance)
        subject, now = self.subjects[number], self._now()
        if subject.completion is not None and subject.completion >= COMPLETE:
            age, running_for = now - subject.changed_at, 0.0  # the package is being saved
        else:
            age = now - self._created_at[number]
            running_for = now - (now if subject.running_since is None else subject.running_since)
        delay = self._pace.delay(
            age=max(age, 0.0), completion=subject.completion, running_for=running_for, chance=self._chance
        )
        if running_for <= 0:
            return delay
        if self._wake is not None and self._wake.patience:
            delay = max(delay, min(_OF_LINGER * self._linger(self._wake), self._pace.longest))
        return max(delay, self._queue.soonest - running_for)

    def _resumed(self, number: int) -> float:
        """When the first look of this watch is due: as if no watch had ended, but what is late never in a burst."""
        subject = self.subjects[number]
        if subject.seen_at is None:
            return self.started + (self._pace.first(self._chance) if self._wake else 0.0)
        delay = self._delay(number)
        at = subject.seen_at + delay
        if at > self.started or self._wake is None:
            return at
        return self.started + delay * self._chance()

    def leave(self) -> None:
        """Wait no longer."""
        self._queue.stand(self, None)

    def sightings(self) -> Sightings:
        """All that was seen."""
        for number in self._due_at:
            if number in self._waiting:
                self._waited(number)
            one = self.subjects[number]
            self._found.seen[one.export_id] = Seen(
                one.completion, one.changed_at, one.running_since, one.seen_at, one.trouble
            )
        return self._found
