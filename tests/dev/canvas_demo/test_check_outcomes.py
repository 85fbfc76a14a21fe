"""The demo ends with two answers, and says so where one of them is not the expected one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from tests.support.archives.holdings import lay, manifest
from tests.support.archives.run_reports import outcome, report

from canvas_demo import check_outcomes
from canvas_demo.check_outcomes import expected_state
from canvas_exports.core.archive.manifest import Manifest
from canvas_exports.core.packages.proof import Verdict
from canvas_exports.core.storage.local import FileStore

NIGHTLY = "canvas_backup_nightly"
EXPECTED = {"course:1": "stored", "course:2": "incomplete", "course:3": "denied", "course:4": "empty"}


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def night(tmp_path: Path) -> Path:
    store = FileStore(tmp_path.as_uri(), tmp_path)
    verdicts = {1: Verdict.WHOLE, 2: Verdict.INCOMPLETE, 4: Verdict.EMPTY}
    for number, verdict in verdicts.items():
        lay(store, manifest(f"course:{number}", export_id=number, verdict=verdict))
    rows = (outcome(context, word, "because") for context, word in EXPECTED.items())
    report(store, *rows, dag_id=NIGHTLY, run_id="demo__1")
    return tmp_path


def check(archive: Path, expected: dict[str, str], print_line: Callable[[str], None]) -> list[str]:
    return check_outcomes.check_outcomes(archive, expected, print_line, dag_id=NIGHTLY, run_id="demo__1")


def by_run(run_id: str, document: Manifest) -> Manifest:
    return replace(document, run=replace(document.run, run_id=run_id))


def test_it_lists_courses_without_a_good_copy_and_why(
    night: Path, said: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(night, EXPECTED, said.append) == []
    assert said[-1] == "All 4 outcomes are as expected."
    told = capsys.readouterr().out
    assert "course:2 Course 2" in told
    assert "denied in the last run: because" in told
    assert told.endswith("2 of 4 have a good copy, 2 have none.\n")


def test_asked_again_it_says_the_same(
    night: Path, said: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    check(night, EXPECTED, said.append)
    first = capsys.readouterr().out
    check(night, EXPECTED, said.append)
    assert capsys.readouterr().out == first


def test_what_is_not_as_expected_is_named(night: Path, said: list[str]) -> None:
    expected = {**EXPECTED, "course:1": "incomplete", "course:2": "stored"}
    assert check(night, expected, said.append) == [
        "course:1: expected incomplete, got stored",
        "course:2: expected stored, got incomplete",
        "course:1: the catalog does not list it",
        "course:2: the catalog lists it, although it has a good copy",
    ]


def test_of_a_night_that_left_nothing(tmp_path: Path, said: list[str]) -> None:
    surprises = check(tmp_path, EXPECTED, said.append)
    assert "course:1: expected stored, got nothing" in surprises
    assert surprises[-1] == "the catalog finds no archive"
    assert any(text.startswith("no archive here: file://") for text in said)


class TestRunsStartedByHand:
    @pytest.mark.parametrize("dag_id", ["canvas_backup_end_of_term_archive", "canvas_backup_pilot", NIGHTLY])
    @pytest.mark.parametrize("day", [22, 23, 24])
    def test_their_reports_are_not_the_nights(
        self, night: Path, said: list[str], dag_id: str, day: int
    ) -> None:
        store = FileStore(night.as_uri(), night)
        report(store, outcome("course:1", "failed"), day=date(2026, 11, day), dag_id=dag_id, run_id="manual")
        assert check(night, EXPECTED, said.append) == []

    def test_a_course_that_was_stored_by_hand_first_is_unchanged_in_the_night(
        self, tmp_path: Path, said: list[str]
    ) -> None:
        store = FileStore(tmp_path.as_uri(), tmp_path)
        lay(store, by_run("manual__1", manifest("course:1", export_id=1)))
        lay(store, by_run("demo__1", manifest("course:2", export_id=2)))
        rows = (outcome("course:1", "unchanged"), outcome("course:2", "unchanged"))
        report(store, *rows, dag_id=NIGHTLY, run_id="demo__1")
        expected = {"course:1": "stored", "course:2": "stored"}
        assert check(tmp_path, expected, said.append) == ["course:2: expected stored, got unchanged"]

    def test_courses_that_are_not_of_the_night_do_not_matter(self, night: Path, said: list[str]) -> None:
        store = FileStore(night.as_uri(), night)
        lay(store, by_run("manual__1", manifest("course:9", export_id=9, verdict=Verdict.INCOMPLETE)))
        assert check(night, EXPECTED, said.append) == []


def test_a_run_with_a_failed_course_fails() -> None:
    assert expected_state(EXPECTED) == "failed"
    assert expected_state({"course:1": "stored", "course:4": "empty", "course:5": "unchanged"}) == "success"
