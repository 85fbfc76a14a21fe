"""Carry a stored package into a course, once, whatever happens on the way."""

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
from canvas_exports.core.restore.choose_copy import choose
from canvas_exports.core.restore.form_labels import refused
from canvas_exports.core.restore.request import URL, RestoreRequest
from canvas_exports.core.restore.result import RestoreOutcome, RestoreResult, harmless, told
from canvas_exports.core.restore.safeguards import check_free, check_target
from canvas_exports.core.restore.state import Phase, RestoreState
from canvas_exports.core.restore.verified_package import checked, package_file, prove
from canvas_exports.core.restore.wait import IMPORT, Waiting
from canvas_exports.core.storage.store import Block, Store
from canvas_exports.errors import (
    AnswerLostError,
    BadRequestError,
    CanvasExportsError,
    NotFoundError,
    ObjectNotFoundError,
    PackageError,
    PermissionDeniedError,
    Stopped,
    UploadError,
)

_log = logging.getLogger(__name__)

CREATIONS = 3  # migrations at most; more than one only where Canvas says that the first never got its package
UPLOADS = 3  # of one migration by one process
_SETTLE = 5.0  # seconds before looking for a migration whose answer was lost: Canvas may still be making it
_SETTLE_URL = (
    60.0  # the same for one that needs no upload: an import that began unseen must not be asked for again
)
_LOST = 3  # answers lost in a row before the attempt is given up
_BACKOFF = (0.0, 5.0, 20.0)  # seconds before the first, second and third upload
_CLOCK_GRAIN = 2.0  # seconds; Canvas's times are whole, and its hosts' clocks differ a little
_SIDE_BY_SIDE = timedelta(minutes=2)  # of two restores that began within it, the second gives way
_URL_LIFETIME = timedelta(hours=6)  # Canvas fetches when a worker is free


class RestoreCancelled(Stopped):
    """The task is being killed. The upload is left without its end."""


