"""Export courses, groups and users from Canvas into an archive."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar

from airflow.sdk import AssetAlias, BaseOperator, BaseOperatorLink

from canvas_exports.airflow_compat import AirflowFailException, conf
from canvas_exports.core.export.waits import Waits
from canvas_exports.core.model.durations import Duration
from canvas_exports.core.model.export_types import ExportType
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.errors import CanvasExportsError
from canvas_exports.hooks.archive_location import root_uri
from canvas_exports.hooks.canvas import CanvasHook
from canvas_exports.observability.lineage import Lineage, LineageMixin, archive_place, canvas_places
from canvas_exports.operators.links import CanvasLink, RunReportLink, context_url, report_url
from canvas_exports.operators.task_support.asset_events import ARCHIVE_ALIAS, announce
from canvas_exports.operators.task_support.task_context import AirflowErrors, BatchInterruptedError, run_info

if TYPE_CHECKING:
    from airflow.sdk import Context

    from canvas_exports.core.export.batch import Batch
    from canvas_exports.core.export.engine.checkpoint import Checkpoint
    from canvas_exports.core.export.options import BatchOptions
    from canvas_exports.core.export.planning.batch_plan import BatchReference
    from canvas_exports.core.export.polling.interval import PollInterval
    from canvas_exports.core.export.polling.poll_results import PollResult
    from canvas_exports.core.export.polling.wait import Wait
    from canvas_exports.core.model.runs import RunInfo
    from canvas_exports.core.reports.run_report import Receipt
    from canvas_exports.core.storage.store import Store

T = TypeVar("T")

_BACKSTOP = timedelta(minutes=15)  # Airflow's own time-out lies behind the deadline; the trigger speaks first


class CanvasContentExportOperator(LineageMixin, BaseOperator):
    """Have Canvas export courses, groups and users, and store each package in an archive, proven whole.

    One task handles a batch of up to 200 exports: it has Canvas work on a few of them at a time, waits in the triggerer
    without a worker slot, moves finished packages in parallel in constant memory, proves each and publishes it with a
    manifest. Every export ends in one outcome, and the task returns a small receipt.

    A retry does only what is missing, and creates no export twice: the state of the batch is kept in Airflow's task state
    store (before Airflow 3.3: in the first archive), where it also survives a Clear. Outcomes that a retry cannot change do not make Airflow retry.

    Does not delete or change anything in Canvas, does not replace anything in the archive, and does not stop an export that
    Canvas has started: Canvas has no call for that.

    Args:
        courses: ids (``101``), SIS ids (``sis_course_id:BIO-101``) or any context (``course:101``, ``group:7``); or one
            batch as ``CanvasListCoursesOperator`` returns it.
        groups: group ids; Canvas exports only their files (``zip``).
        users: user ids, or ``self``; only their files, and only those of the token's own user.
        export_type: ``common_cartridge``, ``qti`` or ``zip``, or a list of them.
        select: Export only these objects: a mapping of object types to lists of ids. Without it, everything.
        skip_notifications: Canvas sends no message about the exports. If false, the access token's user gets a message
            about each.
        version: 1.3 for a Common Cartridge 1.3. Without it, Canvas writes 1.1.
        archive: root URI: ``s3://bucket/path``, ``gs://``, ``az://``, ``sftp://``, ``file:///path``.
        archive_conn_id: Airflow connection of the archive; without it, the environment's credentials.
        also_archives: further archives that are to hold the same: root URIs, or mappings with ``archive`` and
            ``archive_conn_id``.
        canvas_conn_id: Airflow connection of Canvas.
        key_template: How a package is named below its course's folder: letters, digits, . _ = - / and {created},
            {export_type}, {export_id}, {course_code}, {sis_id}, {name}, {term}.
        max_in_flight: How many exports Canvas may have at once for one batch. It is asked for fewer as long as those
            queue. 1 to 200.
        parallel_transfers: How many packages one batch moves into the archive at once; of those up to 1 MiB, up to 16
            for each. 1 to 16.
        parallel_ranges: Over how many connections one package of more than 256 MiB is downloaded, where storage can serve
            parts of it. More than one is worth it where every connection is throttled. 1 to 8.
        poll_shortest: Seconds between two polls of one export, at least. 0.1 to 3600.
        poll_longest: Seconds between two polls of one export, at most. 0.1 to 3600.
        deadline: How long a batch may take, from its first attempt. What is not done by then is reported as stalled.
            ISO 8601: PT12H is twelve hours.
        stall_after: An export that shows no progress for this long is given up and reported as stalled. ISO 8601: PT2H
            is two hours.
        proof: How deeply a package is proven before it is published. directory reads the zip's directory and the
            cartridge's manifest, full also reads back what was stored and unpacks every member.
        unchanged: What becomes of a package that holds just what the newest proven copy holds: refer writes a manifest
            that names the package that is stored, store stores it all the same.
        skip_unchanged: A course for which Canvas shows no change since its newest proven copy is not exported; a new manifest
            confirms that copy. This is the longest time without a real export, P1D to P30D in ISO 8601; never exports
            every course in every run.
        fail_on: When the run counts as failed: any export without a whole copy, a percentage of them such as 5%, or
            never. The report is complete either way.
        on_clear: What a person's Clear does: resume keeps what is stored, restart exports all of it again.
        deferrable: wait in the triggerer; otherwise in the worker, which then stays occupied.

    Raises:
        AirflowFailException: bad input, refused credentials, or the failure policy; a retry cannot help.
        BatchInterruptedError: Canvas or the archive could not be reached; Airflow retries and goes on from here.
    """

    template_fields: Sequence[str] = (
        "courses",
        "groups",
        "users",
        "export_type",
        "select",
        "skip_notifications",
        "version",
        "archive",
        "archive_conn_id",
        "also_archives",
        "canvas_conn_id",
        "key_template",
        "max_in_flight",
        "parallel_transfers",
        "parallel_ranges",
        "deadline",
        "stall_after",
        "proof",
        "unchanged",
        "skip_unchanged",
        "fail_on",
        "on_clear",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"select": "json"}
    operator_extra_links: Sequence[BaseOperatorLink] = (CanvasLink(), RunReportLink())
    ui_color = "#fbe3df"

    waits: ClassVar[Waits] = Waits()

    def __init__(
        self,
        *,
        archive: str,
        courses: str | int | Iterable[str | int] | Mapping[str, Any] = (),
        groups: Iterable[str | int] = (),
        users: Iterable[str | int] = (),
        export_type: str | Iterable[str] = ExportType.COMMON_CARTRIDGE.value,
        select: Mapping[str, Any] | None = None,
        skip_notifications: bool = True,
        version: str | None = None,
        archive_conn_id: str | None = None,
        also_archives: Sequence[str | Mapping[str, Any]] = (),
        canvas_conn_id: str = CanvasHook.default_conn_name,
        key_template: str | None = None,
        max_in_flight: int = 50,
        parallel_transfers: int = 4,
        parallel_ranges: int = 1,
        poll_shortest: float = 5.0,
        poll_longest: float = 60.0,
        deadline: Duration = timedelta(hours=12),
        stall_after: Duration = timedelta(hours=2),
        proof: str = ProofLevel.DIRECTORY.value,
        unchanged: str = "refer",
        skip_unchanged: Duration = "never",
        fail_on: str = "any",
        on_clear: str = "resume",
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("outlets", [AssetAlias(ARCHIVE_ALIAS)])
        super().__init__(**kwargs)
        self.courses = courses
        self.groups = groups
        self.users = users
        self.export_type = export_type
        self.select = select
        self.skip_notifications = skip_notifications
        self.version = version
        self.archive = archive
        self.archive_conn_id = archive_conn_id
        self.also_archives = also_archives
        self.canvas_conn_id = canvas_conn_id
        self.key_template = key_template
        self.max_in_flight = max_in_flight
        self.parallel_transfers = parallel_transfers
        self.parallel_ranges = parallel_ranges
        self.poll_shortest = poll_shortest
        self.poll_longest = poll_longest
        self.deadline = deadline
        self.stall_after = stall_after
        self.proof = proof
        self.unchanged = unchanged
        self.skip_unchanged = skip_unchanged
        self.fail_on = fail_on
        self.on_clear = on_clear
        self.deferrable = deferrable
        self._batch: Batch | None = None
        self.canvas_url: str | None = None
        self.report_url: str | None = None

    @AirflowErrors()
    def execute(self, context: Context) -> dict[str, Any]:
        """Begin, or resume from the checkpoint of an earlier attempt."""
        return self._run(context, None)

    @AirflowErrors()
    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> dict[str, Any]:
        """Resume after waiting. An event of another attempt is ignored: the checkpoint is newer."""
        from canvas_exports.core.export.polling.poll_results import PollResult
        from canvas_exports.triggers.content_export import POLL_RESULT, REFUSED

        if not isinstance(event, Mapping) or event.get("try_number") != context["ti"].try_number:
            return self._run(context, None)
        try:
            # The name before was "sightings": a triggerer may still be of that release while an upgrade is under way.
            result = PollResult.from_json(event.get(POLL_RESULT, event.get("sightings", {})))
        except ValueError as error:
            self.log.warning("The event cannot be read (%s); the batch goes on from its checkpoint", error)
            result = None
        return self._run(context, result, refused=event.get("status") == REFUSED)

    def on_kill(self) -> None:
        """Abort uploads and keep the checkpoint. Changes nothing in Canvas."""
        if self._batch is not None:
            self._batch.cancel()

    def _run(self, context: Context, result: PollResult | None, *, refused: bool = False) -> dict[str, Any]:
        run = run_info(context)
        with self._open(context, run) as (batch, report):
            if result is not None:
                batch.record_polls(result)
            try:
                if refused:
                    batch.confirm_credential()
                while (wait := batch.advance()) is not None:
                    if self.deferrable:
                        self._wait(wait, run, batch.options.poll_interval)
                    batch.record_polls(batch.poll(wait.exports, wait.wake))
            except CanvasExportsError as error:
                self._save_failure(batch, report, error)
                if error.retryable:
                    raise BatchInterruptedError(str(error)) from None
                raise
            receipt = report()
        return self._finish(context, batch, receipt)

    def _save_failure(self, batch: Batch, report: Callable[[], Receipt], error: CanvasExportsError) -> None:
        """Save how far this attempt came; an error of that must not hide why the attempt ended."""
        try:
            batch.interrupt(error)
            report()
        except Exception as problem:  # noqa: BLE001 - of whatever kind
            self.log.warning("The state of this attempt could not be saved: %s", problem)

    @contextmanager
    def _open(self, context: Context, run: RunInfo) -> Iterator[tuple[Batch, Callable[[], Receipt]]]:
        """Check the input, restore the checkpoint, open Canvas and the archive."""
        from canvas_exports.core.export.batch import Batch
        from canvas_exports.core.export.changes.skipping import UnchangedCourses
        from canvas_exports.core.export.engine.checkpoint import Checkpoint
        from canvas_exports.core.export.planning.batch_plan import read_planned_facts, read_planned_readings
        from canvas_exports.core.export.replicas import Replicas
        from canvas_exports.core.export.transfer import PackageMover
        from canvas_exports.core.reports.run_report import store_batch_report
        from canvas_exports.hooks.archive_replicas import open_archives
        from canvas_exports.observability.task_observer import observed
        from canvas_exports.operators.task_support.checkpoints import saved_state

        with ExitStack() as opened:
            archives = open_archives(self.archive, self.archive_conn_id, self.also_archives)
            stores = opened.enter_context(archives)
            state = saved_state(context, stores[0])
            document = state.load()
            checkpoint = Checkpoint.from_json(document)
            options = self._options(self._contexts(checkpoint, stores))
            replicas = Replicas(stores)
            hook = CanvasHook(self.canvas_conn_id)
            client = opened.enter_context(hook.get_conn())
            observer = opened.enter_context(observed(run, client.rate_limiter))
            generation = max(context["ti"].max_tries - (self.retries or 0), 0)
            fresh = checkpoint is None or (
                options.on_clear == "restart" and checkpoint.generation != generation
            )
            if fresh:
                replicas.check()
            if checkpoint is None or fresh:
                lost = checkpoint is None and (run.try_number > 1 or document is not None)
                checkpoint = Batch.start(
                    options,
                    now=time.time(),
                    generation=generation,
                    try_number=run.try_number,
                    lost_since=run.started_at if lost else None,
                    exports_all=checkpoint is not None,
                )
            batch = Batch(
                client=client,
                polling_client=hook.async_conn,
                mover=PackageMover(
                    client,
                    replicas,
                    options,
                    run,
                    observer=observer,
                    planned=lambda: self._from_plan(stores, read_planned_facts),
                ),
                options=options,
                checkpoint=checkpoint,
                save=state.save,
                unchanged=UnchangedCourses(
                    client,
                    replicas,
                    options,
                    run,
                    readings=lambda: self._from_plan(stores, read_planned_readings) or {},
                ),
                observer=observer,
            )
            self._batch = batch
            self.canvas_url = client.host
            if len(options.contexts) == 1:
                self.canvas_url = context_url(client.host, options.contexts[0])
            if checkpoint.try_number != run.try_number or checkpoint.generation != generation:
                batch.resume(try_number=run.try_number, generation=generation)

            def report() -> Receipt:
                receipt = replicas.in_each(
                    lambda store: store_batch_report(store, batch.items, run, started_at=batch.started_at)
                )
                self.report_url = report_url(receipt.archive, receipt.report)
                self.lineage = Lineage(
                    inputs=canvas_places(client.host, options.contexts),
                    outputs=tuple(archive_place(store.uri) for store in stores),
                    size=receipt.size,
                    files=sum(item.size is not None for item in batch.items),
                )
                return receipt

            yield batch, report

    @property
    def batch_name(self) -> str:
        """Return the batch's name for ``map_index_template``: ``course:101 and 49 more``."""
        from canvas_exports.core.export.planning.batch_plan import batch_name

        if isinstance(self.courses, Mapping):
            return str(self.courses.get("name"))
        return batch_name([self.courses] if isinstance(self.courses, (str, int)) else list(self.courses))

    def _contexts(self, checkpoint: Checkpoint | None, stores: Sequence[Store]) -> Any:
        """Return the contexts: from the checkpoint, or from the plan of the run where it holds them."""
        from canvas_exports.core.export.planning.batch_plan import read_batch

        if not isinstance(self.courses, Mapping):
            return self.courses
        if checkpoint is not None:
            return [item.context for item in checkpoint.items]
        return self._from_plan(stores, read_batch)

    def _from_plan(self, stores: Sequence[Store], read: Callable[[Store, BatchReference], T]) -> T | None:
        """Return what the plan of the run has for this batch; ``None`` for a batch that no list has planned."""
        from canvas_exports.core.export.planning.batch_plan import BatchReference
        from canvas_exports.core.export.replicas import first_result

        if not isinstance(self.courses, Mapping):
            return None
        reference = BatchReference.from_json(self.courses)
        return first_result(stores, lambda store: read(store, reference))

    def _options(self, courses: Any) -> BatchOptions:
        from canvas_exports.core.export.options import OPTIONS, build_options

        options = build_options(
            courses=courses,
            groups=self.groups,
            users=self.users,
            export_type=self.export_type,
            **{name: getattr(self, name) for name in OPTIONS},
        )
        return replace(options, waits=self.waits)

    def _wait(self, wait: Wait, run: RunInfo, interval: PollInterval) -> NoReturn:
        """Free the worker until there is something to do."""
        from canvas_exports.triggers.content_export import CanvasContentExportTrigger

        trigger = CanvasContentExportTrigger.waiting_for(
            wait, canvas_conn_id=self.canvas_conn_id, interval=interval, try_number=run.try_number
        )
        rest = timedelta(seconds=max(wait.wake.deadline - time.time(), 0.0))
        self.defer(trigger=trigger, method_name="execute_complete", timeout=rest + _BACKSTOP)
        raise AssertionError("defer does not return")

    def _finish(self, context: Context, batch: Batch, receipt: Receipt) -> dict[str, Any]:
        """Retry, fail or succeed; the report is complete either way."""
        self.log.info("Report: %s", self.report_url)
        outcomes = [item.outcome or Outcome.INTERRUPTED for item in batch.items]
        last_try = context["ti"].try_number > context["ti"].max_tries
        if any(outcome.is_retryable for outcome in outcomes) and not last_try:
            counts = ", ".join(
                f"{outcomes.count(each)} {each.value}"
                for each in Outcome
                if each.is_retryable and each in outcomes
            )
            raise BatchInterruptedError(f"exports are unfinished ({counts}); a retry takes them up again")
        failure = batch.options.fail_on.failure(outcomes)
        if failure is not None:
            raise AirflowFailException(f"{failure}. Report: {self.report_url}")
        announce(context, self.outlets, root_uri(self.archive), receipt.to_json())
        return receipt.to_json()
