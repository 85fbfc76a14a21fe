"""The note of a DAG run, in a real metadata database."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas_exports.notifications.run_note import merged, note_run

SUPPORT = Path(__file__).parents[1] / "support" / "airflow"


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """State and note of a run of each DAG in ``airflow_with_notes``."""
    folder = tmp_path_factory.mktemp("notes")
    (folder / "archive").mkdir()
    ran = subprocess.run(
        [sys.executable, str(SUPPORT / "airflow_with_notes.py")],
        env={
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "AIRFLOW_HOME": str(folder / "airflow"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(SUPPORT / "noted"),
            "NOTED_ARCHIVE": (folder / "archive").as_uri(),
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(folder / "airflow" / "logs"),
            "AIRFLOW_CONN_CANVAS_DEFAULT": json.dumps(
                {"conn_type": "canvas", "host": "http://127.0.0.1:9", "password": "none"}
            ),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    (told,) = [line for line in ran.stdout.splitlines() if line.startswith("NOTES ")] or [ran.stderr[-3000:]]
    found: dict[str, Any] = json.loads(told.removeprefix("NOTES "))
    return found


def test_a_run_that_ends_well_has_its_note(notes: dict[str, Any]) -> None:
    assert notes["told"] == ["success", "0 of 2 good; 2 need attention"]


def test_a_run_that_ends_badly_has_its_note(notes: dict[str, Any]) -> None:
    assert notes["judged"] == ["failed", "0 of 2 good; 2 need attention"]


def test_an_operator_that_was_made_of_ours_has_its_note(notes: dict[str, Any]) -> None:
    assert notes["subclassed"] == ["success", "0 of 2 good; 2 need attention"]


def test_a_run_without_a_report_says_so_and_which_task_failed(notes: dict[str, Any]) -> None:
    assert notes["unreported"] == ["failed", "no run report: report failed"]
    assert notes["unlisted"] == ["failed", "no run report: list failed"]


def test_the_runs_of_other_dags_are_left_alone(notes: dict[str, Any]) -> None:
    assert notes["foreign"] == ["success", None]


def test_what_a_person_wrote_stays_and_our_own_line_is_replaced(notes: dict[str, Any]) -> None:
    kept, full = notes["again"]
    assert kept == "Asked Vera, she says it is fine.\n0 of 2 good; 2 need attention"
    assert full == "y" * 990, "no word of a person is cut off for ours"


def test_what_a_foreign_task_left_under_our_key_is_made_harmless_or_passed_over(
    notes: dict[str, Any],
) -> None:
    state, note = notes["hostile"]
    assert state == "success"
    assert note.isprintable()
    assert len(note) <= 200
    assert notes["garbled"][0] == "success"


def test_a_note_that_cannot_be_written_costs_the_run_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        note_run(SimpleNamespace(run_id="night", dag_id="canvas_backup_nightly"))  # type: ignore[arg-type]
    assert "cannot write the note of run night of canvas_backup_nightly" in caplog.text


@given(note=st.none() | st.text(max_size=1100), bad=st.integers(0, 9), more=st.integers(0, 9))
def test_a_line_is_there_once_however_often_the_run_ends(note: str | None, bad: int, more: int) -> None:
    first = merged(note, f"{10 - bad} of 10 good; {bad} need attention")
    second = merged(first, f"{10 - more} of 10 good")
    assert len(second or "") <= max(1000, len(note or ""))
    if second != note:
        assert (second or "").splitlines()[-1] == f"{10 - more} of 10 good"
        assert merged(note, f"{10 - more} of 10 good") == second
