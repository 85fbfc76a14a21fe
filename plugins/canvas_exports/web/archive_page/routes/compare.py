"""The route that compares two copies, of a course or of two, for users who may read contents of packages."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response, status

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.compare import Comparison, compare_copies
from canvas_exports.core.packages.changes.model import MODULE, MODULE_ITEM, Change, ItemChange
from canvas_exports.core.reports.changes.fragment import changes_fragment
from canvas_exports.core.reports.overview.snapshot import Snapshot
from canvas_exports.core.storage.store import Store
from canvas_exports.web.archive_page.access.audit import COMPARED, write_audit
from canvas_exports.web.archive_page.access.rights import CurrentUser
from canvas_exports.web.archive_page.pages import Addresses, page_root, render
from canvas_exports.web.archive_page.routes.content import READ, READ_WITH_KEY, content_right
from canvas_exports.web.archive_page.routes.overview import copy_name, find_archive
from canvas_exports.web.archive_page.sentences import course_title

router = APIRouter(prefix="/{archive}/courses/{context}/compare", dependencies=[Depends(content_right)])

_MOST_COPIES = 500  # to choose from
_MOST_KEPT = 8  # comparisons; packages never change, so neither do these

#: A number of Canvas's with or without its kind; blanks around it are a person's.
_OTHER = r"^ *((course|group|user):)?[0-9]{1,19} *$|^ *$"

_lock = threading.Lock()
_kept: OrderedDict[tuple[str, str, str, bool], Comparison] = OrderedDict()


@dataclass(frozen=True)
class Choice:
    """The form above the changes.

    Attributes:
        since: name of the first copy; by default the last one before the second that names another package. Where the second
            is of another course, the newest of its export type.
        to: name of the second copy; by default the newest.
        other: the course, group or user whose copy is the second, such as ``course:102``; ``""``: the same.
        key: whether the answer keys of quizzes are shown.
    """

    since: str = ""
    to: str = ""
    other: str = ""
    key: bool = False


def asked_choice(
    *,
    since: Annotated[str, Query(alias="from", max_length=300)] = "",
    to: Annotated[str, Query(max_length=300)] = "",
    other: Annotated[str, Query(alias="with", pattern=_OTHER)] = "",
    key: bool = False,
) -> Choice:
    """Read the form. A function: FastAPI of Airflow 3.1 does not resolve the annotations of a class."""
    other = other.strip()
    return Choice(since, to, f"course:{other}" if other.isdecimal() else other, key)


@router.get("")
async def show_changes(
    request: Request,
    user: CurrentUser,
    archive: str,
    context: str,
    asked: Annotated[Choice, Depends(asked_choice)],
) -> Response:
    """Show what changed from one copy to another."""
    place = find_archive(archive)
    (copies, others, course), view = await place.ask(
        lambda snapshot: (
            _copies(snapshot, context),
            _copies(snapshot, asked.other or context),
            snapshot.course(context),
        )
    )
    title = course_title(course.course) if course else context
    after = _named(others, asked.to) if asked.to else others[-1]
    if asked.since:
        before = _named(copies, asked.since)
    elif asked.other:
        before = _newest(copies, after.export.type)
    else:
        before = _previous(copies, after)
    if before.export.type != after.export.type:
        raise HTTPException(status.HTTP_400_BAD_REQUEST, "Copies of one export type can be compared.")
    await write_audit(
        user,
        COMPARED,
        archive=archive,
        course=context,
        copy=before.key,
        to=after.key,
        keys="with answer keys" if asked.key else "",
    )
    found = await place.run(lambda store: _compared(store, before, after, with_key=asked.key), is_long=True)
    to_page = Addresses(page_root(request))

    def link(change: ItemChange) -> str:
        if change.kind in (MODULE, MODULE_ITEM):
            return ""
        copy, name = (before, change.before) if change.change is Change.REMOVED else (after, change.after)
        place_of_copy = ("courses", copy.name, "copies", copy_name(copy.key))
        reading = READ_WITH_KEY if asked.key else READ
        return to_page(archive, *place_of_copy, reading, "items", change.kind, id=name)

    return render(
        request,
        "compare.html",
        title=f"From {context} to {asked.other}" if asked.other else f"What changed in {title}",
        archive=archive,
        section="course",
        reading=view,
        context=context,
        choices=(_choices("from", "From", copies, before), _choices("to", "To", others, after)),
        other=asked.other,
        before=before,
        after=after,
        key=asked.key,
        found=found,
        changes=changes_fragment(found.content, link=link),
    )


def _copies(snapshot: Snapshot, context: str) -> list[Copy]:
    holding = snapshot.holding(context)
    copies = [copy for copy in (holding.copies if holding else ()) if copy.is_present][-_MOST_COPIES:]
    if not copies:
        raise HTTPException(status.HTTP_404_NOT_FOUND, f"The archive holds no copy of {context}.")
    return copies


def _choices(
    name: str, label: str, copies: list[Copy], chosen: Copy
) -> tuple[str, str, list[tuple[str, Copy]], Copy]:
    """Return what the form needs to offer copies, newest first."""
    return name, label, [(copy_name(copy.key), copy) for copy in reversed(copies)], chosen


def _newest(copies: list[Copy], export_type: str) -> Copy:
    """Return the newest copy of a type; of any, if there is none of it."""
    return ([copy for copy in copies if copy.export.type == export_type] or copies)[-1]


def _named(copies: list[Copy], name: str) -> Copy:
    found = [copy for copy in copies if copy_name(copy.key) == name]
    if not found:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "The archive holds no such copy.")
    return found[0]


def _previous(copies: list[Copy], after: Copy) -> Copy:
    """Return the last copy before one, of its type, that names another package; the copy itself if there is none."""
    older = [copy for copy in copies[: copies.index(after)] if copy.export.type == after.export.type]
    others = [copy for copy in older if copy.package.key != after.package.key]
    return (others or older or [after])[-1]


def _compared(store: Store, before: Copy, after: Copy, *, with_key: bool) -> Comparison:
    """Return the comparison, of those that were made last. Blocks while packages are read. Thread-safe."""
    asked = (store.uri, before.key, after.key, with_key)
    with _lock:
        if asked in _kept:
            _kept.move_to_end(asked)
            return _kept[asked]
    found = compare_copies(store, before, after, with_key=with_key)
    with _lock:
        _kept[asked] = found
        while len(_kept) > _MOST_KEPT:
            _kept.popitem(last=False)
    return found
