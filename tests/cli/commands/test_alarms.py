"""Alarms are listed with their evidence until a person releases the course."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.support.archives.alarms import FULL, NOTHING, lay_nights
from tests.support.archives.holdings import DAY, START
from tests.support.archives.run_reports import NIGHT

from canvas_exports.core.archive.alarms.hold_copies import hold_copies
from canvas_exports.core.archive.alarms.judge_course import judge_course
from canvas_exports.core.archive.catalog.read import copies_of
from canvas_exports.core.archive.run_report import run_document
from canvas_exports.core.model.alarm import Alarm
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.storage.local import FileStore

SHRUNK = Alarm(
    "list_shrank", "run", "The list of courses lost 500.", "Check the rights.", evidence={"missing": []}
)


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    store = FileStore(tmp_path.as_uri(), tmp_path)
    lay_nights(store, FULL, NOTHING)
    return store


@pytest.fixture
def ask(store: FileStore, run_command: Any) -> Any:
    return partial(run_command, store.uri)


def alarmed(store: FileStore) -> Alarm:
    (alarm,) = hold_copies(store, judge_course(copies_of(store, "course", 101).copies), at=START + 2 * DAY)
    return alarm


def test_without_any_there_is_nothing_to_do(ask: Any) -> None:
    assert ask("alarms") == (0, "There is no alarm.\n")


def test_an_alarm_of_a_course_is_listed_with_its_evidence(store: FileStore, ask: Any) -> None:
    alarm = alarmed(store)
    status, text = ask("alarms")
    assert status == 1
    assert "course:101 BIO-101, since 2026-11-03: course_emptied" in text
    assert alarm.sentence in text
    status, text = ask("alarms", "--json")
    (listed,) = json.loads(text)["courses"]
    assert (listed["context"], listed["held_at"]) == ("course:101", "2026-11-03T02:00:00Z")
    assert listed["evidence"] == alarm.evidence


def test_an_alarm_of_a_run_is_listed_for_a_week(store: FileStore, ask: Any) -> None:
    document = run_document(
        [], run=RunFacts("x", "nightly", "r"), started_at=START, finished_at=START, alarms=[SHRUNK]
    )
    store.replace(f"runs/{NIGHT}/nightly/r/report.json", document)
    status, text = ask("alarms")
    assert status == 1
    assert "nightly, run of 2026-11-01: list_shrank" in text
    assert json.loads(ask("alarms", "--json")[1])["runs"][0]["sentence"] == SHRUNK.sentence
    later = run_document([], run=RunFacts("x", "nightly", "s"), started_at=START, finished_at=START)
    store.replace(f"runs/{NIGHT.replace(day=30)}/nightly/s/report.json", later)
    assert ask("alarms")[0] == 0
    assert ask("alarms", "--days", "30")[0] == 1


def test_release_ends_the_alarm_and_no_other_hold(store: FileStore, ask: Any) -> None:
    alarmed(store)
    ask("hold", "101", "--tag", "legal")
    assert ask("release", "101") == (0, "1 package of course:101 released.\n")
    assert ask("alarms")[0] == 0
    assert "legal" in ask("hold")[1]
    assert ask("release", "101") == (0, "No copy of course:101 is held by an alarm.\n")
    assert json.loads(ask("release", "101", "--json")[1]) == {"context": "course:101", "records": []}


def test_text_of_a_foreign_record_reaches_no_terminal(store: FileStore, ask: Any) -> None:
    (found,) = judge_course(copies_of(store, "course", 101).copies)
    foreign = replace(found, alarm=replace(found.alarm, sentence="\x1b[2Jgone", name="\u202ebad"))
    hold_copies(store, [foreign], at=START + 2 * DAY)
    text = ask("alarms")[1]
    assert "\x1b" not in text
    assert "\u202e" not in text
