"""The content migrations of one Canvas: their rows and jobs."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

from canvas_sandbox.campus import Course, Exportable
from canvas_sandbox.content.model import Content
from canvas_sandbox.faults import Fault
from canvas_sandbox.imports.holding.contents import Contents
from canvas_sandbox.imports.import_job import ImportJob
from canvas_sandbox.imports.package_contents import PackageContents
from canvas_sandbox.imports.records import Issue, Migration, MigrationRecord, Upload
from canvas_sandbox.imports.selective_import import select_items
from canvas_sandbox.imports.upload_store import StoredUpload, UploadStore
from canvas_sandbox.kernel import Kernel
from canvas_sandbox.packages.virtual_file import OnDisk, VirtualFile

UPLOAD_LIMIT = 3600.0
"""Seconds after which a migration that still waits for its file fails when it is next read."""
_BLOCKING = 4 * 3600.0
_TRIES = 5


class ExportedPackages(Protocol):
    """The packages that this Canvas has exported itself, and course copies."""

    def package_of(self, export_id: int) -> Callable[[], VirtualFile] | None:
        """Return what builds the package of an export, or ``None`` if it has no package."""

    def course_copy(self, course: Course, export_id: int, user_id: int) -> Callable[[], VirtualFile]:
        """Return what builds the package of a course copy, from the course as it is now."""


class Migrations:
    """All migrations of one Canvas. Hold the kernel's lock around every call.

    Attributes:
        rows: Migrations by id, oldest first.
        uploads: Uploads by file id.
        upload_store: Where the bytes of uploads are stored.
        fetching: URLs of files that are still to be downloaded, by migration.
    """

    def __init__(
        self, kernel: Kernel, contents: Contents, courses: Mapping[int, Course], exports: ExportedPackages
    ) -> None:
        self._kernel = kernel
        self._contents = contents
        self._courses = courses
        self._exports = exports
        self.rows: dict[int, Migration] = {}
        self.uploads: dict[int, Upload] = {}
        self.upload_store = UploadStore()
        self.fetching: dict[int, str] = {}
        self._ids, self._issue_ids = itertools.count(301), itertools.count(4001)

    def of(self, context: Exportable) -> list[Migration]:
        """Return the migrations of a context, newest first."""
        return [row for row in reversed(self.rows.values()) if row.context is context]

    def records(self) -> list[MigrationRecord]:
        """Return every migration ever created, oldest first."""
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
                size=row.stored.size if row.stored else None,
                sha256=row.stored.sha256 if row.stored else None,
                imports=row.imports,
                issues=[f"{issue.issue_type}: {issue.description}" for issue in row.issues],
            )
            for row in self.rows.values()
        ]

    def create(
        self,
        context: Exportable,
        migration_type: str,
        user_id: int,
        *,
        source: str,
        faults: frozenset[Fault],
    ) -> Migration:
        """Create a migration and its progress, without starting it."""
        number, now = next(self._ids), self._kernel.now
        progress = self._kernel.add_progress(number, user_id, now, "ContentMigration", "content_migration")
        migration = Migration(
            number, context, migration_type, user_id, now, {}, source, progress, faults=faults
        )
        self.rows[number] = migration
        return migration

    def await_upload(self, migration: Migration, name: str, size: int, content_type: str) -> Upload:
        """Wait for an upload, in place of any other, and clear the issues of an earlier attempt."""
        number = self._kernel.next_file_id()
        upload = Upload(
            id=number,
            uuid=hashlib.sha256(f"{self._kernel.seed}:upload:{number}".encode()).hexdigest()[:40],
            name=name,
            content_type=content_type,
            declared=size,
            migration_id=migration.id,
            issued_at=self._kernel.now,
        )
        self.uploads[number] = upload
        migration.upload = upload
        migration.issues.clear()
        migration.workflow_state = "pre_processing"
        return upload

    def set_file(self, migration: Migration, stored: StoredUpload) -> None:
        """Set the file of a migration."""
        migration.stored = stored
        migration.package = partial(self._open, stored.name)

    def start(self, migration: Migration) -> None:
        """Get the package from the source in the settings, and start."""
        settings = migration.settings
        if migration.source == "file_url":
            migration.workflow_state = "exporting"
            migration.started_at = self._kernel.now
            self.fetching[migration.id] = str(settings["file_url"])
            return
        if migration.source == "content_export":
            migration.package = self._exports.package_of(int(settings["content_export_id"]))
        elif migration.source == "course_copy":
            source = self._courses[int(settings["source_course_id"])]
            migration.package = self._exports.course_copy(source, migration.id, migration.user_id)
        self.convert(migration)

    def convert(self, migration: Migration) -> None:
        """Queue the conversion of the package, which also imports it unless a selection comes first."""
        migration.workflow_state = "exporting"
        migration.started_at = self._kernel.now
        migration.progress.reset(self._kernel.now)
        self._submit(migration, ImportJob(self, migration).convert)

    def import_selected(self, migration: Migration) -> None:
        """Queue the import of what was selected."""
        migration.workflow_state = "importing"
        migration.progress.reset(self._kernel.now)
        self._submit(migration, ImportJob(self, migration).import_content)

    def fail(self, migration: Migration, moment: float, reason: str) -> None:
        """Fail a migration, with the reason as an issue."""
        self.add_issue(migration, moment, "error", reason)
        migration.workflow_state, migration.finished_at = "failed", moment
        migration.progress.write(moment, "failed")

    def add_issue(self, migration: Migration, moment: float, kind: str, description: str) -> None:
        """Add an issue to a migration."""
        migration.issues.append(Issue(next(self._issue_ids), description, kind, moment, moment))

    def import_contents(
        self, migration: Migration, package: PackageContents, moment: float, *, whole: bool
    ) -> None:
        """Import the contents of a package into the context of a migration; not ``whole`` if the job fails then."""
        chosen = package if migration.copy is None else select_items(package, migration.copy)
        self._contents.add(migration.context, chosen, moment, moves_course=whole)
        migration.imports += 1

    def content(self, context: Exportable) -> Content:
        """Return everything that a course, group or user holds."""
        return self._contents.of(context)

    def duration(self, migration: Migration) -> float:
        """Return the seconds of each half of the work: converting, importing."""
        slow = 20.0 if Fault.IMPORT_SLOW in migration.faults else 1.0
        return self._kernel.switches.import_duration * self._kernel.time_scale * slow / 2

    @property
    def stuck_holds_worker(self) -> bool:
        """Return whether a job that never ends occupies its worker."""
        return self._kernel.switches.stuck_holds_worker

    def _open(self, name: str) -> VirtualFile:
        return VirtualFile([OnDisk(self.upload_store.path(name))])

    def _submit(
        self, migration: Migration, work: Callable[[float], Any], tries: int = 0, moment: float | None = None
    ) -> None:
        def job(start: float) -> Any:
            if self._is_blocked(migration, start):
                return self._wait(migration, work, tries + 1, start)
            return work(start)

        delay = self._kernel.switches.job_delay * self._kernel.time_scale
        self._kernel.submit(job, self._kernel.now + delay if moment is None else moment)

    def _wait(self, migration: Migration, work: Callable[[float], Any], tries: int, now: float) -> Any:
        """Queue a migration again that another one blocks; after some tries, fail it."""
        if tries > _TRIES:
            self.fail(migration, now, "Blocked by running migration")
        else:
            migration.workflow_state = "queued"
            recheck = self._kernel.switches.recheck * self._kernel.time_scale
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
