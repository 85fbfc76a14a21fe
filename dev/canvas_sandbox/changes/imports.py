"""Changes to migrations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from canvas_sandbox.campus import Course
from canvas_sandbox.faults import Fault
from canvas_sandbox.imports.migrations import UPLOAD_LIMIT
from canvas_sandbox.imports.records import Migration
from canvas_sandbox.imports.selective_import import parse_copy
from canvas_sandbox.imports.upload_store import StoredUpload
from canvas_sandbox.world import World


def create_migration(
    world: World, label: str, user_id: int, asked: Mapping[str, Any], faults: list[str]
) -> Migration:
    """Create a migration of ``asked["type"]``; see `update_migration` for the rest of ``asked``."""
    context = next(row for row in world.contexts() if row.label == label)
    migration = world.migrations.create(
        context, asked["type"], user_id, source=asked["source"], faults=frozenset(map(Fault, faults))
    )
    update_migration(world, migration.id, asked)
    return migration


def update_migration(world: World, migration_id: int, asked: Mapping[str, Any]) -> None:
    """Apply a request about a migration.

    ``asked`` has ``settings``; ``source``, the source of the package, or ``None`` for no new one; ``immediate``; ``copy``,
    the selection; ``file``, the name, size and type of an upload; ``refused``, whether that upload is too large; ``run``,
    whether to start.
    """
    migrations = world.migrations
    migration = migrations.rows[migration_id]
    migration.settings |= asked["settings"]
    if asked["copy"] is not None:
        migration.copy = parse_copy(asked["copy"])
        if migration.api_state == "waiting_for_select":
            migration.immediate = True
            migrations.import_selected(migration)
            return
    migration.immediate = asked["immediate"]
    migration.source = asked["source"] or migration.source
    if asked["file"] is not None:
        migrations.await_upload(migration, *asked["file"])
        if asked["refused"]:
            migration.workflow_state = "pre_process_error"
            migration.progress.write(world.kernel.now, "failed")
    elif asked["run"]:
        migrations.start(migration)


def receive_upload(world: World, upload_id: int, name: str, size: int, sha256: str) -> None:
    """Record that the storage has the whole file. The migration does not start yet."""
    upload = world.migrations.uploads[upload_id]
    upload.stored, upload.state = StoredUpload(name, size, sha256), "received"


def finish_upload(world: World, upload_id: int) -> None:
    """Complete an upload and start its import."""
    upload = world.migrations.uploads[upload_id]
    migration = world.migrations.rows[upload.migration_id]
    assert upload.stored is not None
    upload.state = "success"
    world.migrations.set_file(migration, upload.stored)
    world.migrations.convert(migration)


def time_out_upload(world: World, migration_id: int) -> None:
    """Fail a migration whose file never came."""
    migration = world.migrations.rows[migration_id]
    assert migration.waiting_since + UPLOAD_LIMIT < world.kernel.now
    world.migrations.fail(migration, world.kernel.now, "The file upload process timed out.")


def fetch_file(world: World, migration_id: int, name: str, size: int, sha256: str) -> None:
    """Record that the file behind a link was downloaded, and start its import."""
    migration = world.migrations.rows[migration_id]
    del world.migrations.fetching[migration_id]
    world.migrations.set_file(migration, StoredUpload(name, size, sha256))
    world.migrations.convert(migration)


def miss_file(world: World, migration_id: int, reason: str) -> None:
    """Fail a migration whose link could not be downloaded."""
    del world.migrations.fetching[migration_id]
    world.migrations.fail(world.migrations.rows[migration_id], world.kernel.now, reason)


def settle_issue(world: World, migration_id: int, issue_id: int, state: str) -> None:
    """Mark an issue ``resolved`` or ``active``."""
    issue = next(row for row in world.migrations.rows[migration_id].issues if row.id == issue_id)
    issue.workflow_state, issue.updated_at = state, world.kernel.now


def create_course(world: World, account_id: int, fields: Mapping[str, Any]) -> int:
    """Create an empty course and return its id."""
    course = Course(id=max(world.courses, default=0) + 1, size=0, account_id=account_id, **fields)
    world.add_course(course)
    return course.id


IMPORT_CHANGES: dict[str, Callable[..., Any]] = {
    change.__name__: change
    for change in (
        create_migration,
        update_migration,
        receive_upload,
        finish_upload,
        time_out_upload,
        fetch_file,
        miss_file,
        settle_issue,
        create_course,
    )
}
"""Changes by name; each takes the world and plain values."""
