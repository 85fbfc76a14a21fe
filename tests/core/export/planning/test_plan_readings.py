"""A plan keeps the readings of its courses beside it, and is complete without them."""

from __future__ import annotations

import json
from datetime import date, datetime, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas_exports.core.archive.key_patterns import KeyPatterns
from canvas_exports.core.canvas.api.models import Course
from canvas_exports.core.export.changes.probe import LIST, PAGES, Reading
from canvas_exports.core.export.planning.batch_plan import (
    BatchReference,
    planned_names,
    read_batch,
    read_planned_facts,
    read_planned_readings,
    write_plan,
)
from canvas_exports.core.export.planning.course_facts import CourseFacts
from canvas_exports.core.export.planning.plan_readings import read_facts, read_readings
from canvas_exports.core.model.contexts import Context
from canvas_exports.core.model.runs import RunInfo
from canvas_exports.core.storage.local import FileStore

RUN = RunInfo("nightly", "manual__2026-11-23", "list", date(2026, 11, 23))
FOLDER = "runs/2026-11-23/nightly/manual__2026-11-23/plan/"
READ_AT = datetime(2026, 11, 23, 2, tzinfo=timezone.utc)


def reading(number: int, source: str = LIST) -> Reading:
    return Reading(f"2026-11-{number:02d}T10:00:00Z", READ_AT, source)


def readings(*numbers: int) -> dict[str, Reading]:
    return {f"course:{number}": reading(number) for number in numbers}


def courses(*numbers: int) -> list[Context]:
    return [Context.parse(number) for number in numbers]


def facts(*numbers: int) -> CourseFacts:
    found = CourseFacts("https://canvas.example.edu", READ_AT)
    for number in numbers:
        found.add(
            Course(number, f"Biology {number}", f"BIO-{number}", None, 3, term_name="Autumn", uuid="u" * 40)
        )
    return found


def names_in(store: FileStore, reference: BatchReference) -> dict[str, str]:
    found = read_planned_facts(store, reference)
    return {} if found is None else {context: row[0] for context, row in found.rows.items()}


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path.as_uri(), tmp_path)


def test_each_batch_finds_its_readings(store: FileStore) -> None:
    known = {**readings(5, 3), "course:4": reading(4, PAGES), "course:9": reading(9)}
    first, second = write_plan(store, RUN, courses(5, 3, 4, 6), 2, readings=known)
    assert read_planned_readings(store, first) == readings(5, 3)
    assert read_planned_readings(store, second) == {"course:4": reading(4, PAGES)}
    assert [read_batch(store, each) for each in (first, second)] == [
        ["course:5", "course:3"],
        ["course:4", "course:6"],
    ]
    assert [info.key for info in store.list()] == [f"{FOLDER}0.jsonl", f"{FOLDER[:-5]}readings/0.jsonl"]
    assert all(KeyPatterns().owns(info.key) for info in store.list())


def test_a_reference_with_readings_goes_through_an_xcom(store: FileStore) -> None:
    (reference,) = write_plan(store, RUN, courses(5), 2, readings=readings(5))
    again = BatchReference.from_json(json.loads(json.dumps(reference.to_json())))
    assert again == reference
    assert isinstance(reference.to_json()["readings"], list)  # Airflow gives a tuple another form
    assert read_planned_readings(store, again) == readings(5)


def test_each_batch_finds_the_facts_of_its_courses_beside_its_readings(store: FileStore) -> None:
    first, second, third = write_plan(
        store, RUN, courses(5, 3, 4, 6, 7), 2, readings=readings(5, 3), facts=facts(3, 4, 5, 9)
    )
    assert names_in(store, first) == {"course:5": "Biology 5", "course:3": "Biology 3"}
    assert names_in(store, second) == {"course:4": "Biology 4"}
    assert read_planned_facts(store, third) is None
    assert [read_planned_readings(store, each) for each in (first, second)] == [readings(5, 3), {}]
    assert read_batch(store, second) == ["course:4", "course:6"]


def test_facts_without_readings_take_no_more_room_in_a_reference(store: FileStore) -> None:
    (reference,) = write_plan(store, RUN, courses(5), 2, facts=facts(5))
    assert reference.to_json().keys() == {"plan", "batch", "start", "length", "name", "readings"}
    again = BatchReference.from_json(json.loads(json.dumps(reference.to_json())))
    assert names_in(store, again) == {"course:5": "Biology 5"}


