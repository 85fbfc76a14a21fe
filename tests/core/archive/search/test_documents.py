"""The index holds what a person looks for in a course, and nothing of the key of a quiz."""

from __future__ import annotations

import pytest
from tests.support.archives.searchable import MadeContent, page

from canvas_exports.core.archive.search import documents
from canvas_exports.core.archive.search.documents import KINDS, SearchDocument, package_documents
from canvas_exports.core.packages.content.model import (
    Answer,
    Document,
    Field,
    Item,
    ItemKind,
    Module,
    ModuleItem,
    Question,
    Table,
)


def _documents(*made: Document, modules: tuple[Module, ...] = ()) -> dict[tuple[str, str], SearchDocument]:
    found = package_documents(MadeContent(made, modules))
    return {(each.document.kind, each.identifier): each.document for each in found}


def test_a_page_has_its_title_its_text_and_the_hosts_it_links_to() -> None:
    found = _documents(
        page("Soil", "<p>Nitrogen</p>", links=["https://B.example/", "https://a.example/", "#top"])
    )
    assert found == {("page", "Soil"): SearchDocument("page", "Soil", "Nitrogen", ("a.example", "b.example"))}


def test_questions_have_their_text_and_the_choices_that_they_show() -> None:
    def question(kind: str, *answers: str) -> Question:
        made = tuple(
            Answer(each, f"<b>{each}</b>", is_correct=True, match=f"pair of {each}") for each in answers
        )
        return Question("q", kind, "Question", f"<p>asked by {kind}</p>", 1, made, feedback=("well done",))

    shown = question("multiple_choice_question", "mitochondrion", "nucleus")
    hidden = [
        question(kind, "secret")
        for kind in (
            "short_answer_question",
            "numerical_question",
            "matching_question",
            "essay_question",
            "true_false_question",
            "",
        )
    ]
    (document,) = _documents(
        page("Cells", "<p>Take your time</p>", kind=ItemKind.QUIZ, questions=(shown, *hidden))
    ).values()
    assert document.text.startswith(
        "Take your time asked by multiple_choice_question mitochondrion nucleus asked by"
    )
    assert "asked by numerical_question" in document.text
    for key in ("secret", "pair", "well done"):
        assert key not in document.text


def test_a_file_has_its_name_and_folder_and_is_not_read() -> None:
    item = Item(ItemKind.FILE, "f1", "map.pdf", "web_resources/week 1/map.pdf", folder="week 1")
    content = MadeContent([Document(item, html="never read")])
    (found,) = package_documents(content)
    assert found.document == SearchDocument("file", "map.pdf", "week 1")


def test_a_tool_is_known_by_its_host_in_an_item_an_embedding_and_an_assignment() -> None:
    tool = page("Studio", kind=ItemKind.EXTERNAL_TOOL, links=["https://lti.studio.example/launch"])
    embedded = page(
        "Film", links=["/courses/1/external_tools/retrieve?url=https%3A%2F%2Flti.film.example%2F"]
    )
    submitted = page(
        "Essay",
        kind=ItemKind.ASSIGNMENT,
        fields=(Field("external_tool_url", "Tool", "https://lti.essay.example/x"),),
    )
    found = {title: each.tools for (_, title), each in _documents(tool, embedded, submitted).items()}
    assert found == {
        "Studio": ("lti.studio.example",),
        "Film": ("lti.film.example",),
        "Essay": ("lti.essay.example",),
    }


def test_a_module_has_its_headings_and_its_addresses() -> None:
    there = Item(ItemKind.PAGE, "p", "Elsewhere")
    module = Module(
        "m1",
        "Week 1",
        (
            ModuleItem("a", "Before class"),
            ModuleItem("b", "Film", url="https://films.example/1"),
            ModuleItem("c", "Page", target=there),
        ),
    )
    assert _documents(modules=(module,)) == {
        ("module", "m1"): SearchDocument("module", "Week 1", "Before class Film", ("films.example",))
    }


def test_settings_are_not_searched_and_tables_are() -> None:
    rubric = page(
        "Lab report", kind=ItemKind.RUBRIC, tables=(Table("", ("Criterion",), (("Clarity", "5"),)),)
    )
    settings = page("Settings", "Fall", kind=ItemKind.SETTINGS)
    assert {kind: each.text for (kind, _), each in _documents(rubric, settings).items()} == {
        "rubric": "Clarity 5"
    }
    assert "settings" not in KINDS


def test_a_package_has_no_more_than_the_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    many = [page(f"Page {number}", "text " * 10) for number in range(20)]
    monkeypatch.setattr(documents, "MOST_DOCUMENTS", 7)
    assert len(_documents(*many)) == 7
    monkeypatch.setattr(documents, "MOST_PACKAGE_TEXT", 120)
    assert len(_documents(*many)) == 3
    late = iter([False, False, True])
    assert len(list(package_documents(MadeContent(many), is_late=lambda: next(late)))) == 2


def test_one_identifier_of_a_kind_is_one_document() -> None:
    twice = [
        page("One", identifier="x"),
        page("Two", identifier="x"),
        page("Three", identifier="x", kind=ItemKind.QUIZ),
    ]
    assert [each.title for each in _documents(*twice).values()] == ["One", "Three"]
