"""Poll one running export."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from canvas_exports.core.canvas.api.models import ContentExport, ExportState, Progress, ProgressState, User
from canvas_exports.core.export.engine.running_export import COMPLETE, RunningExport
from canvas_exports.core.model.contexts import Context
from canvas_exports.errors import CanvasError, NotFoundError, PermissionDeniedError

READY = "ready"
UNANSWERED = "unanswered"
TRUST_PROGRESS = 600.0  # seconds after which a Progress that stands still is no longer believed

_OVER = (ProgressState.COMPLETED, ProgressState.FAILED, ProgressState.CANCELED)
_NOT_STARTED = (ProgressState.QUEUED, ProgressState.UNKNOWN)


class PollingClient(Protocol):
    """The part of the asynchronous client that polling needs."""

    async def whoami(self) -> User:
        """``GET /api/v1/users/self``."""
        ...

    async def progress(self, progress_id: int) -> Progress:
        """``GET /api/v1/progress/:id``."""
        ...

    async def show_export(self, context: Context, export_id: int) -> ContentExport:
        """``GET /api/v1/{courses,groups,users}/:id/content_exports/:export_id``."""
        ...


async def poll(
    client: PollingClient,
    export: RunningExport,
    now: Callable[[], float],
    *,
    trust_progress: float = TRUST_PROGRESS,
) -> tuple[RunningExport, str | None]:
    """Poll an export; return the new observation and the ending.

    The ending is ``READY``, the reason why it will never have a package (``failed``, ``deleted``, ``no package``,
    ``gone``, ``denied``), ``UNANSWERED`` if Canvas did not show it, or ``None`` while it runs.

    The Progress is one row and cheap, so it is polled first. A complete Progress is worth a worker, which reads the export in
    any case before it downloads the package. The Progress is complete a moment before the export is, and for ever if the job
    died in that moment. So where a worker found no package (completion stands at 100), only the export itself is believed. The
    export itself is also polled where the Progress failed or was cancelled, which says nothing about the export, where the
    Progress was refused twice in a row, and where it has stood still for ``trust_progress`` seconds.
    """
    was_complete = export.completion == COMPLETE
    try:
        export, state = await _poll_progress(client, export, now)
        if state is ProgressState.COMPLETED and not was_complete:
            return export, READY
        if state is not None and state not in _OVER and now() - export.changed_at < trust_progress:
            return export, None
        shown = await client.show_export(Context.parse(export.context), export.export_id)
    except NotFoundError:
        return export, "gone"
    except PermissionDeniedError:
        return export, "denied"
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one export, the others are polled
        problem = error.reason if isinstance(error, CanvasError) else f"unexpected {type(error).__name__}"
        return replace(export, problem=problem), UNANSWERED
    started = shown.workflow_state is not ExportState.CREATED
    return replace(export, problem=None).seen(now(), started=started), _ending(shown)


def _ending(export: ContentExport) -> str | None:
    if export.is_ready:
        return READY
    if export.has_failed:
        return export.workflow_state.value
    return "no package" if export.workflow_state is ExportState.EXPORTED else None


async def _poll_progress(
    client: PollingClient, export: RunningExport, now: Callable[[], float]
) -> tuple[RunningExport, ProgressState | None]:
    """Ask for the Progress; the state is ``None`` where it says nothing, so that the export itself is to be asked.

    Raises:
        Exception: Canvas did not show it, for the first time in a row.
    """
    if export.progress_id is None:
        return export, None
    try:
        progress = await client.progress(export.progress_id)
    except (NotFoundError, PermissionDeniedError):
        return export, None
    except Exception:
        if export.problem is None:
            raise
        return export, None
    at, completion, changed_at = now(), progress.completion, export.changed_at
    if completion != export.completion:
        changed_at = at
    started = bool(completion) or progress.workflow_state not in _NOT_STARTED
    seen = replace(export, completion=completion, changed_at=changed_at, problem=None).seen(
        at, started=started
    )
    return seen, progress.workflow_state
