"""Import a stored package into a course exactly once, also after crashes and lost responses."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.manifest import read_manifest
from canvas_exports.core.canvas.api.migrations import (
    ContentMigration,
    MigrationRequest,
    MigrationState,
    MigrationType,
    UploadTicket,
)
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.model.contexts import Context, ContextKind
from canvas_exports.core.model.export_types import ExportType
from canvas_exports.core.packages.proof import Proof
from canvas_exports.core.restore.choices import URL
from canvas_exports.core.restore.choose_copy import choose_copy
from canvas_exports.core.restore.form_labels import form_error
from canvas_exports.core.restore.request import RestoreRequest
from canvas_exports.core.restore.result import RestoreOutcome, RestoreResult, canvas_text, summarize_issues
from canvas_exports.core.restore.safeguards import check_free, check_target
from canvas_exports.core.restore.state import Phase, RestoreState
from canvas_exports.core.restore.timing import RestoreTiming
from canvas_exports.core.restore.verified_package import package_file, prove_copy, verified_blocks
from canvas_exports.core.restore.wait import IMPORT, CanvasJob
from canvas_exports.core.storage.store import Block, Store
from canvas_exports.core.text.wording import format_count
from canvas_exports.errors import (
    BadRequestError,
    CanvasExportsError,
    NotFoundError,
    ObjectNotFoundError,
    PackageError,
    PermissionDeniedError,
    ResponseLostError,
    Stopped,
    UploadError,
)

_log = logging.getLogger(__name__)

CREATIONS = 3  # migrations at most; a second one only if Canvas reports that the first never got its package
UPLOADS = 3  # of one migration by one process
_LOST = 3  # responses lost in a row before the attempt fails
_CLOCK_GRAIN = 2.0  # seconds; Canvas's times are whole seconds, and the clocks of its hosts differ a little
_URL_LIFETIME = timedelta(hours=6)  # Canvas downloads when a worker is free


class RestoreCancelled(Stopped):
    """The task is being killed. The upload stays incomplete."""


class Restore:
    """One restore, from its state to its result.

    ``advance`` does everything that can be done now and returns the job to wait for while Canvas works, or ``None`` once there
    is a result. The process may die at any point: a new ``Restore`` with the last saved state resumes, and never imports the
    package a second time.

    Deletes nothing, changes nothing but by the import itself, and cannot undo an import: Canvas has no call for that.

    Args:
        client: the Canvas to restore into.
        store: the archive.
        request: which copy, and which target course.
        state: where to start; a fresh one has only a deadline.
        save: stores the state; if it raises, another attempt owns this restore and the error ends this one.
        timing: how long to wait for Canvas.
        now: our clock, in seconds since the epoch.
    """

    def __init__(
        self,
        *,
        client: CanvasClient,
        store: Store,
        request: RestoreRequest,
        state: RestoreState,
        save: Callable[[dict[str, Any]], object],
        timing: RestoreTiming | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._store = store
        self._request = request
        self._state = state
        self._store_state = save
        self._timing = timing or RestoreTiming()
        self._now = now
        self._cancelled = threading.Event()
        self._copy: Copy | None = None
        self._ticket: UploadTicket | None = None
        self._lost = 0
        self.proof: Proof | None = None

    @property
    def course_id(self) -> int | None:
        """Return the id of the target course, once it is known."""
        return self._state.course_id

    @property
    def result(self) -> RestoreResult | None:
        """Return the result, once the restore is over."""
        return self._state.result

    @property
    def copy(self) -> Copy:
        """Return the chosen copy."""
        if self._copy is None:
            key = self._state.copy or ""
            try:
                self._copy = Copy.of(key, read_manifest(self._store, key))
            except ObjectNotFoundError:
                raise PackageError(
                    f"{key} is no longer in the archive; start a new run with another copy"
                ) from None
        return self._copy

    def cancel(self) -> None:
        """Stop as soon as possible: abort an upload, keep the state, change nothing in Canvas."""
        self._cancelled.set()
        self._client.stop()

    def advance(self) -> CanvasJob | None:
        """Choose, check, prove, create and upload; return the job to wait for, or ``None`` once there is a result.

        Raises:
            InputError: the request is refused; Canvas imports nothing (permanent).
            PackageError: the stored package is not what its manifest says; Canvas never gets all of it (permanent).
            CanvasExportsError: Canvas or the archive refuse (permanent) or cannot be reached (retryable).
            Stopped: ``cancel`` was called.
        """
        while self._state.phase is not Phase.OVER:
            self._raise_if_cancelled()
            match self._state.phase:
                case Phase.PLANNED:
                    self._prepare()
                    self._create()
                case Phase.INTENDED:
                    self._find_migration()
                case Phase.CREATED:
                    self._upload()
                case _:
                    if (job := self._poll()) is not None:
                        return job
        return None

    def _prepare(self) -> None:
        """Choose, check and prove the copy before anything changes in Canvas."""
        if self._state.copy is None:
            self._copy = choose_copy(self._store, self._client, self._request)
            self._state.copy = self._copy.key
        copy = self.copy
        self._check_preconditions()
        _log.info("%s: proving %s", copy.name, copy.package.key)
        self.proof = prove_copy(self._store, copy, self._request.proof)

    def _check_preconditions(self) -> None:
        """Check the target course, and that a URL can be signed, before the package is read, which can take hours."""
        self._state.course_id = check_target(self._client, self._request, self.copy).id
        if self._request.via == URL:
            self._signed_url()

    def _signed_url(self) -> str:
        url = self._store.signed_url(self.copy.package.key, _URL_LIFETIME)
        if url is None:
            raise form_error(
                "via", "this archive cannot sign URLs for Canvas to download from", accepted="upload"
            )
        return url

    def _create(self) -> None:
        """Request the migration once for each saved intention: ``POST .../content_migrations``."""
        request = self._migration_request()
        if self._state.creations >= CREATIONS:
            self._finish(RestoreOutcome.FAILED, f"Canvas did not accept the package in {CREATIONS} imports")
            return
        self._state.began_at = self._state.began_at or self._now()
        self._state.intended_at = self._client.server_now().timestamp()
        self._set_phase(Phase.INTENDED)
        try:
            migration = self._client.create_migration(self._target, request)
        except ResponseLostError as error:
            _log.warning("%s", error)
            self._lost += 1
            if self._lost >= _LOST:
                raise
            self._cancelled.wait(self._timing.settle_url if self._request.via == URL else self._timing.settle)
            return
        except (BadRequestError, NotFoundError, PermissionDeniedError) as error:
            self._finish(RestoreOutcome.FAILED, f"Canvas refuses the import: {error.message}")
            return
        except CanvasExportsError:
            self._set_phase(Phase.PLANNED)  # Canvas created nothing
            raise
        self._take_migration(migration)

    def _migration_request(self) -> MigrationRequest:
        copy = self.copy
        importer = MigrationType.of(ExportType(copy.export.type))
        folder = self._client.root_folder(self._target) if importer is MigrationType.ZIP else None
        if self._request.via != URL:
            return MigrationRequest(importer, package_file(copy), folder_id=folder)
        # Canvas downloads the bytes directly from the archive, so they are compared with the digest here.
        for _ in verified_blocks(self._store, copy):
            self._raise_if_cancelled()
        self._check_preconditions()  # again, because the import begins with this request
        return MigrationRequest(importer, file_url=self._signed_url(), folder_id=folder)

    def _find_migration(self) -> None:
        """Find the migration that a POST with a lost response may have created, before another one is requested.

        It is ours if the same user created it, of the same type, after our intention, and it is the only one.
        """
        user = self._client.whoami().id
        importer = MigrationType.of(ExportType(self.copy.export.type)).value
        since = (self._state.intended_at or 0.0) - _CLOCK_GRAIN
        found = [
            each
            for each in self._client.list_migrations(self._target)
            if (each.user_id, each.migration_type) == (user, importer)
            and each.created_at is not None
            and each.created_at.timestamp() >= since
        ]
        if len(found) > 1:
            numbers = ", ".join(str(each.id) for each in found)
            raise form_error(
                "into",
                f"several imports into course {self._state.course_id} began when a response of Canvas was lost "
                f"(migrations {numbers}); check them in Canvas before you restore again",
            )
        if found:
            _log.info("found migration %d, whose response was lost", found[0].id)
            self._take_migration(found[0])
        else:
            self._set_phase(Phase.PLANNED)

    def _take_migration(self, migration: ContentMigration) -> None:
        self._state.creations += 1
        self._state.migration_id = migration.id
        self._state.progress_id = migration.progress_id
        self._ticket = migration.ticket
        if migration.refusal is not None:
            self._finish(RestoreOutcome.FAILED, f"Canvas refuses the file: {canvas_text(migration.refusal)}")
            return
        _log.info("course %s: Canvas created import %d", self._state.course_id, migration.id)
        self._set_phase(Phase.SENT if self._request.via == URL else Phase.CREATED)

    def _upload(self) -> None:
        """Upload the package, unless Canvas has it already. A failed upload starts again in the same migration."""
        file = package_file(self.copy)
        problem = UploadError("nothing was uploaded")
        for attempt in range(UPLOADS):
            if self._ticket is None and not self._needs_file():
                return
            self._cancelled.wait(self._timing.upload_backoff[attempt])
            self._raise_if_cancelled()
            ticket, self._ticket = self._ticket, None
            if ticket is None:
                again = self._client.upload_again(self._target, self._migration, file)
                if again.refusal is not None or again.ticket is None:
                    reason = canvas_text(again.refusal or "Canvas gave no upload address")
                    self._finish(RestoreOutcome.FAILED, f"Canvas refuses the file: {reason}")
                    return
                ticket = again.ticket
            try:
                self._client.upload(ticket, file, self._blocks())
            except UploadError as error:
                _log.warning("%s", error)
                problem = error
                continue
            except BadRequestError as error:
                if self._needs_file():
                    self._finish(RestoreOutcome.FAILED, f"Canvas refuses the file: {error.message}")
                return
            self._set_phase(Phase.SENT)
            return
        if self._needs_file():
            raise problem

    def _needs_file(self) -> bool:
        """Return whether the migration still waits for the package; if not, set the next phase."""
        migration = self._client.show_migration(self._target, self._migration)
        if migration.workflow_state is MigrationState.PRE_PROCESSING:
            return True
        if migration.workflow_state is MigrationState.FAILED and not migration.has_file:
            # Canvas stopped waiting for the file: nothing was imported.
            _log.warning("Canvas ended import %d before it had the package", migration.id)
            self._state.migration_id = self._state.progress_id = None
            self._set_phase(Phase.PLANNED)
            return False
        self._set_phase(Phase.SENT)
        return False

    def _blocks(self) -> Iterator[Block]:
        for block in verified_blocks(self._store, self.copy, before_last=self._check_still_free):
            self._raise_if_cancelled()
            yield block

    def _check_still_free(self) -> None:
        """Check before the last block that no other restore uses the course."""
        check_free(
            self._client,
            self._target,
            self._migration,
            created_after=self._client.server_now() - self._timing.simultaneous,
            empty=not self._request.allow_content,
        )

    def _poll(self) -> CanvasJob | None:
        """Poll the migration, and read its issues once Canvas is done."""
        try:
            migration = self._client.show_migration(self._target, self._migration)
        except NotFoundError:
            self._finish(RestoreOutcome.FAILED, "Canvas no longer has the import or the course")
            return None
        state = migration.workflow_state
        if not state.is_over:
            if self._now() >= self._state.deadline:
                where = f"its state is {state.value}; check the imports of the course in Canvas"
                self._finish(
                    RestoreOutcome.STALLED, f"Canvas did not finish the import by the deadline: {where}"
                )
                return None
            since = self._state.began_at or self._now()
            course, until = self._state.course_id or 0, self._state.deadline
            return CanvasJob(IMPORT, course, self._migration, migration.progress_id, since, until)
        counts, texts = summarize_issues(self._client.migration_issues(self._target, self._migration))
        if state is MigrationState.COMPLETED:
            outcome = RestoreOutcome.RESTORED_WITH_ISSUES if counts else RestoreOutcome.RESTORED
            reason = f"Canvas reported {_list_counts(counts)}" if counts else None
        elif state is MigrationState.WAITING_FOR_SELECT:
            outcome, reason = RestoreOutcome.FAILED, "Canvas waits for a person to select what to import"
        else:
            outcome, reason = RestoreOutcome.FAILED, texts[0] if texts else "Canvas reported a failed import"
        self._finish(outcome, reason, counts, texts)
        return None

    def _finish(
        self,
        outcome: RestoreOutcome,
        reason: str | None,
        issues: dict[str, int] | None = None,
        texts: tuple[str, ...] = (),
    ) -> None:
        self._state.result = RestoreResult(
            outcome=outcome,
            copy=self.copy.key,
            course_id=self._state.course_id or 0,
            migration_id=self._state.migration_id,
            reason=reason,
            seconds=round(self._now() - (self._state.began_at or self._now()), 3),
            size=self.copy.package.size,
            issues=issues or {},
            texts=texts,
        )
        self._set_phase(Phase.OVER)

    def _set_phase(self, phase: Phase) -> None:
        self._state.phase = phase
        self._store_state(self._state.to_json())

    def _raise_if_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise RestoreCancelled("the task is being stopped")

    @property
    def _target(self) -> Context:
        return Context(ContextKind.COURSE, str(self._state.course_id))

    @property
    def _migration(self) -> int:
        assert self._state.migration_id is not None
        return self._state.migration_id


def _list_counts(counts: dict[str, int]) -> str:
    """Return ``1 error, 3 warnings``."""
    return ", ".join(format_count(count, name) for name, count in counts.items())
