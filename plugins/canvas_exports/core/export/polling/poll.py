"""One look at one running export."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from canvas_exports.core.canvas.api.models import ContentExport, ExportState, Progress, ProgressState, User
from canvas_exports.core.export.engine.items import COMPLETE
from canvas_exports.core.model.contexts import Context
from canvas_exports.errors import CanvasError, NotFoundError, PermissionDeniedError

_OVER = (ProgressState.COMPLETED, ProgressState.FAILED, ProgressState.CANCELED)
DOUBT_AFTER = 600.0  # seconds after which a Progress that stands still is no longer taken at its word
REFUSED = "refused"  # a look was not answered
_NOT_BEGUN = (ProgressState.QUEUED, ProgressState.UNKNOWN)


class Looks(Protocol):
    """The part of the asynchronous client that watching needs."""

    async def whoami(self) -> User:
        """``GET /api/v1/users/self``."""
        ...

    async def progress(self, progress_id: int) -> Progress:
        """``GET /api/v1/progress/:id``."""
        ...

    async def show_export(self, context: Context, export_id: int) -> ContentExport:
        """``GET /api/v1/{courses,groups,users}/:id/content_exports/:export_id``."""
        ...


@dataclass
class Subject:
    """An export under watch, and what is known of it. Times are seconds since the epoch.

    Attributes:
        changed_at: when its completion last changed.
        running_since: when it started, as far as known; ``None`` while it queues.
        seen_at: when it was last seen, or Canvas would not show it alone; ``None`` if never.
        trouble: how Canvas answered the last look instead of showing it.
    """

    context: str
    export_id: int
    progress_id: int | None
    completion: float | None
    changed_at: float
    running_since: float | None = None
    seen_at: float | None = None
    trouble: str | None = None


async def look(
    client: Looks, subject: Subject, now: Callable[[], float], *, doubt_after: float = DOUBT_AFTER
) -> str | None:
    """``ready``, or why it is dead, or ``refused``: not to be seen just now, or ``None``: still running.

    A Progress is one row and cheap, so it is asked first. One that is complete is worth a worker, who reads the export in
    any case before its package is fetched. It is so a moment before the export is, though, and for ever if the job died
    in that moment: where the worker came in vain, completion stands at 100, and only the export itself is believed. So
    it is where the Progress failed or was cancelled, which says nothing about the export, where it was refused twice, and
    where it has stood still for ``doubt_after`` seconds: the export may be over all the same.
    """
    in_vain = subject.completion == COMPLETE
    try:
        state = await _progress(client, subject, now)
        if state is ProgressState.COMPLETED and not in_vain:
            return "ready"
        if state is not None and state not in _OVER and now() - subject.changed_at < doubt_after:
            return None
        export = await client.show_export(Context.parse(subject.context), subject.export_id)
    except NotFoundError:
        return "gone"
    except PermissionDeniedError:
        return "denied"
    except Exception as error:  # noqa: BLE001 - whatever is odd about one export, the others are watched on
        subject.trouble = (
            error.reason if isinstance(error, CanvasError) else f"unexpected {type(error).__name__}"
        )
        return REFUSED
    subject.trouble = None
    _seen(subject, now(), begun=export.workflow_state is not ExportState.CREATED)
    return _verdict(export)


def _verdict(export: ContentExport) -> str | None:
    if export.is_ready:
        return "ready"
    if export.is_dead:
        return export.workflow_state.value
    return "no package" if export.workflow_state is ExportState.EXPORTED else None


async def _progress(client: Looks, subject: Subject, now: Callable[[], float]) -> ProgressState | None:
    """The state of the Progress; ``None`` if it says nothing, so that the export itself is to be asked.

    Raises:
        Exception: it was not answered, for the first time in a row.
    """
    if subject.progress_id is None:
        return None
    try:
        progress = await client.progress(subject.progress_id)
    except (NotFoundError, PermissionDeniedError):
        return None
    except Exception:
        if subject.trouble is None:
            raise
        return None
    at = now()
    subject.trouble = None
    if progress.completion != subject.completion:
        subject.completion, subject.changed_at = progress.completion, at
    _seen(subject, at, begun=bool(progress.completion) or progress.workflow_state not in _NOT_BEGUN)
    return progress.workflow_state


def _seen(subject: Subject, now: float, *, begun: bool) -> None:
    """Note a look. What has begun did so since the last look, so about half-way back."""
    if begun and subject.running_since is None:
        subject.running_since = now if subject.seen_at is None else (subject.seen_at + now) / 2
    subject.seen_at = now
