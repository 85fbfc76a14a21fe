"""A context has a good copy, or it is said what it has instead."""

from __future__ import annotations

from dataclasses import replace

from tests.support.archives.holdings import DAY, START, manifest

from canvas_exports.core.archive.catalog.assessment import GapReason, assess, what_is_missing
from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.catalog.read import UnreadableDocument
from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.records import RecordKind, RecordName
from canvas_exports.core.packages.proof import Verdict

WHOLE, INCOMPLETE, EMPTY = Verdict.WHOLE, Verdict.INCOMPLETE, Verdict.EMPTY


def copy(day: int, verdict: Verdict, *, damaged: bool = False, is_present: bool = True) -> Copy:
    document = manifest(day=day, export_id=day + 1, verdict=verdict)
    key = manifest_key(document.package.key)
    result = "damaged" if damaged else "intact"
    record = RecordName(key, RecordKind.VERIFY, START + 30 * DAY, "full", result)
    return Copy.of(key, document, is_present=is_present, records=[record])


def test_the_newest_proven_copy_is_the_good_one() -> None:
    copies = [copy(1, WHOLE), copy(2, WHOLE), copy(3, INCOMPLETE), copy(4, WHOLE, damaged=True)]
    assessment = assess(copies)
    assert assessment.is_good
    assert assessment.proven == copies[1]
    assert assessment.newest == copies[3]


def test_without_copies_there_is_none() -> None:
    assert assess([]).gap_reason is GapReason.NO_COPY
    assert not assess([]).is_good


def test_only_incomplete_ones() -> None:
    assessment = assess([copy(1, INCOMPLETE)])
    assert (assessment.gap_reason, assessment.why) == (GapReason.INCOMPLETE, "2 files missing")


def test_a_package_that_was_found_damaged() -> None:
    assessment = assess([copy(1, WHOLE, damaged=True)])
    assert assessment.gap_reason is GapReason.DAMAGED
    assert assessment.why.endswith(".imscc was found damaged by the verification of 2026-12-01")


def test_a_package_that_is_not_there() -> None:
    assessment = assess([copy(1, WHOLE, is_present=False)])
    assert assessment.gap_reason is GapReason.DAMAGED
    assert "is missing" in assessment.why


def test_incomplete_is_better_than_damaged_and_both_are_reported() -> None:
    assessment = assess([copy(1, WHOLE, damaged=True), copy(2, INCOMPLETE)])
    assert (assessment.gap_reason, assessment.why) == (
        GapReason.INCOMPLETE,
        "2 files missing; other copies are damaged",
    )


class TestEmpty:
    def test_good_if_there_never_was_anything(self) -> None:
        assessment = assess([copy(1, EMPTY), copy(2, EMPTY)])
        assert assessment.is_good
        assert assessment.proven is not None
        assert assessment.proven.created_at == START + 2 * DAY

    def test_not_once_a_copy_was_whole(self) -> None:
        assert assess([copy(1, WHOLE, damaged=True), copy(2, EMPTY)]).gap_reason is GapReason.DAMAGED

    def test_never_hides_a_proven_copy(self) -> None:
        assert assess([copy(1, WHOLE), copy(2, EMPTY)]).proven == copy(1, WHOLE)

    def test_not_if_it_is_damaged(self) -> None:
        assert assess([copy(1, EMPTY, damaged=True)]).gap_reason is GapReason.DAMAGED


class TestUnreadable:
    UNREADABLE = UnreadableDocument("courses/101/a.json", "not a manifest: no JSON")

    def test_is_reported_where_there_is_nothing_else(self) -> None:
        assessment = assess([], [self.UNREADABLE])
        assert assessment.gap_reason is GapReason.UNREADABLE
        assert assessment.why == "courses/101/a.json: not a manifest: no JSON"

    def test_does_not_take_away_a_good_copy(self) -> None:
        assert assess([copy(1, WHOLE)], [self.UNREADABLE]).is_good


def test_an_export_of_selected_objects_is_no_copy_of_the_course() -> None:
    whole = copy(1, WHOLE)
    selected = replace(copy(2, WHOLE), export=replace(copy(2, WHOLE).export, select={"pages": [1]}))
    assert not selected.is_proven
    assert assess([whole, selected]).newest == whole
    assessment = assess([selected])
    assert (assessment.gap_reason, assessment.why) == (
        GapReason.NO_COPY,
        "the archive holds exports of selected objects only",
    )


def test_what_is_missing_in_words() -> None:
    one = copy(1, INCOMPLETE)
    assert what_is_missing(replace(one, counts={"missing": 1})) == "1 file missing"
    assert (
        what_is_missing(replace(one, counts={"missing": 1200, "export_errors": 1}))
        == "1,200 files missing, 1 item that Canvas could not export"
    )
    assert what_is_missing(replace(one, counts={})) == "see the findings in its manifest"
