"""Move one package from Canvas to the archive, and return the result as an event."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from urllib.parse import urlsplit

from canvas_exports.core.archive.layout import package_key
from canvas_exports.core.archive.manifest import ContextFacts, ExportFacts, Manifest, ManifestDraft
from canvas_exports.core.archive.publishing.package_source import PackageSource
from canvas_exports.core.archive.publishing.published import Published
from canvas_exports.core.archive.publishing.replicate import Replica, publish_to_replicas
from canvas_exports.core.canvas.api.models import ContentExport, Course, ExportState
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.export.baseline import Wanted, copy_before
from canvas_exports.core.export.changes.misses import carried_counts, check_probe
from canvas_exports.core.export.changes.read_probes import ProbeReader
from canvas_exports.core.export.changes.rule import NextExport
from canvas_exports.core.export.engine import events
from canvas_exports.core.export.engine.items import Item, label_of
from canvas_exports.core.export.observer import UNOBSERVED, Observer
from canvas_exports.core.export.options import BatchOptions
from canvas_exports.core.export.planning.course_facts import PlannedFacts, facts_of
from canvas_exports.core.export.replicas import Replicas
from canvas_exports.core.export.transfer_slots import TransferSlots
from canvas_exports.core.model.causes import cause_of
from canvas_exports.core.model.contexts import Context, ContextKind
from canvas_exports.core.model.export_types import ExportType
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.model.probes import EQUAL, MISS, ProbeFacts
from canvas_exports.core.model.runs import RunInfo
from canvas_exports.core.packages.proof import Expectation, Proof, Severity, Verdict
from canvas_exports.core.storage.buffers import BLOCK_SIZE, BlockWriter, BufferPool
from canvas_exports.core.storage.store import Block, Store
from canvas_exports.errors import (
    ArchiveDeniedError,
    ArchiveError,
    CanvasExportsError,
    CanvasUnavailableError,
    CorruptPackageError,
    CredentialError,
    DownloadError,
    LockedError,
    NotFoundError,
    PermissionDeniedError,
    Stopped,
    UnexpectedResponseError,
)
from canvas_exports.foreign_text import harmless

_log = logging.getLogger(__name__)

TRANSFERS = 3  # failed ones of one export, after which another is made, or the attempt is over


_FAILURES = {
    ExportState.FAILED: "Canvas reported the export as failed",
    ExportState.DELETED: "the export was deleted in Canvas",
}

_MISS = "its content has changed although Canvas showed no change since the copy before: a miss, so it is exported more often"

_OUTCOMES = {
    Verdict.WHOLE: Outcome.STORED,
    Verdict.INCOMPLETE: Outcome.INCOMPLETE,
    Verdict.EMPTY: Outcome.EMPTY,
}


#: What was published, and for each archive without the package its URI and the reason.
_ArchiveResults = tuple[list[Published], dict[str, str]]


class TransferCancelled(Stopped):
    """The task is being killed. Leaving a stream by an exception aborts its upload."""


class PackageMover:
    """Move packages; used by several threads at once.

    Each call reads the export again, so that a signed URL is never kept longer than its download. What a manifest states of a
    course is in the plan of the run, if Canvas was asked for it when the course was listed. Otherwise, and if that is longer ago
    than a batch may take, the course is read, once for all its exports, as they move within minutes; a retry reads it again. Its
    root account, which tells whether a package is of another Canvas, is never taken from the plan.

    Args:
        client: of the Canvas.
        replicas: the archives.
        options: of the batch.
        run: for the manifests.
        blocks: buffers that all packages share.
        observer: of transfers.
        planned: reads the facts of the batch's courses in the plan; called once at most.

    Attributes:
        slots: limit the calls of ``move`` that are under way.
    """

    def __init__(
        self,
        client: CanvasClient,
        replicas: Replicas,
        options: BatchOptions,
        run: RunInfo,
        *,
        blocks: int = 16,
        observer: Observer = UNOBSERVED,
        planned: Callable[[], PlannedFacts | None] = lambda: None,
    ) -> None:
        self._client = client
        self._replicas = replicas
        self._options = options
        self._run = run
        self._observer = observer
        # A store may keep a package's last block while it asks for the next one. Without a block to spare, packages
        # could wait for each other for ever.
        self._buffers = BufferPool(max(blocks, options.parallel_transfers + 1) * BLOCK_SIZE)
        self.slots = TransferSlots(options.parallel_transfers)
        self._courses: dict[str, Course] = {}  # of one batch: two hundred at most
        self._planned = cache(planned)
        self._reading_plan = threading.Lock()
        self._cancelled = threading.Event()

    def check(self) -> None:
        """Check that at least one archive can be written to. Raises as ``Replicas.check``."""
        self._replicas.check()

    def cancel(self) -> None:
        """Abort every upload at its next block."""
        self._cancelled.set()

    def move(self, item: Item, *, at_once: bool = False) -> events.Event:
        """Download, prove and publish the package of a ready item.

        An error of one package is returned as an event; only errors that concern all packages are raised.

        Args:
            item: a ready item; the more of its transfers have failed, the longer the call waits first.
            at_once: do not wait.

        Raises:
            CredentialError: Canvas refuses the token for every request (permanent).
            CanvasUnavailableError: it is not known whether Canvas refuses the token, as it cannot be reached (retryable).
            ArchiveDeniedError: every archive refuses to take this package (permanent, unless they take others).
            TransferCancelled: ``cancel`` was called.
        """
        if self._cancelled.wait(0.0 if at_once else self._options.waits.before_transfer(item.fetches)):
            raise TransferCancelled(item.name)
        try:
            with self._observer.span("transfer", context=item.context, export_id=item.export_id or 0):
                return self._move(item, item.export_id or 0)
        except CredentialError as error:
            self._client.whoami()  # refused here too, it is refused everywhere
            return self._failed(item, error)
        except CanvasExportsError as error:
            if isinstance(error, ArchiveDeniedError) and not isinstance(error, LockedError):
                raise
            return self._failed(item, error)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one package, the others are to be stored
            _log.exception("%s: unexpected, please report it", item.name)
            self._observer.transfer_failed(item.export_type)
            reason = f"unexpected {type(error).__name__}; see the task's log"
            return events.TransferFailed(item.name, item.export_id or 0, item.fetches, reason, spoiled=False)

    def _failed(self, item: Item, error: CanvasExportsError) -> events.Event:
        _log.warning("%s: transfer %d of %d failed: %s", item.name, item.fetches + 1, TRANSFERS, error)
        self._observer.transfer_failed(item.export_type)
        return _event_of_error(item, item.export_id or 0, error)

    def _move(self, item: Item, export_id: int) -> events.Event:
        context = Context.parse(item.context)
        if item.canvas_id is not None:
            context = context.resolved(item.canvas_id)
        export = self._client.show_export(context, export_id)
        if export.has_failed:
            return events.ExportFailed(item.name, export_id, _FAILURES[export.workflow_state])
        if export.is_ready:
            is_retry = item.fetches > 0 or self._run.try_number > 1  # an earlier one may have stored it
            facts = None if is_retry else self._planned_facts(context)
            facts = facts or self._facts(context, again=item.fetches > 0)
            stored, lacking = self._publish(context, export, facts, item.probe, is_retry=is_retry)
            return _stored(item, export_id, stored, lacking)
        if export.workflow_state is ExportState.EXPORTED:
            return events.ExportFailed(
                item.name, export_id, "Canvas reported the export as done, but has no package"
            )
        return events.NotReady(item.name, export_id)

    def _planned_facts(self, context: Context) -> ContextFacts | None:
        """Return what a manifest states of a course, from the plan; ``None`` if the plan cannot tell."""
        with self._reading_plan:
            planned = self._planned()
        if planned is None:
            return None
        now, most_age = self._client.server_now(), self._options.deadline
        return planned.of(context, canvas=self._client.host, now=now, most_age=most_age)

    def _facts(self, context: Context, *, again: bool) -> ContextFacts:
        """Return what a manifest states of a course, from Canvas; of a group or a user, it states nothing."""
        if context.kind is not ContextKind.COURSE:
            return ContextFacts(kind=context.kind.value, id=context.canvas_id or 0)
        return facts_of(self._course(context, again=again))

    def _course(self, context: Context, *, again: bool = False) -> Course:
        """Return the course, read once."""
        name = str(context)
        course = None if again else self._courses.get(name)
        if course is None:
            course = self._courses[name] = self._client.course(context)
        return course

    def _publish(
        self,
        context: Context,
        export: ContentExport,
        facts: ContextFacts,
        probe: ProbeFacts | None,
        *,
        is_retry: bool,
    ) -> _ArchiveResults:
        export_type = _type_of(export)
        canvas_id = context.canvas_id or 0
        host = urlsplit(self._client.host).netloc
        key = package_key(
            context.kind.value,
            canvas_id,
            export_type=export_type.value,
            export_id=export.id,
            created=export.created_at,
            suffix=export_type.suffix,
            template=self._options.key_template,
            course_code=facts.course_code,
            sis_id=facts.sis_id,
            name=facts.name,
            term=facts.term,
        )
        draft = ManifestDraft(
            key=key,
            context=facts,
            export=ExportFacts(
                id=export.id,
                type=export_type.value,
                created_at=export.created_at,
                canvas_host=host,
                user_id=export.user_id,
                select=self._options.select,
                version=self._options.version if export_type is ExportType.COMMON_CARTRIDGE else None,
            ),
            run=self._run.to_facts(),
            probe=probe,
        )
        expect = Expectation(
            export_type=export_type.value,
            size=export.attachment.size if export.attachment else None,
            course_id=canvas_id if context.kind is ContextKind.COURSE else None,
            canvas_host=host,
            root_account_id=lambda: self._course(context).root_account_id,
        )
        source = PackageSource(
            lambda writer: self._blocks(context, export, writer),
            expect,
            self._buffers,
            stage=self._observer.span,
            level=self._options.proof,
            open_package=lambda: self._client.open_package(context, export),
            is_retry=is_retry,
        )
        with self.slots.slot(expect.size, self._cancelled):
            return self._publish_to_all(draft, source)

    def _publish_to_all(self, draft: ManifestDraft, source: PackageSource) -> _ArchiveResults:
        """Publish to all usable archives; return the results, and why the others lack the package."""
        stores, lacking = self._replicas.split()
        try:
            results = publish_to_replicas(
                [self._replica(store, draft) for store in stores], draft=draft, source=source
            )
        except ArchiveError:
            self._replicas.retry_all()
            raise
        taken: list[Published] = []
        for store, result in zip(stores, results, strict=True):
            self._replicas.record(store, result)
            if isinstance(result, Published):
                taken.append(result)
            else:
                _log.warning("%s is not in %s: %s", draft.key, store.uri, result)
                lacking[store.uri] = result.message
        return taken, lacking

    def _replica(self, store: Store, draft: ManifestDraft) -> Replica:
        find = cache(lambda: copy_before(store, Wanted.of(draft), self._options.proof))

        def baseline() -> Manifest | None:
            before = find()
            return before.manifest if before is not None and before.is_proven else None

        def read_again() -> ProbeFacts | None:
            context = Context.parse(f"{draft.context.kind}:{draft.context.id}")
            found = ProbeReader(self._client).read([context]).get(str(context))
            return None if found is None else found.facts

        def check(probe: ProbeFacts | None, proof: Proof) -> ProbeFacts | None:
            if probe is None:  # what is known of the copy before costs no request where packages are compared
                return None if self._options.unchanged == "store" else carried_counts(find())
            return check_probe(probe, find(), proof, wanted, read_again)

        wanted = NextExport(
            canvas_host=draft.export.canvas_host,
            user_id=draft.export.user_id,
            export_type=draft.export.type,
            select=draft.export.select,
            version=draft.export.version,
        )
        return Replica(store, None if self._options.unchanged == "store" else baseline, check)

    def _blocks(self, context: Context, export: ContentExport, writer: BlockWriter) -> Iterator[Block]:
        for block in self._client.download(context, export, writer, self._options.parallel_ranges):
            if self._cancelled.is_set():
                raise TransferCancelled(str(context))
            yield block


def _event_of_error(item: Item, export_id: int, error: CanvasExportsError) -> events.Event:
    """Return the event of an error about one package."""
    if isinstance(error, NotFoundError):
        return events.ExportFailed(item.name, export_id, "Canvas no longer knows the export")
    if isinstance(error, LockedError):  # what lies under its name cannot go; another export has another name
        return events.ExportFailed(item.name, export_id, error.message)
    if isinstance(error, PermissionDeniedError):
        return events.Ended(item.name, Outcome.DENIED, error.reason)
    if not error.retryable and not isinstance(error, (CredentialError, ArchiveDeniedError)):
        return events.Ended(item.name, Outcome.FAILED, error.reason)
    return events.TransferFailed(
        item.name,
        export_id,
        item.fetches,
        error.reason,
        spoiled=isinstance(error, CorruptPackageError)
        or (isinstance(error, DownloadError) and error.spoiled),
        at_once=isinstance(error, DownloadError) and error.restart,
        by_source=_is_by_source(error),
        cause=cause_of(error),
    )


def _is_by_source(error: CanvasExportsError) -> bool:
    """Return whether Canvas or its storage answered, but with an error or with something that cannot be read."""
    answered = isinstance(error, CanvasUnavailableError) and error.status is not None
    return answered or isinstance(error, (DownloadError, UnexpectedResponseError))


def _type_of(export: ContentExport) -> ExportType:
    try:
        return ExportType(export.export_type)
    except ValueError:
        raise UnexpectedResponseError(
            f"Canvas says that the export is a {harmless(export.export_type, most=50)}, which was not asked for"
        ) from None


def _stored(
    item: Item, export_id: int, taken: Sequence[Published], lacking: Mapping[str, str]
) -> events.Stored:
    published = taken[0]
    errors = [finding for finding in published.findings if finding.severity is Severity.ERROR]
    reason = None
    if errors:
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        member = f"{errors[0].member}: " if errors[0].member else ""
        reason = harmless(f"{member}{errors[0].message}") + more
    unchanged = all(each.unchanged for each in taken)
    outcome = Outcome.UNCHANGED if unchanged else _OUTCOMES[published.verdict]
    if lacking:
        outcome = Outcome.DEGRADED
        reason = "; ".join(f"not in {uri}: {why}" for uri, why in lacking.items())
    checks = {each.manifest.probe.check for each in taken if each.manifest.probe is not None}
    probe_result = MISS if MISS in checks else EQUAL if EQUAL in checks else None
    if probe_result == MISS and reason is None:
        reason = _MISS
    size = max(0 if each.unchanged else each.size for each in taken)
    return events.Stored(
        item.name,
        export_id,
        outcome=outcome,
        reason=reason,
        key=published.key,
        size=size,
        findings=len(published.findings),
        label=label_of(published.manifest.context.course_code),
        at=published.manifest.stored_at.replace(microsecond=0).timestamp(),
        probe_result=probe_result,
    )
