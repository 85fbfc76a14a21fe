"""Addresses, short ids and several ids on one line, as people paste them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas_exports.core.model.contexts import Context, ContextKind
from canvas_exports.errors import InputError

HOST = "canvas.example.edu"


@pytest.mark.parametrize(
    ("pasted", "meant"),
    [
        ("https://canvas.example.edu/courses/101/modules", "course:101"),
        ("https://canvas.example.edu/courses/101", "course:101"),
        ("https://canvas.example.edu/courses/101/", "course:101"),
        ("https://canvas.example.edu/courses/101?view=feed#m5", "course:101"),
        ("https://canvas.example.edu/courses/101/pages/what-is-a-cell?module_item_id=7", "course:101"),
        ("http://CANVAS.example.edu:8443/courses/101", "course:101"),
        ("canvas.example.edu/courses/101/assignments", "course:101"),
        ("/courses/101/files", "course:101"),
        ("<https://canvas.example.edu/courses/101>", "course:101"),
        ('"https://canvas.example.edu/courses/101"', "course:101"),
        ("https://canvas.example.edu/courses/101,", "course:101"),
        ("https://canvas.example.edu/courses/7236~121273/modules", "course:72360000000121273"),
        ("https://canvas.example.edu/api/v1/courses/101", "course:101"),
        ("https://canvas.example.edu/courses/sis_course_id:BIO%2D101", "course:sis_course_id:BIO-101"),
        ("https://canvas.example.edu/groups/7/wiki", "group:7"),
        ("https://canvas.example.edu/users/3", "user:3"),
        ("7236~121273", "course:72360000000121273"),
        ("course:7236~121273", "course:72360000000121273"),
        ("1~1", "course:10000000000001"),
        ("101,", "course:101"),
        ("<101>", "course:101"),
    ],
)
def test_what_is_pasted_names_its_course(pasted: str, meant: str) -> None:
    assert str(Context.parse(pasted)) == meant


@pytest.mark.parametrize(
    "pasted",
    [
        "https://canvas.example.edu/",
        "https://canvas.example.edu/accounts/1/courses",
        "https://canvas.example.edu/courses/",
        "https://canvas.example.edu/courses/new",
        "https://canvas.example.edu/courses/0",
        "https:///courses/101",
        "https://[::1/courses/101",
        "https://canvas.example.edu:99999/courses/101",
        "ftp://canvas.example.edu/courses/101",
        "s3://bucket/courses/101",
        "file:///courses/101",
        "javascript:/courses/101",
        "101/courses/102",
        "Biology/courses/102",
        "0~101",
        "7236~",
        "~121273",
        "999999~9999999999999",
        "7236~12345678901234",
        "https://canvas.example.edu/courses/101%00",
    ],
)
def test_what_names_no_course_is_refused_with_a_sentence_and_no_regular_expression(pasted: str) -> None:
    with pytest.raises(
        InputError, match=r"^courses: .* is not a Canvas \w+ id. Accepted: 101, the address of its page"
    ):
        Context.parse(pasted)


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("101, 102;103", ["101", "102", "103"]),
        ("101 102\t103", ["101", "102", "103"]),
        ("101\n102\r\n103\n", ["101", "102", "103"]),
        (" , 101 ,, ", ["101"]),
        ("sis_course_id:BIO 101", ["sis_course_id:BIO 101"]),
        ("sis_course_id:Smith, J", ["sis_course_id:Smith, J"]),
        ("sis_course_id:A, sis_course_id:B", ["sis_course_id:A", "sis_course_id:B"]),
        ("sis_course_id:A sis_course_id:B", ["sis_course_id:A", "sis_course_id:B"]),
        ("101, sis_course_id:A, 102", ["101", "sis_course_id:A", "102"]),
        ("101 sis_course_id:A", ["101", "sis_course_id:A"]),
        ("https://c.edu/courses/101 https://c.edu/courses/102/x", ["101", "102"]),
        ("https://c.edu/courses/101,7236~5", ["101", "72360000000000005"]),
        ("course:101 group:7", ["101", "group:7"]),
    ],
)
def test_several_on_one_line_are_several(line: str, meant: list[str]) -> None:
    assert Context.parse_all(line) == [Context.parse(each) for each in meant]


@pytest.mark.parametrize(
    "line", ["101 Biology", "101, Biology", "BIO-101, BIO-102", "", " , ", "101 102 x" * 5_000]
)
def test_a_line_of_which_a_part_is_no_id_is_refused_whole(line: str) -> None:
    with pytest.raises(InputError, match="is not a Canvas course id") as raised:
        Context.parse_all(line)
    assert len(str(raised.value)) < 400


@given(st.text(max_size=200))
def test_any_text_is_contexts_or_a_sentence(text: str) -> None:
    try:
        found = Context.parse_all(text)
    except InputError:
        return
    assert found
    for context in found:
        assert Context.parse(str(context)) == context


@given(
    st.lists(st.integers(1, 10**18), min_size=1, max_size=20),
    st.sampled_from([",", ", ", " ", "; ", "\n", "\t"]),
)
def test_numbers_stay_the_same_whatever_stands_between_them(numbers: list[int], between: str) -> None:
    assert [each.canvas_id for each in Context.parse_all(between.join(map(str, numbers)))] == numbers


@pytest.mark.parametrize("unit", [",", " ", "/", "1 ", "a.", "~", "sis_", "1~", "https://", ":"])
def test_the_work_does_not_grow_with_the_square_of_what_is_pasted(unit: str) -> None:
    """That it ends is the test."""
    with pytest.raises(InputError):
        Context.parse_all((unit * 2_000_000)[:2_000_000] + "x")


def test_an_address_of_another_canvas_is_refused_and_one_of_ours_or_none_is_not() -> None:
    Context.parse("101").check_host("https://canvas.example.edu")
    Context.parse("/courses/101").check_host("https://canvas.example.edu")
    Context.parse("https://CANVAS.example.edu:443/courses/101").check_host("https://canvas.example.edu")
    Context.parse("http://127.0.0.1:8800/courses/101").check_host("http://127.0.0.1:8800")
    other = Context.parse("https://other.example.edu/courses/101")
    with pytest.raises(
        InputError, match=r"^into: the address of course:101 leads to other\.example\.edu, and the conn"
    ):
        other.check_host("https://canvas.example.edu", field="into")


def test_where_it_was_read_from_is_no_part_of_what_it_is() -> None:
    pasted = Context.parse(f"https://{HOST}/courses/101")
    assert pasted == Context(ContextKind.COURSE, "101")
    assert hash(pasted) == hash(Context(ContextKind.COURSE, "101"))
    assert pasted.host == HOST
    assert HOST not in repr(pasted)