def test_without_readings_a_plan_is_as_it_always_was(store: FileStore) -> None:
    (reference,) = write_plan(store, RUN, courses(5), 2, facts=facts(6))
    assert reference.to_json().keys() == {"plan", "batch", "start", "length", "name"}
    assert [info.key for info in store.list()] == [f"{FOLDER}0.jsonl"]
    assert read_planned_readings(store, reference) == {}


def test_the_plan_itself_holds_only_what_the_previous_release_reads(store: FileStore) -> None:
    write_plan(store, RUN, courses(5, 3), 1, readings=readings(5, 3), facts=facts(5, 3))
    head, *batches = store.read(f"{FOLDER}0.jsonl").splitlines()
    assert json.loads(head) == {"schema": "urn:canvas-exports:plan:1", "first": 0}
    assert list(map(json.loads, batches)) == [["course:5"], ["course:3"]]


def test_a_list_made_again_keeps_the_first_readings_and_adds_those_of_new_courses(store: FileStore) -> None:
    first = write_plan(store, RUN, courses(5, 3), 1, readings=readings(5, 3))
    newer = {f"course:{number}": reading(28) for number in (5, 3, 4)}
    again = write_plan(store, RUN, courses(5, 3, 4), 1, readings=newer)
    assert again[:2] == first
    assert [read_planned_readings(store, each) for each in again] == [
        readings(5),
        readings(3),
        {"course:4": reading(28)},
    ]
    assert planned_names(store, RUN).courses == {}


def test_readings_of_an_attempt_that_died_before_its_plan_do_no_harm(store: FileStore) -> None:
    dead = write_plan(store, RUN, courses(7, 8), 1, readings=readings(7, 8))
    assert dead
    store.delete(f"{FOLDER}0.jsonl")
    first, second = write_plan(store, RUN, courses(8, 9), 1, readings=readings(8, 9))
    assert "course:8" not in read_planned_readings(store, first)
    assert "course:9" not in read_planned_readings(store, second)


@given(
    st.binary(max_size=200)
    | st.sampled_from(
        [
            b'{"course:5": ["a", "b", "c"]}',
            b'{"course:5": 7}',
            b'{"facts": {"courses": {}}}',
            b"[]",
            b'{"course:5": ["2026-11-20T10:00:00Z", "2026-11-23T02:00:00Z", "Hearsay!"]}',
            b'{"course:5": ["2026-11-20T10:00:00Z", "2026-11-23T02:00:00Z", ["list"]]}',
            b'{"course:5": ["2026-11-20 10:00", "2026-11-23T02:00:00Z", "list"]}',
            b'{"course:5": [{}, "2026-11-23T02:00:00Z", "list"]}',
        ]
    )
)
def test_whatever_lies_there_is_no_error(tmp_path_factory: pytest.TempPathFactory, line: bytes) -> None:
    folder = tmp_path_factory.mktemp("archive")
    store = FileStore(folder.as_uri(), folder)
    store.put_if_absent("runs/x/readings/0.jsonl", line)
    assert read_readings(store, "runs/x/plan/0.jsonl", (0, len(line))) == {}
    assert read_readings(store, "runs/x/plan/1.jsonl", (0, 10)) == {}
    assert read_readings(store, "runs/x/plan/0.jsonl", (500, 10)) == {}
    assert read_facts(store, "runs/x/plan/0.jsonl", (0, len(line))) is None
    assert read_facts(store, "runs/x/plan/1.jsonl", (0, 10)) is None
    assert read_facts(store, "runs/x/plan/0.jsonl", (500, 10)) is None


@pytest.mark.parametrize("span", [None, [], [1], [1, 2, 3], ["1", "2"], [True, 5], [-1, 5], {"a": 1}])
def test_a_reference_with_an_odd_place_of_readings_has_none(span: object) -> None:
    document = {
        "plan": "runs/x/plan/0.jsonl",
        "batch": 0,
        "start": 9,
        "length": 9,
        "name": "x",
        "readings": span,
    }
    assert BatchReference.from_json(document).readings is None
