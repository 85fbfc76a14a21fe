"""Describe a backup in English."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from canvas_exports.core.archive.retention.policy_fields import read_keep
from canvas_exports.core.backups.backup import Backup
from canvas_exports.core.backups.fields import is_template
from canvas_exports.core.backups.schedule_words import describe_cron
from canvas_exports.core.export.failure_policy import FailurePolicy
from canvas_exports.core.model.durations import read_duration
from canvas_exports.core.text.wording import format_length, join_words

_PACKAGES = {
    "common_cartridge": "a Common Cartridge",
    "qti": "its classic quizzes (QTI)",
    "zip": "its files (zip)",
}


def summarize(backup: Backup) -> str:
    """Return a few sentences of Markdown: what is exported, to which archive, when, and what to do after a run."""
    return "\n\n".join(_paragraphs(backup))


def describe(backup: Backup) -> str:
    """Return the backup in one sentence of plain text: its description, or which courses it exports, and when."""
    if backup.description:
        return backup.description
    when = "when it is triggered" if backup.schedule is None else describe_cron(backup.schedule)
    return f"Backs up {join_words(list(_describe_courses(backup.listing)))}, {when}.".replace("`", "")


def _paragraphs(backup: Backup) -> Iterator[str]:
    if backup.description:
        yield backup.description
    types = join_words([_PACKAGES[each] for each in backup.export_types])
    part = " (only the objects that `select` names)" if "select" in backup.options else ""
    yield (
        f"Backs up {join_words(list(_describe_courses(backup.listing)))}. Of each, it stores {types}{part} in `{backup.archive}`, proven "
        f"whole. {_describe_schedule(backup)} {_describe_failure(backup.settings.get('fail_on', 'any'))}"
    )
    if (skipped := backup.settings.get("skip_unchanged", "never")) != "never":
        yield _describe_skipping(skipped)
    if backup.max_age is not None:
        yield _describe_promise(backup.max_age)
    if backup.publish is not None:
        yield f"After each run, the newest proven copies are published in `{backup.publish}`, as pages that need no Canvas."
    if backup.keep is not None:
        yield _describe_retention(backup.keep, backup.timezone)
    yield (
        "**After a run**, open its task `report`, the tab *Details*, and the button *Run report*. The page begins with the courses that have no "
        "good copy, and says why and what to do. Its table finds a course by name or id, and shows its batch: the name of "
        "its `export` task in Airflow."
    )
    yield (
        "**To get a course back**, trigger the DAG *Canvas restore*. A backup changes nothing in Canvas, and does not hold "
        "enrolments, submissions and grades."
    )
    searching = "; `search_index` makes their text searchable" if backup.search_index else ""
    retention = "; `retention` lists the copies that are deleted" if backup.keep is not None else ""
    yield (
        "The task `list` finds the courses, each mapped task `export` exports a batch of them, and `report` lists the outcome "
        f"of every course{retention}{searching}. This page is generated from `{backup.file}`: change the backup there."
    )


def _describe_courses(listing: Mapping[str, Any]) -> Iterator[str]:
    if "courses" in listing:
        yield _counted(listing["courses"], "course")
    if "course_list" in listing:
        yield f"the courses listed in `{listing['course_list'].partition('?')[0].rpartition('/')[2]}`"
    if "account" in listing:
        filters = "; ".join(
            f"`{name}`: {_value(value)}" for name, value in listing.get("filters", {}).items()
        )
        yield f"the courses of account `{listing['account']}`" + (f" with {filters}" if filters else "")
    for name, noun in (("groups", "group"), ("users", "user")):
        if name in listing:
            yield _counted(listing[name], noun)


def _counted(ids: list[Any], noun: str) -> str:
    return f"{noun} `{ids[0]}`" if len(ids) == 1 else f"{len(ids)} {noun}s"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(f"`{item}`" for item in (value if isinstance(value, list) else [value]))


def _describe_schedule(backup: Backup) -> str:
    if backup.schedule is None:
        return "It runs only when it is triggered."
    first = f", for the first time on or after {backup.start_date}" if backup.start_date else ""
    return f"It runs {describe_cron(backup.schedule)} ({backup.timezone} time){first}, one run at a time."


def _describe_failure(fail_on: str) -> str:
    if "{" in fail_on:
        return f"`{fail_on}` decides when a run fails."
    limit = FailurePolicy.parse(fail_on).limit
    if limit is None:
        return "A run never fails because of a course."
    many = "any export has" if limit == 0 else f"more than {100 * limit:g} % of its exports have"
    return f"A run fails if {many} no whole copy."


def _describe_skipping(limit: str) -> str:
    return (
        "A course for which Canvas shows no change since its newest proven copy is not exported: that copy is confirmed. Each is "
        f"exported again after {_length(limit, 'skip_unchanged')} at the latest."
    )


def _length(written: str, name: str) -> str:
    return f"`{written}`" if is_template(written) else format_length(read_duration(written, field=name))


def _describe_promise(max_age: str) -> str:
    return (
        f"It promises that the newest proven copy of each course is at most {_length(max_age, 'max_age')} old. The run report lists the courses for "
        "which that is missed."
    )


def _describe_retention(keep: Mapping[str, Any], timezone: str) -> str:
    rules = dict(keep)
    applied = rules.pop("apply", False)
    rest = (
        "All others are deleted."
        if applied
        else "The others are listed and not deleted, because `apply: true` is not set."
    )
    return f"{read_keep(rules, timezone=timezone).sentence()} {rest}"
