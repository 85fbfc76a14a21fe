"""One look at one running export."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from canvas_exports.canvas.contexts import Context
from canvas_exports.canvas.models import ContentExport, ExportState, Progress, ProgressState
from canvas_exports.errors import CanvasExportsError, NotFoundError, PermissionDeniedError

_OVER = (ProgressState.COMPLETED, ProgressState.FAILED, ProgressState.CANCELED)


class Looks(Protocol):
    """The part of the asynchronous client that watching needs."""

    async def progress(self, progress_id: int) -> Progress:
        """``GET /api/v1/progress/:id``."""
        ...

    async def show_export(self, context: Context, export_id: int) -> ContentExport:
        """``GET /api/v1/{courses,groups,users}/:id/content_exports/:export_id``."""
        ...


@dataclass
class Subject:
    """An export under watch, and what is known of it."""

    context: str
    export_id: int
    progress_id: int | None
    completion: float | None
    changed_at: float
    running_since: float | None = None


async def look(client: Looks, subject: Subject, now: Callable[[], float]) -> str | None:
    """``ready``, or why it is dead, or ``None``: still running, or not to be seen just now.

    A Progress is one row and cheap, so it is asked first. It is over before the export's own state says so, and a
    cancelled one says nothing about the export; so only the export itself is believed.

    Raises:
        CanvasExportsError: permanent, and not about this export.
    """
    try:
        if subject.progress_id is not None and not await _progress_is_over(
            client, subject, subject.progress_id, now
        ):
            return None
        export = await client.show_export(Context.parse(subject.context), subject.export_id)
    except NotFoundError:
        return "gone"
    except PermissionDeniedError:
        return "denied"
    except CanvasExportsError as error:
        if not error.retryable:
            raise
        return None
    return _verdict(export)


def _verdict(export: ContentExport) -> str | None:
    if export.is_ready:
        return "ready"
    if export.is_dead:
        return export.workflow_state.value
    return "no package" if export.workflow_state is ExportState.EXPORTED else None


async def _progress_is_over(
    client: Looks, subject: Subject, progress_id: int, now: Callable[[], float]
) -> bool:
    """Whether the export itself is worth a look."""
    try:
        progress = await client.progress(progress_id)
    except (NotFoundError, PermissionDeniedError):
        return True
    if progress.completion != subject.completion:
        subject.completion, subject.changed_at = progress.completion, now()
    if progress.workflow_state is ProgressState.RUNNING and subject.running_since is None:
        subject.running_since = now()
    return progress.workflow_state in _OVER
