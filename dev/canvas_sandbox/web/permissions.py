"""Who may do what."""

from __future__ import annotations

from canvas_sandbox.campus import Course, Exportable, Group, User
from canvas_sandbox.faults import Fault
from canvas_sandbox.records import OWN_ONLY_TYPES, Export, Progress
from canvas_sandbox.web.lookups import in_root_account
from canvas_sandbox.world import World


def reads(world: World, user: User, context: Exportable) -> bool:
    """``read`` on a course, a group or a person."""
    if Fault.FORBIDDEN in context.active_faults:
        return False
    if reads_as_admin(world, user, context):
        return True
    if isinstance(context, Course):
        return user.id in context.students and context.state in ("available", "completed")
    if isinstance(context, Group):
        return user.id in context.members
    return user.id == context.id


def reads_as_admin(world: World, user: User, context: Exportable) -> bool:
    """``read_as_admin``: account admins, and the teachers of a course."""
    if Fault.FORBIDDEN in context.active_faults:
        return False
    if isinstance(context, Course):
        return user.id in context.teachers or (
            user.role == "admin" and in_root_account(world, context.account_id)
        )
    if isinstance(context, Group) and context.course_id in world.courses:
        return reads_as_admin(world, user, world.courses[context.course_id])
    return user.role == "admin"


def creates(world: World, user: User, context: Exportable, export_type: str) -> bool:
    """Whether the user may start this type of export there."""
    if reads_as_admin(world, user, context):
        return True
    return export_type in OWN_ONLY_TYPES and reads(world, user, context)


def lists(world: World, user: User, export: Export) -> bool:
    """Whether the export is in the list its context shows to the user."""
    own = export.user_id == user.id
    if export.export_type in OWN_ONLY_TYPES or not isinstance(export.context, Course):
        return own and export.export_type in OWN_ONLY_TYPES
    return reads_as_admin(world, user, export.context)


def shows(world: World, user: User, export: Export) -> bool:
    """Whether the user may see this export, and with it its progress and its package."""
    if export.export_type in OWN_ONLY_TYPES:
        return export.user_id == user.id and reads(world, user, export.context)
    return reads_as_admin(world, user, export.context)


def manages_content(world: World, user: User, context: Exportable) -> bool:
    """``manage_course_content_add`` and ``..._edit`` in a course, and their like elsewhere."""
    if reads_as_admin(world, user, context):
        return True
    return (
        isinstance(context, User) and user.id == context.id and Fault.FORBIDDEN not in context.active_faults
    )


def follows(world: World, user: User, progress: Progress) -> bool:
    """Whether the user may see how far a job is: whoever may see what it is for."""
    if progress.context_type == "ContentMigration":
        return manages_content(world, user, world.migrations.rows[progress.context_id].context)
    return shows(world, user, world.exports.rows[progress.context_id])


def sees_sis_ids(user: User) -> bool:
    """``read_sis``."""
    return user.role == "admin"
