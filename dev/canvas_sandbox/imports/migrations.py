"""Migrations of one Canvas: their rows, their jobs, and what courses hold because of them."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from canvas_sandbox.campus import Course, Exportable
from canvas_sandbox.content.generate import generate
from canvas_sandbox.content.model import Content, Kind
from canvas_sandbox.content.selection import parse_selection
from canvas_sandbox.faults import Fault
from canvas_sandbox.imports.holding.edit import another_page
from canvas_sandbox.imports.holding.holding import NOTHING, Holding
from canvas_sandbox.imports.import_job import ImportLife
from canvas_sandbox.imports.package_contents import Parcel
from canvas_sandbox.imports.records import Issue, Migration, MigrationRecord, Upload
from canvas_sandbox.imports.selective_import import choose
from canvas_sandbox.imports.upload_store import Keep, Kept
from canvas_sandbox.packages.virtual_file import OnDisk, VirtualFile
from canvas_sandbox.records import Export

if TYPE_CHECKING:
    from canvas_sandbox.world import World

UPLOAD_LIMIT = 3600.0
"""Seconds after which a migration that still waits for its file is given up, by whoever looks at it."""
_BLOCKING = 4 * 3600.0
_TRIES = 5
_FIRST_IMPORTED = 8_000_000_000
EVERYTHING = parse_selection(None, "course_copy")
_MEGABYTE = 1_048_576


class Migrations:
    """All of them. Whoever touches it holds the world's lock."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.rows: dict[int, Migration] = {}
        self.uploads: dict[int, Upload] = {}
        self.holdings: dict[str, Holding] = {}
        self.keep = Keep()
        self.fetching: dict[int, str] = {}
        """Addresses from which files are still to be fetched, by migration."""
        self._ids, self._issue_ids, self._item_ids = (
            itertools.count(first) for first in (301, 4001, _FIRST_IMPORTED)
        )

    # What is there

    def holding(self, context: Exportable) -> Holding:
        """What a course, group or person has imported."""
        return self.holdings.get(context.label, NOTHING)

    def of(self, context: Exportable) -> list[Migration]:
        """The migrations of a context, newest first."""
        return [row for row in reversed(self.rows.values()) if row.context is context]

    def records(self) -> list[MigrationRecord]:
        """Every migration ever created, oldest first."""
        return [
            MigrationRecord(
                id=row.id,
                context=row.context.label,
                migration_type=row.migration_type,
                state=row.api_state,
                source=row.source,
                created_at=row.created_at,
                user=row.user_id,
                progress=row.progress.id,
                started_at=row.started_at,
                finished_at=row.finished_at,
                upload=row.upload.id if row.upload else None,
                size=row.kept.size if row.kept else None,
                sha256=row.kept.sha256 if row.kept else None,
                imports=row.imports,
                issues=[f"{issue.issue_type}: {issue.description}" for issue in row.issues],
            )
            for row in self.rows.values()
        ]

    def content(self, context: Exportable) -> Content:
        """What a course, group or person holds, imports and all."""
        return self._world.content(context)

    def quota(self, context: Exportable) -> tuple[int, int]:
        """Bytes that a context may use, and uses."""
        megabytes = context.storage_quota_mb if isinstance(context, Course) else 500
        used = sum(item.size for item in self._world.content(context).of(Kind.FILE))
        return megabytes * _MEGABYTE, used

    # What happens to them

    def create(
        self,
        context: Exportable,
        migration_type: str,
        user_id: int,
        *,
        source: str,
        faults: frozenset[Fault],
    ) -> Migration:
        """A new row with its progress, not yet at work."""
        number, now = next(self._ids), self._world.now
        progress = self._world.add_progress(number, user_id, now, "ContentMigration", "content_migration")
        migration = Migration(
            number, context, migration_type, user_id, now, {}, source, progress, faults=faults
        )
        self.rows[number] = migration
        return migration

    def expect(self, migration: Migration, name: str, size: int, content_type: str) -> Upload:
        """Wait for a file, in place of any other; issues of an earlier attempt are cleared."""
        number = self._world.next_file_id()
        upload = Upload(
            id=number,
            uuid=hashlib.sha256(f"{self._world.seed}:upload:{number}".encode()).hexdigest()[:40],
            name=name,
            content_type=content_type,
            declared=size,
            migration_id=migration.id,
            issued_at=self._world.now,
        )
        self.uploads[number] = upload
        migration.upload = upload
        migration.issues.clear()
        migration.workflow_state = "pre_processing"
        return upload

    def take(self, migration: Migration, kept: Kept) -> None:
        """The bytes of a migration have come from outside."""
        migration.kept = kept
        migration.package = partial(self._open, kept.name)

    def begin(self, migration: Migration) -> None:
        """Get the bytes from where the settings say, and go to work."""
        settings, world = migration.settings, self._world
        if migration.source == "file_url":
            migration.workflow_state = "exporting"
            migration.started_at = world.now
            self.fetching[migration.id] = str(settings["file_url"])
            return
        if migration.source == "content_export":
            attachment = world.exports[int(settings["content_export_id"])].attachment
            migration.package = attachment.build if attachment else None
        elif migration.source == "course_copy":
            migration.package = self._copy_of(world.courses[int(settings["source_course_id"])], migration)
        self.queue(migration)

    def queue(self, migration: Migration) -> None:
        """Let a worker convert it, and import it if nothing is to be selected first."""
        migration.workflow_state = "exporting"
        migration.started_at = self._world.now
        migration.progress.reset(self._world.now)
        self._submit(migration, ImportLife(self, migration).convert)

    def resume(self, migration: Migration) -> None:
        """Let a worker import what was selected."""
        migration.workflow_state = "importing"
        migration.progress.reset(self._world.now)
        self._submit(migration, ImportLife(self, migration).import_content)

    def give_up(self, migration: Migration, reason: str) -> None:
        """It has failed before any work on it."""
        now = self._world.now
        self.note(migration, now, "error", reason)
        migration.workflow_state, migration.finished_at = "failed", now
        migration.progress.write(now, "failed")

    def note(self, migration: Migration, moment: float, kind: str, description: str) -> None:
        """An issue."""
        migration.issues.append(Issue(next(self._issue_ids), description, kind, moment, moment))

    def apply(self, migration: Migration, parcel: Parcel) -> None:
        """Write a package's content into the course."""
        self._add(migration.context, parcel if migration.copy is None else choose(parcel, migration.copy))
        migration.imports += 1

    def edit(self, course: Course) -> None:
        """Somebody changes a course: what it imported, too, is no longer what it was."""
        if self.holding(course).found:
            self._add(course, another_page(course.revision))

    def duration(self, migration: Migration) -> float:
        """Seconds of each half of the work: converting, importing."""
        slow = 20.0 if Fault.IMPORT_SLOW in migration.faults else 1.0
        return self._world.switches.import_duration * self._world.time_scale * slow / 2

    @property
    def stuck_holds_worker(self) -> bool:
        """Whether a job that never ends keeps its worker."""
        return self._world.switches.stuck_holds_worker

    def _copy_of(self, source: Course, migration: Migration) -> Callable[[], VirtualFile]:
        """The package that a course copy makes of its source, as it is now."""
        export = Export(
            migration.id, source, "course_copy", migration.user_id, self._world.now, selection=EVERYTHING
        )
        return self._world.packing(export, self._world.now).render

    def _add(self, context: Exportable, parcel: Parcel) -> None:
        own, holding = self._own(context), self.holding(context)
        self.holdings[context.label] = holding.plus(parcel, own, lambda: next(self._item_ids))

    def _own(self, context: Exportable) -> Content:
        return generate(self._world.source(context))

    def _open(self, name: str) -> VirtualFile:
        return VirtualFile([OnDisk(self.keep.path(name))])

    def _submit(
        self, migration: Migration, work: Callable[[float], Any], tries: int = 0, moment: float | None = None
    ) -> None:
        def job(start: float) -> Any:
            if self._is_blocked(migration, start):
                return self._wait(migration, work, tries + 1, start)
            return work(start)

        delay = self._world.switches.job_delay * self._world.time_scale
        self._world.submit(job, self._world.now + delay if moment is None else moment)

    def _wait(self, migration: Migration, work: Callable[[float], Any], tries: int, now: float) -> Any:
        """Another one is at work in the course: look again later, but not for ever."""
        if tries > _TRIES:
            self.note(migration, now, "error", "Blocked by running migration")
            migration.workflow_state, migration.finished_at = "failed", now
            migration.progress.write(now, "failed")
        else:
            migration.workflow_state = "queued"
            recheck = self._world.switches.recheck * self._world.time_scale
            self._submit(migration, work, tries, now + recheck)
        return iter(())

    def _is_blocked(self, migration: Migration, now: float) -> bool:
        if migration.migration_type == "zip_file_importer":
            return False
        return any(
            row.is_active and row.id < migration.id and (row.started_at or 0.0) > now - _BLOCKING
            for row in self.rows.values()
            if row.context is migration.context
        )
