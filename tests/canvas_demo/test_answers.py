"""The demo ends with two answers, and says so where one of them is not the expected one."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.catalog.holdings import lay, manifest
from tests.catalog.reports import outcome, report

from canvas_demo.answers import close
from canvas_exports.archive.proof.model import Verdict
from canvas_exports.archive.stores.file_store import FileStore

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
    report(
        store,
        *(outcome(context, word, "because") for context, word in EXPECTED.items()),
        dag_id="canvas_backup_nightly",
    )
    return tmp_path


def test_it_tells_who_has_no_good_copy_and_why(
    night: Path, said: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert close(night, EXPECTED, said.append) == []
    assert said[-1] == "All 4 outcomes are the expected ones."
    told = capsys.readouterr().out
    assert "course:2 Course 2" in told
    assert "denied in the last run: because" in told
    assert told.endswith("2 of 4 have a good copy, 2 have none.\n")


def test_asked_again_it_says_the_same(
    night: Path, said: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    close(night, EXPECTED, said.append)
    first = capsys.readouterr().out
    close(night, EXPECTED, said.append)
    assert capsys.readouterr().out == first


def test_what_is_not_as_expected_is_named(night: Path, said: list[str]) -> None:
    expected = {**EXPECTED, "course:1": "incomplete", "course:2": "stored"}
    assert close(night, expected, said.append) == [
        "course:1: expected incomplete, got stored",
        "course:2: expected stored, got incomplete",
        "course:1: the catalog does not name it",
        "course:2: the catalog names it, though it has a good copy",
    ]


def test_of_a_night_that_left_nothing(tmp_path: Path, said: list[str]) -> None:
    assert "course:1: expected stored, got nothing" in close(tmp_path, EXPECTED, said.append)
