"""List courses and cut them into batches for ``.expand()``."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseOperator

from canvas_exports.airflow_compat import AirflowFailException
from canvas_exports.core.model.contexts import Context as CanvasContext
from canvas_exports.core.model.contexts import ContextKind
from canvas_exports.errors import InputError
from canvas_exports.foreign_text import harmless
from canvas_exports.hooks.canvas import CanvasHook
from canvas_exports.observability.lineage import Lineage, LineageMixin, Place, archive_place
from canvas_exports.operators.task_support.task_context import AirflowErrors, run_info

if TYPE_CHECKING:
    from airflow.sdk import Context

    from canvas_exports.core.canvas.api.course_filters import CourseFilters
    from canvas_exports.core.canvas.client import CanvasClient
    from canvas_exports.core.export.changes.list_readings import ListReadings
    from canvas_exports.core.export.changes.probe import Reading
    from canvas_exports.core.export.planning.course_names import Names
    from canvas_exports.core.model.runs import RunInfo


class CanvasListCoursesOperator(LineageMixin, BaseOperator):
    """List the courses to export, each once, in batches, those without a copy first.

    Courses come from any mix of explicit ids, a list at a path or URI, and a query of an account. SIS ids are resolved, so
    that two spellings of one course are one course. With an archive, courses without a copy come first, then those with the
    oldest copy. The batches are stored in the archive, once for the run, and the task returns references, which stay small
    for any number of courses. A list that is made again in the same run only adds to them (see
    ``canvas_exports.core.export.planning.batch_plan``). Without an archive, the task returns the batches themselves:
    ``[["course:101", ...], ...]``. Airflow's limit of mapped tasks is kept in both cases.

    Creates no export. A list that cannot be read fails the task; it never counts as an empty list.

    Args:
        courses: ids, SIS ids, contexts or addresses of their pages; several may stand in one text, with commas or blanks.
        groups: group ids.
        users: user ids, or ``self``.
        course_list: path or URI of a CSV, text, JSON or YAML file.
        account: id of an account (``1``, ``self``, ``sis_account_id:SCI``): its courses, those of sub-accounts included.
        filters: which of them: the filters of Canvas's account course list; see ``CourseFilters``. A list of terms under
            ``enrollment_term_id`` asks once for each.
        archive: root URI of the archive to order by, and to keep the batches in: that of the export task. Without it, the
            given order stays, and a long list makes a large XCom.
        archive_conn_id: Airflow connection of the archive.
        also_archives: further archives, as the export task has them. The plan is kept in all that can be reached.
        canvas_conn_id: Airflow connection of Canvas.
        batch_size: courses in a batch; grows where Airflow's limit of mapped tasks asks for it.
        export_types: as many as the export task will make of each course.
        skip_unchanged: as the export task has it: unless ``never``, the plan also says when the courses of an account were last
            updated, where Canvas tells.
        allow_empty: whether finding no course at all is fine.
        fail_on: when the run has failed, as in its report: checked here, so that a mistake costs no export.

    Raises:
        AirflowFailException: bad input, a refused credential, no course, or more than one run can carry.
    """

    template_fields: Sequence[str] = (
        "courses",
        "groups",
        "users",
        "course_list",
        "account",
        "filters",
        "archive",
        "archive_conn_id",
        "also_archives",
        "canvas_conn_id",
        "batch_size",
        "export_types",
        "skip_unchanged",
        "fail_on",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"filters": "json"}
    ui_color = "#e8f0f7"

    def __init__(
        self,
        *,
        courses: Iterable[str | int] = (),
        groups: Iterable[str | int] = (),
        users: Iterable[str | int] = (),
        course_list: str | None = None,
        account: str | int | None = None,
        filters: Mapping[str, Any] | None = None,
        archive: str | None = None,
        archive_conn_id: str | None = None,
        also_archives: Sequence[str | Mapping[str, Any]] = (),
        canvas_conn_id: str = CanvasHook.default_conn_name,
        batch_size: int = 50,
        export_types: str | Iterable[str] = ("common_cartridge",),
        skip_unchanged: str | timedelta = "never",
        allow_empty: bool = False,
        fail_on: str = "any",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.courses = courses
        self.groups = groups
        self.users = users
        self.course_list = course_list
        self.account = account
        self.filters = filters
        self.archive = archive
        self.archive_conn_id = archive_conn_id
        self.also_archives = also_archives
        self.canvas_conn_id = canvas_conn_id
        self.batch_size = batch_size
        self.export_types = export_types
        self.skip_unchanged = skip_unchanged
        self.allow_empty = allow_empty
        self.fail_on = fail_on

    @AirflowErrors()
    def execute(self, context: Context) -> list[list[str]] | list[dict[str, Any]]:
        """List, resolve, order, cut."""
        from canvas_exports.core.export.failure_policy import FailurePolicy
        from canvas_exports.core.export.options import OPTIONS
        from canvas_exports.core.export.planning.course_facts import CourseFacts
        from canvas_exports.core.export.planning.course_names import Names

        FailurePolicy.parse(self.fail_on)
        skips = OPTIONS["skip_unchanged"].values.read("skip_unchanged", self.skip_unchanged) is not None
        names = Names(facts=CourseFacts() if self.archive else None)
        readings: dict[str, Reading] = {}
        contexts = self._contexts(names, readings if skips and self.archive else None)
        if not contexts and not self.allow_empty:
            raise AirflowFailException(self._nothing())
        batches = self._batches(contexts, run_info(context), names, readings)
        self.log.info("%s contexts in %s batches", f"{len(contexts):,}", f"{len(batches):,}")
        return batches

    def _listed_place(self) -> str:
        """Return the path of the list that Canvas was asked for, as the name of a dataset."""
        return "courses" if self.account is None else f"accounts/{self.account}/courses"

    def _nothing(self) -> str:
        """Return where no course was found, and what to do about it."""
        where = [
            f"account {self.account} has no course that passes the filters"
            if self.account is not None
            else "",
            "the course list names none" if self.course_list else "",
        ]
        found = " and ".join(filter(None, where)) or "the fields courses, groups and users are empty"
        advice = "Correct the filters" if self.account is not None else "Name at least one"
        return (
            f"No course was found, so nothing would be backed up: {found}. {advice}. In a DAG of your own, allow_empty=True of "
            "CanvasListCoursesOperator permits an empty list."
        )

    def _contexts(self, names: Names, readings: dict[str, Reading] | None) -> list[CanvasContext]:
        """Return the courses, each once. Add the readings of those that an account lists, unless ``readings`` is ``None``."""
        from canvas_exports.core.export.changes.list_readings import ListReadings
        from canvas_exports.core.export.planning.batching import Tally, unique

        explicit = list(self._explicit(names))
        queries = list(self._queries())
        with CanvasHook(self.canvas_conn_id).get_conn() as client:
            for context in explicit:
                context.check_host(client.host)
            names.canvas = client.host
            began = time.monotonic()
            self.lineage = Lineage(inputs=(Place(client.host, self._listed_place()),))
            tally = Tally()
            listed = None if readings is None else ListReadings(client, readings)
            queried = tally.counted(self._queried(client, queries, names, listed))
            found = chain(tally.counted(explicit), queried)
            contexts = unique(found, names.resolver(client), client.whoami)
            if names.facts is not None:
                names.facts.canvas = client.host
                names.facts.read_at = client.server_now() - timedelta(seconds=time.monotonic() - began)
        for line in tally.left_out(contexts):
            self.log.info("%s", line)
        return contexts

    def _batches(
        self, contexts: list[CanvasContext], run: RunInfo, names: Names, readings: Mapping[str, Reading]
    ) -> list[list[str]] | list[dict[str, Any]]:
        from canvas_exports.core.archive.mirror import mirror
        from canvas_exports.core.export.planning.batch_plan import plan_folder, write_plan
        from canvas_exports.core.export.planning.batching import cut, last_copies, oldest_copy_first
        from canvas_exports.core.export.planning.plan_readings import readings_folder
        from canvas_exports.core.export.replicas import writable_stores
        from canvas_exports.hooks.archive_replicas import open_archives

        types = [self.export_types] if isinstance(self.export_types, str) else list(self.export_types)
        each = max(len(types), 1)
        if not self.archive:
            return cut(contexts, self.batch_size, exports_each=each)
        with open_archives(self.archive, self.archive_conn_id, self.also_archives) as opened:
            stores = writable_stores(opened)
            mirror(stores, plan_folder(run))
            newest = last_copies(stores[0], among=contexts)
            # The names of a course with a copy are in its manifest.
            if nameless := names.nameless(each for each in contexts if each not in newest):
                with CanvasHook(self.canvas_conn_id).get_conn() as client:
                    names.request_missing(client, nameless)
            ordered = oldest_copy_first(contexts, newest)
            written = tuple(archive_place(store.uri) for store in stores)
            self.lineage = Lineage(self.lineage.inputs if self.lineage else (), written)
            references = write_plan(
                stores[0],
                run,
                ordered,
                self.batch_size,
                exports_each=each,
                names=names,
                readings=readings,
                facts=names.facts,
            )
            mirror(stores, plan_folder(run))
            if any(reference.readings for reference in references):
                mirror(stores, readings_folder(run))
        return [reference.to_json() for reference in references]

    def _explicit(self, names: Names) -> Iterator[CanvasContext]:
        from canvas_exports.core.export.planning.course_lists import read_list, shown_uri

        for field, kind, texts in (
            ("courses", ContextKind.COURSE, self.courses),
            ("groups", ContextKind.GROUP, self.groups),
            ("users", ContextKind.USER, self.users),
        ):
            listed = [texts] if isinstance(texts, (str, int)) else texts or ()
            parsed = [
                each for text in listed for each in CanvasContext.parse_all(text, field=field, kind=kind)
            ]
            self._log_count(field, len(parsed))
            yield from parsed
        if self.course_list:
            found = list(read_list(self.course_list, names=names))
            self._log_count("course_list", len(found), shown_uri(self.course_list))
            yield from found

    def _log_count(self, source: str, count: int, which: str = "") -> None:
        """Log how many courses a source named."""
        if count or which:
            self.log.info("%s%s: %s", source, f" {which}" if which else "", f"{count:,}")

    def _queries(self) -> Iterator[CourseFilters]:
        from canvas_exports.core.canvas.api.course_filters import split_by_term

        if self.account is None:
            if self.filters:
                raise InputError(
                    "filters", "they need an account to filter", accepted="account together with filters"
                )
            return
        yield from split_by_term(self.filters or {})

    def _queried(
        self,
        client: CanvasClient,
        queries: list[CourseFilters],
        names: Names,
        readings: ListReadings | None,
    ) -> Iterator[CanvasContext]:
        account = str(self.account)
        for filters in queries:
            count = 0
            courses = client.account_courses(account, filters, updated_at=readings is not None)
            for course in courses if readings is None else readings.collect(account, courses):
                count += 1
                yield names.add_course(course)
            self._log_count("account", count, harmless(f"{self.account} ({_filters_text(filters)})"))


def _filters_text(filters: CourseFilters) -> str:
    """Return the filters that were set. A search term may be a person's name, so it is left out."""
    written = {name: value for name, value in asdict(filters).items() if value not in (None, (), False)}
    if "search_term" in written:
        written["search_term"] = "..."
    listed = {
        name: ", ".join(value) if isinstance(value, tuple) else value for name, value in written.items()
    }
    return "; ".join(f"{name}: {value}" for name, value in listed.items()) or "no filter"
