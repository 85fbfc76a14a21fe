"""Choose the copy to restore from the manifests and records. Reads no package."""

from __future__ import annotations

from canvas_exports.core.archive.catalog.copies import Copy, newest
from canvas_exports.core.archive.catalog.find_course import find_course
from canvas_exports.core.archive.catalog.presence import require_archive
from canvas_exports.core.archive.catalog.read import Holding, copies_of
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.model.contexts import Context
from canvas_exports.core.packages.proof import Verdict
from canvas_exports.core.restore.form_labels import LABELS, form_error
from canvas_exports.core.restore.request import RestoreRequest
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import InputError, NotFoundError

_NAMED = 5


def choose_copy(store: Store, client: CanvasClient, request: RestoreRequest) -> Copy:
    """Return the requested copy: a proven one, unless an incomplete one is allowed; never one that is known to be damaged.

    An export of selected objects is chosen only by its key.

    Raises:
        InputError: there is no such copy; the message lists copies that can be restored.
        NoArchiveError: the archive holds no copy of anything (permanent).
        ArchiveDeniedError: no right to list (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    source = source_of(store, client, request.source)
    holding = copies_of(store, source.kind.value, source.canvas_id or 0)
    if not holding.copies:
        require_archive(store)
    if request.wanted.key is not None:
        named = [copy for copy in holding.copies if request.wanted.key in (copy.key, copy.package.key)]
        found = newest(named)
        if found is None:
            raise form_error(
                "copy", f"{holding.name} has no copy with that key", accepted=_choices(holding, request)
            )
        if not _may_be_restored(found, request):
            raise form_error("copy", _refusal_reason(found), accepted=_choices(holding, request))
        return found
    of_type = [
        copy
        for copy in holding.copies
        if copy.export.type == request.export_type.value and copy.export.select is None
    ]
    in_time = [
        copy for copy in of_type if request.wanted.until is None or copy.created_at <= request.wanted.until
    ]
    found = newest(copy for copy in in_time if _may_be_restored(copy, request))
    if found is None:
        raise form_error(
            "copy", _no_copy(holding, of_type, in_time, request), accepted=_choices(holding, request)
        )
    return found


def source_of(store: Store, client: CanvasClient, source: Context | str) -> Context:
    """Return the course, group or user with the id under which the archive keeps its copies.

    Resolves a SIS id in Canvas. Searches the manifests for a SIS id that Canvas does not know, and for a course code or name.

    Raises:
        InputError: neither Canvas nor the archive knows it, or several courses of the archive have this code or name.
    """
    field = LABELS["course"]
    if isinstance(source, str) or source.canvas_id is not None:
        return find_course(store, source, field=field)
    try:
        return source.resolved(client.resolve(source))
    except NotFoundError:
        try:
            return find_course(store, source, field=field)
        except InputError as error:
            raise InputError(
                field,
                f"Canvas knows no {source} (a deleted course loses its SIS id), and in the archive "
                f"{error.message.removeprefix(f'{field}: ')}",
            ) from None


def _may_be_restored(copy: Copy, request: RestoreRequest) -> bool:
    if copy.is_proven:
        return True
    return request.allow_incomplete and copy.verdict is Verdict.INCOMPLETE and not copy.is_damaged


def _refusal_reason(copy: Copy) -> str:
    if copy.is_damaged:
        return "the package of this copy is damaged or missing"
    return f"this copy is {copy.verdict.value}, not proven whole"


def _no_copy(holding: Holding, of_type: list[Copy], in_time: list[Copy], request: RestoreRequest) -> str:
    what = f"{request.export_type.value} copy of {holding.name}"
    if not of_type:
        unread = "".join(f"; {each.key} cannot be read: {each.reason}" for each in holding.unreadable[:1])
        return f"the archive holds no {what}{unread}"
    if not in_time:
        return f"the archive holds no {what} that old"
    reasons = sorted({_refusal_reason(copy) for copy in in_time})
    return f"no {what} is proven: {'; '.join(reasons)}"


def _choices(holding: Holding, request: RestoreRequest) -> str:
    """Return the newest copies that may be restored, for the error message."""
    keys = [copy.key for copy in reversed(holding.copies) if _may_be_restored(copy, request)][:_NAMED]
    partial = any(copy.verdict is Verdict.INCOMPLETE and not copy.is_damaged for copy in holding.copies)
    if partial and not request.allow_incomplete:
        keys.append(f"the box {LABELS['allow_incomplete']!r}, if files may be missing")
    return ", ".join(keys) or "a course that has a proven copy in this archive"
