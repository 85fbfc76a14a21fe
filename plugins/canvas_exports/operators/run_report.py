"""The operator that writes the run report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, BaseOperatorLink, TriggerRule

from canvas_exports.airflow_compat import AirflowFailException, conf
from canvas_exports.core.archive.sweep_age import GRACE, read_grace
from canvas_exports.core.model.durations import Duration
from canvas_exports.core.model.export_types import ExportType
from canvas_exports.notifications.run_note import NOTE_XCOM
from canvas_exports.observability.lineage import Lineage, LineageMixin, archive_place
from canvas_exports.operators.links import RunReportLink, report_url
from canvas_exports.operators.task_support.report_xcom import PAGE_XCOM, pack, page_url
from canvas_exports.operators.task_support.task_context import AirflowErrors, run_info

if TYPE_CHECKING:
    from airflow.sdk import Context, XComArg

    from canvas_exports.core.reports.message import Message
    from canvas_exports.core.reports.run_report import RunReport
    from canvas_exports.core.storage.store import Store


class CanvasRunReportOperator(LineageMixin, BaseOperator):
    """Merge the outcomes of every batch into the run report, print it as a table, and judge the run.

    Reads the documents that the export tasks left in the archive, writes ``report.json``, ``report.csv`` and the page
    ``report.html`` beside them, and names every context that was planned but that no task reported: it counts as
    ``interrupted``. Runs after the batches however they ended. Exports nothing. Judges the courses and the totals of the run, and
    holds the copies from before a loss (see ``docs/alarms.md``); an alarm does not fail the task. The page is also kept in an XCom, up to a
    megabyte, for the button *Run report* to show it.

    Sweeps first: removes old packages and uploads that killed runs left unfinished, and lists them in the report (see
    ``canvas_exports.core.archive.sweep``). A problem with that is reported, and never fails the task.

    Args:
        archive: root URI of the archive.
        batches: the planned batches, as ``CanvasListCoursesOperator`` returns them: references to a plan in this archive, or
            lists of contexts.
        export_type: the export types that were made of each context.
        archive_conn_id: Airflow connection of the archive.
        also_archives: further archives, as the export task has them: each gets the report, and is swept.
        fail_on: when the run has failed: ``any`` export without a whole copy, ``5%`` of them, or ``never``.
        sweep_after: how old a leftover has to be, at least a day; a timedelta, ISO 8601 (``P2D``), or ``never``.
        key_template: how the export task names packages; only those are ever swept.
        timezone: time zone of the page and the message: an IANA name.
        max_age: the promised age of the newest proven copy of each course: a timedelta or ISO 8601 (``P2D``). The report says
            for each whether it is kept, and a metric how many are not. A missed promise does not fail the task.

    Raises:
        AirflowFailException: bad input, a refused credential, or the failure policy.
    """

    template_fields: Sequence[str] = (
        "archive",
        "batches",
        "export_type",
        "archive_conn_id",
        "also_archives",
        "fail_on",
        "sweep_after",
        "key_template",
        "timezone",
        "max_age",
    )
    operator_extra_links: Sequence[BaseOperatorLink] = (RunReportLink(),)
    ui_color = "#e6f2e6"

    def __init__(
        self,
        *,
        archive: str,
        batches: Iterable[Iterable[str]] | XComArg | None = (),
        export_type: str | Iterable[str] = ExportType.COMMON_CARTRIDGE.value,
        archive_conn_id: str | None = None,
        also_archives: Sequence[str | Mapping[str, Any]] = (),
        fail_on: str = "any",
        sweep_after: Duration | None = GRACE,
        key_template: str | None = None,
        timezone: str = "UTC",
        max_age: Duration | None = None,
        trigger_rule: str = TriggerRule.ALL_DONE,
        **kwargs: Any,
    ) -> None:
        super().__init__(trigger_rule=trigger_rule, **kwargs)
        self.archive = archive
        self.batches = batches
        self.export_type = export_type
        self.archive_conn_id = archive_conn_id
        self.also_archives = also_archives
        self.fail_on = fail_on
        self.sweep_after = sweep_after
        self.key_template = key_template
        self.timezone = timezone
        self.max_age = max_age
        self.report_url: str | None = None
        #: What ``notifications.run_report`` sends; there once the report is.
        self.message: Message | None = None

    @AirflowErrors()
    def execute(self, context: Context) -> dict[str, Any]:
        """Gather, print, judge."""
        from canvas_exports.core.export.failure_policy import FailurePolicy
        from canvas_exports.core.model.max_age import read_max_age
        from canvas_exports.core.reports.page.write import PAGE
        from canvas_exports.observability.alarm_gauges import send_alarms
        from canvas_exports.observability.promise_gauges import send_promises

        policy = FailurePolicy.parse(self.fail_on)
        max_age = read_max_age(self.max_age)
        report = self._gather(context, read_grace(self.sweep_after), max_age)
        send_promises(report.view)
        send_alarms(report.view)
        for line in report.table.splitlines():
            self.log.info("%s", line)
        where = f"{report.view.archive.rstrip('/')}/{report.view.folder}{PAGE}"
        self.log.info("Run report: %s", where)
        self._show(context, report)
        failure = policy.failure(report.outcomes)
        if failure is not None:
            raise AirflowFailException(
                f"{' '.join([f'{failure}.', *map(str, report.view.causes)])} Report: {where}"
            )
        return report.receipt.to_json()

    def _gather(self, context: Context, grace: timedelta | None, max_age: timedelta | None) -> RunReport:
        from canvas_exports.core.archive.layout import DEFAULT_TEMPLATE
        from canvas_exports.core.archive.sweep import sweep
        from canvas_exports.core.export.planning.batch_plan import planned_batches
        from canvas_exports.core.export.replicas import Replicas, writable_stores
        from canvas_exports.core.reports.run_report import gather_run_report, mirror_reports
        from canvas_exports.hooks.archive_replicas import open_archives

        types = [self.export_type] if isinstance(self.export_type, str) else list(self.export_type)
        batches: Any = self.batches or ()
        run = run_info(context)

        def gather(store: Store) -> RunReport:
            swept = grace and sweep(store, grace=grace, template=self.key_template or DEFAULT_TEMPLATE)
            batch_of = {text: name for name, listed in planned_batches(store, batches) for text in listed}
            return gather_run_report(
                store,
                run,
                ((text, each) for text in batch_of for each in types),
                batches=batch_of,
                swept=swept.to_json() if swept else None,
                zone=self.timezone,
                airflow=conf.get("api", "base_url", fallback=""),
                max_age=max_age,
            )

        with open_archives(self.archive, self.archive_conn_id, self.also_archives) as opened:
            stores = writable_stores(opened)
            mirror_reports(stores, run)
            places = tuple(archive_place(store.uri) for store in stores)
            self.lineage = Lineage(places, places)
            return Replicas(stores).in_each(gather)

    def _show(self, context: Context, report: RunReport) -> None:
        """Push the note, the page and the message to XCom."""
        from canvas_exports.core.reports.message import message
        from canvas_exports.core.reports.page.write import PAGE

        instance = context["ti"]
        instance.xcom_push(key=NOTE_XCOM, value=report.view.note)
        packed = pack(report.page)
        if packed is None:
            self.report_url = report_url(report.view.archive, f"{report.view.folder}{PAGE}")
        else:
            instance.xcom_push(key=PAGE_XCOM, value=packed)
            self.report_url = page_url(
                conf.get("api", "base_url", fallback=""),
                dag_id=instance.dag_id,
                run_id=instance.run_id,
                task_id=instance.task_id,
                map_index=-1 if instance.map_index is None else instance.map_index,
            )
        self.message = message(
            report.view, url=self.report_url if self.report_url.startswith("http") else None
        )
