"""The content exports of one Canvas: their rows, jobs and packages."""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Callable, Mapping
from pathlib import Path

from canvas_sandbox.campus import Course, User
from canvas_sandbox.content.selection import parse_selection
from canvas_sandbox.exports.build import file_name
from canvas_sandbox.exports.export_job import ExportJob
from canvas_sandbox.exports.package_snapshot import PackageSnapshot
from canvas_sandbox.faults import JOB_FAULTS, PACKAGE_FAULTS, Fault
from canvas_sandbox.imports.holding.contents import Contents
from canvas_sandbox.kernel import DAY, Kernel
from canvas_sandbox.packages.virtual_file import VirtualFile
from canvas_sandbox.records import Attachment, Export, ExportRecord, ExportRequest

_MEDIA_TYPES = {"qti": "application/zip", "zip": "application/zip"}
_EVERYTHING = parse_selection(None, "course_copy")
_COLLECTOR_STARTS = (1 * 60 + 37) * 60.0  # seconds after midnight


class Exports:
    """All exports of one Canvas. Hold the kernel's lock around every call.

    Attributes:
        rows: Exports by id, oldest first.
        attachments: Packages by file id.
    """

    def __init__(self, kernel: Kernel, contents: Contents, users: Mapping[int, User]) -> None:
        self._kernel = kernel
        self._contents = contents
        self._users = users
        self.rows: dict[int, Export] = {}
        self.attachments: dict[int, Attachment] = {}
        self._ids = itertools.count(501)

    def create(self, request: ExportRequest) -> Export:
        """Create an export and its job, log the request, and use up the faults that it meets."""
        faults = request.context.active_faults.take_all(JOB_FAULTS | PACKAGE_FAULTS)
        now = self._kernel.clock.now()
        self._kernel.log_event(
            "export",
            at=now,
            context=request.context.label,
            user=request.user.id,
            faults=sorted(fault.value for fault in faults),
            export_type=request.export_type,
            selection=request.selection.written(),
            version=request.version,
            notify=request.notify,
        )
        return self.start(request, now, faults)

    def start(self, request: ExportRequest, now: float, faults: frozenset[Fault]) -> Export:
        """Create an export and its job, with the given faults."""
        export = self._add_row(request, now)
        export.notify = request.notify and request.export_type != "zip"
        export.version, export.faults = request.version, faults
        progress = self._kernel.add_progress(
            export.id, export.user_id, now, "ContentExport", "content_export"
        )
        export.progress = progress
        # Migrating a quiz needs a feature this Canvas has switched off: such an export stays created.
        if Fault.STUCK_CREATED not in export.faults and export.export_type != "quizzes2":
            switches = self._kernel.switches
            job = ExportJob(
                export,
                progress,
                self._duration(export),
                lambda moment: self.attach(export, moment),
                switches.stuck_holds_worker,
            )
            self._kernel.submit(job.run, now + switches.job_delay * self._kernel.time_scale)
        return export

    def share(self, request: ExportRequest) -> Export:
        """Create an export that is finished at once, without job and progress."""
        now = self._kernel.now
        export = self._add_row(request, now)
        export.workflow_state, export.finished_at = "exported", now
        export.attachment = self.attach(export, now)
        return export

    def delete(self, export: Export) -> None:
        """Mark an export deleted and remove its package."""
        export.workflow_state = "deleted"
        if export.attachment is not None:
            del self.attachments[export.attachment.id]
            export.attachment = None

    def records(self) -> list[ExportRecord]:
        """Return every export ever created, oldest first."""
        return [
            ExportRecord(
                id=export.id,
                context=export.context.label,
                export_type=export.export_type,
                state=export.workflow_state,
                created_at=export.created_at,
                user=export.user_id,
                finished_at=export.finished_at,
                version=export.version,
                selection=export.selection.stored(),
                notified=export.notified,
                progress=export.progress.id if export.progress else None,
                attachment=export.attachment.id if export.attachment else None,
            )
            for export in self.rows.values()
        ]

    def package_of(self, export_id: int) -> Callable[[], VirtualFile] | None:
        """Return what builds the package of an export, or ``None`` if it has no package."""
        attachment = self.rows[export_id].attachment
        return attachment.build if attachment else None

    def course_copy(self, course: Course, export_id: int, user_id: int) -> Callable[[], VirtualFile]:
        """Return what builds the package of a course copy, from the course as it is now."""
        now = self._kernel.now
        export = Export(export_id, course, "course_copy", user_id, now, selection=_EVERYTHING)
        return self._snapshot(export, now).render

    def attach(self, export: Export, moment: float) -> Attachment | None:
        """Add the package of an export, from its context as it is now; ``None`` if there is nothing to pack."""
        if self._kernel.switches.export_touches_course:
            self._contents.timestamps.touch(export.context, moment)
        snapshot = self._snapshot(export, moment)
        spec = snapshot.spec()
        if spec is None:
            return None
        file_id = self._kernel.next_file_id()
        attachment = Attachment(
            id=file_id,
            uuid=hashlib.sha256(f"{self._kernel.seed}:file:{file_id}".encode()).hexdigest()[:40],
            name=file_name(export.export_type, spec),
            content_type=_MEDIA_TYPES.get(export.export_type, "application/octet-stream"),
            size=snapshot.render().size,
            created_at=moment,
            export=export,
            build=snapshot.render,
        )
        self.attachments[file_id] = attachment
        return attachment

    def is_expired(self, export: Export) -> bool:
        """Return whether an export is too old to show its package."""
        days = self._kernel.switches.expire_days
        return days > 0 and self._kernel.clock.now() > export.created_at + days * DAY

    def is_collected(self, export: Export) -> bool:
        """Return whether the nightly collector, at 01:37, has deleted the bytes of an expired export."""
        days = self._kernel.switches.expire_days
        if days <= 0:
            return False
        expiry = export.created_at + days * DAY
        return self._kernel.clock.now() > expiry + (_COLLECTOR_STARTS - expiry) % DAY

    def _add_row(self, request: ExportRequest, now: float) -> Export:
        export = Export(
            id=next(self._ids),
            context=request.context,
            export_type=request.export_type,
            user_id=request.user.id,
            created_at=now,
            selection=request.selection,
        )
        self.rows[export.id] = export
        return export

    def _snapshot(self, export: Export, moment: float) -> PackageSnapshot:
        context = export.context
        return PackageSnapshot(
            export=export,
            source=self._contents.source(context),
            name=context.name,
            moment=moment,
            canvas_domain=self._kernel.canvas_url.partition("//")[2],
            for_student=self._is_student(export),
            holding=self._contents.holding(context),
            edits=self._contents.edits(context),
            switches=self._kernel.switches,
            real_package=None if context.package is None else Path(context.package),
        )

    def _duration(self, export: Export) -> float:
        kernel = self._kernel
        seconds = export.context.duration
        if seconds is None:
            seconds, sigma = kernel.switches.duration, kernel.switches.duration_sigma
            if sigma > 0:
                dice = random.Random(f"{kernel.seed}:{export.context.label}")
                seconds *= dice.lognormvariate(0.0, sigma)
        return seconds * kernel.time_scale

    def _is_student(self, export: Export) -> bool:
        """Return whether the exporting user gets only what students may have."""
        context, user = export.context, self._users[export.user_id]
        return isinstance(context, Course) and user.role != "admin" and user.id not in context.teachers
