"""Check the values of a backup by the rules that the tasks apply when they run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import date
from functools import partial
from typing import Any

import pendulum
from croniter import croniter  # type: ignore[import-untyped]  # Airflow's cron parser has no types

from canvas_exports.core.archive.retention.holds import Holds
from canvas_exports.core.archive.retention.policy_fields import read_keep
from canvas_exports.core.archive.sweep_age import read_grace
from canvas_exports.core.backups.fields import OPTIONS, SETTINGS, is_template
from canvas_exports.core.backups.problems import FieldPath, Mistake, mistake
from canvas_exports.core.backups.yaml_document import YamlDocument
from canvas_exports.core.canvas.api.course_filters import split_by_term
from canvas_exports.core.canvas.api.url_paths import account_path
from canvas_exports.core.export.options import build_options
from canvas_exports.core.export.planning.batching import cut
from canvas_exports.core.model.contexts import Context, ContextKind
from canvas_exports.core.model.max_age import read_max_age
from canvas_exports.errors import InputError

_CRON_FIELDS = 5
_LONGEST_SCHEDULE = 200  # characters
_SCHEDULES = (
    "a cron expression of five fields such as 0 2 * * *, @hourly, @daily, @weekly, @monthly, @yearly, or null"
)

FieldProblem = tuple[FieldPath, Mistake]


def find_contradictions(document: YamlDocument, malformed: set[FieldPath]) -> Iterator[FieldProblem]:
    """Yield problems that a schema cannot find: well-formed values that are invalid or contradict each other.

    Args:
        document: a mapping of fields.
        malformed: paths of malformed values; they, and fields that depend on them, are skipped.
    """

    def read_value(path: FieldPath) -> Any:
        """Return a well-formed value, or ``None``."""
        wrong = any(bad[: len(path)] == path or path[: len(bad)] == bad for bad in malformed)
        return None if wrong else document.value(path)

    yield from _check_schedule(read_value)
    yield from _check_courses(read_value)
    yield from _check_options(read_value)
    yield from _check_keep(read_value)


ReadValue = Callable[[FieldPath], Any]


def _check_schedule(read_value: ReadValue) -> Iterator[FieldProblem]:
    schedule = read_value(("schedule",))
    if schedule is not None and not _is_schedule(schedule):
        yield ("schedule",), mistake(f"{schedule!r} is not a schedule", _SCHEDULES)
    zone = read_value(("timezone",))
    if zone is not None:
        try:
            pendulum.timezone(zone)
        except (ValueError, OSError):
            accepted = "a name of the IANA database: America/Chicago, Europe/London, UTC"
            meant = (zone, pendulum.timezones())
            yield ("timezone",), mistake(f"{zone!r} is not a time zone", accepted, meant=meant)
    day = read_value(("start_date",))
    if day is not None:
        try:
            date.fromisoformat(day)
        except ValueError:
            yield ("start_date",), mistake(f"{day!r} is not a day", "2026-09-01")


def _is_schedule(text: str) -> bool:
    if len(text) > _LONGEST_SCHEDULE:
        return False
    try:
        parsed = croniter(text)
        parsed.get_next()  # February 30 is well-formed, but never happens
    except (ValueError, TypeError):
        return False
    return len(parsed.expanded) == _CRON_FIELDS


def _check_courses(read_value: ReadValue) -> Iterator[FieldProblem]:
    for path, text, kind in _named_ids(read_value):
        yield from _check_value(path, partial(Context.parse_all, text, kind=kind))
    account = read_value(("courses", "account"))
    if account is not None:
        yield from _check_value(("courses", "account"), partial(account_path, account))
    filters = read_value(("courses", "filters"))
    if filters is not None:
        for path, wrong in _check_each(lambda values: list(split_by_term(values)), filters):
            yield ("courses", "filters", *path), wrong


def _named_ids(read_value: ReadValue) -> Iterator[tuple[FieldPath, str | int, ContextKind]]:
    """Yield every id in the file, with its path and its kind of context."""
    for path, kind in (
        (("courses", "ids"), ContextKind.COURSE),
        (("groups",), ContextKind.GROUP),
        (("users",), ContextKind.USER),
    ):
        for index, text in enumerate(read_value(path) or ()):
            yield (*path, index), text, kind


def _check_options(read_value: ReadValue) -> Iterator[FieldProblem]:
    types = read_value(("export_types",))
    size = read_value(("batch_size",))
    if size is not None:
        each = len(types) if types else 1
        yield from _check_value(("batch_size",), partial(cut, [], size, exports_each=each))
    grace = read_value(("sweep_after",))
    if grace is not None and not is_template(grace):
        yield from _check_value(("sweep_after",), partial(read_grace, grace))
    max_age = read_value(("max_age",))
    if max_age is not None and not is_template(max_age):
        yield from _check_value(("max_age",), partial(read_max_age, max_age))
    options = {name: read_value((name,)) for name in (*OPTIONS, *SETTINGS) if name != "batch_size"}
    options["export_type"] = types
    written = {name: value for name, value in options.items() if value is not None and not is_template(value)}
    contexts = [f"{kind.value}:1" for kind in ContextKind if kind in _kinds(read_value)]
    for path, wrong in _check_each(lambda values: build_options(courses=contexts, **values), written):
        yield ("export_types",) if path == ("export_type",) else path, wrong


def _check_keep(read_value: ReadValue) -> Iterator[FieldProblem]:
    for index, text in enumerate(read_value(("keep", "hold", "courses")) or ()):
        yield from _check_value(("keep", "hold", "courses", index), partial(Holds.of, [text]))
    keep = read_value(("keep",))
    if keep is not None:
        rules = {name: value for name, value in keep.items() if name not in ("hold", "apply")}
        try:
            read_keep(rules)
        except InputError as error:
            yield ("keep",) if error.field == "keep" else ("keep", error.field), _mistake(error)


def _kinds(read_value: ReadValue) -> set[ContextKind]:
    """Return the kinds of context that will be exported, as far as the file shows."""
    kinds = set()
    for _, text, kind in _named_ids(read_value):
        with suppress(InputError):
            kinds |= {context.kind for context in Context.parse_all(text, kind=kind)}
    if not kinds or read_value(("courses", "list")) or read_value(("courses", "account")):
        kinds.add(ContextKind.COURSE)
    return kinds


def _check_value(path: FieldPath, check: Callable[[], object]) -> Iterator[FieldProblem]:
    try:
        check()
    except InputError as error:
        yield path, _mistake(error)


def _check_each(
    build: Callable[[Mapping[str, Any]], object],
    values: Mapping[str, Any],
    left_out: frozenset[str] = frozenset(),
) -> Iterator[FieldProblem]:
    """Yield every refused field: after each problem, check the other fields again."""
    try:
        build({name: value for name, value in values.items() if name not in left_out})
    except InputError as error:
        name, *inner = error.field.split(".")
        if name in left_out:
            return  # refused only because something else had to be left out
        yield (name, *inner), _mistake(error)
        if name in values:
            yield from _check_each(build, values, left_out | {name})


def _mistake(error: InputError) -> Mistake:
    return Mistake(error.problem, error.accepted)
