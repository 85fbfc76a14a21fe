"""Nights, runs under way and retention reports, from documents of any content."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.archives.hostile_documents import SPOILT, mutations
from tests.support.archives.overviews import overview_of, snapshot_of
from tests.support.archives.random_archives import NOW, Shelf, Spec, laid
from tests.support.archives.retention_plans import night, plan
from tests.support.archives.run_reports import outcome, report

from canvas_exports.core.archive.layout import run_folder
from canvas_exports.core.archive.retention.apply import apply_plan
from canvas_exports.core.archive.retention.holds import Holds
from canvas_exports.core.archive.retention.plan import Plan
from canvas_exports.core.archive.retention.policy import Policy
from canvas_exports.core.archive.retention.report import plan_document
from canvas_exports.core.export.engine.items import Item
from canvas_exports.core.export.planning.batch_plan import write_plan
from canvas_exports.core.model.contexts import Context
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.model.runs import RunFacts, RunInfo
from canvas_exports.core.reports.overview.figures import Overview
from canvas_exports.core.reports.run_report import store_batch_report
from canvas_exports.core.storage.store import Store

DAY = timedelta(days=1)


def overview(shelf: Store) -> Overview:
    with snapshot_of(shelf) as snapshot:
        return snapshot.overview()


def put_retention(
    shelf: Shelf, made: Plan, *, applied: bool = False, day: datetime = NOW, dag: str = "nightly"
) -> str:
    done = apply_plan(shelf, made) if applied else None
    key = f"{run_folder(day.date(), dag, 'run')}retention/retention.json"
    shelf.lay(key, plan_document(made, done, run=RunFacts("canvas_exports 0.2.0", dag), finished_at=day))
    return key


class TestNights:
    def test_the_last_weeks_are_listed_newest_first_with_minutes_and_bytes(self) -> None:
        shelf = Shelf()
        for days in (0, 1, 34, 35):
            report(
                shelf,
                outcome("course:1", "stored"),
                outcome("course:2", "failed"),
                day=(NOW - days * DAY).date(),
            )
        nights = overview(shelf).nights
        assert [(NOW.date() - each.day).days for each in nights] == [0, 1, 34]
        first = nights[0]
        assert (first.exports, first.problems, first.bytes, first.minutes) == (2, 1, 9, 60.0)
        assert (first.dag_id, first.run_id, first.is_good) == ("nightly", "run", False)
        assert first.outcomes == {"failed": 1, "stored": 1}

    def test_a_night_that_exported_nothing_is_not_good(self) -> None:
        shelf = Shelf()
        report(shelf, day=NOW.date())
        report(shelf, outcome("course:1", "stored"), day=NOW.date() - DAY)
        assert [each.is_good for each in overview(shelf).nights] == [False, True]

    def test_a_report_that_is_written_again_replaces_what_it_said(self) -> None:
        shelf = laid([Spec(NOW - DAY, course=1)])
        report(shelf, outcome("course:2", "failed"), day=(NOW - DAY).date(), max_age=9 * DAY)
        report(
            shelf,
            outcome("course:2", "denied"),
            outcome("course:1", "stored"),
            day=NOW.date(),
            max_age=9 * DAY,
        )
        with overview_of(shelf) as looked:
            first = looked.read().snapshot
            assert first is not None
            coverage = first.overview().coverage
            assert [(each.context, each.outcome) for each in coverage.problems] == [("course:2", "denied")]
            assert coverage.promised == 2
            report(shelf, outcome("course:1", "stored"), day=NOW.date())
            coverage = looked.refresh().overview().coverage
            assert [(each.context, each.outcome) for each in coverage.problems] == [("course:2", "failed")]
            assert coverage.promised == 1

    def test_a_report_of_a_day_to_come_counts_for_nothing(self) -> None:
        shelf = Shelf()
        report(shelf, outcome("course:1", "failed"), day=(NOW + 400 * DAY).date())
        report(shelf, outcome("course:2", "failed"), day=NOW.date())
        found = overview(shelf)
        assert [each.context for each in found.coverage.problems] == ["course:2"]
        assert len(found.nights) == 1


class TestUnderWay:
    RUN = RunInfo("campus_backup", "manual__2027-02-01", "export", NOW.date(), map_index=0)

    def started(self) -> Shelf:
        shelf = Shelf()
        contexts = [Context.parse(str(number)) for number in range(1, 8)]
        write_plan(shelf, self.RUN, contexts, 3)
        item = Item("course:1", "common_cartridge", export_id=1, size=10)
        item.end(Outcome.STORED, "because")
        other = Item("course:2", "common_cartridge", export_id=2)
        other.end(Outcome.FAILED, "because")
        store_batch_report(shelf, [item, other], self.RUN, started_at=NOW.timestamp())
        for key, (data, _) in shelf.objects.items():
            shelf.objects[key] = (data, NOW - timedelta(minutes=5))
        return shelf

    def test_its_progress_is_shown_until_its_report_is_written(self) -> None:
        shelf = self.started()
        (run,) = overview(shelf).under_way
        assert (run.dag, run.run, run.day) == ("campus_backup", "manual__2027-02-01", NOW.date())
        assert (run.planned, run.batches, run.batches_reported) == (7, 3, 1)
        assert (run.exports_reported, run.problems, run.bytes) == (2, 1, 10)
        assert run.last_change == NOW - timedelta(minutes=5)
        report(shelf, day=NOW.date(), dag_id="campus_backup", run_id="manual__2027-02-01")
        assert overview(shelf).under_way == ()

    def test_a_run_that_has_been_quiet_for_days_is_not_under_way(self) -> None:
        shelf = self.started()
        for key, (data, _) in shelf.objects.items():
            shelf.objects[key] = (data, NOW - 3 * DAY)
        assert overview(shelf).under_way == ()

    def test_progress_is_read_again_as_it_goes_on(self) -> None:
        shelf = self.started()
        with overview_of(shelf) as looked:
            looked.read()
            reads: list[str] = []
            shelf.before = lambda operation, key: reads.append(key) if operation == "read" else None
            item = Item("course:4", "common_cartridge", export_id=4, size=5)
            item.end(Outcome.STORED, "because")
            run = RunInfo(self.RUN.dag_id, self.RUN.run_id, "export", NOW.date(), map_index=1)
            store_batch_report(shelf, [item], run, started_at=NOW.timestamp())
            (key,) = [key for key in shelf.objects if key.endswith("export-1.json")]
            shelf.objects[key] = (shelf.objects[key][0], looked.now)
            (run_now,) = looked.refresh().overview().under_way
            assert (run_now.batches_reported, run_now.bytes) == (2, 15)
            assert set(reads) == {key}


class TestRetention:
    def shelf(self) -> Shelf:
        return laid(
            [night(day) for day in range(5)] + [night(1, course=102), night(2, course=102, lock="package")]
        )

    def test_what_is_planned_is_the_next_to_be_deleted(self) -> None:
        shelf = self.shelf()
        made = plan(shelf, Policy(last=1), backup="nightly")
        key = put_retention(shelf, made)
        (told,) = overview(shelf).retention
        assert (told.backup, told.report, told.deletes, told.deleted) == ("nightly", key, False, None)
        assert (told.copies, told.delete, told.locked) == (7, 4, 1)
        assert told.policy == made.policy.sentence()
        planned = [
            copy for context in made.contexts for copy in context.copies if copy.decision.value != "keep"
        ]
        assert sorted(each.key for each in told.next) == sorted(copy.key for copy in planned)
        assert [each.created_at for each in told.next] == sorted(each.created_at for each in told.next)
        assert [each.context for each in told.next if each.locked] == ["course:102"]

    def test_what_is_deleted_is_not_next(self) -> None:
        shelf = self.shelf()
        put_retention(shelf, plan(shelf, Policy(last=1), backup="nightly"), applied=True)
        (told,) = overview(shelf).retention
        assert (told.deletes, told.deleted) == (True, 4)
        assert [each.context for each in told.next] == ["course:102"], "the locked one is still there"

    def test_of_each_backup_the_newest_run_counts(self) -> None:
        shelf = self.shelf()
        for days in (3, 1, 2):
            put_retention(shelf, plan(shelf, Policy(last=days), backup="nightly"), day=NOW - days * DAY)
        put_retention(shelf, plan(shelf, Policy(last=9), backup="weekly"), day=NOW - 9 * DAY, dag="weekly")
        told = overview(shelf).retention
        assert [(each.backup, each.delete) for each in told] == [("nightly", 4), ("weekly", 0)]

    def test_a_course_shows_by_which_rule_each_copy_is_kept_and_until_when(self) -> None:
        shelf = laid([night(day) for day in range(5)] + [night(9, tag="legal"), night(3, dag_id="weekly")])
        policy = Policy(daily=3, within=timedelta(days=3, hours=12), timezone="America/Chicago")
        key = put_retention(shelf, plan(shelf, policy, backup="nightly"))
        with snapshot_of(shelf) as snapshot:
            view = snapshot.course("course:101")
        assert view is not None
        ours = [copy for copy in view.copies if copy.dag_id == "nightly"]
        assert [copy.retention.rules for copy in ours] == [
            ("daily", "within", "proven"),
            ("daily", "within"),
            ("daily", "within"),
            ("within",),
            (),
            ("hold tag legal",),
        ]
        assert [copy.retention.until and (copy.retention.until - NOW.date()).days for copy in ours] == [
            None,
            2,
            1,
            0,
            None,
            None,
        ]
        assert [copy.retention.deleted_next for copy in ours] == [False] * 4 + [True, False]
        assert {copy.retention.report for copy in ours} == {key}
        (other,) = [copy for copy in view.copies if copy.dag_id == "weekly"]
        assert (other.retention.rules, other.retention.policy) == ((), None), (
            "no policy of its backup is known"
        )
        assert not other.retention.deleted_next

    def test_a_report_of_an_earlier_release_names_the_rules_in_words_alone(self) -> None:
        shelf = self.shelf()
        made = plan(shelf, Policy(last=1), backup="nightly")
        key = put_retention(shelf, made)
        document = json.loads(shelf.objects[key][0])
        del document["keep"], document["timezone"]
        shelf.lay(key, json.dumps(document).encode())
        with snapshot_of(shelf) as snapshot:
            assert snapshot.overview().retention[0].problem is None
            view = snapshot.course("course:101")
        assert view is not None
        for copy in view.copies:
            assert (copy.retention.policy, copy.retention.rules) == (made.policy.sentence(), ())
            assert not copy.retention.deleted_next

    def test_holds_of_the_policy_keep_a_course(self) -> None:
        shelf = self.shelf()
        put_retention(
            shelf, plan(shelf, Policy(last=1, holds=Holds.of([101], ["Fall 2026"])), backup="nightly")
        )
        with snapshot_of(shelf) as snapshot:
            view = snapshot.course("course:101")
        assert view is not None
        assert view.copies[-1].retention.rules == ("hold course:101", "hold term Fall 2026")


def documents() -> Shelf:
    """An archive with a document of each kind."""
    shelf = TestUnderWay().started()
    laid([night(day) for day in range(3)], shelf)
    report(shelf, outcome("course:101", "stored"), day=NOW.date(), max_age=2 * DAY)
    put_retention(shelf, plan(shelf, Policy(last=1), backup="nightly"))
    return shelf


def keys(shelf: Shelf) -> list[str]:
    return sorted(key for key in shelf.objects if not key.endswith((".imscc", ".zip")))


def spoilt(name: str, valid: bytes) -> bytes:
    """The document spoilt; of one that is no single JSON value, its first line."""
    head, line, rest = valid.partition(b"\n")
    return SPOILT[name](head) + line + rest if head.endswith(b"}") else SPOILT[name](valid)


@pytest.mark.parametrize("name", sorted(SPOILT.keys() - {"too large"}))
def test_no_document_of_any_kind_costs_more_than_itself(name: str) -> None:
    for key in keys(documents()):
        shelf = documents()
        shelf.lay(key, spoilt(name, shelf.objects[key][0]))
        laid([Spec(NOW - DAY, course=900)], shelf, first_id=900)
        with snapshot_of(shelf) as snapshot:
            assert snapshot.overview().coverage.contexts >= 1, key
            other = snapshot.course("course:900")
            assert other is not None, key
            assert [copy.state for copy in other.copies] == ["proven"], key
            snapshot.course("course:101")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_mutation_of_any_document_leaves_a_page(data: st.DataObject) -> None:
    shelf = documents()
    for key in data.draw(
        st.sets(st.sampled_from([key for key in keys(shelf) if "plan/" not in key]), min_size=1, max_size=3)
    ):
        shelf.lay(key, data.draw(mutations(shelf.objects[key][0])))
    with snapshot_of(shelf) as snapshot:
        snapshot.overview()
        for row in snapshot.courses().rows:
            assert snapshot.course(row.context) is not None
