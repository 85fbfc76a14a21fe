"""A course with a subject looks like one of a teacher, and the product reads all of it."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import pytest
from tests.support.packages.stored import KEY, InMemory

from canvas_exports.core.packages.content.model import CourseContent, Document, ItemKind
from canvas_exports.core.packages.content.open import open_content
from canvas_exports.core.packages.random_access import StoredPackage
from canvas_sandbox import Course
from canvas_sandbox.content.lessons import LIBRARY
from canvas_sandbox.content.pictures import picture

if TYPE_CHECKING:
    from tests.support.canvas.sandbox_client import Call, Start

NAME = "Ethics & <Law>"


@pytest.fixture
def content(start: Start, call: Call) -> CourseContent:
    with_lessons = start(Course(id=101, name=NAME, subject=NAME))
    data = call(with_lessons).exported()
    return open_content(StoredPackage(InMemory(data), KEY, len(data)), export_type="common_cartridge")


def the(content: CourseContent, kind: ItemKind, title: str) -> Document:
    return content.read(next(item for item in content.items if (item.kind, item.title) == (kind, title)))


def test_it_opens_with_its_home_page_which_leads_on(content: CourseContent) -> None:
    front = content.home()
    assert front is not None
    assert front.title == f"Welcome to {NAME}"
    home = content.read(front)
    assert "<strong>Ethics &amp; &lt;Law&gt;</strong>" in home.html
    reading = content.resolve("$WIKI_REFERENCE$/pages/reading-list", base=front)
    assert reading == the(content, ItemKind.PAGE, "Reading list").item
    assert any(link.startswith(LIBRARY) for link in content.read(reading).links)


def test_it_has_a_syllabus_a_rubric_and_a_tool(content: CourseContent) -> None:
    assert "The essay counts 40%" in the(content, ItemKind.SYLLABUS, "Syllabus").html
    (criteria,) = the(content, ItemKind.RUBRIC, "Project rubric").tables
    assert [row[0] for row in criteria.rows] == ["Argument", "Sources"]
    assert "Clear and supported (10.0)" in criteria.rows[0]
    assert (
        the(content, ItemKind.EXTERNAL_TOOL, "Polls in class")
        .links[0]
        .startswith("https://polls.example.com/")
    )


def test_its_quiz_has_questions_of_several_types_with_their_keys(content: CourseContent) -> None:
    questions = the(content, ItemKind.QUIZ, "Check your understanding").questions
    types = ("multiple_choice", "true_false", "short_answer", "essay")
    assert [question.type for question in questions] == [f"{each}_question" for each in types]
    correct = [[answer.html for answer in each.answers if answer.is_correct] for each in questions]
    assert correct == [["A figure"], ["True"], ["2", "two"], []]


def test_its_picture_can_be_shown(content: CourseContent) -> None:
    member = "web_resources/Pictures/Results of last year.png"
    data = b"".join(content.file_blocks(member))
    assert data == picture(NAME)
    width, height = struct.unpack(">LL", data[16:24])
    start = data.index(b"IDAT") + 4
    pixels = zlib.decompress(data[start : start + struct.unpack(">L", data[start - 8 : start - 4])[0]])
    assert len(pixels) == height * (1 + 3 * width)


def test_another_name_makes_another_picture() -> None:
    assert picture("Law") != picture("Ethics")
