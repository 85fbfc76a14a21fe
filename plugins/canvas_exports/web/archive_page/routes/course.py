"""The route of a course: its copies as a time line, and the buttons that the user may press."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, HTTPException, Request, Response, status
from fastapi.concurrency import run_in_threadpool

from canvas_exports.core.reports.changes.in_words import CONTENT_CHANGED, change_in_words
from canvas_exports.core.reports.overview.course_view import CopyEntry
from canvas_exports.web.archive_page.access.rights import CurrentUser, may_read_content
from canvas_exports.web.archive_page.pages import airflow_address, render
from canvas_exports.web.archive_page.routes.actions import offered_actions, started_run
from canvas_exports.web.archive_page.routes.overview import copy_name, find_archive
from canvas_exports.web.archive_page.sentences import course_title
from canvas_exports.web.archive_page.settings.archives import configuration

router = APIRouter()

#: Of two packages; whether their contents differ, too, is known once both were read.
_SAME_NUMBERS = "another package with the same numbers of everything"


@router.get("/{archive}/courses/{context}")
async def show_course(
    request: Request, archive: str, context: str, user: CurrentUser, *, started: str = "", run: str = ""
) -> Response:
    """Show a course, group or user with its copies."""
    place = find_archive(archive)
    course, view = await place.ask(lambda snapshot: snapshot.course(context))
    if course is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "The archive knows no such course, group or user.")
    actions = await offered_actions(request, user, place, course)
    return render(
        request,
        "course.html",
        title=course_title(course.course),
        archive=archive,
        section="course",
        reading=view,
        view=course,
        may_read=may_read_content(user, configuration()),
        copy_name=copy_name,
        changed=_changed(course.copies),
        actions=actions,
        can_restore="restore" in dict(actions),
        run=await run_in_threadpool(started_run, request, user, started, run),
        airflow=airflow_address,
    )


def _changed(copies: Sequence[CopyEntry]) -> dict[str, str]:
    """Return what changed since the copy before, of its type, by the key of each copy; the newest copy comes first."""
    words: dict[str, str] = {}
    later: dict[str, CopyEntry] = {}
    for copy in copies:
        words[copy.key] = ""
        if (after := later.get(copy.export_type)) is not None:
            told = change_in_words(
                copy.counts,
                after.counts,
                is_same=copy.package == after.package,
                more_bytes=after.size - copy.size,
            )
            words[after.key] = _SAME_NUMBERS if told == CONTENT_CHANGED else told
        later[copy.export_type] = copy
    return words
