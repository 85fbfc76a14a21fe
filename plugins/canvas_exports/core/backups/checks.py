"""What a backup means, checked by the same rules that the tasks apply when they run."""

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
from canvas_exports.core.archive.sweep import read_grace
from canvas_exports.core.backups.fields import OPTIONS, SETTINGS, is_template
from canvas_exports.core.backups.problems import Place, sentence
from canvas_exports.core.backups.yaml_document import Document
from canvas_exports.core.canvas.api.course_filters import split_by_term
from canvas_exports.core.canvas.api.url_paths import account_path
from canvas_exports.core.export.options import build_options
from canvas_exports.core.export.planning.batching import cut
from canvas_exports.core.model.contexts import Context, ContextKind
from canvas_exports.errors import InputError

_CRON_FIELDS = 5
_LONGEST_SCHEDULE = 200  # characters
_SCHEDULES = (
    "a cron expression of five fields such as 0 2 * * *, @hourly, @daily, @weekly, @monthly, @yearly, or null"
)

Found = tuple[Place, str]


def contradictions(document: Document, malformed: set[Place]) -> Iterator[Found]:
    """What no schema can see: values that have the right form and mean nothing, or contradict each other.

    Args:
        document: a mapping of fields.
        malformed: places whose form is wrong already; they, and what depends on them, are left alone.
    """

    def sound(place: Place) -> Any:
        """A value whose form is right, or ``None``."""
        wrong = any(bad[: len(place)] == place or place[: len(bad)] == bad for bad in malformed)
        return None if wrong else document.value(place)

    yield from _when(sound)
    yield from _which(sound)
    yield from _how(sound)
    yield from _kept(sound)


Sound = Callable[[Place], Any]


def _when(sound: Sound) -> Iterator[Found]:
    schedule = sound(("schedule",))
    if schedule is not None and not _is_schedule(schedule):
        yield ("schedule",), sentence(f"{schedule!r} is not a schedule", _SCHEDULES)
    zone = sound(("timezone",))
    if zone is not None:
        try:
            pendulum.timezone(zone)
        except (ValueError, OSError):
            accepted = "a name of the IANA database: America/Chicago, Europe/London, UTC"
            yield ("timezone",), sentence(f"{zone!r} is not a time zone", accepted)
    day = sound(("start_date",))
    if day is not None:
        try:
            date.fromisoformat(day)
        except ValueError:
            yield ("start_date",), sentence(f"{day!r} is not a day", "2026-09-01")


def _is_schedule(text: str) -> bool:
    if len(text) > _LONGEST_SCHEDULE:
        return False
    try:
        parsed = croniter(text)
        parsed.get_next()  # the thirtieth of February is well-formed and never comes
    except (ValueError, TypeError):
        return False
    return len(parsed.expanded) == _CRON_FIELDS


def _which(sound: Sound) -> Iterator[Found]:
    for place, text, kind in _named(sound):
        yield from _refusal(place, partial(Context.parse_all, text, kind=kind))
    account = sound(("courses", "account"))
    if account is not None:
        yield from _refusal(("courses", "account"), partial(account_path, account))
    filters = sound(("courses", "filters"))
    if filters is not None:
        for place, text in _refusals(lambda values: list(split_by_term(values)), filters):
            yield ("courses", "filters", *place), text


def _named(sound: Sound) -> Iterator[tuple[Place, str | int, ContextKind]]:
    """Every id in the file, with its place and the kind of context it is meant to name."""
    for place, kind in (
        (("courses", "ids"), ContextKind.COURSE),
        (("groups",), ContextKind.GROUP),
        (("users",), ContextKind.USER),
    ):
        for index, text in enumerate(sound(place) or ()):
            yield (*place, index), text, kind


def _how(sound: Sound) -> Iterator[Found]:
    types = sound(("export_types",))
    size = sound(("batch_size",))
    if size is not None:
        each = len(types) if types else 1
        yield from _refusal(("batch_size",), partial(cut, [], size, exports_each=each))
    grace = sound(("sweep_after",))
    if grace is not None and not is_template(grace):
        yield from _refusal(("sweep_after",), partial(read_grace, grace))
    options = {name: sound((name,)) for name in (*OPTIONS, *SETTINGS) if name != "batch_size"}
    options["export_type"] = types
    written = {name: value for name, value in options.items() if value is not None and not is_template(value)}
    contexts = [f"{kind.value}:1" for kind in ContextKind if kind in _kinds(sound)]
    for place, text in _refusals(lambda values: build_options(courses=contexts, **values), written):
        yield ("export_types",) if place == ("export_type",) else place, text


def _kept(sound: Sound) -> Iterator[Found]:
    for index, text in enumerate(sound(("keep", "hold", "courses")) or ()):
        yield from _refusal(("keep", "hold", "courses", index), partial(Holds.of, [text]))
    keep = sound(("keep",))
    if keep is not None:
        rules = {name: value for name, value in keep.items() if name not in ("hold", "apply")}
        try:
            read_keep(rules)
        except InputError as error:
            yield ("keep",) if error.field == "keep" else ("keep", error.field), _said(error)


def _kinds(sound: Sound) -> set[ContextKind]:
    """The kinds of context that will be exported, as far as the file itself tells."""
    kinds = set()
    for _, text, kind in _named(sound):
        with suppress(InputError):
            kinds |= {context.kind for context in Context.parse_all(text, kind=kind)}
    if not kinds or sound(("courses", "list")) or sound(("courses", "account")):
        kinds.add(ContextKind.COURSE)
    return kinds


def _refusal(place: Place, check: Callable[[], object]) -> Iterator[Found]:
    try:
        check()
    except InputError as error:
        yield place, _said(error)


def _refusals(
    build: Callable[[Mapping[str, Any]], object],
    values: Mapping[str, Any],
    left_out: frozenset[str] = frozenset(),
) -> Iterator[Found]:
    """Every field that a rule refuses: each one found is left out, and the rest is tried again."""
    try:
        build({name: value for name, value in values.items() if name not in left_out})
    except InputError as error:
        name, *inner = error.field.split(".")
        if name in left_out:
            return  # refused only because something else had to be left out
        yield (name, *inner), _said(error)
        if name in values:
            yield from _refusals(build, values, left_out | {name})


def _said(error: InputError) -> str:
    return error.message.removeprefix(f"{error.field}: ")
