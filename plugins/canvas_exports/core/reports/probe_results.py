"""Say what change probes have led to in a run, and how far they can be trusted here."""

from __future__ import annotations

from collections.abc import Sequence

from canvas_exports.core.archive.run_report import OutcomeRecord, totals_of
from canvas_exports.core.model.probes import MISS, SKIPPED
from canvas_exports.core.text.wording import format_count, join_words
from canvas_exports.foreign_text import harmless

_NAMED = 5  # of the courses with a miss
# From so many misses on, in more than half of the forced exports, something else than edits is the likely cause.
_MANY = 3


def describe_probes(records: Sequence[OutcomeRecord]) -> str:
    """Return a few sentences: courses that were skipped, forced exports, misses; empty where there was none of these."""
    probes = totals_of(records).get("probes")
    if probes is None:
        return ""
    skipped, checks, misses = probes["skipped"], probes["checks"], probes["misses"]
    parts = []
    if skipped:
        parts.append(f"{format_count(skipped, 'course')} not exported, as nothing has changed.")
    if not checks:
        return " ".join([*parts, "No forced export, so nothing to compare."])
    parts.append(f"{format_count(checks, 'forced export')}, {_misses(misses)}")
    if not misses:
        parts[-1] += ": Canvas showed every change."
    else:
        parts[-1] += (
            f" ({100 * misses / checks:.1f} %): {_courses(records)} changed although Canvas showed no change."
        )
        parts.append(
            "So many at once can mean a new release of Canvas, which changes packages without an edit: compare two copies."
            if misses >= _MANY and 2 * misses > checks
            else "They are exported more often from now on."
            if misses > 1
            else "It is exported more often from now on."
        )
    return " ".join(parts)


def tells_more(record: OutcomeRecord) -> bool:
    """Return whether the reason of a row says more than its outcome, although it is no problem."""
    return record.probe_result in (SKIPPED, MISS)


def _misses(number: int) -> str:
    return "1 miss" if number == 1 else f"{number:,} misses"


def _courses(records: Sequence[OutcomeRecord]) -> str:
    missed = [harmless(record.context) for record in records if record.probe_result == MISS]
    named = missed[:_NAMED]
    if len(missed) > _NAMED:
        named.append(f"{len(missed) - _NAMED:,} more")
    return join_words(named)
