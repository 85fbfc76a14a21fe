"""Let a DAG go on only if every course has a reliable copy."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, BaseOperatorLink

from canvas_exports.airflow_compat import AirflowFailException
from canvas_exports.core.model.contexts import Context as CanvasContext
from canvas_exports.core.model.durations import Duration, read_duration
from canvas_exports.core.model.export_types import ExportType
from canvas_exports.core.model.flags import read_flag
from canvas_exports.errors import InputError
from canvas_exports.observability.lineage import Lineage, LineageMixin, archive_place
from canvas_exports.operators.links import RunReportLink, report_url
from canvas_exports.operators.task_support.task_context import AirflowErrors, run_info

if TYPE_CHECKING:
    from airflow.sdk import Context, XComArg

    from canvas_exports.core.archive.catalog.read import Holding
    from canvas_exports.core.archive.deletion_gate import DeletionRule, Shortfall
    from canvas_exports.core.storage.store import Store
    from canvas_exports.hooks.archive_location import ArchiveLocation

#: Up to this many courses are read one by one; for more, the whole archive is read.
_FEW = 100
_SHOWN = 200
_NAMED = 5


class CanvasArchiveGateOperator(LineageMixin, BaseOperator):
    """Succeed only if the newest copy of every course is proven, recent, and in enough archives.

    To be placed between the last backup of a term and the task that deletes its courses. The task fails, without a retry,
    if a single course does not pass. It lists every course that does not pass, with the reason in each archive: in the log
    of the task, and in full in ``gates/<task>.json`` in the run's folder of ``archive``. A course whose copies cannot be
    read, or that no archive knows, does not pass.

    Reads the archives only: it sends no request to Canvas and deletes nothing. It does not know the present content of
    Canvas; run the export before it, after the last change to the courses.

    Args:
        archive: root URI of the archive.
        courses: ids or contexts with Canvas's numbers.
        batches: the courses of a plan, as ``CanvasListCoursesOperator`` returns it for this archive.
        course_list: path or URI of a CSV, text, JSON or YAML file, with Canvas's numbers.
        export_type: the export types each course has to have.
        level: level to which the copy must be proven, ``directory`` or ``full``: when it was stored, or by a verification.
        max_age: largest age of the newest copy, from its export; a timedelta or ISO 8601.
        also_archives: further archives: root URIs, or mappings with ``archive`` and ``archive_conn_id``.
        min_archives: number of archives that must hold such a copy; by default all of them.
        accept_empty: let a course pass whose copies were all empty.
        allow_empty: accept an archive without copies; if it is false, that is an error.
        archive_conn_id: Airflow connection of the archive, and of every further one that names none.

    Raises:
        AirflowFailException: a course does not pass, no course was named, bad input, or a refused credential.
    """

    template_fields: Sequence[str] = (
        "archive",
        "courses",
        "batches",
        "course_list",
        "export_type",
        "level",
        "max_age",
        "also_archives",
        "min_archives",
        "archive_conn_id",
        "allow_empty",
    )
    operator_extra_links: Sequence[BaseOperatorLink] = (RunReportLink(),)
    ui_color = "#f3ead3"

    def __init__(
        self,
        *,
        archive: str,
        courses: Iterable[str | int] = (),
        batches: Iterable[Any] | XComArg | None = (),
        course_list: str | None = None,
        export_type: str | Iterable[str] = ExportType.COMMON_CARTRIDGE.value,
        level: str = "full",
        max_age: Duration = timedelta(days=7),
        also_archives: Sequence[str | Mapping[str, Any]] = (),
        min_archives: int | str | None = None,
        accept_empty: bool = False,
        allow_empty: bool = False,
        archive_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.archive = archive
        self.courses = courses
        self.batches = batches
        self.course_list = course_list
        self.export_type = export_type
        self.level = level
        self.max_age = max_age
        self.also_archives = also_archives
        self.min_archives = min_archives
        self.accept_empty = accept_empty
        self.allow_empty = allow_empty
        self.archive_conn_id = archive_conn_id
        self.report_url: str | None = None

    @AirflowErrors()
    def execute(self, context: Context) -> dict[str, Any]:
        """Check every archive, write the result, and fail if a course does not pass."""
        from canvas_exports.hooks.archive_replicas import find_locations

        locations = find_locations(self.archive, self.archive_conn_id, self.also_archives)
        rule = self._rule(len(locations))
        missing, receipt = self._check(context, locations, rule)
        if missing:
            self._log(missing)
            raise AirflowFailException(_failure(missing, receipt["checked"], self.report_url))
        self.log.info("All %d courses have the required copies", receipt["checked"])
        return receipt

    def _check(
        self, context: Context, locations: list[ArchiveLocation], rule: DeletionRule
    ) -> tuple[list[Shortfall], dict[str, Any]]:
        from canvas_exports.core.archive.deletion_gate import DeletionGate, gate_document
        from canvas_exports.core.archive.json_documents import encoded
        from canvas_exports.core.archive.layout import run_folder
        from canvas_exports.hooks.archive import open_location

        now, run = datetime.now(timezone.utc), run_info(context)
        allow_empty = read_flag("allow_empty", self.allow_empty, blank=False)
        places = tuple(archive_place(location.uri) for location in locations)
        self.lineage = Lineage(places, places[:1])  # the report is in the first
        with open_location(locations[0]) as first:
            gate = DeletionGate(self._contexts(first), rule, now=now)
            for location in locations:
                with (
                    open_location(location) as store,
                    closing(_holdings(store, gate.contexts, allow_empty=allow_empty)) as holdings,
                ):
                    gate.check(store.uri, holdings)
            missing = gate.shortfalls()
            document = gate_document(
                missing,
                checked=len(gate.contexts),
                rule=rule,
                archives=[location.uri for location in locations],
                run=run.to_facts(),
                now=now,
            )
            key = f"{run_folder(run.date, run.dag_id, run.run_id)}gates/{run.part}.json"
            first.replace(key, encoded(document, indent=1))
            self.report_url = report_url(first.uri, key)
            return missing, {"archive": first.uri, "report": key, "checked": len(gate.contexts)}

    def _rule(self, archives: int) -> DeletionRule:
        from canvas_exports.core.archive.deletion_gate import DeletionRule

        types = [self.export_type] if isinstance(self.export_type, str) else list(self.export_type)
        known = [each.value for each in ExportType]
        for each in types:
            if each not in known:
                raise InputError("export_type", f"{each!r} is not an export type", accepted=known)
        try:
            needed = archives if self.min_archives is None else int(self.min_archives)
        except ValueError:
            raise InputError(
                "min_archives", f"{self.min_archives!r} is not a number", accepted="1 or more"
            ) from None
        if needed > archives:
            raise InputError(
                "min_archives", f"{needed} is more than the number of archives", accepted=f"1 to {archives}"
            )
        return DeletionRule(
            level=self.level,
            max_age=read_duration(self.max_age, field="max_age"),
            min_archives=needed,
            export_types=tuple(types),
            accept_empty=self.accept_empty,
        )

    def _contexts(self, store: Store) -> Iterator[str]:
        """Yield the courses by number; SIS ids are refused, since an SIS id may move to another course."""
        from canvas_exports.core.export.planning.batch_plan import planned
        from canvas_exports.core.export.planning.course_lists import read_list

        batches: Any = self.batches or ()
        courses: Any = [self.courses] if isinstance(self.courses, (str, int)) else self.courses or ()
        listed = [CanvasContext.parse(text) for text in courses]
        listed += [CanvasContext.parse(text, field="batches") for text in planned(store, batches)]
        listed += read_list(self.course_list) if self.course_list else []
        for one in listed:
            if one.canvas_id is None:
                raise InputError(
                    "courses",
                    f"{one} is not a Canvas number",
                    accepted="101 or course:101; CanvasListCoursesOperator turns SIS ids into numbers",
                )
            yield str(one)

    def _log(self, missing: list[Shortfall]) -> None:
        from canvas_exports.core.text.text_table import format_table

        rows = [
            (one.context, one.export_type, archive, reason)
            for one in missing[:_SHOWN]
            for archive, reason in one.why.items()
        ]
        for line in format_table(("COURSE", "TYPE", "ARCHIVE", "WHY NOT"), rows).splitlines():
            self.log.info("%s", line)
        if len(missing) > _SHOWN:
            self.log.info("and %d more, all of which are in the report", len(missing) - _SHOWN)
        self.log.info("Report: %s", self.report_url)


def _holdings(store: Store, contexts: Sequence[str], *, allow_empty: bool) -> Generator[Holding, None, None]:
    """Yield the copies of these contexts in an archive, and possibly of others."""
    from canvas_exports.core.archive.catalog.presence import require_archive, require_copies
    from canvas_exports.core.archive.catalog.read import copies_of, every_context

    if len(contexts) > _FEW:
        # Without the index, which may be stale or forged: a deletion in Canvas cannot be undone.
        with closing(require_copies(store, every_context(store), allow_empty=allow_empty)) as holdings:
            yield from holdings
        return
    has_copy = False
    for context in contexts:
        kind, _, number = context.partition(":")
        holding = copies_of(store, kind, int(number))
        has_copy = has_copy or bool(holding.copies)
        yield holding
    if not has_copy and not allow_empty:
        require_archive(store)


def _failure(missing: Sequence[Shortfall], checked: int, report: str | None) -> str:
    lacking = list(dict.fromkeys(one.context for one in missing))
    named = ", ".join(lacking[:_NAMED]) + (f" and {len(lacking) - _NAMED:,} more" if lacking[_NAMED:] else "")
    return (
        f"{len(lacking):,} of {checked:,} courses do not have the required copies: {named}. Report: {report}"
    )
