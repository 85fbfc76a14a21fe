from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.support.airflow.task_runner import TaskRun

from canvas_exports.core.export.planning.batch_plan import (
    BatchReference,
    planned,
    read_planned_facts,
    read_planned_readings,
)
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.operators.list_courses import CanvasListCoursesOperator
from canvas_sandbox import Course, Fault, RequestFault, Sandbox, Term


@pytest.fixture(scope="module")
def campus() -> Iterator[Sandbox]:
    courses = [
        Course(id=number, name=f"Course {number}", sis_course_id=f"SIS/{number}.1", term_id=1 + number % 2)
        for number in range(100, 106)
    ]
    courses.append(Course(id=200, faults=[Fault.DELETED]))
    with Sandbox(courses, terms=[Term(1, "Autumn"), Term(2, "Winter")]) as sandbox:
        yield sandbox


def task(canvas: Sandbox, **arguments: Any) -> TaskRun:
    connections = {"canvas_default": {"conn_type": "canvas", "host": canvas.url, "password": canvas.token}}
    return TaskRun(lambda: CanvasListCoursesOperator(task_id="list", **arguments), connections)


def listed(canvas: Sandbox, **arguments: Any) -> Any:
    task_run = task(canvas, **arguments)
    assert task_run.run_segment() == "success"
    return task_run.receipt


def test_explicit_ids_are_cut_into_batches(campus: Sandbox) -> None:
    assert listed(campus, courses=[100, "101", "course:102"], groups=["7"], batch_size=3) == [
        ["course:100", "course:101", "course:102"],
        ["group:7"],
    ]


def test_a_course_that_canvas_does_not_know_is_kept_for_its_batch_to_report(campus: Sandbox) -> None:
    assert listed(campus, courses=["sis_course_id:nowhere"]) == [["course:sis_course_id:nowhere"]]


@pytest.mark.parametrize("effect", ["bad_request_page", "bad_token", "login_page"])
def test_a_sis_id_that_canvas_refuses_is_kept_for_its_batch_to_report(campus: Sandbox, effect: str) -> None:
    fault = RequestFault(effect, path="sis_course_id", times=None)
    campus.inject(fault)
    assert listed(campus, courses=["sis_course_id:SIS/103.1", 100]) == [
        ["course:sis_course_id:SIS/103.1", "course:100"]
    ]
    fault.times = 0


def test_an_account_is_listed_whole(campus: Sandbox) -> None:
    assert listed(campus, account=1) == [[f"course:{number}" for number in range(100, 106)]]


def test_several_terms_are_asked_for_one_by_one(campus: Sandbox) -> None:
    terms = [1, 2]
    assert sorted(listed(campus, account="self", filters={"enrollment_term_id": terms})[0]) == [
        f"course:{number}" for number in range(100, 106)
    ]


def test_a_list_file_is_read(campus: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "pilot.csv").write_text("name,sis_course_id\nA,SIS/101.1\nB,SIS/102.1\n")
    assert listed(campus, course_list=str(tmp_path / "pilot.csv")) == [["course:101", "course:102"]]


def test_never_backed_up_first_then_the_oldest(campus: Sandbox, tmp_path: Path) -> None:
    for age, number in enumerate([103, 100, 101]):
        manifest = tmp_path / "courses" / str(number) / "20261101T000000Z-common_cartridge-1.json"
        manifest.parent.mkdir(parents=True)
        manifest.write_text("{}")
        os.utime(manifest, (1_000_000 - age, 1_000_000 - age))
    references = listed(campus, courses=[100, 101, 102, 103], archive=tmp_path.as_uri())
    with open_store(tmp_path.as_uri()) as store:
        assert list(planned(store, references)) == ["course:102", "course:101", "course:100", "course:103"]


def test_the_plan_says_when_courses_were_updated_if_unchanged_ones_may_be_skipped(
    campus: Sandbox, tmp_path: Path
) -> None:
    before = len(campus.requests)
    references = listed(campus, account=1, archive=tmp_path.as_uri(), batch_size=4, skip_unchanged="P7D")
    (asked,) = (each for each in campus.requests[before:] if each.path.endswith("/courses"))
    assert "updated_at" in asked.query
    with open_store(tmp_path.as_uri()) as store:
        found = [read_planned_readings(store, BatchReference.from_json(each)) for each in references]
    assert [len(each) for each in found] == [4, 2]
    assert found[0]["course:100"].updated_at == campus.updated_at(100)


