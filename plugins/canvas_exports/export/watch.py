"""Look at running exports until there is something worth waking a worker for. Asynchronous, stateless, restartable."""

from __future__ import annotations

import asyncio
import heapq
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from canvas_exports.export.look import Looks, Subject, look
from canvas_exports.export.pace import Pace

_AT_ONCE = 8  # looks begun together; the rate budget decides how many are really in flight


@dataclass(frozen=True)
class Watched:
    """An export in flight, as plain values that survive a trigger's serialisation.

    Times are seconds since the epoch. ``changed_at`` and ``completion`` are what was known when the watch began.
    """

    context: str
    export_id: int
    progress_id: int | None
    created_at: float
    changed_at: float
    completion: float | None = None

    def to_json(self) -> list[Any]:
        """A short row; a trigger carries up to 200 of them."""
        return [
            self.context,
            self.export_id,
            self.progress_id,
            self.created_at,
            self.changed_at,
            self.completion,
        ]

    @classmethod
    def from_json(cls, row: list[Any]) -> Watched:
        """The inverse of ``to_json``."""
        return cls(*row)


@dataclass(frozen=True)
class Wake:
    """When to stop watching.

    Attributes:
        enough: finished exports worth a worker at once.
        linger: seconds the first finished export waits for company.
        dwell: seconds to stay in any case: a task that comes back too soon can be failed by Airflow's scheduler.
        stall_after: seconds without a change of completion.
        deadline: seconds since the epoch.
    """

    enough: int
    linger: float
    dwell: float
    stall_after: float
    deadline: float


@dataclass
class Sightings:
    """What was seen.

    Attributes:
        ready: exports with a package to fetch.
        dead: exports that will never have one, and why: ``failed``, ``deleted``, ``no package``, ``gone`` or ``denied``.
        seen: the others: completion, and when it last changed.
    """

    ready: list[int] = field(default_factory=list)
    dead: dict[int, str] = field(default_factory=dict)
    seen: dict[int, tuple[float | None, float]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """A JSON value with string keys; ids, codes and times only."""
        return {
            "ready": self.ready,
            "dead": {str(export_id): why for export_id, why in self.dead.items()},
            "seen": {str(export_id): list(what) for export_id, what in self.seen.items()},
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Sightings:
        """The inverse of ``to_json``."""
        return cls(
            ready=[int(export_id) for export_id in document["ready"]],
            dead={int(export_id): str(why) for export_id, why in document["dead"].items()},
            seen={int(export_id): (what[0], float(what[1])) for export_id, what in document["seen"].items()},
        )


async def watch(
    client: Looks,
    exports: Iterable[Watched],
    wake: Wake | None,
    *,
    pace: Pace | None = None,
    now: Callable[[], float] = time.time,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    chance: Callable[[], float] = random.random,
) -> Sightings:
    """Poll until something is worth telling.

    ``wake=None`` looks at each export once and returns. A transient error of one export is not news: the client has
    retried it already, and the next interval tries again. Can be run twice at the same time, and again from the start.

    Raises:
        CanvasExportsError: permanent, and not about one export (the token is no longer valid).
    """
    vigil = _Vigil(list(exports), wake, pace or Pace(), now, chance)
    while vigil.due:
        at = vigil.next_at()
        if at is None:
            break
        if at > now():
            await sleep(at - now())
            continue
        numbers = vigil.take_due()
        news = await asyncio.gather(*(look(client, vigil.subjects[number], now) for number in numbers))
        for number, what in zip(numbers, news, strict=True):
            vigil.note(number, what)
    if wake is not None and (rest := vigil.started + wake.dwell - now()) > 0:
        await sleep(rest)
    return vigil.sightings()


class _Vigil:
    """The book-keeping of one watch: who is due when, what was seen, and whether it is worth waking for."""

    def __init__(
        self,
        exports: list[Watched],
        wake: Wake | None,
        pace: Pace,
        now: Callable[[], float],
        chance: Callable[[], float],
    ) -> None:
        self.started = now()
        self.subjects = [
            Subject(one.context, one.export_id, one.progress_id, one.completion, one.changed_at)
            for one in exports
        ]
        self._created_at = [one.created_at for one in exports]
        self._wake = wake
        self._pace = pace
        self._now = now
        self._chance = chance
        self._found = Sightings()
        self._first_finished: float | None = None
        #: A heap of (when, number of the export).
        self.due = [
            (self.started + (pace.first(chance) if wake else 0.0), number)
            for number in range(len(self.subjects))
        ]
        heapq.heapify(self.due)

    def next_at(self) -> float | None:
        """When to look or think again; ``None`` when it is time to tell."""
        at = self.due[0][0]
        if self._wake is None:
            return at
        until = self._until(self._wake)
        return None if until <= self._now() else min(at, until)

    def _until(self, wake: Wake) -> float:
        """The moment at which there is something to tell, as far as known now."""
        oldest_change = min(self.subjects[number].changed_at for _, number in self.due)
        times = [wake.deadline, oldest_change + wake.stall_after]
        if self._first_finished is not None:
            enough = len(self._found.ready) + len(self._found.dead) >= wake.enough
            times.append(self._first_finished + (0.0 if enough else wake.linger))
        return max(min(times), self.started + wake.dwell)

    def take_due(self) -> list[int]:
        """The exports to look at now."""
        numbers: list[int] = []
        while self.due and self.due[0][0] <= self._now() and len(numbers) < _AT_ONCE:
            numbers.append(heapq.heappop(self.due)[1])
        return numbers

    def note(self, number: int, what: str | None) -> None:
        """Take in the result of a look."""
        subject = self.subjects[number]
        if what == "ready":
            self._found.ready.append(subject.export_id)
        elif what is not None:
            self._found.dead[subject.export_id] = what
        elif self._wake is None:
            self._found.seen[subject.export_id] = (subject.completion, subject.changed_at)
        else:
            now = self._now()
            delay = self._pace.delay(
                age=max(now - self._created_at[number], 0.0),
                completion=subject.completion,
                running_for=now - subject.running_since if subject.running_since is not None else 0.0,
                chance=self._chance,
            )
            heapq.heappush(self.due, (now + delay, number))
        if what is not None and self._first_finished is None:
            self._first_finished = self._now()

    def sightings(self) -> Sightings:
        """All that was seen."""
        for _, number in self.due:
            subject = self.subjects[number]
            self._found.seen[subject.export_id] = (subject.completion, subject.changed_at)
        return self._found
