"""The buttons of a course: *Restore*, *Back up now*, *Hold*, *Release*. Each starts a run of a DAG, with the right of the user to trigger it.

Airflow 3's trigger forms cannot be filled in by a link, so the page has forms of its own for what a course needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.utils.session import create_session
from fastapi import APIRouter, Depends, HTTPException, Request, Response, status
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from sqlalchemy import select

from canvas_exports.core.archive.retention.holds import ALARM
from canvas_exports.core.reports.overview.course_view import CopyEntry, CourseView
from canvas_exports.core.text.wording import format_moment
from canvas_exports.web.archive_page.access.rights import CurrentUser, may_see_runs, may_trigger
from canvas_exports.web.archive_page.access.same_origin import check_same_origin, read_form
from canvas_exports.web.archive_page.pages import Addresses, page_root, render
from canvas_exports.web.archive_page.routes.overview import find_archive
from canvas_exports.web.archive_page.sentences import course_title
from canvas_exports.web.archive_page.settings.archives import OpenArchive, configuration
from canvas_exports.web.archive_page.settings.configuration import Configuration
from canvas_exports.web.archive_page.trigger import start_run

router = APIRouter(prefix="/{archive}/courses/{context}/do/{action}")


@dataclass(frozen=True)
class Field:
    """A field of a form.

    Attributes:
        name: of the field.
        label: for people.
        help: one sentence.
        is_required: whether it may not be empty.
        is_switch: whether it is a check box; else it is a text.
        choices: values and labels to choose from.
        pattern: a regular expression that the browser checks; ``""`` for any text.
    """

    name: str
    label: str
    help: str = ""
    is_required: bool = False
    is_switch: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    pattern: str = ""


@dataclass(frozen=True)
class Action:
    """What a button starts.

    Attributes:
        title: of the button and its form.
        sentence: what happens.
        dag_id: returns the DAG.
        kinds: contexts that it is for.
        needs_copy: whether there must be a copy.
        fields: of the form.
        conf: returns the fields of the DAG's trigger form.
        needs_alarm: whether there must be an alarm.
    """

    title: str
    sentence: str
    dag_id: Callable[[Configuration], str]
    kinds: tuple[str, ...]
    needs_copy: bool
    fields: Callable[[CourseView], tuple[Field, ...]]
    conf: Callable[[CourseView, Mapping[str, str]], dict[str, Any]]
    needs_alarm: bool = False


def _copies(course: CourseView, *, first: tuple[str, str], only: Callable[[CopyEntry], bool]) -> Field:
    choices = [
        (each.key, f"{format_moment(each.created_at)}, {each.state}") for each in course.copies if only(each)
    ]
    return Field("copy", "Copy", choices=(first, *choices))


def _restore_fields(course: CourseView) -> tuple[Field, ...]:
    return (
        _copies(
            course, first=("newest", "The newest proven copy"), only=lambda copy: copy.state != "vanished"
        ),
        Field(
            "into",
            "Target course",
            "An empty course: its id, the address of its page, or its SIS id as sis_course_id:BIO-101.",
            is_required=True,
        ),
        Field(
            "allow_incomplete", "Restore a copy with missing files if there is no better one", is_switch=True
        ),
        Field(
            "allow_content",
            "Allow a course with content: items that are also in the copy are overwritten",
            is_switch=True,
        ),
        Field(
            "confirm_same_course",
            "Only to restore into the same course",
            "The id of that course, as a confirmation that its content is overwritten.",
        ),
    )


def _restore_conf(course: CourseView, form: Mapping[str, str]) -> dict[str, Any]:
    return {
        "course": course.course.context,
        "copy": form.get("copy") or "newest",
        "into": form.get("into", ""),
        "allow_incomplete": "allow_incomplete" in form,
        "allow_content": "allow_content" in form,
        "confirm_same_course": form.get("confirm_same_course") or None,
    }


def _backup_conf(course: CourseView, form: Mapping[str, str]) -> dict[str, Any]:
    return {
        f"{course.course.kind}s": [str(course.course.number)],
        "export_type": form.get("export_type") or "common_cartridge",
    }


def _hold_conf(course: CourseView, form: Mapping[str, str]) -> dict[str, Any]:
    return {
        "course": course.course.context,
        "tag": form.get("tag", ""),
        "copy": form.get("copy") or None,
        "lift": "lift" in form,
    }


def _release_conf(course: CourseView, _: Mapping[str, str]) -> dict[str, Any]:
    return {"course": course.course.context, "tag": ALARM, "copy": None, "lift": True}


_TYPES = (
    ("common_cartridge", "The whole course (Common Cartridge, .imscc)"),
    ("qti", "Its classic quizzes (QTI, .zip)"),
    ("zip", "Its files (.zip)"),
)

ACTIONS: Mapping[str, Action] = {
    "restore": Action(
        "Restore",
        "Restores the content of a copy into another, empty course in Canvas. Deletes nothing.",
        lambda found: found.restore_dag_id,
        ("course",),
        True,
        _restore_fields,
        _restore_conf,
    ),
    "back-up": Action(
        "Back up now",
        "Exports it from Canvas, proves the package, and stores it in the archive.",
        lambda found: found.export_dag_id,
        ("course", "group", "user"),
        False,
        lambda _: (Field("export_type", "Export type", choices=_TYPES),),
        _backup_conf,
    ),
    "hold": Action(
        "Hold",
        "Holds copies: no retention rule deletes them until the hold ends. Later copies are not held.",
        lambda found: found.hold_dag_id,
        ("course", "group", "user"),
        True,
        lambda course: (
            Field(
                "tag",
                "Reason",
                "A word of 1 to 12 letters a-z, such as legal.",
                is_required=True,
                pattern="[a-z]{1,12}",
            ),
            _copies(course, first=("", "All copies that there are now"), only=lambda _: True),
            Field("lift", "End the hold with this reason", is_switch=True),
        ),
        _hold_conf,
    ),
    "release": Action(
        "Release",
        "Ends the alarms of the course: its copies from before them follow the retention rules again. Other holds stay.",
        lambda found: found.hold_dag_id,
        ("course", "group", "user"),
        True,
        lambda _: (),
        _release_conf,
        needs_alarm=True,
    ),
}


async def offered_actions(
    request: Request, user: Any, place: OpenArchive, course: CourseView
) -> list[tuple[str, str]]:
    """Return paths and titles of the buttons that this user may press for this course."""
    if place.archive.connection is None or course.course.number is None:
        return []
    return [
        (path, action.title)
        for path, action in ACTIONS.items()
        if course.course.kind in action.kinds
        and (course.copies or not action.needs_copy)
        and (course.alarms or not action.needs_alarm)
        and await run_in_threadpool(may_trigger, request, user, action.dag_id(configuration()))
    ]


@dataclass(frozen=True)
class AskedAction:
    """A button that somebody pressed, who may."""

    path: str
    action: Action
    place: OpenArchive
    course: CourseView
    dag_id: str


async def asked_action(
    request: Request, user: CurrentUser, archive: str, context: str, action: str
) -> AskedAction:
    """Return the action of an address.

    Raises:
        HTTPException: 404, there is no such course or action; 403, the user may not trigger its DAG, or there is no such DAG.
    """
    place = find_archive(archive)
    found = ACTIONS.get(action)
    if found is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "There is no such page.")
    dag_id = found.dag_id(configuration())
    if not await run_in_threadpool(may_trigger, request, user, dag_id):
        raise HTTPException(
            status.HTTP_403_FORBIDDEN,
            f"You may not trigger {dag_id}, or this Airflow has no DAG of this name.",
        )
    course, _ = await place.ask(lambda snapshot: snapshot.course(context))
    if course is None or action not in dict(await offered_actions(request, user, place, course)):
        raise HTTPException(status.HTTP_404_NOT_FOUND, f"{found.title} is not possible for this course.")
    return AskedAction(action, found, place, course, dag_id)


Asked = Annotated[AskedAction, Depends(asked_action)]


@router.get("")
async def show_form(request: Request, asked: Asked, copy: str = "") -> Response:
    """Show the form of a button."""
    return render(
        request,
        "action.html",
        title=f"{asked.action.title}: {course_title(asked.course.course)}",
        archive=asked.place.archive.name,
        asked=asked,
        fields=asked.action.fields(asked.course),
        chosen=copy,
    )


@router.post("", dependencies=[Depends(check_same_origin)])
async def start(request: Request, asked: Asked) -> Response:
    """Start the run, and lead back to the course."""
    conf = asked.action.conf(asked.course, await read_form(request))
    run_id = await start_run(request, asked.dag_id, {**conf, "archive": asked.place.archive.connection})
    to = Addresses(page_root(request))
    back = to(
        asked.place.archive.name, "courses", asked.course.course.context, started=asked.path, run=run_id
    )
    return RedirectResponse(back, status_code=status.HTTP_303_SEE_OTHER)


def started_run(request: Request, user: BaseUser, path: str, run_id: str) -> dict[str, Any] | None:
    """Return title, DAG, id and state of a run that a button started, and whether its DAG is paused. Blocks.

    ``None`` if the user may see no such run.
    """
    action = ACTIONS.get(path)
    if action is None or not run_id or "\0" in run_id:  # the database would refuse the query
        return None
    dag_id = action.dag_id(configuration())
    if not may_see_runs(request, user, dag_id):
        return None
    with create_session() as session:
        state = session.scalar(select(DagRun.state).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id))
        is_paused = session.scalar(select(DagModel.is_paused).where(DagModel.dag_id == dag_id))
    if state is None:
        return None
    return {
        "title": action.title,
        "dag": dag_id,
        "run": run_id,
        "state": str(getattr(state, "value", state)),
        "is_paused": bool(is_paused),
    }
