"""Which courses have no good copy, and why: none is left out, and none is blamed that has one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.archives.holdings import lay, manifest, note
from tests.support.archives.run_reports import NEXT_STEP, NIGHT, outcome, report

from canvas_exports.core.archive.catalog.assessment import GapReason
from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.catalog.coverage import Coverage, coverage
from canvas_exports.core.archive.catalog.read import Holding, every_context
from canvas_exports.core.archive.catalog.runs import recent, reported_outcomes, reports
from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.model.runs import MANUAL_EXPORT
from canvas_exports.core.packages.proof import Verdict
from canvas_exports.core.storage.local import FileStore
from canvas_exports.core.storage.store import Store


@pytest.fixture
def archive(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path.as_uri(), tmp_path)


def judged(
    store: Store, expected: list[str] | None = None, types: tuple[str, ...] = ("common_cartridge",)
) -> Coverage:
    outcomes = reported_outcomes(store, recent(reports(store)))
    return coverage(every_context(store), expected=expected, export_types=types, outcomes=outcomes)


def lacks(found: Coverage) -> dict[str, GapReason]:
    return {gap.context: gap.gap_reason for gap in found.gaps}


class TestOfAList:
    def test_each_is_judged_and_nothing_else(self, archive: FileStore) -> None:
        lay(archive, manifest("course:1"))
        lay(archive, manifest("course:2", verdict=Verdict.INCOMPLETE))
        note(archive, lay(archive, manifest("course:3")), day=9, result="damaged")
        lay(archive, manifest("course:99", verdict=Verdict.INCOMPLETE))
        found = judged(archive, ["course:1", "course:2", "course:3", "course:4", "course:4"])
        assert found.judged == 4
        assert found.good == 1
        assert lacks(found) == {
            "course:2": GapReason.INCOMPLETE,
            "course:3": GapReason.DAMAGED,
            "course:4": GapReason.NO_COPY,
        }

    def test_each_with_every_export_type(self, archive: FileStore) -> None:
        lay(archive, manifest("course:1"))
        found = judged(archive, ["course:1"], ("common_cartridge", "qti"))
        assert [(gap.context, gap.export_type) for gap in found.gaps] == [("course:1", "qti")]

    def test_in_order_of_their_numbers(self, archive: FileStore) -> None:
        found = judged(archive, ["course:10", "group:3", "course:9", "course:sis_course_id:B"])
        assert [gap.context for gap in found.gaps] == [
            "course:9",
            "course:10",
            "course:sis_course_id:B",
            "group:3",
        ]

    def test_a_course_is_found_by_its_sis_id(self, archive: FileStore) -> None:
        lay(archive, manifest("course:1", facts={"sis_id": "BIO-1"}))
        lay(archive, manifest("course:2", facts={"sis_id": "BIO-2"}, verdict=Verdict.INCOMPLETE))
        found = judged(archive, [f"course:sis_course_id:BIO-{number}" for number in (1, 2, 3)])
        assert lacks(found) == {
            "course:sis_course_id:BIO-2": GapReason.INCOMPLETE,
            "course:sis_course_id:BIO-3": GapReason.NO_COPY,
        }

    def test_a_sis_id_that_moved_on_names_the_course_that_has_it_now(self, archive: FileStore) -> None:
        lay(archive, manifest("course:1", facts={"sis_id": "BIO-1"}))
        lay(archive, manifest("course:2", day=9, facts={"sis_id": "BIO-1"}, verdict=Verdict.INCOMPLETE))
        assert lacks(judged(archive, ["course:sis_course_id:BIO-1"])) == {
            "course:sis_course_id:BIO-1": GapReason.INCOMPLETE
        }

    def test_of_nothing(self, archive: FileStore) -> None:
        assert judged(archive, []) == Coverage(0, ())


class TestOfWhatTheArchiveKnows:
    def test_copies_and_reports_are_known(self, archive: FileStore) -> None:
        lay(archive, manifest("course:1"))
        lay(archive, manifest("course:2", verdict=Verdict.INCOMPLETE))
        archive.replace("courses/3/lost.json", b"no JSON")
        report(archive, outcome("course:1", "stored"), outcome("course:4", "denied"))
        found = judged(archive)
        assert found.judged == 4
        assert lacks(found) == {
            "course:2": GapReason.INCOMPLETE,
            "course:3": GapReason.UNREADABLE,
            "course:4": GapReason.NO_COPY,
        }

    def test_each_export_type_that_it_has_is_judged(self, archive: FileStore) -> None:
        lay(archive, manifest("course:1"))
        lay(archive, manifest("course:1", export_type="qti", export_id=7, verdict=Verdict.INCOMPLETE))
        assert [(gap.context, gap.export_type) for gap in judged(archive).gaps] == [("course:1", "qti")]

    @pytest.mark.parametrize("name", ["course:sis_course_id:BIO-1", "course:lti_context_id:4d2f"])
    def test_an_export_by_another_name_is_of_the_course_that_its_copy_is_of(
        self, archive: FileStore, name: str
    ) -> None:
        stored = lay(archive, manifest("course:1"))
        report(archive, replace(outcome(name, "stored"), key=stored.package.key))
        assert judged(archive) == Coverage(1, ())

    def test_a_failed_export_by_sis_id_does_not_blame_a_course_with_a_good_copy(
        self, archive: FileStore
    ) -> None:
        lay(archive, manifest("course:1", facts={"sis_id": "BIO-1"}))
        lay(archive, manifest("course:2", facts={"sis_id": "BIO-2"}, verdict=Verdict.INCOMPLETE))
        report(
            archive,
            *(outcome(f"course:sis_course_id:BIO-{number}", "failed", "so") for number in (1, 2, 3)),
        )
        found = judged(archive)
        assert found.judged == 3
        assert {gap.context: gap.reason for gap in found.gaps} == {
            "course:2": "so",
            "course:sis_course_id:BIO-3": "so",
        }

    def test_an_empty_folder_is_no_context(self, archive: FileStore) -> None:
        archive.put("courses/5/left-by-a-killed-run.imscc", [b"half"])
        assert judged(archive) == Coverage(0, ())


class TestWhy:
    def test_the_last_run_that_spoke_of_it_explains(self, archive: FileStore) -> None:
        report(archive, outcome("course:4", "failed", "then"), day=NIGHT - timedelta(days=1))
        key = report(archive, outcome("course:4", "denied", "now"))
        report(archive, outcome("course:5", "denied", "somebody else's"), run_id="by-hand")
        for expected in (None, ["course:4"]):
            gap = next(gap for gap in judged(archive, expected).gaps if gap.context == "course:4")
            assert (gap.outcome, gap.reason, gap.next_step, gap.run) == ("denied", "now", NEXT_STEP, key)

    def test_a_run_that_failed_does_not_blame_a_course_with_a_good_copy(self, archive: FileStore) -> None:
        lay(archive, manifest("course:4"))
        report(archive, outcome("course:4", "denied"))
        assert judged(archive).gaps == judged(archive, ["course:4"]).gaps == ()

    def test_what_cannot_be_read_is_explained_too(self, archive: FileStore) -> None:
        archive.replace("courses/3/lost.json", b"no JSON")
        report(archive, outcome("course:3", "failed"))
        (gap,) = judged(archive).gaps
        assert (gap.gap_reason, gap.export_type, gap.outcome) == (
            GapReason.UNREADABLE,
            "common_cartridge",
            "failed",
        )

    def test_a_course_known_by_its_sis_id_is_explained_by_its_number(self, archive: FileStore) -> None:
        lay(archive, manifest("course:2", facts={"sis_id": "BIO-2"}, verdict=Verdict.INCOMPLETE))
        report(archive, outcome("course:2", "incomplete", "still"))
        (gap,) = judged(archive, ["course:sis_course_id:BIO-2"]).gaps
        assert (gap.outcome, gap.reason) == ("incomplete", "still")

    def test_as_json_it_says_the_same(self, archive: FileStore) -> None:
        lay(archive, manifest("course:2", verdict=Verdict.INCOMPLETE))
        (gap,) = judged(archive).gaps
        assert gap.to_json() == {
            "context": "course:2",
            "export_type": "common_cartridge",
            "lack": "incomplete",
            "why": "2 files missing",
            "name": "Course 2",
            "newest": "2026-11-01T02:00:00Z",
            "outcome": None,
            "reason": None,
            "next_step": None,
            "run": None,
        }


@given(
    st.dictionaries(st.integers(1, 20), st.lists(st.sampled_from(Verdict), min_size=1, max_size=3)),
    st.sets(st.integers(1, 20)),
)
def test_who_has_no_proven_copy_is_named_and_nobody_else(
    held: dict[int, list[Verdict]], expected: set[int]
) -> None:
    holdings = [
        Holding("course", number, tuple(_copies(number, verdicts))) for number, verdicts in held.items()
    ]
    found = coverage(holdings, expected=[f"course:{number}" for number in expected])
    good = {
        number for number, verdicts in held.items() if Verdict.WHOLE in verdicts or Verdict.EMPTY in verdicts
    }
    assert {gap.context for gap in found.gaps} == {f"course:{number}" for number in expected - good}
    assert found.good == len(expected & good)


def _copies(number: int, verdicts: list[Verdict]) -> list[Copy]:
    made = [
        manifest(f"course:{number}", day=day, export_id=day + 1, verdict=each)
        for day, each in enumerate(verdicts)
    ]
    return [Copy.of(manifest_key(document.package.key), document) for document in made]


class TestIdsThatWereTyped:
    """A mistake of a person's fingers is no course that was lost."""

    def test_one_that_canvas_never_knew_is_no_lost_course(self, archive: FileStore) -> None:
        report(archive, outcome("course:99999", "gone"), dag_id=MANUAL_EXPORT)
        found = judged(archive)
        assert (found.judged, found.gaps) == (0, ())

    def test_one_that_had_a_copy_once_is_reported(self, archive: FileStore) -> None:
        lay(archive, manifest("course:7", verdict=Verdict.INCOMPLETE))
        report(archive, outcome("course:7", "gone"), dag_id=MANUAL_EXPORT)
        (gap,) = judged(archive).gaps
        assert (gap.context, gap.outcome) == ("course:7", "gone")

    @pytest.mark.parametrize("word", ["denied", "failed", "stalled", "interrupted"])
    def test_one_that_canvas_knows_is_reported(self, archive: FileStore, word: str) -> None:
        report(archive, outcome("course:8", word), dag_id=MANUAL_EXPORT)
        assert lacks(judged(archive)) == {"course:8": GapReason.NO_COPY}

    @pytest.mark.parametrize("nights", [NIGHT - timedelta(days=1), NIGHT + timedelta(days=1)])
    def test_one_that_a_backup_missed_too_is_reported(self, archive: FileStore, nights: date) -> None:
        report(archive, outcome("course:9", "gone"), dag_id=MANUAL_EXPORT)
        report(archive, outcome("course:9", "gone"), day=nights)
        assert lacks(judged(archive)) == {"course:9": GapReason.NO_COPY}

    def test_one_that_is_expected_is_reported(self, archive: FileStore) -> None:
        report(archive, outcome("course:99999", "gone"), dag_id=MANUAL_EXPORT)
        assert lacks(judged(archive, ["course:99999"])) == {"course:99999": GapReason.NO_COPY}
