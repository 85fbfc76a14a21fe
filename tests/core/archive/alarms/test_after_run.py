"""After a run its alarms are told, and the copies from before a loss stay under any policy until a person releases them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.support.archives.alarms import FULL, NOTHING, content, lay_nights
from tests.support.archives.counting_store import Counting
from tests.support.archives.holdings import DAY, START, lay
from tests.support.archives.run_reports import outcome, report

from canvas_exports.core.archive.alarms.after_run import Judgement, judge_run
from canvas_exports.core.archive.alarms.before_deletion import hold_before_deletion
from canvas_exports.core.archive.alarms.hold_copies import record_alarms
from canvas_exports.core.archive.alarms.judge_course import judge_course
from canvas_exports.core.archive.alarms.open_alarms import open_alarms, release
from canvas_exports.core.archive.catalog.last_runs import LastRuns
from canvas_exports.core.archive.catalog.read import copies_of, every_context
from canvas_exports.core.archive.catalog.runs import RunSummary, summary_of
from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.manifest import Manifest
from canvas_exports.core.archive.records import read_record_name
from canvas_exports.core.archive.retention.apply import apply_plan
from canvas_exports.core.archive.retention.holds import put_tag
from canvas_exports.core.archive.retention.plan import make_plan
from canvas_exports.core.archive.retention.policy import Policy
from canvas_exports.core.archive.run_report import OutcomeRecord, totals_of
from canvas_exports.core.archive.schemas import problem
from canvas_exports.core.model.alarm import Alarm
from canvas_exports.core.packages.proof import Verdict
from canvas_exports.core.storage.local import FileStore
from canvas_exports.errors import ArchiveDeniedError

POLICIES = [
    Policy(last=1),
    Policy(last=1, proven=1),
    Policy(daily=1),
    Policy(weekly=1),
    Policy(yearly=1),
    Policy(within=timedelta(hours=1)),
]


@pytest.fixture
def store(tmp_path: Path) -> Counting:
    return Counting(tmp_path)


def row(context: str, word: str = "stored", made: Manifest | None = None) -> OutcomeRecord:
    return OutcomeRecord(
        context, "common_cartridge", word, "why", key=None if made is None else made.package.key, size=9
    )


def run_of(day: int, rows: list[OutcomeRecord], dag_id: str = "nightly") -> RunSummary:
    at = night(day)
    key = f"runs/{at:%Y-%m-%d}/{dag_id}/scheduled__{day}/report.json"
    return RunSummary(key, dag_id, f"scheduled__{day}", at, at, **totals_of(rows))


def night(day: int) -> datetime:
    return START + day * DAY + timedelta(hours=1)


def judged(store: FileStore, day: int, *rows: OutcomeRecord, past: LastRuns | None = None) -> Judgement:
    return judge_run(store, rows, run_of(day, list(rows)), past or LastRuns(), now=night(day))


def holds(store: FileStore) -> list[str]:
    found = [read_record_name(info.key) for info in store.list("courses/")]
    return [f"{record.detail} {record.result}" for record in found if record is not None]


def retain(store: FileStore, policy: Policy, *, now: datetime) -> None:
    """Apply a policy as the tasks of retention do."""
    holdings = hold_before_deletion(store, every_context(store), now=now)
    apply_plan(store, make_plan(store, policy, now=now, holdings=holdings))


class ReadOnly(FileStore):
    def put_if_absent(self, key: str, data: bytes) -> bool:  # noqa: ARG002 - the store's signature
        raise ArchiveDeniedError("no right to write", key=key)


class TestACourse:
    def emptied(self, store: FileStore, *nights: Mapping[str, int]) -> list[Manifest]:
        return lay_nights(store, *nights, NOTHING)

    def test_that_was_emptied_is_told_and_held(self, store: FileStore) -> None:
        _, before, after = self.emptied(store, {**FULL, "pages": 41}, FULL)
        found = judged(store, 2, row("course:101", "empty", after))
        assert found.problem == ""
        (alarm,) = found.alarms
        assert (alarm.code, alarm.context) == ("course_emptied", "course:101")
        assert alarm.evidence["held"] == [alarm.evidence["before_copy"]]
        assert holds(store) == ["alarm set"]
        (key,) = [info.key for info in store.list("courses/") if read_record_name(info.key)]
        document = json.loads(store.read(key))
        assert problem("hold-1", document) is None
        assert Alarm.from_json(document["alarms"][0]) == alarm
        assert key.startswith(before.package.key.removesuffix(".imscc"))

    def test_is_held_once_however_often_the_run_is_judged(self, store: FileStore) -> None:
        *_, after = self.emptied(store, FULL)
        once, again = (judged(store, 1, row("course:101", "empty", after)) for _ in range(2))
        assert once == again
        assert holds(store) == ["alarm set"]

    def test_is_told_by_one_night_alone(self, store: FileStore) -> None:
        self.emptied(store, FULL)
        judged(store, 1, row("course:101", "empty"))
        later = lay(store, content(2, {**NOTHING, "files": 1}))
        assert judged(store, 2, row("course:101", "stored", later)).alarms == ()

    def test_that_was_released_is_not_held_again(self, store: FileStore) -> None:
        self.emptied(store, FULL)
        judged(store, 1, row("course:101", "empty"))
        release(store, copies_of(store, "course", 101).copies, at=night(1))
        judged(store, 1, row("course:101", "empty"))
        assert sorted(holds(store)) == ["alarm lifted", "alarm set"]
        assert list(open_alarms(store)) == []

    def test_is_held_although_an_earlier_alarm_was_released_meanwhile(self, store: FileStore) -> None:
        lay(store, content(0, FULL))
        half = content(1, {**FULL, "quizzes": 0})
        lay(store, replace(half, proof=replace(half.proof, verdict=Verdict.INCOMPLETE)))
        judged(store, 1, row("course:101", "incomplete"))
        after = lay(store, content(2, NOTHING))
        release(store, copies_of(store, "course", 101).copies, at=night(2))
        judged(store, 2, row("course:101", "empty", after))
        assert [found.alarm.code for found in open_alarms(store)] == ["course_emptied"]

    def test_is_held_once_and_released_once_if_the_clock_of_the_report_is_behind(
        self, store: FileStore
    ) -> None:
        *_, after = self.emptied(store, FULL)
        rows = [row("course:101", "empty", after)]
        for _ in range(2):
            judge_run(store, rows, run_of(1, rows), LastRuns(), now=after.stored_at - timedelta(hours=2))
        assert holds(store) == ["alarm set"]
        release(store, copies_of(store, "course", 101).copies, at=after.stored_at - timedelta(hours=1))
        judge_run(store, rows, run_of(1, rows), LastRuns(), now=after.stored_at)
        assert list(open_alarms(store)) == []

    def test_whose_report_was_killed_between_two_holds_gets_the_second_one(self, store: FileStore) -> None:
        first = lay(store, content(0, FULL))
        half = content(1, {**FULL, "pages": 38})
        lay(store, replace(half, proof=replace(half.proof, verdict=Verdict.INCOMPLETE)))
        lay(store, content(2, NOTHING))
        judged(store, 2, row("course:101", "empty"))
        (key,) = [
            info.key
            for info in store.list("courses/")
            if (name := read_record_name(info.key)) and name.manifest == manifest_key(first.package.key)
        ]
        store.delete(key)
        judged(store, 2, row("course:101", "empty"))
        assert store.stat(key) is not None
        assert holds(store) == ["alarm set"] * 2

    def test_of_a_weekly_backup_whose_run_left_no_report_is_told_by_the_next(self, store: FileStore) -> None:
        self.emptied(store, FULL)
        later = lay(store, content(8, {**NOTHING, "files": 1}))
        (alarm,) = judged(store, 8, row("course:101", "stored", later)).alarms
        assert alarm.code == "course_emptied"

    def test_whose_run_left_no_report_is_told_by_the_next(self, store: FileStore) -> None:
        self.emptied(store, FULL)
        silent = LastRuns(without_report=frozenset({"runs/2026-11-02/nightly/scheduled__1/"}))
        assert judged(store, 2, row("course:101", "unchanged")).alarms == ()
        assert [
            alarm.code for alarm in judged(store, 2, row("course:101", "unchanged"), past=silent).alarms
        ] == ["course_emptied"]

    def test_that_lost_its_content_long_ago_is_history(self, store: FileStore) -> None:
        self.emptied(store, FULL)
        later = lay(store, content(30, {**NOTHING, "files": 1}))
        assert judged(store, 30, row("course:101", "stored", later)).alarms == ()

    def test_that_is_named_by_its_sis_id_is_found_by_its_package(self, store: FileStore) -> None:
        *_, after = self.emptied(store, FULL)
        (alarm,) = judged(store, 1, row("course:sis_course_id:BIO", "empty", after)).alarms
        assert alarm.context == "course:101"

    def test_is_told_although_its_copies_cannot_be_held(self, tmp_path: Path) -> None:
        self.emptied(FileStore(tmp_path.as_uri(), tmp_path), FULL)
        (alarm,) = judged(ReadOnly(tmp_path.as_uri(), tmp_path), 1, row("course:101", "empty")).alarms
        assert alarm.next_step.startswith("Its copies are not held")
        assert alarm.evidence["held"] == []
        assert len(alarm.evidence["not_held"]) == 1


class TestRetention:
    @pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.sentence()[:40])
    def test_keeps_the_copy_from_before_until_it_is_released(self, store: FileStore, policy: Policy) -> None:
        before, *_ = lay_nights(store, FULL, NOTHING)
        judged(store, 1, row("course:101", "empty"))
        for day in range(2, 9):
            lay(store, content(day, {**NOTHING, "files": day}))
        now = night(9)
        apply_plan(store, make_plan(store, policy, now=now))
        assert store.stat(before.package.key) is not None
        release(store, copies_of(store, "course", 101).copies, at=now)
        apply_plan(store, make_plan(store, policy, now=now))
        assert store.stat(before.package.key) is None, "nothing but the hold kept it"

    def test_keeps_every_copy_that_names_the_package(self, store: FileStore) -> None:
        first = lay(store, content(0, FULL))
        unchanged = lay(store, content(1, FULL), names=first)
        lay(store, content(2, NOTHING))
        judged(store, 2, row("course:101", "empty"))
        apply_plan(store, make_plan(store, Policy(last=1), now=night(3)))
        kept = [copy.package.key for copy in copies_of(store, "course", 101).copies]
        assert kept.count(unchanged.package.key) == 2

    def test_holds_itself_what_no_report_has_held(self, store: FileStore) -> None:
        before, *_ = lay_nights(store, FULL, NOTHING)
        lay(store, content(2, {**NOTHING, "files": 1}))
        now = night(3)
        plan = make_plan(
            store,
            Policy(last=1),
            now=now,
            holdings=hold_before_deletion(store, every_context(store), now=now),
        )
        assert apply_plan(store, plan).notes == ()
        assert store.stat(before.package.key) is not None
        (found,) = open_alarms(store)
        assert found.alarm.code == "course_emptied"

    def test_deletes_nothing_where_a_hold_cannot_be_written(self, tmp_path: Path) -> None:
        lay_nights(FileStore(tmp_path.as_uri(), tmp_path), FULL, NOTHING)
        store = ReadOnly(tmp_path.as_uri(), tmp_path)
        with pytest.raises(ArchiveDeniedError):
            list(hold_before_deletion(store, every_context(store), now=night(3)))

    def test_and_the_report_may_hold_the_same_copy_in_the_same_second(self, store: FileStore) -> None:
        lay_nights(store, FULL, NOTHING)
        found = judge_course(copies_of(store, "course", 101).copies)
        for _ in range(2):  # each has read the archive before the other one wrote
            record_alarms(store, found, at=night(1))
        assert holds(store) == ["alarm set"]

    @pytest.mark.parametrize("policy", [Policy(last=1, weekly=4), Policy(last=2, weekly=4)], ids=str)
    def test_holds_nothing_because_it_has_deleted_the_copies_between(
        self, store: FileStore, policy: Policy
    ) -> None:
        for day in range(30):
            lay(store, content(day, {name: int(number * 0.9**day) for name, number in FULL.items()}))
            judged(store, day, row("course:101"))
            retain(store, policy, now=night(day))
        assert holds(store) == []

    @pytest.mark.parametrize("policy", [Policy(last=1, weekly=4), Policy(last=2, weekly=4)], ids=str)
    def test_holds_no_older_copy_after_the_one_that_was_released_is_deleted(
        self, store: FileStore, policy: Policy
    ) -> None:
        for day in range(9, 18):
            lay(store, content(day, FULL))
            retain(store, policy, now=night(day))
        lay(store, content(18, NOTHING))
        judged(store, 18, row("course:101", "empty"))
        retain(store, policy, now=night(18))
        release(store, copies_of(store, "course", 101).copies, at=night(18))
        for day in range(19, 30):
            lay(store, content(day, {**NOTHING, "files": day}))
            judged(store, day, row("course:101"))
            retain(store, policy, now=night(day))
        assert list(open_alarms(store)) == []

    def test_leaves_alone_what_was_released(self, store: FileStore) -> None:
        lay_nights(store, FULL, NOTHING)
        judged(store, 1, row("course:101", "empty"))
        release(store, copies_of(store, "course", 101).copies, at=night(2))
        list(hold_before_deletion(store, every_context(store), now=night(3)))
        assert list(open_alarms(store)) == []


class TestARun:
    def test_whose_list_shrank_names_what_is_missing(self, store: FileStore) -> None:
        before = [outcome(f"course:{number}", "unchanged") for number in range(1, 21)]
        report(store, *before, run_id="earlier")
        past = LastRuns((summary_of(store, "runs/2026-11-23/nightly/earlier/report.json"),))
        (alarm,) = judged(
            store, 22, *(row(f"course:{number}", "unchanged") for number in range(1, 11)), past=past
        ).alarms
        assert alarm.code == "list_shrank"
        assert alarm.evidence["missing_courses"] == 10

    def test_with_fewer_export_types_has_no_shorter_list(self, store: FileStore) -> None:
        types = ("common_cartridge", "qti")
        before = [
            OutcomeRecord(f"course:{number}", each, "unchanged", "r")
            for number in range(20)
            for each in types
        ]
        report(store, *before, run_id="earlier")
        past = LastRuns((summary_of(store, "runs/2026-11-23/nightly/earlier/report.json"),))
        assert (
            judged(
                store, 22, *(row(f"course:{number}", "unchanged") for number in range(20)), past=past
            ).alarms
            == ()
        )

    def test_asks_only_for_courses_with_new_content(self, store: Counting) -> None:
        for number in range(1, 31):
            lay(store, content(0, FULL, context=f"course:{number}"))
        store.listed.clear()
        judged(store, 0, row("course:1"), *(row(f"course:{number}", "unchanged") for number in range(2, 31)))
        assert [key for key in store.listed if key.startswith("courses/")] == ["courses/1/"]

    def test_many_courses_at_once_are_one_message_and_all_are_held(self, store: FileStore) -> None:
        rows = []
        for number in range(1, 13):
            lay_nights(store, FULL, NOTHING, context=f"course:{number}")
            rows.append(row(f"course:{number}", "empty"))
        found = judged(store, 1, *rows)
        assert [alarm.code for alarm in found.alarms] == ["many_courses"] + ["course_emptied"] * 12
        assert holds(store) == ["alarm set"] * 12

    def test_an_archive_that_fails_is_a_sentence_and_no_error(self, tmp_path: Path) -> None:
        store = Counting(tmp_path)
        store.fails = True
        found = judged(store, 1, row("course:101"))
        assert found == Judgement((), "Not every course was judged: the archive cannot be reached")


class TestOpenAlarms:
    def test_each_is_listed_with_its_evidence_until_it_is_released(self, store: FileStore) -> None:
        lay_nights(store, FULL, NOTHING)
        (alarm,) = judged(store, 1, row("course:101", "empty")).alarms
        (found,) = open_alarms(store)
        assert (found.context, found.alarm, found.at) == ("course:101", alarm, night(1))
        assert len(release(store, copies_of(store, "course", 101).copies, at=night(2))) == 1
        assert list(open_alarms(store)) == []

    def test_two_alarms_of_one_course_are_both_there(self, store: FileStore) -> None:
        lay_nights(store, FULL, {**FULL, "quizzes": 0}, NOTHING)
        for day in (1, 2):
            judged(store, day, row("course:101"))
        assert sorted(found.alarm.code for found in open_alarms(store)) == ["course_emptied", "course_shrank"]

    @pytest.mark.parametrize("document", [b"half a docum", b" " * 10_000_000, b"[" * 9_000, b"{}"])
    def test_a_record_that_cannot_be_read_is_an_alarm_without_evidence(
        self, store: FileStore, document: bytes
    ) -> None:
        lay_nights(store, FULL, NOTHING)
        judged(store, 1, row("course:101", "empty"))
        (key,) = [info.key for info in store.list("courses/") if read_record_name(info.key)]
        store.replace(key, document)
        (found,) = open_alarms(store)
        assert (found.alarm.code, found.alarm.context) == ("unknown", "course:101")

    def test_foreign_texts_of_a_record_are_one_printable_line_each(self, store: FileStore) -> None:
        lay_nights(store, FULL, NOTHING)
        judged(store, 1, row("course:101", "empty"))
        (key,) = [info.key for info in store.list("courses/") if read_record_name(info.key)]
        document = json.loads(store.read(key))
        for name in ("code", "scope", "context", "name", "sentence", "next_step"):
            document["alarms"][0][name] = "\x1b[2J<b>\u202e\n"
        store.replace(key, json.dumps(document).encode())
        (found,) = open_alarms(store)
        shown = found.alarm.to_json()
        assert found.context == "course:101"
        assert all(text.isprintable() for text in shown.values() if isinstance(text, str))

    def test_a_persons_hold_is_no_alarm_and_stays(self, store: FileStore) -> None:
        lay_nights(store, FULL, NOTHING)
        put_tag(store, copies_of(store, "course", 101).copies, "legal", at=night(1))
        assert list(open_alarms(store)) == []
        assert release(store, copies_of(store, "course", 101).copies, at=night(2)) == ()
