"""Permissions of users."""

from __future__ import annotations

from canvas_sandbox.campus import Course, Exportable, Group, User
from canvas_sandbox.faults import Fault
from canvas_sandbox.records import OWN_ONLY_TYPES, Export, Progress
from canvas_sandbox.web.lookups import in_root_account
from canvas_sandbox.world import World


def can_read(world: World, user: User, context: Exportable) -> bool:
    """Return whether the user has ``read`` on a course, group or user."""
    if Fault.FORBIDDEN in context.active_faults:
        return False
    if can_read_as_admin(world, user, context) and _reads_content(user, context):
        return True
    if isinstance(context, Course):
        return user.id in context.students and context.state in ("available", "completed")
    if isinstance(context, Group):
        return user.id in context.members
    return user.id == context.id


def can_read_as_admin(world: World, user: User, context: Exportable) -> bool:
    """Return whether the user has ``read_as_admin``: account admins, and the teachers of a course."""
    if Fault.FORBIDDEN in context.active_faults:
        return False
    if isinstance(context, Course):
        return user.id in context.teachers or (
            user.role == "admin" and in_root_account(world, context.account_id)
        )
    if isinstance(context, Group) and context.course_id in world.courses:
        return can_read_as_admin(world, user, world.courses[context.course_id])
    return user.role == "admin"


def _reads_content(user: User, context: Exportable) -> bool:
    """Return whether a user with ``read_as_admin`` on a course has ``read`` there, too: an admin needs ``read_course_content``."""
    return not isinstance(context, Course) or user.id in context.teachers or user.may("read_course_content")


def can_create_export(world: World, user: User, context: Exportable, export_type: str) -> bool:
    """Return whether the user may start this type of export there."""
    if not can_read(world, user, context):
        return False
    return export_type in OWN_ONLY_TYPES or can_read_as_admin(world, user, context)


def can_list_export(world: World, user: User, export: Export) -> bool:
    """Return whether the export is in the list that its context shows to the user."""
    own = export.user_id == user.id
    if export.export_type in OWN_ONLY_TYPES or not isinstance(export.context, Course):
        return own and export.export_type in OWN_ONLY_TYPES
    return can_read_as_admin(world, user, export.context)


def can_show_export(world: World, user: User, export: Export) -> bool:
    """Return whether the user may see this export, its progress and its package."""
    if export.export_type in OWN_ONLY_TYPES:
        return export.user_id == user.id and can_read(world, user, export.context)
    return can_read_as_admin(world, user, export.context)


def can_manage_content(world: World, user: User, context: Exportable) -> bool:
    """Return whether the user has ``manage_course_content_add`` and ``..._edit``, or the like elsewhere."""
    if can_read_as_admin(world, user, context):
        return True
    return (
        isinstance(context, User) and user.id == context.id and Fault.FORBIDDEN not in context.active_faults
    )


def can_show_progress(world: World, user: User, progress: Progress) -> bool:
    """Return whether the user may see the progress of a job, which follows from what the job is for."""
    if progress.context_type == "ContentMigration":
        return can_manage_content(world, user, world.migrations.rows[progress.context_id].context)
    return can_show_export(world, user, world.exports.rows[progress.context_id])


def can_see_sis_ids(user: User) -> bool:
    """Return whether the user has ``read_sis``."""
    return user.may("read_sis")
