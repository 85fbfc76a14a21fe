"""What the figures of an archive say, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from canvas_exports.core.reports.overview.course_list import CourseRow
from canvas_exports.core.reports.overview.figures import CourseState, Overview, Problem
from canvas_exports.core.text.wording import format_count, format_duration

#: Without a restore drill for this time, nobody knows whether the archive restores.
_DRILLED_WITHIN = timedelta(days=35)
_VERIFIED_WITHIN = timedelta(days=35)


def verdict(view: Overview) -> str:
    """Return in one sentence how many courses, groups and users have what they should have."""
    states = view.coverage.states
    total = view.coverage.contexts
    if not total:
        return "The archive holds no copy."
    missing, missed = states.get(CourseState.MISSING, 0), states.get(CourseState.MISSED, 0)
    if not missing and not missed:
        promised = ", as young as promised" if view.coverage.promised == total else ""
        return f"All {total:,} have a proven copy{promised}."
    parts = []
    if missing:
        parts.append(f"{missing:,} of {total:,} {'has' if missing == 1 else 'have'} no good copy")
    if missed:
        parts.append(f"the newest proven copy of {missed:,} is older than promised")
    return f"{'; '.join(parts)[0].upper()}{'; '.join(parts)[1:]}."


def alarms(view: Overview, *, now: datetime) -> Iterator[str]:
    """Yield what needs somebody's attention, beside the courses without a good copy."""
    checks = view.checks
    if checks.damaged:
        yield f"{format_count(checks.damaged, 'package')} missing from the archive, or damaged there."
    if view.unreadable:
        yield (
            f"{format_count(view.unreadable, 'manifest')} cannot be read, so what these describe is no copy. "
            f"The first is {view.unreadable_listed[0][0]}: {view.unreadable_listed[0][1]}"
            if view.unreadable_listed
            else f"{format_count(view.unreadable, 'manifest')} cannot be read."
        )
    newest = next(iter(view.nights), None)
    if newest is not None and not newest.is_good:
        yield f"The newest run, {newest.dag_id} of {newest.day}, was not good: {_why(newest.problems, newest.problem)}"
    if view.storage.packages and checks.last_drill_passed is False:
        yield f"The last restore drill, of {checks.last_drill_context}, failed."
    elif view.storage.packages and _is_old(checks.last_drill_at, _DRILLED_WITHIN, now):
        yield f"No restore drill has ended in the last {_DRILLED_WITHIN.days} days."
    if view.storage.packages and _is_old(checks.last_verified_at, _VERIFIED_WITHIN, now):
        yield f"No package was verified in the last {_VERIFIED_WITHIN.days} days."


def _why(problems: int, problem: str | None) -> str:
    return (
        problem
        or f"{format_count(problems, 'export')} of it {'needs' if problems == 1 else 'need'} attention."
    )


def _is_old(at: datetime | None, within: timedelta, now: datetime) -> bool:
    return at is None or now - at > within


def course_title(row: CourseRow) -> str:
    """Return what people call a course."""
    return row.name or row.course_code or row.context


def problem_sentence(problem: Problem) -> str:
    """Return what is missing and why. A sentence that begins with the key of an object begins as it is."""
    why = problem.why
    if "/" not in why.partition(" ")[0]:
        why = why[:1].upper() + why[1:]
    return f"{why}: {problem.reason}" if problem.reason and problem.reason != problem.why else why


def age(moment: datetime, now: datetime) -> str:
    """Return how long ago a moment was, for a template."""
    return format_duration(now - moment)
