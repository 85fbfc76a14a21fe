"""What a page says of copies is what the archive holds, at a bounded price."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.archives.counting_store import Counting
from tests.support.archives.holdings import DAY, START, lay, manifest, note
from tests.support.reports.run_views import NOW, row

from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.records import RecordKind
from canvas_exports.core.archive.run_report import OutcomeRecord
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.packages.proof import Verdict
from canvas_exports.core.reports.page import copy_status as look_room
from canvas_exports.core.reports.page.copy_status import read_copy_statuses
from canvas_exports.core.reports.page.view import CopyStatus


@pytest.fixture
def store(tmp_path: Path) -> Counting:
    return Counting(tmp_path)


def about(store: Counting, record: OutcomeRecord) -> CopyStatus:
    facts = read_copy_statuses(store, [record], now=NOW).of(record)
    assert facts is not None
    return facts


def test_of_a_course_with_a_problem_the_newest_proven_copy_counts(store: Counting) -> None:
    for day in (1, 4):
        lay(store, manifest("course:7", day=day, export_id=day))
    broken = lay(store, manifest("course:7", day=9, export_id=9, verdict=Verdict.INCOMPLETE))
    facts = about(store, row(7, Outcome.INCOMPLETE, key=broken.package.key))
    assert facts.good_at == START + 4 * DAY
    assert facts.gap == ""
    assert facts.findings == ("web_resources/a.png: the cartridge refers to it",) * 2
    assert facts.title == "Course 7"


def test_a_copy_found_damaged_is_no_good_copy(store: Counting) -> None:
    copy = lay(store, manifest("course:7", day=1))
    note(store, copy, day=2, result="damaged")
    facts = about(store, row(7, Outcome.GONE))
    assert facts.good_at is None
    assert "damaged" in facts.gap
    assert facts.verified is not None
    assert facts.verified.result == "damaged"


def test_nor_is_one_that_was_found_damaged_after_its_run(store: Counting) -> None:
    copy = lay(store, manifest("course:7", day=1))
    note(store, copy, day=2, result="damaged")
    assert about(store, row(7, key=copy.package.key)).good_at is None


def test_a_course_without_a_folder_has_no_copy(store: Counting) -> None:
    facts = about(store, row(7, Outcome.DENIED))
    assert (facts.good_at, facts.gap) == (None, "the archive holds no copy")


def test_an_empty_package_is_good_only_where_nothing_was_ever_whole(store: Counting) -> None:
    empty = lay(store, manifest("course:7", day=5, export_id=5, verdict=Verdict.EMPTY))
    record = row(7, Outcome.EMPTY, key=empty.package.key)
    assert about(store, record).good_at == START + 5 * DAY
    lay(store, manifest("course:7", day=1, export_id=1))
    assert about(store, record).good_at == START + 1 * DAY


def test_another_export_type_is_another_copy(store: Counting) -> None:
    lay(store, manifest("course:7", export_type="qti"))
    assert about(store, row(7, Outcome.FAILED)).good_at is None


def test_of_a_good_course_one_manifest_is_read_however_old_its_archive(store: Counting) -> None:
    made = [lay(store, manifest("course:7", day=day, export_id=day)) for day in range(1, 21)]
    note(store, made[3], day=5)
    note(store, made[4], day=8, kind=RecordKind.DRILL, detail="course", result="passed")
    facts = about(store, row(7, key=made[-1].package.key))
    assert facts.good_at == NOW
    assert len(store.got) == len(store.listed) == 1
    assert facts.verified is not None
    assert facts.verified.at == START + 5 * DAY
    assert facts.drilled is not None
    assert facts.drilled.result == "passed"
    assert facts.counts["files"] == 3


def test_the_look_is_bounded_in_contexts_problems_first(
    store: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look_room, "MOST_CONTEXTS", 3)
    records = [row(1, Outcome.GONE), *(row(number) for number in range(2, 8))]
    copies = read_copy_statuses(store, records, now=NOW)
    assert copies.of(records[0]) is not None
    assert (len(copies.facts), copies.skipped) == (3, 4)
    assert len(store.listed) <= 4  # one more of the one with the problem, to read its copies


def test_the_look_is_bounded_in_time(store: Counting) -> None:
    ticks = iter([0.0, 1.0, 61.0, 62.0, 63.0])
    copies = read_copy_statuses(
        store, [row(number) for number in range(1, 5)], now=NOW, clock=lambda: next(ticks)
    )
    assert (len(copies.facts), copies.skipped, copies.problem) == (1, 3, None)


def test_trouble_is_reported_and_never_raised(store: Counting) -> None:
    store.fails = True
    copies = read_copy_statuses(store, [row(1), row(2)], now=NOW)
    assert (copies.facts, copies.skipped, copies.problem) == ({}, 2, "the archive cannot be reached")


def test_a_manifest_that_cannot_be_read_says_nothing(store: Counting) -> None:
    record = row(7)
    assert record.key is not None
    store.replace(record.key.replace(".imscc", ".json"), b"half a docum")
    assert about(store, record) == CopyStatus(good_at=NOW)


def test_a_context_without_a_number_has_no_place(store: Counting) -> None:
    lost = OutcomeRecord("course:sis_course_id:X", "common_cartridge", "gone", "why", problem=True)
    copies = read_copy_statuses(store, [lost], now=NOW)
    assert (copies.unknown, copies.skipped, store.listed) == (1, 0, [])


def test_one_by_its_sis_id_is_found_by_what_was_stored(store: Counting) -> None:
    made = lay(store, manifest("course:7"))
    record = OutcomeRecord("course:sis_course_id:X", "common_cartridge", "stored", "", key=made.package.key)
    assert about(store, record).title == "Course 7"


def test_an_unchanged_course_has_its_title_and_counts_though_its_first_manifest_has_gone(
    store: Counting,
) -> None:
    first = lay(store, manifest("course:7", day=1, export_id=1))
    lay(store, manifest("course:7", day=2, export_id=2), names=first)
    store.delete(manifest_key(first.package.key))
    facts = about(store, row(7, Outcome.UNCHANGED, key=first.package.key))
    assert facts.title == first.context.name
    assert facts.counts == first.proof.counts