def test_without_it_nothing_more_is_asked_for(campus: Sandbox, tmp_path: Path) -> None:
    before = len(campus.requests)
    references = listed(campus, account=1, archive=tmp_path.as_uri())
    (asked,) = (each for each in campus.requests[before:] if each.path.endswith("/courses"))
    assert "updated_at" not in asked.query
    with open_store(tmp_path.as_uri()) as store:
        assert read_planned_readings(store, BatchReference.from_json(references[0])) == {}


@pytest.mark.parametrize("skip_unchanged", ["never", "P7D"])
def test_the_plan_says_what_manifests_state_of_the_courses_of_an_account(
    campus: Sandbox, tmp_path: Path, skip_unchanged: str
) -> None:
    references = listed(
        campus, account=1, archive=tmp_path.as_uri(), batch_size=4, skip_unchanged=skip_unchanged
    )
    with open_store(tmp_path.as_uri()) as store:
        found = [read_planned_facts(store, BatchReference.from_json(each)) for each in references]
    rows = {context: row for each in found if each is not None for context, row in each.rows.items()}
    assert list(rows) == [f"course:{number}" for number in range(100, 106)]
    name, _, sis_id, uuid, account_id, term = rows["course:101"]
    assert (name, sis_id, account_id, term) == ("Course 101", "SIS/101.1", 1, "Winter")
    assert len(uuid) == 40
    assert {each.canvas for each in found if each is not None} == {campus.url}


def test_a_course_known_by_its_number_alone_is_left_to_its_batch(campus: Sandbox, tmp_path: Path) -> None:
    manifest = tmp_path / "courses" / "100" / "20261101T000000Z-common_cartridge-1.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text("{}")
    (reference,) = listed(campus, courses=[100], archive=tmp_path.as_uri())
    assert "readings" not in reference
    assert not list(tmp_path.rglob("readings"))


def test_the_courses_that_had_to_be_read_to_list_them_are_not_read_again(
    campus: Sandbox, tmp_path: Path
) -> None:
    (reference,) = listed(campus, courses=["sis_course_id:SIS/103.1", 104], archive=tmp_path.as_uri())
    with open_store(tmp_path.as_uri()) as store:
        found = read_planned_facts(store, BatchReference.from_json(reference))
    assert found is not None
    assert found.rows.keys() == {"course:103", "course:104"}


def test_a_list_that_cannot_be_read_is_not_an_empty_list(campus: Sandbox, tmp_path: Path) -> None:
    task_run = task(campus, course_list=str(tmp_path / "missing.csv"))
    assert task_run.run_segment() == "failed"
    assert "missing.csv" in str(task_run.error)


def test_no_course_at_all_fails_unless_it_is_allowed(campus: Sandbox) -> None:
    nothing = {"account": 1, "filters": {"search_term": "no such course"}}
    task_run = task(campus, **nothing)
    assert task_run.run_segment() == "failed"
    assert "nothing would be backed up" in str(task_run.error)
    assert listed(campus, **nothing, allow_empty=True) == []


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"courses": ["x"]}, "courses"),
        ({"courses": [1], "batch_size": 0}, "batch_size"),
        ({"courses": [1], "batch_size": 150, "export_types": ["zip", "qti"]}, "batch_size"),
        ({"courses": [1], "skip_unchanged": "P60D"}, "skip_unchanged"),
        ({"filters": {"state": "available"}}, "filters"),
        ({"account": 1, "filters": {"colour": "red"}}, "filters"),
        ({"account": "a/b"}, "account"),
        ({"course_list": "courses.pdf"}, "course_list"),
    ],
)
def test_bad_input_is_named_and_not_retried(campus: Sandbox, arguments: dict[str, Any], named: str) -> None:
    task_run = task(campus, **arguments)
    task_run.max_tries = 3
    assert task_run.run_segment() == "failed"
    assert named in str(task_run.error)


