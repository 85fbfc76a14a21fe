"""Judge a run by the totals of the runs before it: its list, how much has changed, and what it stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from statistics import median

from canvas_exports.core.archive.catalog.runs import RunSummary
from canvas_exports.core.model.alarm import Alarm, AlarmCode
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.text.wording import format_size, join_words

#: Runs that make a history. Without one, changes and growth are not judged.
FEWEST_RUNS = 7
#: Runs that are compared, and those of them in which the same was seen before.
MOST_RUNS, _LATELY = 28, 7

#: A list of fewer exports may change by half any day.
_FEWEST_EXPORTS = 10
#: What a list may lose in a night.
_ORDINARY_LIST = 0.2
#: Of the exports of a run, those with new content: so many, so large a share, and so far from the usual number.
_FEWEST_CHANGED, _MANY_CHANGED = 20, 0.5
_DEVIATIONS = 6.0
#: A median deviation times this is a standard deviation, of a normal distribution.
_TO_STANDARD = 1.4826
#: Bytes that a run stores: at least so many, and so many times the usual number.
_FEWEST_BYTES, _TIMES_BYTES = 1_000_000_000, 5
#: Seen in the last week already, and now so much larger, is new.
_AGAIN = 1.5
#: Courses with alarms, beyond which they are one alarm: so many, and so large a share of the run.
_FEWEST_COURSES, _MANY_COURSES = 10, 0.02

#: Outcomes of exports with new content.
NEW_CONTENT = frozenset(
    each.value for each in (Outcome.STORED, Outcome.DEGRADED, Outcome.INCOMPLETE, Outcome.EMPTY)
)
_MOST_NAMED = 20


def changed_of(run: RunSummary) -> int:
    """Return the number of exports of a run with new content."""
    return sum(run.outcomes.get(name, 0) for name in NEW_CONTENT)


def _ended(run: RunSummary) -> int:
    """Return the number of exports that ended with a package, new or known."""
    return changed_of(run) + run.outcomes.get(Outcome.UNCHANGED.value, 0)


def list_shrank(run: RunSummary, past: Sequence[RunSummary]) -> bool:
    """Return whether the list of a run has much fewer exports than that of the run before it.

    A list that often loses as much is no alarm: the third largest loss of its history is ordinary.
    """
    if not past or past[-1].contexts < _FEWEST_EXPORTS:
        return False
    lost = _lost(past[-1], run)
    usual = sorted((_lost(a, b) for a, b in pairwise(past)), reverse=True)
    return lost > _ORDINARY_LIST and (len(usual) < 3 or lost > usual[2])  # noqa: PLR2004 - the third


def is_much(missing: int, before: int) -> bool:
    """Return whether a list of so many contexts lost more than it may in a night."""
    return missing > _ORDINARY_LIST * before


def _lost(before: RunSummary, after: RunSummary) -> float:
    return (before.contexts - after.contexts) / before.contexts if before.contexts else 0.0


def shrunk_list(run: RunSummary, before: RunSummary, missing: Iterable[str]) -> Alarm:
    """Return the alarm about a list that shrank.

    Args:
        run: the run.
        before: the run before it.
        missing: the contexts that only the run before had.
    """
    names = sorted(missing)
    example = f", {names[0]} among them" if names else ""
    return _alarm(
        AlarmCode.LIST_SHRANK,
        f"The list of courses lost {len(names):,}{example}: {run.contexts:,} exports were planned, after "
        f"{before.contexts:,} in the run before.",
        "If no term ended and nobody changed the backup, check the rights of the token's user in the accounts and terms that "
        "the backup lists; the courses that are missing were not exported.",
        {
            "before": {"exports": before.contexts},
            "after": {"exports": run.contexts},
            "before_report": before.key,
            "missing": names[:_MOST_NAMED],
            "missing_courses": len(names),
        },
    )


def judge_totals(run: RunSummary, past: Sequence[RunSummary]) -> list[Alarm]:
    """Return the alarms about the number of courses with new content, and about the stored bytes.

    Args:
        run: the run.
        past: the runs of the same DAG before it, oldest first.
    """
    recent = [each for each in past if _ended(each)][-MOST_RUNS:]
    if len(recent) < FEWEST_RUNS or not _ended(run):
        return []
    return [*_many_changed(run, recent), *_growth(run, recent)]


def _many_changed(run: RunSummary, recent: Sequence[RunSummary]) -> Iterable[Alarm]:
    shares = [changed_of(each) / _ended(each) for each in recent]
    changed, ended = changed_of(run), _ended(run)
    share = changed / ended
    if changed < _FEWEST_CHANGED or share < _MANY_CHANGED or not _is_sudden(share, shares):
        return
    usual = median(shares)
    yield _alarm(
        AlarmCode.MANY_CHANGED,
        f"{changed:,} of {ended:,} exports have new content ({share:.0%}); {usual:.0%} is usual.",
        "If no term began, nothing was imported and Canvas has no new release, compare some of the courses with their copies "
        "of the night before.",
        {
            "before": {"changed_share": round(usual, 4)},
            "after": {"changed_share": round(share, 4), "changed": changed, "exports": ended},
            "runs": len(recent),
        },
    )


def _growth(run: RunSummary, recent: Sequence[RunSummary]) -> Iterable[Alarm]:
    sizes = [each.bytes for each in recent]
    usual = median(sizes)
    if run.bytes < max(_FEWEST_BYTES, _TIMES_BYTES * usual) or not _is_sudden(run.bytes, sizes):
        return
    yield _alarm(
        AlarmCode.STORE_GROWTH,
        f"The run stored {format_size(run.bytes)}; {format_size(usual)} is usual.",
        "If no term began and nothing was imported, sort the courses of this run by size: large new ones show what it is.",
        {"before": {"bytes": int(usual)}, "after": {"bytes": run.bytes}, "runs": len(recent)},
    )


def _is_sudden(now: float, before: Sequence[float]) -> bool:
    """Return whether a number is far from its usual values, and was not so already in two of the last nights."""
    usual = median(before)
    deviation = median(abs(each - usual) for each in before) * _TO_STANDARD
    return now > usual + _DEVIATIONS * deviation and now > _AGAIN * sorted(before[-_LATELY:])[-2]


def many_courses(alarms: Sequence[Alarm], courses: int) -> Alarm | None:
    """Return one alarm in place of many that courses gave in one night: one cause is likelier than many.

    Args:
        alarms: of courses.
        courses: number of courses in the run.
    """
    contexts = sorted({alarm.context for alarm in alarms if alarm.context is not None})
    if len(contexts) < max(_FEWEST_COURSES, _MANY_COURSES * courses):
        return None
    codes = Counter(alarm.code for alarm in alarms)
    kinds = join_words([f"{number:,} {code}" for code, number in codes.most_common()])
    return _alarm(
        AlarmCode.MANY_COURSES,
        f"{len(contexts):,} courses of this run have alarms at once: {kinds}.",
        "Look for one cause first: a changed right of the token's user, an import or a deletion for many courses, a new "
        "release of Canvas. Each course is held; canvas-archive alarms lists them.",
        {"after": {"courses": len(contexts), **codes}, "courses": contexts[:_MOST_NAMED]},
    )


def _alarm(code: AlarmCode, sentence: str, next_step: str, evidence: Mapping[str, object]) -> Alarm:
    return Alarm(code.value, code.scope.value, sentence, next_step, evidence=evidence)
