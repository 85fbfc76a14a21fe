"""Look at an import, or at the export of a drill, until Canvas is done. Asynchronous, stateless, restartable."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import astuple, dataclass
from typing import Any, Protocol

from canvas_exports.core.canvas.api.migrations import ContentMigration
from canvas_exports.core.canvas.api.models import ContentExport, ExportState, Progress, ProgressState
from canvas_exports.core.model.contexts import Context, ContextKind
from canvas_exports.errors import CanvasExportsError, NotFoundError, PermissionDeniedError

IMPORT, EXPORT = "import", "export"
DWELL = 10.0  # seconds; a task that comes back sooner can be failed by Airflow's scheduler
_OF_AGE = 0.15  # of the time it has taken: one that has run for an hour will not be done in ten seconds
_THOROUGH = 5  # of so many looks, one is at the job itself: its Progress may stand still for ever
_OVER = (ProgressState.COMPLETED, ProgressState.FAILED, ProgressState.CANCELED)


@dataclass(frozen=True)
class Waiting:
    """A job that Canvas works on, as plain values. Times are seconds since the epoch.

    Attributes:
        what: ``IMPORT`` or ``EXPORT``.
        course_id: where.
        id: of the content migration or the content export.
        progress_id: of its Progress, if there is one.
        since: when it began.
        deadline: until when it is waited for.
    """

    what: str
    course_id: int
    id: int
    progress_id: int | None
    since: float
    deadline: float

    def to_json(self) -> list[Any]:
        """A short row."""
        return list(astuple(self))

    @classmethod
    def from_json(cls, row: Sequence[Any]) -> Waiting:
        """The inverse of ``to_json``; what a later release has added is ignored.

        Raises:
            ValueError: it is none.
        """
        try:
            what, course_id, number, progress_id, since, deadline = row[:6]
            progress_id = None if progress_id is None else int(progress_id)
            return cls(str(what), int(course_id), int(number), progress_id, float(since), float(deadline))
        except (TypeError, OverflowError) as error:
            raise ValueError(f"not something to wait for: {error}") from None


class Looks(Protocol):
    """The part of the asynchronous client that waiting needs."""

    async def progress(self, progress_id: int) -> Progress:
        """``GET /api/v1/progress/:id``."""
        ...

    async def show_migration(self, course: Context, migration_id: int) -> ContentMigration:
        """``GET /api/v1/courses/:course_id/content_migrations/:id``."""
        ...

    async def show_export(self, context: Context, export_id: int) -> ContentExport:
        """``GET /api/v1/courses/:course_id/content_exports/:id``."""
        ...


async def wait_for(
    client: Looks,
    waiting: Waiting,
    *,
    shortest: float = 5.0,
    longest: float = 60.0,
    dwell: float = 0.0,
    now: Callable[[], float] = time.time,
    sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
    chance: Callable[[], float] = random.random,
) -> None:
    """Return once the job is worth a worker: over, gone, or past its deadline. The worker reads what became of it.

    Can be run twice at the same time, and again from the start. A transient error is not news: the next look tries again.

    Args:
        client: looks at Canvas.
        waiting: what is waited for.
        shortest: seconds between two looks at least.
        longest: seconds at most, before they are spread by a tenth either way.
        dwell: seconds to stay in any case.
        now: our clock, in seconds since the epoch.
        sleep: waits so many seconds.
        chance: a source of numbers in [0, 1), to spread looks.

    Raises:
        CanvasExportsError: permanent, and not about this job (the token is no longer valid).
    """
    started, looks = now(), 0
    while now() < waiting.deadline:
        looks += 1
        looking = _is_over(client, waiting, thorough=looks % _THOROUGH == 0)
        try:
            if await asyncio.wait_for(looking, waiting.deadline - now()):
                break
        except asyncio.TimeoutError:  # Canvas is slow: the worker looks again
            break
        wanted = min(max(_OF_AGE * (now() - waiting.since), shortest), longest)
        await sleep(min(wanted * (0.9 + 0.2 * chance()), max(waiting.deadline - now(), 0.0)))
    if (rest := started + dwell - now()) > 0:
        await sleep(rest)


async def _is_over(client: Looks, waiting: Waiting, *, thorough: bool) -> bool:
    """A Progress is one row and cheap, so it is asked first; only the job itself is believed."""
    course = Context(ContextKind.COURSE, str(waiting.course_id))
    try:
        if waiting.progress_id is not None and not thorough:
            progress = await client.progress(waiting.progress_id)
            if progress.workflow_state not in _OVER:
                return False
        if waiting.what == IMPORT:
            return (await client.show_migration(course, waiting.id)).workflow_state.is_over
        export = await client.show_export(course, waiting.id)
    except (NotFoundError, PermissionDeniedError):
        return True
    except CanvasExportsError as error:
        if not error.retryable:
            raise
        return False
    return export.is_dead or export.workflow_state is ExportState.EXPORTED
