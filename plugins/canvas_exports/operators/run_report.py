"""Tell what became of every export of a DAG run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, BaseOperatorLink, TriggerRule
from airflow.sdk.exceptions import AirflowFailException

from canvas_exports.canvas.models import ExportType
from canvas_exports.errors import CanvasExportsError
from canvas_exports.export.policy import FailurePolicy
from canvas_exports.export.reporting import RunReport, gather_run_report
from canvas_exports.hooks.archive import open_archive
from canvas_exports.operators.failures import fail
from canvas_exports.operators.links import RunReportLink, report_url
from canvas_exports.operators.run_info import run_info

if TYPE_CHECKING:
    from airflow.sdk import Context


class CanvasRunReportOperator(BaseOperator):
    """Merge the outcomes of every batch into the run report, print it as a table, and judge the run.

    Reads the documents that the export tasks left in the archive, writes ``report.json`` beside them, and names every
    context that was planned but that no task reported: it counts as ``interrupted``. Runs after the batches however they
    ended. Exports nothing.

    Args:
        archive: root URI of the archive.
        batches: what was planned, as ``CanvasListCoursesOperator`` returns it.
        export_type: the export types that were made of each context.
        archive_conn_id: Airflow connection of the archive.
        fail_on: when the run has failed: ``any`` export without a whole copy, ``5%`` of them, or ``never``.

    Raises:
        AirflowFailException: bad input, a refused credential, or the failure policy.
    """

    template_fields: Sequence[str] = ("archive", "batches", "export_type", "archive_conn_id", "fail_on")
    operator_extra_links: Sequence[BaseOperatorLink] = (RunReportLink(),)
    ui_color = "#e6f2e6"

    def __init__(
        self,
        *,
        archive: str,
        batches: Iterable[Iterable[str]] = (),
        export_type: str | Iterable[str] = ExportType.COMMON_CARTRIDGE.value,
        archive_conn_id: str | None = None,
        fail_on: str = "any",
        trigger_rule: str = TriggerRule.ALL_DONE,
        **kwargs: Any,
    ) -> None:
        super().__init__(trigger_rule=trigger_rule, **kwargs)
        self.archive = archive
        self.batches = batches
        self.export_type = export_type
        self.archive_conn_id = archive_conn_id
        self.fail_on = fail_on
        self.report_url: str | None = None

    def execute(self, context: Context) -> dict[str, Any]:
        """Gather, print, judge."""
        try:
            policy = FailurePolicy.parse(self.fail_on)
            report = self._gather(context)
        except CanvasExportsError as error:
            if not error.retryable:
                fail(error)
            raise
        for line in report.table.splitlines():
            self.log.info("%s", line)
        self.log.info("Run report: %s", self.report_url)
        failure = policy.failure(report.outcomes)
        if failure is not None:
            raise AirflowFailException(f"{failure}. Report: {self.report_url}")
        return report.receipt.to_json()

    def _gather(self, context: Context) -> RunReport:
        types = [self.export_type] if isinstance(self.export_type, str) else list(self.export_type)
        planned = [(text, each) for batch in self.batches or () for text in batch for each in types]
        with open_archive(self.archive, self.archive_conn_id) as store:
            report = gather_run_report(store, run_info(context), planned)
            self.report_url = report_url(store.uri, report.receipt.report)
        return report