def test_a_canvas_that_is_down_is_retried(campus: Sandbox) -> None:
    task_run = task(campus, account=1)
    task_run.max_tries = 3
    task_run.supervisor.connections["canvas_default"]["host"] = "http://127.0.0.1:9"
    assert task_run.run_segment() == "up_for_retry"


@pytest.mark.parametrize(
    "asked",
    [
        {"courses": [100]},
        {"courses": ["sis_course_id:SIS/100.1"]},
        {"account": 1, "filters": {"search_term": "Course 100"}},
    ],
)
def test_a_course_that_never_had_a_copy_has_its_name_in_the_plan_and_not_in_airflow(
    campus: Sandbox, tmp_path: Path, asked: dict[str, Any]
) -> None:
    task_run = task(campus, archive=tmp_path.as_uri(), **asked)
    assert task_run.run_segment() == "success"
    assert "Course 100" not in json.dumps(task_run.supervisor.xcoms)
    (plan,) = tmp_path.glob("runs/**/plan/0.jsonl")
    head = json.loads(plan.read_text().splitlines()[0])
    assert head["canvas"] == campus.url
    name, _, sis_id, term = head["names"]["course:100"]
    assert (name, sis_id, term) == ("Course 100", "SIS/100.1", "Autumn")


def test_a_course_whose_name_canvas_does_not_tell_is_listed_all_the_same(
    campus: Sandbox, tmp_path: Path
) -> None:
    references = listed(campus, courses=[200, 999], archive=tmp_path.as_uri())
    with open_store(tmp_path.as_uri()) as store:
        assert list(planned(store, references)) == ["course:200", "course:999"]


def refused(canvas: Sandbox, **arguments: Any) -> str:
    task_run = task(canvas, **arguments)
    assert task_run.run_segment() == "failed"
    assert not canvas.exports
    return str(task_run.error)


def test_what_a_person_pastes_is_understood(campus: Sandbox) -> None:
    pasted = [f"{campus.url}/courses/100/modules", "101, 102 103", "104"]
    assert listed(campus, courses=pasted) == [[f"course:{number}" for number in range(100, 105)]]


def test_an_address_of_another_canvas_is_not_taken_for_a_course_of_this_one(campus: Sandbox) -> None:
    said = refused(campus, courses=["https://other.example.edu/courses/100"])
    assert "courses: the address of course:100 leads to other.example.edu" in said


def test_a_wrong_id_is_a_sentence_with_its_field(campus: Sandbox) -> None:
    assert "courses: 'BIO-101' is not a Canvas course id. Accepted: 101, " in refused(
        campus, courses=["BIO-101"]
    )
    assert "groups: 'x' is not a Canvas group id. Accepted: " in refused(campus, groups=["x"])


def test_a_mistake_that_the_report_would_find_is_found_before_anything_is_exported(campus: Sandbox) -> None:
    assert refused(campus, courses=["100"], fail_on="20 courses").startswith("fail_on: ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "the fields courses, groups and users are empty. Name at least one."),
        ({"courses": [], "groups": None}, "the fields courses, groups and users are empty"),
        (
            {"account": 1, "filters": {"search_term": "no such course"}},
            "account 1 has no course that passes the filters. Correct the filters.",
        ),
    ],
)
def test_where_nothing_was_found_is_said(campus: Sandbox, arguments: dict[str, Any], said: str) -> None:
    assert said in refused(campus, **arguments)


def test_the_log_says_the_sources_the_filters_and_what_was_left_out_and_why(
    campus: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "courses.txt"
    path.write_text("100\n101\nsis_course_id:nowhere\n")
    with capture_logs() as lines:
        listed(
            campus,
            courses=[100, "sis_course_id:SIS/100.1"],
            course_list=str(path),
            account=1,
            filters={"enrollment_term_id": 1, "search_term": "Course"},
        )
    said = [line["event"] % tuple(line.get("positional_args", ())) for line in lines]
    said += [record.getMessage() for record in caplog.records]
    for wanted in (
        "courses: 2",
        f"course_list {path}: 3",
        "account 1 (enrollment_term_id: 1; search_term: ...): 3",
        "left out: named more than once",
        "1 without a number in Canvas, left to their batches to report: course:sis_course_id:nowhere",
    ):
        assert any(wanted in line for line in said), (wanted, said)
