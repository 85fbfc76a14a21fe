"""What people do to a Canvas while exports run: each change by its name, with plain arguments, so that it can be written down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from canvas_sandbox.changes.imports import IMPORT_CHANGES
from canvas_sandbox.content.model import Kind
from canvas_sandbox.content.selection import parse_selection
from canvas_sandbox.records import ExportRequest

if TYPE_CHECKING:
    from canvas_sandbox.oauth import Grant
    from canvas_sandbox.world import World


def _edit_course(world: World, course_id: int) -> None:
    """A teacher changes the content: the next package differs from the last."""
    world.courses[course_id].revision += 1
    world.migrations.edit(world.courses[course_id])


def _delete_course(world: World, course_id: int) -> None:
    """The course is deleted, and loses its SIS id."""
    course = world.courses[course_id]
    course.state, course.sis_course_id = "deleted", None


def _reset_course(world: World, course_id: int) -> int:
    """The content is reset: a new, empty course takes over the SIS id, the old row is deleted. The new id."""
    old = world.courses[course_id]
    new = replace(old, id=max(world.courses) + 1, size=0, faults=())
    _delete_course(world, course_id)
    world.add_course(new)
    return new.id


def _delete_export(world: World, export_id: int) -> None:
    """Somebody deletes a finished export in Canvas's own pages: no longer listed, still shown, its package gone."""
    export = world.exports[export_id]
    if export.finished_at is None:
        raise ValueError(f"export {export_id} is still running: Canvas's pages offer no way to delete it")
    export.workflow_state = "deleted"
    if export.attachment is not None:
        del world.attachments[export.attachment.id]
        export.attachment = None


def _share_content(world: World, course_id: int, user_id: int) -> int:
    """Somebody sends a page of a course to a colleague: an export of it that no progress belongs to. Its id."""
    course = world.courses[course_id]
    pages = [page.id for page in world.content(course).of(Kind.PAGE)][:1]
    selection = parse_selection({"wiki_pages": pages}, "common_cartridge")
    return world.share(ExportRequest(course, "common_cartridge", world.users[user_id], selection)).id


def _cancel_progress(world: World, progress_id: int, message: str | None) -> None:
    """The owner cancels the job: it says ``failed``, and the job writes over it later."""
    progress = world.progresses[progress_id]
    progress.write(world.now, "failed")
    progress.message = message


def _set_token(world: World, user_id: int, problem: str | None) -> None:
    """Every token of a user becomes ``revoked`` or ``expired``, or works again."""
    for token in world.tokens.values():
        if token.user.id == user_id:
            token.problem = problem


def _issue_token(world: World, user_id: int) -> str:
    """The user makes another token; those before it stay as they are. The new one."""
    return world.issue_token(world.users[user_id])


def _authorize(world: World, key_id: int, user_id: int) -> str:
    """A user allows a developer key: a code."""
    return world.grants.authorize(world.grants.keys[str(key_id)], world.users[user_id], world.now)


def _exchange_code(world: World, code: str) -> Grant:
    """A code is exchanged for tokens."""
    return world.grants.exchange(code, world.now)


def _refresh_token(world: World, refresh_token: str) -> Grant:
    """A refresh token is exchanged for an access token, and the one before forgotten."""
    return world.grants.refresh(refresh_token, world.now)


def _revoke_token(world: World, value: str) -> None:
    """An access token is deleted, and what could renew it."""
    world.grants.revoke(world.tokens[value])


CHANGES: dict[str, Callable[..., Any]] = {
    change.__name__.lstrip("_"): change
    for change in (
        _edit_course,
        _delete_course,
        _reset_course,
        _delete_export,
        _share_content,
        _cancel_progress,
        _set_token,
        _issue_token,
        _authorize,
        _exchange_code,
        _refresh_token,
        _revoke_token,
    )
} | IMPORT_CHANGES
"""Changes by name; each takes the world and plain values."""
