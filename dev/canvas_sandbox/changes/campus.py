"""Changes to courses, exports and jobs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from canvas_sandbox.content.model import Kind
from canvas_sandbox.content.selection import parse_selection
from canvas_sandbox.records import ExportRequest
from canvas_sandbox.world import World


def edit_course(world: World, course_id: int) -> None:
    """Change the content of a course, so that its next package differs from the last."""
    world.contents.edit(world.courses[course_id])


def delete_course(world: World, course_id: int) -> None:
    """Delete a course. It loses its SIS id."""
    course = world.courses[course_id]
    course.state, course.sis_course_id = "deleted", None


def reset_course(world: World, course_id: int) -> int:
    """Reset the content of a course: a new, empty course gets the SIS id. Returns the new id."""
    old = world.courses[course_id]
    new = replace(old, id=max(world.courses) + 1, size=0, faults=())
    delete_course(world, course_id)
    world.add_course(new)
    return new.id


def delete_export(world: World, export_id: int) -> None:
    """Delete a finished export, as in Canvas's pages: no longer listed, still shown, without its package."""
    export = world.exports.rows[export_id]
    if export.finished_at is None:
        raise ValueError(f"export {export_id} is still running: Canvas's pages offer no way to delete it")
    world.exports.delete(export)


def share_content(world: World, course_id: int, user_id: int) -> int:
    """Share a page of a course: an export without progress. Returns its id."""
    course = world.courses[course_id]
    pages = [page.id for page in world.contents.of(course).of(Kind.PAGE)][:1]
    selection = parse_selection({"wiki_pages": pages}, "common_cartridge")
    return world.exports.share(ExportRequest(course, "common_cartridge", world.users[user_id], selection)).id


def cancel_progress(world: World, progress_id: int, message: str | None) -> None:
    """Cancel a job: it becomes ``failed``, and the job overwrites that later."""
    progress = world.kernel.progresses[progress_id]
    progress.write(world.kernel.now, "failed")
    progress.message = message


CAMPUS_CHANGES: dict[str, Callable[..., Any]] = {
    change.__name__: change
    for change in (edit_course, delete_course, reset_course, delete_export, share_content, cancel_progress)
}
"""Changes by name; each takes the world and plain values."""
