"""The snapshot says the same as the archive's own questions, for any archive, also after it has changed."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.archives import random_archives
from tests.support.archives.overviews import overview_of, snapshot_of
from tests.support.archives.random_archives import ARCHIVES, NOW, SPECS, Shelf, Spec, laid

from canvas_exports.core.archive.alarms.hold_copies import hold_copies
from canvas_exports.core.archive.alarms.judge_course import judge_course
from canvas_exports.core.archive.alarms.open_alarms import release
from canvas_exports.core.archive.catalog.assessment import assess_types
from canvas_exports.core.archive.catalog.coverage import Gap, coverage
from canvas_exports.core.archive.catalog.future_dates import without_future_dates
from canvas_exports.core.archive.catalog.read import Holding, copies_of, every_context
from canvas_exports.core.archive.catalog.runs import recent, reported_outcomes, reports, summary_of
from canvas_exports.core.archive.catalog.totals import statistics
from canvas_exports.core.archive.layout import manifest_key, run_folder
from canvas_exports.core.archive.retention.holds import tags_on
from canvas_exports.core.archive.run_report import OutcomeRecord, run_document
from canvas_exports.core.model.alarm import Alarm
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.reports.overview.course_list import CourseQuery
from canvas_exports.core.reports.overview.figures import CourseState, Problem
from canvas_exports.core.reports.overview.snapshot import Snapshot

TYPES = st.sampled_from(["common_cartridge", "common_cartridge", "zip"])


@st.composite
def records(draw: st.DrawFn) -> OutcomeRecord:
    context = draw(
        st.sampled_from(
            [
                "course:101",
                "course:102",
                "course:103",
                "course:sis_course_id:CHEM-1",
                "course:sis_course_id:BIO-101",
            ]
        )
    )
    word = draw(st.sampled_from(["stored", "failed", "gone", "incomplete"]))
    return OutcomeRecord(
        context,
        draw(TYPES),
        word,
        draw(st.sampled_from(["for this reason", "for that reason"])),
        next_step=None if word == "stored" else "do this",
        problem=word != "stored",
        name=draw(st.sampled_from([None, "BIO"])),
        finished_at=draw(st.sampled_from([None, NOW - timedelta(hours=3)])),
    )


@st.composite
def run_reports(draw: st.DrawFn) -> list[tuple[str, bytes]]:
    found = {}
    for _ in range(draw(st.integers(0, 6))):
        day = NOW.date() - timedelta(days=draw(st.integers(0, 12)))
        dag = draw(st.sampled_from(["nightly", "weekly", "canvas_export"]))
        rows = {(row.context, row.export_type): row for row in draw(st.lists(records(), max_size=5))}
        began = datetime(day.year, day.month, day.day, 2, tzinfo=timezone.utc)
        document = run_document(
            list(rows.values()),
            run=RunFacts("canvas_exports 0.2.0", dag, "run"),
            started_at=began,
            finished_at=began + timedelta(hours=1),
            max_age=draw(st.sampled_from([None, timedelta(days=2), timedelta(days=400)])),
        )
        found[f"{run_folder(day, dag, 'run')}report.json"] = document
    return sorted(found.items())


@settings(max_examples=60, deadline=None)
@given(ARCHIVES, run_reports(), st.lists(SPECS, max_size=4), run_reports(), st.data())
def test_it_says_what_a_naive_reading_says(
    specs: list[Spec],
    first: list[tuple[str, bytes]],
    later: list[Spec],
    second: list[tuple[str, bytes]],
    data: st.DataObject,
) -> None:
    shelf = laid(specs)
    for key, document in first:
        shelf.lay(key, document)
    with overview_of(shelf) as overview:
        snapshot = overview.read().snapshot
        assert snapshot is not None
        _compare(snapshot, shelf, NOW)
        laid(later, shelf, first_id=len(specs) + 1)
        for key in (
            data.draw(st.sets(st.sampled_from(sorted(shelf.objects)), max_size=3)) if shelf.objects else ()
        ):
            del shelf.objects[key]
        for key, document in second:
            shelf.objects[key] = (document, NOW - timedelta(minutes=1))
        _compare(overview.refresh(), shelf, overview.now)


def _compare(snapshot: Snapshot, shelf: Shelf, now: datetime) -> None:
    with closing(every_context(shelf)) as read:
        holdings = [without_future_dates(each, now=now) for each in read]
    found = snapshot.overview()
    expected = coverage(holdings, outcomes=reported_outcomes(shelf, recent(reports(shelf))))
    missing = [problem for problem in found.coverage.problems if problem.state is CourseState.MISSING]
    assert sorted(map(_told, missing)) == sorted(map(_told, expected.gaps))
    promises = _promises(shelf, holdings)
    missed = {
        (each.context, each.export_type)
        for each in found.coverage.problems
        if each.state is CourseState.MISSED
    }
    assert missed == _missed(holdings, promises, now)
    statistic = statistics(holdings, now=now)
    totals = statistic.totals
    assert (found.storage.copies, found.storage.packages, found.storage.bytes) == (
        totals.copies,
        totals.packages,
        totals.bytes,
    )
    assert {
        (group.term, group.export_type): (group.copies, group.packages, group.bytes)
        for group in found.storage.groups
    } == {key: (group.copies, group.packages, group.bytes) for key, group in statistic.groups.items()}
    assert found.unreadable == len(statistic.unreadable)
    rows = {row.context: row for row in snapshot.courses(CourseQuery(limit=500)).rows}
    assert sum(found.coverage.states.values()) == len(rows)
    for holding in holdings:
        if holding.copies:
            row = rows[holding.name]
            assert row.copies == len(holding.copies)
            assert row.newest == holding.copies[-1].created_at
            assert row.held == sum(bool(tags_on(copy.records)) for copy in holding.copies)
            view = snapshot.course(holding.name)
            assert view is not None
            assert [(each.key, each.state) for each in view.copies] == [
                (copy.key, copy.state) for copy in reversed(holding.copies)
            ]
            assert snapshot.holding(holding.name) == replace(holding, objects=())


def _told(one: Gap | Problem) -> tuple[str, ...]:
    told = one.report if isinstance(one, Problem) else one.run
    return tuple(
        map(
            str,
            (
                one.context,
                one.export_type,
                one.why,
                one.name,
                one.newest,
                one.outcome,
                one.reason,
                one.next_step,
                told,
            ),
        )
    )


def _promises(shelf: Shelf, holdings: list[Holding]) -> dict[tuple[str, str], timedelta]:
    """The shortest of the promises in the newest report of each DAG that lists a course."""
    by_sis = max(
        (
            (holding.copies[-1].created_at, holding.name)
            for holding in holdings
            if holding.copies and holding.copies[-1].context.sis_id == "BIO-101"
        ),
        default=(NOW, "course:sis_course_id:BIO-101"),
    )
    newest: dict[tuple[str, str, str], timedelta | None] = {}
    for report in recent(reports(shelf)):
        promise = summary_of(shelf, report.key).max_age
        for one in reported_outcomes(shelf, [report]):
            newest.setdefault((report.dag, one.record.context, one.record.export_type), promise)
    found: dict[tuple[str, str], timedelta] = {}
    for (_, listed, export_type), promise in newest.items():
        context = by_sis[1] if listed == "course:sis_course_id:BIO-101" else listed
        if promise is not None:
            known = found.get((context, export_type), promise)
            found[context, export_type] = min(promise, known)
    return found


def _missed(
    holdings: list[Holding], promises: dict[tuple[str, str], timedelta], now: datetime
) -> set[tuple[str, str]]:
    return {
        (holding.name, export_type)
        for holding in holdings
        for export_type, assessment in assess_types(holding.copies, holding.unreadable).items()
        if assessment.proven is not None
        and (promise := promises.get((holding.name, export_type))) is not None
        and assessment.proven.created_at + promise < now
    }


@pytest.mark.parametrize("hour", [1, 3])
def test_a_promise_is_missed_as_soon_as_the_newest_proven_copy_is_older(hour: int) -> None:
    shelf = laid([Spec(NOW - timedelta(days=2))])
    document = run_document(
        [OutcomeRecord("course:101", "common_cartridge", "failed", "it failed", problem=True)],
        run=RunFacts("canvas_exports 0.2.0", "nightly", "run"),
        started_at=NOW,
        finished_at=NOW,
        max_age=timedelta(days=2, hours=2),
    )
    shelf.lay(f"{run_folder(NOW.date(), 'nightly', 'run')}report.json", document)
    with overview_of(shelf) as overview:
        snapshot = overview.read().snapshot
        assert snapshot is not None
        overview.now += timedelta(hours=hour)
        found = snapshot.overview().coverage
        assert (found.promised, found.kept) == (1, int(hour < 2))
        expected = CourseState.KEPT if hour < 2 else CourseState.MISSED
        assert found.states[expected] == 1
        assert [row.state for row in snapshot.courses(CourseQuery(state=expected)).rows] == [expected]
        for problem in found.problems:
            assert problem.since == NOW + timedelta(hours=2)
            assert (problem.outcome, problem.reason) == ("failed", "it failed")


def test_open_alarms_of_courses_and_those_of_the_last_runs_are_listed() -> None:
    shelf = Shelf()
    for course in (1, 2):
        for day, pages in enumerate((40, 0)):
            made = random_archives.document(
                Spec(NOW - timedelta(days=9 - day), course=course), export_id=10 * course + day
            )
            made = replace(made, proof=replace(made.proof, counts={"pages": pages}))
            shelf.lay(made.package.key, b"a package")
            shelf.lay(manifest_key(made.package.key), made.to_json())
    copies = copies_of(shelf, "course", 1).copies
    (alarm,) = hold_copies(shelf, judge_course(copies), at=NOW - timedelta(days=7))
    shrank = Alarm("list_shrank", "run", "The list lost 5.", "Look.")
    for days, dag in ((1, "nightly"), (9, "nightly"), (9, "weekly")):
        at = NOW - timedelta(days=days)
        stored = run_document(
            [], run=RunFacts("x", dag, "run"), started_at=at, finished_at=at, alarms=[shrank, alarm]
        )
        shelf.lay(f"{run_folder(at.date(), dag, 'run')}report.json", stored)
    with snapshot_of(shelf) as snapshot:
        listed = snapshot.overview().alarms
        first, other = snapshot.course("course:1"), snapshot.course("course:2")
    assert [(each.about, each.alarm) for each in listed] == [
        ("nightly", shrank),
        ("weekly", shrank),
        ("course:1", alarm),
    ]
    assert first is not None
    assert [each.alarm for each in first.alarms] == [alarm]
    assert other is not None
    assert other.alarms == ()


def test_a_released_alarm_is_gone_from_the_next_reading() -> None:
    shelf = Shelf()
    for day, pages in enumerate((40, 0)):
        made = random_archives.document(Spec(NOW - timedelta(days=9 - day), course=1), export_id=10 + day)
        made = replace(made, proof=replace(made.proof, counts={"pages": pages}))
        shelf.lay(made.package.key, b"a package")
        shelf.lay(manifest_key(made.package.key), made.to_json())
    hold_copies(shelf, judge_course(copies_of(shelf, "course", 1).copies), at=NOW - timedelta(days=7))
    with snapshot_of(shelf) as snapshot:
        assert len(snapshot.overview().alarms) == 1
    release(shelf, copies_of(shelf, "course", 1).copies, at=NOW - timedelta(days=6))
    with snapshot_of(shelf) as snapshot:
        assert snapshot.overview().alarms == ()


def test_problems_that_began_last_come_first() -> None:
    shelf = Shelf()
    for days, failed in ((2, ("course:1",)), (1, ("course:1", "course:2"))):
        at = NOW - timedelta(days=days)
        document = run_document(
            [
                OutcomeRecord(
                    context, "common_cartridge", "failed", "it failed", problem=True, finished_at=at
                )
                for context in failed
            ],
            run=RunFacts("canvas_exports 0.2.0", "nightly", "run"),
            started_at=at,
            finished_at=at,
        )
        shelf.lay(f"{run_folder(at.date(), 'nightly', 'run')}report.json", document)
    with snapshot_of(shelf) as snapshot:
        problems = snapshot.overview().coverage.problems
        assert [(each.context, each.since) for each in problems] == [
            ("course:2", NOW - timedelta(days=1)),
            ("course:1", NOW - timedelta(days=2)),
        ]
