"""Choose the copy to restore from the manifests and records. Reads no package."""

from __future__ import annotations

from canvas_exports.core.archive.catalog.copies import Copy, newest
from canvas_exports.core.archive.catalog.find_course import find_course
from canvas_exports.core.archive.catalog.presence import require_archive
from canvas_exports.core.archive.catalog.read import Holding, copies_of
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.model.contexts import Context
from canvas_exports.core.packages.proof import Verdict
from canvas_exports.core.restore.form_labels import box, form_error, label
from canvas_exports.core.restore.request import CopyChoice, RestoreRequest
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
    return choose_from(
        holding,
        request.wanted,
        export_type=request.export_type.value,
        allow_incomplete=request.allow_incomplete,
    )


def choose_from(holding: Holding, wanted: CopyChoice, *, export_type: str, allow_incomplete: bool) -> Copy:
    """Return the wanted copy of a course: see ``choose_copy``.

    Args:
        holding: the copies of the course.
        wanted: which of them. One that is named by its export or its key may have any export type.
        export_type: of the copy.
        allow_incomplete: accept a copy that is not whole, if there is no better one.

    Raises:
        InputError: there is no such copy; the message lists copies that can be chosen.
    """
    keys = _restorable_copies(holding, allow_incomplete=allow_incomplete)
    if wanted.key is not None or wanted.export_id is not None:
        found = newest(
            copy
            for copy in holding.copies
            if (
                wanted.key in (copy.key, copy.package.key)
                if wanted.key
                else copy.export.id == wanted.export_id
            )
        )
        if found is None:
            what = "with that key" if wanted.key else f"of export {wanted.export_id}"
            raise form_error("copy", f"{holding.name} has no copy {what}", accepted=keys)
        if not _may_be_restored(found, allow_incomplete=allow_incomplete):
            raise form_error("copy", _refusal_reason(found), accepted=keys)
        return found
    of_type = [
        copy for copy in holding.copies if copy.export.type == export_type and copy.export.select is None
    ]
    in_time = [copy for copy in of_type if wanted.until is None or copy.created_at <= wanted.until]
    found = newest(copy for copy in in_time if _may_be_restored(copy, allow_incomplete=allow_incomplete))
    if found is None:
        raise form_error("copy", _no_copy_reason(holding, of_type, in_time, export_type), accepted=keys)
    return found


def source_of(store: Store, client: CanvasClient, source: Context | str) -> Context:
    """Return the course, group or user with the id under which the archive keeps its copies.

    Resolves a SIS id in Canvas. Searches the manifests for a SIS id that Canvas does not know, and for a course code or name.

    Raises:
        InputError: neither Canvas nor the archive knows it, or several courses of the archive have this code or name.
    """
    field = label("course")
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


def _may_be_restored(copy: Copy, *, allow_incomplete: bool) -> bool:
    if copy.is_proven:
        return True
    return allow_incomplete and copy.verdict is Verdict.INCOMPLETE and not copy.is_damaged


def _refusal_reason(copy: Copy) -> str:
    if copy.is_damaged:
        return "the package of this copy is damaged or missing"
    return f"this copy is {copy.verdict.value}, not proven whole"


def _no_copy_reason(holding: Holding, of_type: list[Copy], in_time: list[Copy], export_type: str) -> str:
    what = f"{export_type} copy of {holding.name}"
    if not of_type:
        unread = "".join(f"; {each.key} cannot be read: {each.reason}" for each in holding.unreadable[:1])
        return f"the archive holds no {what}{unread}"
    if not in_time:
        return f"the archive holds no {what} that old"
    reasons = sorted({_refusal_reason(copy) for copy in in_time})
    return f"no {what} is proven: {'; '.join(reasons)}"


def _restorable_copies(holding: Holding, *, allow_incomplete: bool) -> str:
    """Return the newest copies that may be restored, for the error message."""
    keys = [
        copy.key
        for copy in reversed(holding.copies)
        if _may_be_restored(copy, allow_incomplete=allow_incomplete)
    ][:_NAMED]
    partial = any(copy.verdict is Verdict.INCOMPLETE and not copy.is_damaged for copy in holding.copies)
    if partial and not allow_incomplete:
        keys.append(f"{box('allow_incomplete')}, if files may be missing")
    return ", ".join(keys) or "a course that has a proven copy in this archive"
