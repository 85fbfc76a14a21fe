"""Poll an import, or the export of a drill, until Canvas is done. Asynchronous, stateless, restartable."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import astuple, dataclass
from typing import Any, Protocol

from canvas_exports.core.canvas.api.migrations import ContentMigration
from canvas_exports.core.canvas.api.models import ContentExport, ExportState, Progress, ProgressState
from canvas_exports.core.model.backoff import jitter
from canvas_exports.core.model.contexts import Context, ContextKind
from canvas_exports.errors import CanvasExportsError, NotFoundError, PermissionDeniedError

IMPORT, EXPORT = "import", "export"
_OF_AGE = 0.15  # share of the elapsed time: a job that has run for an hour will not be done in ten seconds
_DIRECT = 5  # one of so many polls reads the job itself, because its Progress may never be updated
_OVER = (ProgressState.COMPLETED, ProgressState.FAILED, ProgressState.CANCELED)


@dataclass(frozen=True)
class CanvasJob:
    """A job of Canvas as plain values. Times are seconds since the epoch.

    Attributes:
        kind: ``IMPORT`` or ``EXPORT``.
        course_id: the course of the job.
        id: of the content migration or the content export.
        progress_id: of its Progress, if there is one.
        since: when it began.
        deadline: when waiting ends.
    """

    kind: str
    course_id: int
    id: int
    progress_id: int | None
    since: float
    deadline: float

    def to_json(self) -> list[Any]:
        """Return a JSON row."""
        return list(astuple(self))

    @classmethod
    def from_json(cls, row: Sequence[Any]) -> CanvasJob:
        """Read what ``to_json`` wrote. Ignores values that a later release added.

        Raises:
            ValueError: malformed row.
        """
        try:
            kind, course_id, number, progress_id, since, deadline = row[:6]
            progress_id = None if progress_id is None else int(progress_id)
            return cls(str(kind), int(course_id), int(number), progress_id, float(since), float(deadline))
        except (TypeError, OverflowError) as error:
            raise ValueError(f"not a job of Canvas: {error}") from None


class PollingClient(Protocol):
    """The part of the asynchronous client that ``wait_for`` needs."""

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
    client: PollingClient,
    job: CanvasJob,
    *,
    shortest: float = 5.0,
    longest: float = 60.0,
    min_wait: float = 0.0,
    now: Callable[[], float] = time.time,
    sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
    chance: Callable[[], float] = jitter,
) -> None:
    """Return once the job is over or gone, or at its deadline. Does not return the result: the worker reads it from Canvas.

    Can run twice at the same time, and again from the start. After a retryable error, the next poll tries again.

    Args:
        client: polls Canvas.
        job: the job to wait for.
        shortest: seconds between two polls at least.
        longest: seconds between two polls at most, before a jitter of ten per cent.
        min_wait: seconds after which the function returns at the earliest.
        now: our clock, in seconds since the epoch.
        sleep: waits so many seconds.
        chance: a source of numbers in [0, 1), for the jitter.

    Raises:
        CanvasExportsError: permanent, and not about this job (the token is no longer valid).
    """
    started, polls = now(), 0
    while now() < job.deadline:
        polls += 1
        polling = _is_over(client, job, direct=polls % _DIRECT == 0)
        try:
            if await asyncio.wait_for(polling, job.deadline - now()):
                break
        except asyncio.TimeoutError:  # Canvas is slow: the worker polls again
            break
        wanted = min(max(_OF_AGE * (now() - job.since), shortest), longest)
        await sleep(min(wanted * (0.9 + 0.2 * chance()), max(job.deadline - now(), 0.0)))
    if (rest := started + min_wait - now()) > 0:
        await sleep(rest)


async def _is_over(client: PollingClient, job: CanvasJob, *, direct: bool) -> bool:
    """Return whether the job is over. Reads the Progress first, which is cheap, and then the job, which decides."""
    course = Context(ContextKind.COURSE, str(job.course_id))
    try:
        if job.progress_id is not None and not direct:
            progress = await client.progress(job.progress_id)
            if progress.workflow_state not in _OVER:
                return False
        if job.kind == IMPORT:
            return (await client.show_migration(course, job.id)).workflow_state.is_over
        export = await client.show_export(course, job.id)
    except (NotFoundError, PermissionDeniedError):
        return True
    except CanvasExportsError as error:
        if not error.retryable:
            raise
        return False
    return export.has_failed or export.workflow_state is ExportState.EXPORTED
