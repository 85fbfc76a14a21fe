from __future__ import annotations

import pytest

from canvas_exports.core.model.contexts import Context, ContextKind
from canvas_exports.errors import InputError


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("101", "course:101"),
        (101, "course:101"),
        (" 00101 ", "course:101"),
        ("course:101", "course:101"),
        ("course: 101", "course:101"),
        ("sis_course_id:BIO-101/A", "course:sis_course_id:BIO-101/A"),
        ("course:sis_course_id:a:b", "course:sis_course_id:a:b"),
        ("uuid:abc", "course:uuid:abc"),
        ("group:7", "group:7"),
        ("group:sis_group_id:x", "group:sis_group_id:x"),
        ("user:self", "user:self"),
        ("user:sis_login_id:jo", "user:sis_login_id:jo"),
    ],
)
def test_contexts_are_read_as_people_write_them(written: str | int, meant: str) -> None:
    context = Context.parse(written)
    assert str(context) == meant
    assert Context.parse(str(context)) == context


@pytest.mark.parametrize(
    "written",
    [
        "",
        "0",
        "-1",
        "self",
        "course:self",
        "BIO-101",
        "sis_course_id:",
        "sis_course_id: ",
        "sis_course_id:a\nb",
        "group:sis_course_id:x",
        "section:5",
        "1" * 20,
        "sis_course_id:" + "x" * 256,
        "101/../102",
    ],
)
def test_anything_else_is_refused_and_the_accepted_forms_are_named(written: str) -> None:
    with pytest.raises(InputError, match="sis_course_id:BIO-101") as caught:
        Context.parse(written, field="courses")
    assert caught.value.field == "courses"


def test_a_name_becomes_a_number_once_canvas_has_resolved_it() -> None:
    named = Context.parse("sis_course_id:BIO")
    assert named.canvas_id is None
    assert named.resolved(101) == Context(ContextKind.COURSE, "101")
    assert named.resolved(101).canvas_id == 101


def test_the_kind_that_is_meant_can_be_said_once() -> None:
    assert Context.parse("7", kind=ContextKind.GROUP) == Context(ContextKind.GROUP, "7")
    assert Context.parse("course:7", kind=ContextKind.GROUP) == Context(ContextKind.COURSE, "7")
