"""Courses in trouble keep their names: what the list learns reaches the report through the plan in the archive."""

from __future__ import annotations

import json
from dataclasses import astuple
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas_exports.core.archive.run_report import OutcomeRecord
from canvas_exports.core.canvas.api.models import Course
from canvas_exports.core.export.planning import course_names
from canvas_exports.core.export.planning.batch_plan import (
    plan_folder,
    planned,
    planned_names,
    read_batch,
    write_plan,
)
from canvas_exports.core.export.planning.course_lists import parse_list
from canvas_exports.core.export.planning.course_names import CourseName, Names
from canvas_exports.core.model.contexts import Context, ContextKind
from canvas_exports.core.model.runs import RunInfo
from canvas_exports.core.storage.local import FileStore
from canvas_exports.errors import CanvasUnavailableError, NotFoundError

RUN = RunInfo("nightly", "manual__2026-11-23", "list", date(2026, 11, 23))
BIOLOGY = Course(
    id=101,
    name="Biology",
    course_code="BIO 101",
    sis_course_id="BIO-101",
    term_name="Autumn",
    sis_term_id="A26",
)


class Canvas:
    """Knows the courses it is given, and counts."""

    def __init__(self, *courses: Course, trouble: Exception | None = None) -> None:
        self.courses = {course.id: course for course in courses}
        self.problem = trouble
        self.asked: list[str] = []

    def course(self, context: Context) -> Course:
        self.asked.append(str(context))
        if self.problem is not None:
            raise self.problem
        for course in self.courses.values():
            if context.id in (str(course.id), f"sis_course_id:{course.sis_course_id}"):
                return course
        raise NotFoundError("not there")

    def resolve(self, context: Context) -> int:
        self.asked.append(str(context))
        return 7


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path.as_uri(), tmp_path)


def contexts(*numbers: int) -> list[Context]:
    return [Context(ContextKind.COURSE, str(number)) for number in numbers]


def test_what_canvas_lists_has_its_name() -> None:
    names = Names()
    assert str(names.add_course(BIOLOGY)) == "course:101"
    assert names.courses == {"course:101": CourseName("Biology", "BIO 101", "BIO-101", "Autumn")}


def test_a_sis_id_is_resolved_and_named_by_one_request() -> None:
    names, canvas = Names(), Canvas(BIOLOGY)
    resolve = names.resolver(canvas)
    assert resolve(Context.parse("sis_course_id:BIO-101")) == 101
    assert resolve(Context.parse("user:self")) == 7
    assert len(canvas.asked) == 2
    assert set(names.courses) == {"course:101"}


def test_a_csv_list_names_its_courses() -> None:
    names = Names()
    text = (
        "canvas_course_id,course_id,short_name,long_name,term_id\n"
        '101,BIO-101,BIO 101,"Biology, part 1",A26\n'
        "102,,,,\n"
    )
    assert len(list(parse_list(text, "csv", names=names))) == 2
    assert names.courses == {"course:101": CourseName("Biology, part 1", "BIO 101", None, "A26")}


def test_nobody_is_asked_for_a_name_that_is_known_and_for_few_at_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(course_names, "MOST_ASKED", 2)
    names, canvas = Names(), Canvas(BIOLOGY)
    names.add_course(BIOLOGY)
    listed = [
        *contexts(101, 102),
        Context.parse("group:7"),
        Context.parse("sis_course_id:X"),
        *contexts(103, 104),
    ]
    names.request_missing(canvas, names.nameless(listed))
    assert canvas.asked == ["course:102", "course:103"]


def test_a_canvas_in_trouble_is_left_alone_and_nothing_fails() -> None:
    names, canvas = Names(), Canvas(trouble=CanvasUnavailableError("down"))
    names.request_missing(canvas, contexts(1, 2, 3))
    assert canvas.asked == ["course:1"]
    assert names.courses == {}


def test_names_travel_with_the_plan_and_change_nothing_in_it(store: FileStore) -> None:
    names = Names(canvas="https://canvas.example.edu")
    names.add_course(BIOLOGY)
    references = write_plan(store, RUN, contexts(101, 102, 103), 2, names=names)
    assert [read_batch(store, each) for each in references] == [["course:101", "course:102"], ["course:103"]]
    assert list(planned(store, [each.to_json() for each in references])) == [
        "course:101",
        "course:102",
        "course:103",
    ]
    assert planned_names(store, RUN) == names
    assert "Biology" not in json.dumps([each.to_json() for each in references]), (
        "nothing of it is for Airflow"
    )


def test_a_list_that_is_made_again_names_what_is_new(store: FileStore) -> None:
    names = Names()
    names.add_course(BIOLOGY)
    write_plan(store, RUN, contexts(101), 2, names=names)
    names.add_course(Course(id=102, name="Chemistry"))
    write_plan(store, RUN, contexts(101, 102), 2, names=names)
    assert {context: name.name for context, name in planned_names(store, RUN).courses.items()} == {
        "course:101": "Biology",
        "course:102": "Chemistry",
    }


def test_a_plan_of_an_earlier_release_has_no_names(store: FileStore) -> None:
    write_plan(store, RUN, contexts(101), 2)
    assert (
        store.read(f"{plan_folder(RUN)}0.jsonl").splitlines()[0]
        == b'{"schema":"urn:canvas-exports:plan:1","first":0}'
    )
    assert planned_names(store, RUN) == Names()
    assert planned_names(store, RunInfo("other", "x", "list", date(2026, 11, 23))) == Names()


def test_names_have_a_bound_and_the_neediest_have_theirs_first(monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names()
    for number in (101, 102):
        names.add_course(Course(id=number, name="x" * 10_000))
    assert len(names.courses["course:101"].name or "") == 120
    monkeypatch.setattr(course_names, "MOST_CHARACTERS", 200)
    assert list(names.to_json(["course:102", "course:101"])["names"]) == ["course:102"]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["canvas", "names", "course:1"]), inner)
    ),
    max_leaves=12,
)


@given(ANYTHING | st.binary(max_size=40))
def test_whatever_stands_in_a_plan_costs_names_only(
    tmp_path_factory: pytest.TempPathFactory, head: Any
) -> None:
    folder = tmp_path_factory.mktemp("archive")
    store = FileStore(folder.as_uri(), folder)
    store.replace(
        f"{plan_folder(RUN)}0.jsonl", head if isinstance(head, bytes) else json.dumps(head).encode()
    )
    found = planned_names(store, RUN)
    for name in found.courses.values():
        assert all(part is None or part.isprintable() for part in astuple(name))
        row = OutcomeRecord("course:1", "zip", "failed", "why", name="CODE")
        assert found.named(row).name == "CODE", "what the manifest says counts"
