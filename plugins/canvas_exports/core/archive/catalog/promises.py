"""What backups promise of their courses, from the run reports: how old the newest proven copy may be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from canvas_exports.core.archive.catalog.assessment import Assessment, GapReason
from canvas_exports.core.archive.catalog.read import Holding
from canvas_exports.core.archive.catalog.runs import ReportKey, reported_outcomes, summary_of
from canvas_exports.core.archive.layout import context_of
from canvas_exports.core.storage.store import Store
from canvas_exports.core.text.wording import format_duration, format_length
from canvas_exports.errors import ArchiveError

_SIS = "course:sis_course_id:"


@dataclass(frozen=True)
class Promises:
    """The promised ages.

    Attributes:
        by_context: by context, as reports name it, and export type.
        of_all: the promise for every context and export type, in place of those; ``None`` for those.
    """

    by_context: Mapping[tuple[str, str], timedelta] = field(default_factory=dict)
    of_all: timedelta | None = None

    def of(self, holding: Holding, export_type: str) -> timedelta | None:
        """Return the promise for a context and an export type; ``None`` if there is none."""
        if self.of_all is not None:
            return self.of_all
        sis_id = holding.copies[-1].context.sis_id if holding.copies else None
        names = (holding.name, f"{_SIS}{sis_id}") if sis_id is not None else (holding.name,)
        return min(
            (self.by_context[name, export_type] for name in names if (name, export_type) in self.by_context),
            default=None,
        )

    def assess(
        self, assessment: Assessment, holding: Holding, export_type: str, *, now: datetime
    ) -> Assessment:
        """Return the assessment, with the gap ``OLD`` if the good copy is older than promised."""
        promise = self.of(holding, export_type)
        if promise is None or assessment.proven is None:
            return assessment
        age = now - assessment.proven.created_at
        if age <= promise:
            return assessment
        why = f"the newest proven copy is {format_duration(age)} old, promised: {format_length(promise)}"
        return replace(assessment, gap_reason=GapReason.OLD, why=why)


def read_promises(store: Store, listed: Iterable[ReportKey]) -> Promises:
    """Return the promises in run reports.

    The promise of a backup for a course is that of its newest report that lists the course; of several backups, the shortest
    counts. Reads the heads of all, and the rows of a DAG's reports only if one of them promises something.

    Args:
        store: the archive.
        listed: the recent reports of each DAG, newest first; see ``runs.recent``.

    Raises:
        ArchiveUnavailableError: the store failed (retryable).
    """
    found: dict[str, list[tuple[ReportKey, timedelta | None]]] = {}
    for report in listed:
        try:
            promise = summary_of(store, report.key).max_age
        except ArchiveError as error:
            if error.retryable:
                raise
            continue
        found.setdefault(report.dag, []).append((report, promise))
    shortest: dict[tuple[str, str], timedelta] = {}
    for reports in found.values():
        if any(promise is not None for _, promise in reports):
            for name, promise in _newest(store, reports).items():
                if promise is not None:
                    shortest[name] = min(promise, shortest.get(name, promise))
    return Promises(shortest)


def _newest(
    store: Store, reports: Iterable[tuple[ReportKey, timedelta | None]]
) -> dict[tuple[str, str], timedelta | None]:
    """Return by context and export type the promise of the first of the reports that lists them."""
    newest: dict[tuple[str, str], timedelta | None] = {}
    for report, promise in reports:
        for one in reported_outcomes(store, [report]):
            placed = context_of(one.record.key or "")
            name = one.record.context if placed is None else "{}:{}".format(*placed)
            newest.setdefault((name, one.record.export_type), promise)
    return newest
