"""What a comparison reads, keeps and shows is bounded, and what is left out is counted."""

from __future__ import annotations

from dataclasses import replace

from tests.support.packages.compared import FILE, PAGE, QUIZ, changes, renamed
from tests.support.packages.contents import MadeContent

from canvas_exports.core.packages.changes.compare import MAX_CHANGES, MAX_READ_BYTES, compare_courses
from canvas_exports.core.packages.changes.questions import MAX_QUESTIONS
from canvas_exports.core.packages.changes.text_diff import ALL_CHARACTERS, ALL_QUESTIONS
from canvas_exports.core.packages.changes.version import Version
from canvas_exports.core.packages.content.model import (
    Question,
)


def test_very_many_items_of_one_identifier_or_title_are_bounded() -> None:
    twins = [renamed(PAGE, title="Untitled")] * 50_000
    assert changes(twins, twins) == ()
    before = Version(
        MadeContent(
            tuple(
                renamed(FILE, identifier=f"a{number}", title="x", folder=f"{number}", size=number)
                for number in range(100_000)
            )
        )
    )
    after = Version(MadeContent(()))
    found = compare_courses(before, after)
    assert len(found.changes) == MAX_CHANGES
    assert len(found.changes) + found.left_out == 100_000


def test_documents_beyond_the_bound_are_counted() -> None:
    before, after = (
        Version(
            MadeContent(
                tuple(
                    replace(renamed(PAGE, identifier=str(number), title=str(number)), html=text)
                    for number in range(10_500)
                )
            )
        )
        for text in ("a", "b")
    )
    found = compare_courses(before, after)
    assert found.unread == 500
    assert len(found.changes) == 10_000


def test_documents_of_more_bytes_than_may_be_read_are_counted() -> None:
    pages = [
        renamed(PAGE, identifier=str(number), title=str(number), size=MAX_READ_BYTES // 5)
        for number in range(4)
    ]
    before, after = MadeContent(tuple(pages)), MadeContent(tuple(replace(page, html="new") for page in pages))
    found = compare_courses(Version(before), Version(after))
    assert (len(found.changes), found.unread, len(after.was_read)) == (2, 2, 2)


def test_the_texts_of_a_result_are_bounded_together() -> None:
    before, after = (
        Version(
            MadeContent(
                tuple(
                    replace(
                        renamed(PAGE, identifier=str(number), title=str(number)),
                        html="".join(f"<p>{word * 700}{line}</p>" for line in range(30)),
                    )
                    for number in range(150)
                )
            )
        )
        for word in ("old", "new")
    )
    found = compare_courses(before, after)
    texts = [text for each in found.changes for text in each.texts]
    assert len(texts) == 150
    assert (
        sum(len(piece.text) for text in texts for line in text.lines for piece in line.pieces)
        < ALL_CHARACTERS
    )
    assert texts[-1].is_cut


def test_the_questions_of_a_result_are_bounded_together() -> None:
    questions = [
        Question(str(number), "essay_question", "Question", f"<p>{number}</p>")
        for number in range(MAX_QUESTIONS)
    ]
    before, after = (
        MadeContent(
            tuple(
                replace(
                    renamed(QUIZ, identifier=str(quiz), title=str(quiz)),
                    questions=tuple(replace(each, points=points) for each in questions),
                )
                for quiz in range(5)
            )
        )
        for points in (1.0, 2.0)
    )
    found = compare_courses(Version(before), Version(after)).changes
    assert sum(len(each.questions) for each in found) == ALL_QUESTIONS
    assert sum(len(each.questions) + each.questions_left_out for each in found) == 5 * MAX_QUESTIONS