class Restore:
    """One restore, from its state to its result.

    ``advance`` does everything that can be done now and returns what to wait for while Canvas works, or ``None`` once there
    is a result. Between two calls, and within one, the process may die at any point: a new ``Restore`` with the last saved
    state goes on, and never imports the package a second time.

    Deletes nothing, changes nothing but by the import itself, and cannot take an import back: Canvas has no call for that.

    Args:
        client: the Canvas to restore into.
        store: the archive.
        request: what is asked for.
        state: where to start; a fresh one has only a deadline.
        save: stores the state; if it raises, another attempt owns this restore and the error ends this one.
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
        now: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._store = store
        self._request = request
        self._state = state
        self._store_state = save
        self._now = now
        self._cancelled = threading.Event()
        self._copy: Copy | None = None
        self._ticket: UploadTicket | None = None
        self._lost = 0
        self.proof: Proof | None = None

    @property
    def course_id(self) -> int | None:
        """The number of the course restored into, once it is known."""
        return self._state.course_id

    @property
    def result(self) -> RestoreResult | None:
        """The end, once there is one."""
        return self._state.result

    @property
    def copy(self) -> Copy:
        """The copy that is restored, once it is chosen."""
        if self._copy is None:
            key = self._state.copy or ""
            try:
                self._copy = Copy.of(key, read_manifest(self._store, key))
            except ObjectNotFoundError:
                raise PackageError(
                    f"{key} is no longer in the archive; start anew with another copy"
                ) from None
        return self._copy

    def cancel(self) -> None:
        """Stop as soon as possible: an upload is broken off, the state stays, nothing in Canvas is touched."""
        self._cancelled.set()
        self._client.stop()

    def advance(self) -> Waiting | None:
        """Choose, prove, check, create, upload, until only waiting is left.

        Raises:
            InputError: the request cannot be carried out; nothing was asked of Canvas, or nothing more (permanent).
            PackageError: the stored package is not what its manifest says; Canvas never has all of it (permanent).
            CanvasExportsError: Canvas or the archive refuse (permanent) or cannot be reached (retryable).
            Stopped: ``cancel`` was called.
        """
        while self._state.phase is not Phase.OVER:
            if self._cancelled.is_set():
                raise RestoreCancelled("the task is being stopped")
            match self._state.phase:
                case Phase.PLANNED:
                    self._prepare()
                    self._create()
                case Phase.INTENDED:
                    self._look_up()
                case Phase.CREATED:
                    self._deliver()
                case _:
                    if (waiting := self._look()) is not None:
                        return waiting
        return None

    def _prepare(self) -> None:
        """Everything that can be found out before Canvas is asked to change anything."""
        if self._state.copy is None:
            self._copy = choose(self._store, self._client, self._request)
            self._state.copy = self._copy.key
        copy = self.copy
        self._look_whether_it_may_begin()
        _log.info("%s: proving %s", copy.name, copy.package.key)
        self.proof = prove(self._store, copy, self._request.proof)

    def _look_whether_it_may_begin(self) -> None:
        """Before anything is read of the package: that can take hours."""
        self._state.course_id = check_target(self._client, self._request, self.copy).id
        if self._request.via == URL:
            self._signed()

    def _signed(self) -> str:
        url = self._store.signed_url(self.copy.package.key, _URL_LIFETIME)
        if url is None:
            raise refused("via", "this archive cannot sign URLs for Canvas to fetch from", accepted="upload")
        return url

    def _create(self) -> None:
        """``POST .../content_migrations``, once for each intention that was written down."""
        request = self._migration_request()
        if self._state.creations >= CREATIONS:
            self._end(RestoreOutcome.FAILED, f"Canvas never took the package, {CREATIONS} times")
            return
        self._state.began_at = self._state.began_at or self._now()
        self._state.intended_at = self._client.server_now().timestamp()
        self._enter(Phase.INTENDED)
        try:
            migration = self._client.create_migration(self._target, request)
        except AnswerLostError as error:
            _log.warning("%s", error)
            self._lost += 1
            if self._lost >= _LOST:
                raise
            self._cancelled.wait(_SETTLE_URL if self._request.via == URL else _SETTLE)
            return
        except (BadRequestError, NotFoundError, PermissionDeniedError) as error:
            self._end(RestoreOutcome.FAILED, f"Canvas refuses the import: {error.message}")
            return
        except CanvasExportsError:
            self._enter(Phase.PLANNED)  # Canvas certainly did nothing
            raise
        self._created(migration)

    def _migration_request(self) -> MigrationRequest:
        copy = self.copy
        importer = MigrationType.of(ExportType(copy.export.type))
        folder = self._client.root_folder(self._target) if importer is MigrationType.ZIP else None
        if self._request.via != URL:
            return MigrationRequest(importer, package_file(copy), folder_id=folder)
        for _ in checked(
            self._store, copy
        ):  # nobody looks at the bytes on their way from the archive to Canvas
            self._go_on()
        self._look_whether_it_may_begin()  # once more, as the import begins with the request
        return MigrationRequest(importer, file_url=self._signed(), folder_id=folder)

    def _look_up(self) -> None:
        """Find the migration that an unanswered POST may have made, before another is asked for.

        It is ours if the same user began it, of the same type, after our intention, and it is the only one.
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
            raise refused(
                "into",
                f"several imports into course {self._state.course_id} began when an answer of Canvas was lost "
                f"(migrations {numbers}); look at them in Canvas before you restore again",
            )
        if found:
            _log.info("found migration %d, asked for before the answer was lost", found[0].id)
            self._created(found[0])
        else:
            self._enter(Phase.PLANNED)

    def _created(self, migration: ContentMigration) -> None:
        self._state.creations += 1
        self._state.migration_id = migration.id
        self._state.progress_id = migration.progress_id
        self._ticket = migration.ticket
        if migration.refusal is not None:
            self._end(RestoreOutcome.FAILED, f"Canvas takes no such file: {harmless(migration.refusal)}")
            return
        _log.info("course %s: Canvas begins import %d", self._state.course_id, migration.id)
        self._enter(Phase.SENT if self._request.via == URL else Phase.CREATED)

    def _deliver(self) -> None:
        """Upload the package, unless Canvas has it already. A broken upload begins anew in the same migration."""
        file = package_file(self.copy)
        problem = UploadError("nothing was uploaded")
        for attempt in range(UPLOADS):
            if self._ticket is None and not self._needs_file():
                return
            if self._cancelled.wait(_BACKOFF[attempt]):
                raise RestoreCancelled("the task is being stopped")
            ticket, self._ticket = self._ticket, None
            if ticket is None:
                again = self._client.upload_again(self._target, self._migration, file)
                if again.refusal is not None or again.ticket is None:
                    reason = harmless(again.refusal or "no place to upload to was given")
                    self._end(RestoreOutcome.FAILED, f"Canvas takes no such file: {reason}")
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
                    self._end(RestoreOutcome.FAILED, f"Canvas does not take the file: {error.message}")
                return
            self._enter(Phase.SENT)
            return
        if self._needs_file():
            raise problem

    def _needs_file(self) -> bool:
        """Whether the migration still waits for the package; enters the phase that follows if it does not."""
        migration = self._client.show_migration(self._target, self._migration)
        if migration.workflow_state is MigrationState.PRE_PROCESSING:
            return True
        if migration.workflow_state is MigrationState.FAILED and not migration.has_file:
            # Canvas gave up waiting: nothing was imported.
            _log.warning("import %d was given up by Canvas before it had the package", migration.id)
            self._state.migration_id = self._state.progress_id = None
            self._enter(Phase.PLANNED)
            return False
        self._enter(Phase.SENT)
        return False

    def _blocks(self) -> Iterator[Block]:
        for block in checked(self._store, self.copy, at_last=self._is_still_free):
            self._go_on()
            yield block

    def _is_still_free(self) -> None:
        """The last moment: another restore into the same course may have been quicker, or may be as far as this one."""
        check_free(
            self._client,
            self._target,
            self._migration,
            created_after=self._client.server_now() - _SIDE_BY_SIDE,
            empty=not self._request.allow_content,
        )

    def _look(self) -> Waiting | None:
        """See whether Canvas is done, and read what it noted."""
        try:
            migration = self._client.show_migration(self._target, self._migration)
        except NotFoundError:
            self._end(RestoreOutcome.FAILED, "Canvas no longer knows the import, or the course is gone")
            return None
        state = migration.workflow_state
        if not state.is_over:
            if self._now() >= self._state.deadline:
                where = f"it says {state.value}; look at the course's imports in Canvas"
                self._end(RestoreOutcome.STALLED, f"Canvas was not done by the deadline: {where}")
                return None
            since = self._state.began_at or self._now()
            course, until = self._state.course_id or 0, self._state.deadline
            return Waiting(IMPORT, course, self._migration, migration.progress_id, since, until)
        counts, texts = told(self._client.migration_issues(self._target, self._migration))
        if state is MigrationState.COMPLETED:
            outcome = RestoreOutcome.RESTORED_WITH_ISSUES if counts else RestoreOutcome.RESTORED
            reason = f"Canvas noted {_listed(counts)}" if counts else None
        elif state is MigrationState.WAITING_FOR_SELECT:
            outcome, reason = RestoreOutcome.FAILED, "Canvas waits for somebody to select what to import"
        else:
            outcome, reason = RestoreOutcome.FAILED, texts[0] if texts else "Canvas reported a failed import"
        self._end(outcome, reason, counts, texts)
        return None

    def _end(
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
        self._enter(Phase.OVER)

    def _enter(self, phase: Phase) -> None:
        self._state.phase = phase
        self._store_state(self._state.to_json())

    def _go_on(self) -> None:
        if self._cancelled.is_set():
            raise RestoreCancelled("the task is being stopped")

    @property
    def _target(self) -> Context:
        return Context(ContextKind.COURSE, str(self._state.course_id))

    @property
    def _migration(self) -> int:
        assert self._state.migration_id is not None
        return self._state.migration_id


def _listed(counts: dict[str, int]) -> str:
    """``1 error, 3 warnings``."""
    return ", ".join(f"{count} {name}{'s' * (count > 1)}" for name, count in counts.items())
