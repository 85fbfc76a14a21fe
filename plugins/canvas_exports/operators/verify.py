"""Verify stored packages."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, BaseOperatorLink

from canvas_exports.airflow_compat import AirflowFailException
from canvas_exports.core.model.durations import Duration, read_duration
from canvas_exports.core.model.flags import read_flag
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.text.wording import GB
from canvas_exports.errors import InputError
from canvas_exports.hooks.archive_location import root_uri
from canvas_exports.observability.lineage import Lineage, LineageMixin, archive_place
from canvas_exports.operators.links import RunReportLink, report_url
from canvas_exports.operators.task_support.task_context import AirflowErrors, run_info

if TYPE_CHECKING:
    from airflow.sdk import Context

    from canvas_exports.core.archive.verification.verify_archive import (
        ArchiveVerification,
        VerificationBudget,
    )
    from canvas_exports.core.model.runs import RunInfo
    from canvas_exports.core.storage.store import Store

MOST_AT_ONCE = 16
REPORT = "verification.json"

_NAMED = 100


class CanvasVerifyOperator(LineageMixin, BaseOperator):
    """Verify stored packages, the longest unverified first, within a budget.

    Each result is recorded beside the manifest of the package: ``intact``, ``damaged`` or ``vanished``. A damaged package no
    longer counts as a copy: the next backup stores its course again, and the catalog and the run reports list it. Changes no
    package and no manifest, and sends no request to Canvas. A retry goes on where the last attempt ended.

    Args:
        archive: root URI of the archive.
        archive_conn_id: Airflow connection of the archive.
        level: ``full`` reads every byte and unpacks every file; ``directory`` checks sizes, the directory of the zip and the
            manifest of the cartridge, and does not detect damage inside a file.
        max_gigabytes: how much to read (10^9 bytes); ``None`` for no limit. A package that was started is finished.
        max_time: how long to run; a timedelta, or ISO 8601 (``PT4H``); ``None`` for no limit.
        parallel: packages read at once, 1 to 16.
        allow_empty: accept an archive without copies; if it is false, the task fails there.
        fail_on_damage: fail the task if a package is damaged or missing. The results are recorded either way.

    Raises:
        AirflowFailException: bad input, no archive at that address, no right to it, or a damaged package.
    """

    template_fields: Sequence[str] = (
        "archive",
        "archive_conn_id",
        "level",
        "max_gigabytes",
        "max_time",
        "parallel",
        "fail_on_damage",
        "allow_empty",
    )
    operator_extra_links: Sequence[BaseOperatorLink] = (RunReportLink(),)
    ui_color = "#e6f2e6"

    def __init__(
        self,
        *,
        archive: str,
        archive_conn_id: str | None = None,
        level: str = ProofLevel.FULL.value,
        max_gigabytes: float | None = None,
        max_time: Duration | None = "PT4H",
        parallel: int = 2,
        fail_on_damage: bool = True,
        allow_empty: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.archive = archive
        self.archive_conn_id = archive_conn_id
        self.level = level
        self.max_gigabytes = max_gigabytes
        self.max_time = max_time
        self.parallel = parallel
        self.fail_on_damage = fail_on_damage
        self.allow_empty = allow_empty
        self.report_url: str | None = None
        self._stop = threading.Event()

    @AirflowErrors()
    def execute(self, context: Context) -> dict[str, Any]:
        """Verify packages, write the report, and fail if a package is damaged."""
        verified = self._verify(run_info(context))
        self._log(verified)
        if verified.damaged and self.fail_on_damage:
            named = ", ".join(record.context for record in verified.damaged[:5])
            raise AirflowFailException(
                f"{len(verified.damaged):,} stored packages are not what was stored, among them of {named}. "
                f"Report: {self.report_url}"
            )
        return {
            "archive": root_uri(self.archive),
            "report": self.report_url,
            "results": verified.totals,
            "bytes_read": verified.bytes_read,
            "left": verified.left,
        }

    def on_kill(self) -> None:
        """Start no further package."""
        self._stop.set()

    def _verify(self, run: RunInfo) -> ArchiveVerification:
        from canvas_exports.core.archive.verification.verify_archive import verify_archive
        from canvas_exports.hooks.archive import open_archive

        level, budget, parallel = self._level(), self._budget(), self._parallel()
        with open_archive(self.archive, self.archive_conn_id) as store:
            began = datetime.now(timezone.utc)
            # It writes each result beside its manifest.
            self.lineage = Lineage((archive_place(store.uri),), (archive_place(store.uri),))
            verified = verify_archive(
                store,
                level=level,
                budget=budget,
                run=run.to_facts(),
                since=datetime.fromtimestamp(run.started_at, timezone.utc) if run.try_number > 1 else None,
                parallel=parallel,
                allow_empty=read_flag("allow_empty", self.allow_empty, blank=False),
                stop=self._stop,
            )
            self._report(store, run, verified, began)
        return verified

    def _report(self, store: Store, run: RunInfo, verified: ArchiveVerification, began: datetime) -> None:
        from canvas_exports.core.archive.layout import run_folder
        from canvas_exports.core.archive.run_report import run_document

        key = f"{run_folder(run.date, run.dag_id, run.run_id)}{REPORT}"
        ended = datetime.now(timezone.utc)
        store.replace(
            key, run_document(verified.rows, run=run.to_facts(), started_at=began, finished_at=ended)
        )
        self.report_url = report_url(store.uri, key)

    def _log(self, verified: ArchiveVerification) -> None:
        for record in verified.damaged[:_NAMED]:
            self.log.error("%s: %s, %s: %s", record.context, record.outcome, record.key, record.reason)
        for document in verified.unreadable[:_NAMED]:
            self.log.error("%s cannot be read: %s", document.key, document.reason)
        listed = ", ".join(f"{number:,} {result}" for result, number in verified.totals.items())
        self.log.info("%s; %.1f GB read", listed or "nothing to verify", verified.bytes_read / GB)
        if verified.left:
            self.log.info("%s packages are left for the next run", f"{verified.left:,}")
        self.log.info("Report: %s", self.report_url)

    def _level(self) -> ProofLevel:
        if self.level not in ProofLevel._value2member_map_:
            raise InputError(
                "level", f"{self.level!r} is not a level", accepted=[level.value for level in ProofLevel]
            )
        return ProofLevel(self.level)

    def _budget(self) -> VerificationBudget:
        from canvas_exports.core.archive.verification.verify_archive import VerificationBudget

        gigabytes = _number("max_gigabytes", self.max_gigabytes)
        if gigabytes is not None and gigabytes <= 0:
            raise InputError("max_gigabytes", f"{self.max_gigabytes!r} is too little", accepted="more than 0")
        return VerificationBudget(
            bytes=None if gigabytes is None else int(gigabytes * GB),
            time=None if self.max_time in (None, "") else read_duration(self.max_time, field="max_time"),
        )

    def _parallel(self) -> int:
        number = _number("parallel", self.parallel)
        if number is None or number != int(number) or not 1 <= number <= MOST_AT_ONCE:
            raise InputError(
                "parallel", f"{self.parallel!r} is out of range", accepted=f"1 to {MOST_AT_ONCE}"
            )
        return int(number)


def _number(field: str, value: Any) -> float | None:
    """Read a number from a form or a template."""
    if value in (None, "", "None"):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        raise InputError(field, f"{value!r} is not a number", accepted="a number, or nothing") from None
