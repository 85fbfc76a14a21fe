"""Judge a run after it has ended: its courses by their copies, its totals by those of the runs before it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

from canvas_exports.core.archive.alarms.hold_copies import hold_copies, is_late, is_missed
from canvas_exports.core.archive.alarms.judge_course import CourseAlarm, judge_course
from canvas_exports.core.archive.alarms.judge_run import (
    NEW_CONTENT,
    is_much,
    judge_totals,
    list_shrank,
    many_courses,
    shrunk_list,
)
from canvas_exports.core.archive.catalog.future_dates import without_future_dates
from canvas_exports.core.archive.catalog.index import Index
from canvas_exports.core.archive.catalog.last_runs import LastRuns
from canvas_exports.core.archive.catalog.read import Holding, copies_of_each
from canvas_exports.core.archive.catalog.runs import RunSummary, outcomes_of
from canvas_exports.core.archive.layout import context_of
from canvas_exports.core.archive.run_report import OutcomeRecord
from canvas_exports.core.model.alarm import Alarm
from canvas_exports.core.model.contexts import Context
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.model.runs import MANUAL_EXPORT
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import ArchiveError, CanvasExportsError, InputError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Judgement:
    """The result of judging a run.

    Attributes:
        alarms: of the run, then of its courses. Of many courses at once, the first is about all of them.
        problem: why not everything was judged, in a sentence; empty if it was.
    """

    alarms: tuple[Alarm, ...] = ()
    problem: str = ""


def judge_run(
    store: Store, rows: Sequence[OutcomeRecord], run: RunSummary, past: LastRuns, *, now: datetime
) -> Judgement:
    """Judge a run, hold the copies from before each loss, and return the alarms. Never raises an error of the archive.

    Reads the copies of the courses with new content: a listing and tonight's manifest of each, the others from the index. If
    an earlier run of the last days left no report, it reads those of all courses of this run. Memory grows with the number
    of alarms only.

    The same run gives the same alarms each time it is judged; the copies of an alarm are held once.

    Args:
        store: the archive.
        rows: the outcomes of the run.
        run: its totals.
        past: the runs of the same DAG before it.
        now: the time.
    """
    of_courses: list[Alarm] = []
    of_run: list[Alarm] = []
    problem = ""
    contexts = _contexts(rows, all_of_them=bool(past.without_report))
    try:
        for holding in _read(store, contexts, now):
            of_courses += _judge_holding(store, holding, run, now)
        if run.dag_id != MANUAL_EXPORT:
            of_run += _judge_list(store, rows, run, past.summaries)
            of_run += judge_totals(run, past.summaries)
    except CanvasExportsError as error:
        problem = f"Not every course was judged: {error.message}"
        log.warning("%s", problem)
    except Exception:
        problem = "Not every course was judged, for a reason that the log of the report's task has."
        log.exception("the copies of this run were not judged")
    together = many_courses(of_courses, len({row.context for row in rows}))
    return Judgement((*([together] if together else ()), *of_run, *of_courses), problem)


def _contexts(rows: Iterable[OutcomeRecord], *, all_of_them: bool) -> list[tuple[str, int]]:
    """Return kind and id of the contexts with a package of this run, in the order of the rows."""
    found: dict[tuple[str, int], None] = {}
    for row in rows:
        if row.outcome in NEW_CONTENT or (all_of_them and row.outcome == Outcome.UNCHANGED.value):
            context = context_of(row.key or "") or _named(row.context)
            if context is not None:
                found[context] = None
    return list(found)


def _named(name: str) -> tuple[str, int] | None:
    try:
        context = Context.parse(name)
    except InputError:
        return None
    return None if context.canvas_id is None else (context.kind.value, context.canvas_id)


def _read(store: Store, contexts: Sequence[tuple[str, int]], now: datetime) -> Iterable[Holding]:
    if not contexts:
        return
    with closing(Index(store, now=now)) as index:
        index.load()
        with closing(copies_of_each(store, contexts, index)) as holdings:
            for holding in holdings:
                yield without_future_dates(holding, now=now)
        index.save_new()


def _judge_holding(store: Store, holding: Holding, run: RunSummary, now: datetime) -> list[Alarm]:
    """Return the alarms of one context that this run tells: those of its own copies, and those that no run has told."""
    found = [
        each
        for each in judge_course(holding.copies)
        if (_is_of(each, run) and not is_late(each, now)) or is_missed(each, holding.copies, now)
    ]
    return hold_copies(store, found, at=now) if found else []


def _is_of(found: CourseAlarm, run: RunSummary) -> bool:
    by = found.after.run
    return (by.dag_id, by.run_id) == (run.dag_id, run.run_id)


def _judge_list(
    store: Store, rows: Sequence[OutcomeRecord], run: RunSummary, past: Sequence[RunSummary]
) -> list[Alarm]:
    """Return the alarm of a list that shrank, if it names fewer contexts than the one before, not only fewer export types."""
    if not list_shrank(run, past):
        return []
    try:
        before = {row.context for row in outcomes_of(store, past[-1].key)}
    except ArchiveError as error:
        if error.retryable:
            raise
        log.warning("%s", error)
        return []
    missing = before - {row.context for row in rows}
    return [shrunk_list(run, past[-1], missing)] if is_much(len(missing), len(before)) else []
