"""Run one drill: restore a copy, export the restored course, and compare the two packages."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any

from canvas_exports.core.archive.publishing.package_stream import PackageStream
from canvas_exports.core.canvas.api.export_request import ExportRequest
from canvas_exports.core.canvas.api.models import ContentExport, ExportState
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.model.contexts import Context, ContextKind
from canvas_exports.core.model.export_types import ExportType
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.packages.proof import Expectation, Proof
from canvas_exports.core.packages.random_access import BytesNotKeptError
from canvas_exports.core.restore.drills.counts import count_differences, same_content
from canvas_exports.core.restore.drills.record import DrillResult, put_record
from canvas_exports.core.restore.request import RestoreRequest
from canvas_exports.core.restore.restore import Restore
from canvas_exports.core.restore.result import RestoreOutcome
from canvas_exports.core.restore.state import RestoreState
from canvas_exports.core.restore.verified_package import prove_copy
from canvas_exports.core.restore.wait import EXPORT, CanvasJob
from canvas_exports.core.storage.buffers import BLOCK_SIZE, BufferPool
from canvas_exports.core.storage.store import Store
from canvas_exports.core.text.wording import format_count
from canvas_exports.errors import CorruptPackageError, DownloadError, PackageError

_log = logging.getLogger(__name__)

VERSION = 1
_PASSES = 3  # downloads of one package; a proof may need bytes that were not kept the first time


@dataclass
class DrillState:
    """The state of one drill: that of its restore, then the export of the course, then the result.

    Times are seconds since the epoch.
    """

    restore: RestoreState
    export_id: int | None = None
    exported_at: float | None = None
    result: DrillResult | None = None
    ended_at: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return a JSON value."""
        return {
            "version": VERSION,
            "restore": self.restore.to_json(),
            "export_id": self.export_id,
            "exported_at": self.exported_at,
            "result": self.result and self.result.to_json(),
            "ended_at": self.ended_at,
        }

    @classmethod
    def from_json(cls, document: Any) -> DrillState | None:
        """Read a state; return ``None`` for no document, or for one of another version."""
        if not isinstance(document, Mapping) or document.get("version") != VERSION:
            return None
        restore = RestoreState.from_json(document.get("restore"))
        if restore is None:
            return None
        result = document.get("result")
        try:
            return cls(
                restore,
                document.get("export_id"),
                document.get("exported_at"),
                None if result is None else DrillResult.from_json(result),
                document.get("ended_at"),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            return None


@dataclass
class Drill:
    """One drill, from its state to its record.

    ``advance`` works as that of ``Restore``. Leaves the restored content in the target course. After a lost response it may
    request a second export, which changes nothing.

    Attributes:
        client: the Canvas to restore into.
        store: the archive.
        request: which copy, and which empty course that was never published.
        state: where to start.
        save: stores the state; if it raises, another attempt owns this drill.
        run: the Airflow run, for the record.
        now: our clock, in seconds since the epoch.
    """

    client: CanvasClient
    store: Store
    request: RestoreRequest
    state: DrillState
    save: Callable[[dict[str, Any]], object]
    run: RunFacts
    now: Callable[[], float] = time.time
    restore: Restore = field(init=False)

    def __post_init__(self) -> None:
        self.request = replace(
            self.request, only_unpublished=True, allow_content=False, allow_incomplete=False
        )
        self.restore = Restore(
            client=self.client,
            store=self.store,
            request=self.request,
            state=self.state.restore,
            save=lambda _: self._save(),
            now=self.now,
        )

    @property
    def course_id(self) -> int | None:
        """Return the id of the target course, once it is known."""
        return self.restore.course_id

    def cancel(self) -> None:
        """Stop as soon as possible."""
        self.restore.cancel()

    def advance(self) -> CanvasJob | None:
        """Restore, export, compare and record; return the job to wait for, or ``None`` once the record is written.

        Raises:
            InputError: there is no such copy, or no such empty, unpublished course; no record is written (permanent).
            CanvasExportsError: see ``Restore.advance``.
        """
        if self.state.result is None:
            try:
                job = self.restore.advance()
            except PackageError as error:
                self._finish(DrillResult(passed=False, reason=str(error), copy=self.restore.copy.key))
            else:
                job = job or self._export_and_compare()
                if job is not None:
                    return job
        self._record()
        return None

    def _export_and_compare(self) -> CanvasJob | None:
        """Export the restored course and compare the packages."""
        restored = self.restore.result
        assert restored is not None
        if restored.outcome in (RestoreOutcome.FAILED, RestoreOutcome.STALLED):
            self._finish(DrillResult(passed=False, reason=restored.reason or "", copy=restored.copy))
            return None
        course = Context(ContextKind.COURSE, str(restored.course_id))
        if self.state.export_id is None:
            request = ExportRequest(ExportType(self.restore.copy.export.type))
            self.state.export_id = self.client.create_export(course, request).id
            self.state.exported_at = self.now()
            self._save()
        export = self.client.show_export(course, self.state.export_id)
        if export.is_ready:
            self._compare(course, export)
        elif export.has_failed or export.workflow_state is ExportState.EXPORTED:
            self._fail("Canvas restored the package, but cannot export the course")
        elif self.now() >= self.state.restore.deadline:
            self._fail("Canvas restored the package, but did not export the course by the deadline")
        else:
            since, until = self.state.exported_at or self.now(), self.state.restore.deadline
            return CanvasJob(EXPORT, restored.course_id, export.id, export.progress_id, since, until)
        return None

    def _compare(self, course: Context, export: ContentExport) -> None:
        restored = self.restore.result
        assert restored is not None
        stored = self.restore.proof or prove_copy(self.store, self.restore.copy, "directory")
        try:
            again = prove_export(self.client, course, export)
        except PackageError as error:
            self._fail(f"the export of the restored course is not a whole package: {error.message}")
            return
        found = count_differences(stored.counts, again.counts)
        errors = restored.issues.get("error", 0)
        if errors:
            reason = f"Canvas reported {format_count(errors, 'error')}"
        elif found:
            reason = f"the counts differ: {found[0]}"
        else:
            reason = "all counts are equal"
        self._finish(
            DrillResult(
                passed=not errors and not found,
                reason=reason,
                copy=restored.copy,
                stored=stored.counts,
                restored=again.counts,
                differences=found,
                content_equal=same_content(stored, again),
            )
        )

    def _fail(self, reason: str) -> None:
        self._finish(DrillResult(passed=False, reason=reason, copy=self.restore.copy.key))

    def _finish(self, result: DrillResult) -> None:
        began = self.state.restore.began_at or self.now()
        self.state.ended_at = self.now()
        self.state.result = replace(
            result, restore=self.restore.result, seconds=round(self.state.ended_at - began, 3)
        )
        self._save()

    def _record(self) -> None:
        result, ended = self.state.result, self.state.ended_at
        assert result is not None
        assert ended is not None
        if result.record is None:
            key = put_record(
                self.store,
                self.restore.copy,
                result,
                canvas=self.client.host,
                ended_at=datetime.fromtimestamp(ended, timezone.utc),
                run=self.run,
            )
            self.state.result = replace(result, record=key)
            self._save()

    def _save(self) -> None:
        self.save(self.state.to_json())


def prove_export(client: CanvasClient, course: Context, export: ContentExport) -> Proof:
    """Download a package from Canvas and return its proof. Stores nothing.

    Raises:
        PackageError: the package is not whole.
        DownloadError: the package cannot be downloaded (retryable).
    """
    expect = Expectation(
        export_type=export.export_type,
        size=export.attachment.size if export.attachment else None,
        course_id=course.canvas_id,
    )
    windows: tuple[range, ...] = ()
    for _ in range(_PASSES):
        stream = PackageStream(
            lambda writer: client.download(course, export, writer),
            expect,
            BufferPool(2 * BLOCK_SIZE),
            windows=windows,
        )
        try:
            deque(stream, maxlen=0)
        except BytesNotKeptError as error:
            windows += error.missing
        except DownloadError as error:
            if not error.restart:
                raise
        else:
            return stream.proof
    raise CorruptPackageError("every download of the package has other bytes")
