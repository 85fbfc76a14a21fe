"""Two courses are compared as a person means it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.packages.compared import FILE, PAGE, QUIZ, TASK, change, changes, course, pages, renamed
from tests.support.packages.contents import MadeContent

from canvas_exports.core.packages.changes.compare import compare_courses
from canvas_exports.core.packages.changes.model import HIDDEN, Change, CourseChanges, FieldChange
from canvas_exports.core.packages.changes.version import Version
from canvas_exports.core.packages.content.model import (
    Answer,
    Document,
    Field,
    Item,
    ItemKind,
    Module,
    ModuleItem,
    Table,
)


def test_a_page_that_is_renamed_and_rewritten() -> None:
    found = change(PAGE, replace(renamed(PAGE, title="Hello"), html="<p>Hello there</p>"))
    assert found.what == ("renamed", "changed")
    assert found.fields == (FieldChange("title", "Title", "Welcome", "Hello"),)
    assert [text.label for text in found.texts] == ["Text"]


def test_a_due_date_before_and_after() -> None:
    after = replace(
        TASK,
        fields=(Field("points_possible", "Points", "10"), Field("due_at", "Due", "2026-11-24T10:00:00Z")),
    )
    assert change(TASK, after).fields == (
        FieldChange("due_at", "Due", "2026-11-23T10:00:00Z", "2026-11-24T10:00:00Z"),
    )


def test_an_assignment_that_is_no_longer_published() -> None:
    assert change(TASK, renamed(TASK, is_published=False)).what == ("unpublished",)


def test_a_file_that_is_moved_and_one_that_is_renamed() -> None:
    moved = renamed(FILE, folder="", member="web_resources/map.pdf")
    assert change(FILE, moved).what == ("moved",)
    assert change(FILE, renamed(FILE, title="plan.pdf", member="web_resources/maps/plan.pdf")).what == (
        "renamed",
    )


def test_a_file_with_a_new_identifier_is_found_by_its_content() -> None:
    before = Version(MadeContent((FILE,)), {"web_resources/maps/map.pdf": (10, 7)})
    other = renamed(FILE, identifier="f9", title="plan.pdf", folder="", member="web_resources/plan.pdf")
    after = Version(MadeContent((other,)), {"web_resources/plan.pdf": (10, 7)})
    (found,) = compare_courses(before, after).changes
    assert (found.before, found.after, found.what) == ("f1", "f9", ("renamed", "moved"))


def test_only_documents_whose_members_differ_are_read() -> None:
    other = renamed(PAGE, identifier="p2", member="wiki_content/other.html")
    before = MadeContent((PAGE, other))
    after = MadeContent((PAGE, replace(other, html="<p>new</p>")))
    sums = {"wiki_content/welcome.html": (1, 1), "wiki_content/other.html": (1, 2)}
    found = compare_courses(
        Version(before, sums), Version(after, {**sums, "wiki_content/other.html": (1, 3)})
    )
    assert [each.after for each in found.changes] == ["p2"]
    assert (before.was_read, after.was_read) == (["p2"], ["p2"])


def test_a_restored_course_with_new_identifiers_is_the_same_course() -> None:
    before = (PAGE, TASK, QUIZ)
    after = tuple(renamed(document, identifier=f"new-{document.item.identifier}") for document in before)
    assert changes(before, after) == ()


def test_a_page_with_a_new_identifier_and_title_is_found_by_its_text() -> None:
    text = replace(PAGE, html="<p>The quick brown fox jumps over the lazy dog, every day.</p>")
    found = change(
        text, replace(renamed(text, identifier="p9", title="Fox"), html=text.html.replace("every", "each"))
    )
    assert (found.before, found.after, found.what) == ("p1", "p9", ("renamed", "changed"))


def test_a_page_of_few_words_is_not_known_by_them() -> None:
    other = renamed(PAGE, identifier="p9", title="Fox")
    assert sorted(each.change for each in changes([PAGE], [other])) == [Change.ADDED, Change.REMOVED]


def test_another_page_is_no_version_of_it() -> None:
    other = replace(renamed(PAGE, identifier="p9", title="Fox"), html="<p>Nothing of it is alike</p>")
    assert sorted(each.change for each in changes([PAGE], [other])) == [Change.ADDED, Change.REMOVED]


def test_an_address_that_is_a_setting_is_told_once() -> None:
    tool = Document(
        Item(ItemKind.EXTERNAL_TOOL, "t1", "Board"),
        fields=(Field("url", "Address", "https://a"),),
        links=("https://a",),
    )
    found = change(tool, replace(tool, fields=(Field("url", "Address", "https://b"),), links=("https://b",)))
    assert found.fields == (FieldChange("url", "Address", "https://a", "https://b"),)
    assert (found.links_added, found.links_removed) == ((), ())


def test_links_to_one_item_are_one_link_whatever_its_address() -> None:
    before, after = (
        replace(PAGE, links=("$FILE$/a", "https://x")),
        replace(PAGE, links=("$FILE$/b", "https://y")),
    )
    one = MadeContent((before, FILE), links={"$FILE$/a": FILE.item})
    moved = renamed(FILE, title="b")
    other = MadeContent((after, moved), links={"$FILE$/b": moved.item})
    page, _ = compare_courses(Version(one), Version(other)).changes
    assert (page.links_removed, page.links_added) == (("https://x",), ("https://y",))


def test_a_change_of_format_alone_is_told_as_such() -> None:
    found = change(PAGE, replace(PAGE, html="<p>Hello <strong>world</strong></p>"))
    assert (found.is_format_changed, found.texts, found.what) == (True, (), ("changed",))


def test_a_rubric_is_compared_row_by_row() -> None:
    rubric = Document(
        Item(ItemKind.RUBRIC, "r1", "Rubric"),
        tables=(Table("Criteria", ("Name", "Points"), (("Style", "5"),)),),
    )
    found = change(
        rubric, replace(rubric, tables=(Table("Criteria", ("Name", "Points"), (("Style", "6"),)),))
    )
    assert found.texts[0].label == "Criteria"


def test_questions_that_are_added_removed_changed_and_moved() -> None:
    one, two, three = QUIZ.questions
    new = replace(three, identifier="q4", html="<p>Where on earth is this?</p>")
    after = replace(QUIZ, questions=(replace(one, html="<p>Why not?</p>", points=2.0), two, new))
    found = change(QUIZ, after).questions
    assert [(each.change, each.number) for each in found] == [
        (Change.CHANGED, 1),
        (Change.ADDED, 3),
        (Change.REMOVED, 3),
    ]
    assert {field.name for field in found[0].fields} >= {"points"}
    assert found[0].texts[0].label == "Question"
    (moved,) = change(QUIZ, replace(QUIZ, questions=(two, three, one))).questions
    assert moved.fields == (FieldChange("position", "Position", "1", "3"),)


def test_what_an_answer_key_says_is_shown_only_if_asked_for() -> None:
    one, two, three = QUIZ.questions
    key = (replace(one.answers[0], is_correct=False), replace(one.answers[1], is_correct=True))
    after = replace(
        QUIZ,
        questions=(
            replace(one, answers=key, feedback=("Secret hint",)),
            replace(two, answers=(Answer("1", "Grace", is_correct=True),)),
            three,
        ),
    )
    hidden = change(QUIZ, after)
    assert [each.is_key_changed for each in hidden.questions] == [True, True]
    assert all(word not in repr(hidden) for word in ("Grace", "Ada", "hint", "Well done", "correct"))
    asked = repr(change(QUIZ, after, with_key=True))
    assert all(word in asked for word in ("Grace", "Ada", "hint", "Well ", "yes: ", "correct"))


@pytest.mark.parametrize(
    ("name", "with_key", "is_shown"),
    [
        ("access_code", False, False),
        ("access_code", True, True),
        ("shared_secret", True, False),
    ],
)
def test_secrets_are_hidden(name: str, with_key: bool, is_shown: bool) -> None:
    before, after = (replace(QUIZ, fields=(Field(name, "Code", value),)) for value in ("alpha", "beta"))
    (field,) = change(before, after, with_key=with_key).fields
    assert (field.before, field.after) == (("alpha", "beta") if is_shown else (HIDDEN, HIDDEN))


def test_a_link_in_an_answer_or_its_feedback_is_part_of_the_key() -> None:
    hint = '<a href="https://example.org/hint">hint</a>'
    question = replace(QUIZ.questions[0], feedback=(hint,))
    after = replace(QUIZ, questions=(question, *QUIZ.questions[1:]), links=("https://example.org/hint",))
    assert "example.org" not in repr(change(QUIZ, after))
    assert change(QUIZ, after, with_key=True).links_added == ("https://example.org/hint",)


def test_the_summary_counts_by_kind() -> None:
    quizzes = [renamed(QUIZ, identifier=f"z{number}", title=f"Test {number}") for number in range(2)]
    syllabus = Document(Item(ItemKind.SYLLABUS, "s", "Syllabus"), html="<p>a</p>")
    found = compare_courses(
        Version(MadeContent((syllabus,))),
        Version(MadeContent((replace(syllabus, html="<p>b</p>"), *quizzes))),
    )
    assert found.summary == "the syllabus changed, 2 quizzes added"
    assert CourseChanges().summary == "nothing changed"


def test_a_line_that_moved_to_another_module() -> None:
    before = MadeContent(pages("a", "b", "c"), course(("One", "a"), ("One", "b"), ("Two", "c")))
    after = MadeContent(pages("a", "b", "c"), course(("One", "a"), ("Two", "c"), ("Two", "b")))
    (found,) = compare_courses(Version(before), Version(after)).changes
    assert (found.kind, found.title, found.what) == ("module_item", "b", ("moved",))
    assert found.fields == (FieldChange("module", "Module", "One", "Two"),)


def test_one_line_that_moved_within_its_module_is_one_change() -> None:
    before = MadeContent(pages("a", "b", "c"), course(("One", "a"), ("One", "b"), ("One", "c")))
    after = MadeContent(pages("a", "b", "c"), course(("One", "b"), ("One", "c"), ("One", "a")))
    (found,) = compare_courses(Version(before), Version(after)).changes
    assert found.fields == (FieldChange("position", "Position", "1", "3"),)


def test_a_page_that_is_renamed_with_its_line_is_one_change() -> None:
    before = MadeContent(pages("a"), course(("One", "a")))
    line = ModuleItem("i-a", "New", target=replace(PAGE.item, identifier="a", title="New"))
    after = MadeContent((renamed(PAGE, identifier="a", title="New"),), (Module("m-One", "One", (line,)),))
    (found,) = compare_courses(Version(before), Version(after)).changes
    assert (found.kind, found.what) == ("page", ("renamed",))


def test_a_page_that_is_added_to_a_module_is_one_change_with_its_place() -> None:
    before = MadeContent(pages("a"), course(("One", "a")))
    after = MadeContent(pages("a", "b"), course(("One", "a"), ("One", "b")))
    (found,) = compare_courses(Version(before), Version(after)).changes
    assert (found.kind, found.what, found.place) == ("page", ("added",), "One")


def test_a_module_that_is_removed_is_one_change() -> None:
    before = MadeContent(pages("a", "b"), course(("One", "a"), ("Two", "b")))
    after = MadeContent(pages("a", "b"), course(("One", "a")))
    (found,) = compare_courses(Version(before), Version(after)).changes
    assert (found.kind, found.title, found.what) == ("module", "Two", ("removed",))


def test_a_document_that_cannot_be_read_is_told_once_and_not_if_both_lack_it() -> None:
    missing = replace(PAGE, html="", problem="the package does not hold it")
    assert change(PAGE, missing).problem == "the package does not hold it"
    assert changes([missing], [missing]) == ()
