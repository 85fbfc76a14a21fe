from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canvas_exports.core.packages.cartridge.references import (
    MatchedReferences,
    match_references,
    normalize_text,
    resolve_path,
)

LONG = "a-very-long-file-name-that-canvas-had-to-shorten-because-no-zip-entry-may-be-so-long"


def test_what_is_there_is_not_missing() -> None:
    assert match_references(["a", "./b", "a"], {"a", "b", "c"}) == MatchedReferences((), ())


def test_what_is_not_there_is_missing_once() -> None:
    assert match_references(["z", "x", "z"], {"a"}) == MatchedReferences(("x", "z"), ())


def test_places_elsewhere_are_not_files_of_the_package() -> None:
    assert match_references(["https://example.org/a", "mailto://x"], set()).missing == ()


@pytest.mark.parametrize("reference", ["a.html?x=1", "a.html#part", "./a.html?x=1#part"])
def test_a_reference_may_have_a_query_or_a_fragment(reference: str) -> None:
    assert match_references([reference], {"a.html"}) == MatchedReferences((), ())
    assert match_references([reference], {"b.html"}).missing == (resolve_path(reference),)


@pytest.mark.parametrize(
    ("reference", "member"),
    [
        ("web_resources/My%20File.pdf", "web_resources/My File.pdf"),
        ("web_resources/My File.pdf", "web_resources/My%20File.pdf"),
        ("web_resources/caf\u00e9.pdf", "web_resources/cafe\u0301.pdf"),
        ("web_resources/notes.pdf", "web_resources/notes-1.pdf"),
        ("web_resources/notes.pdf", "web_resources/notes (2).pdf"),
        ("web_resources/notes.pdf", "web_resources/notes_17.pdf"),
        (f"web_resources/{LONG}-2026.pdf", f"web_resources/{LONG[:60]}.pdf"),
        ("web%20resources/a.pdf", "web resources/a.pdf"),
    ],
)
def test_a_name_that_canvas_changed_is_explained(reference: str, member: str) -> None:
    assert match_references([reference], {member, "other"}) == MatchedReferences((), ((reference, member),))


@pytest.mark.parametrize(
    ("reference", "member"),
    [
        ("web_resources/notes.pdf", "other_folder/notes-1.pdf"),
        ("web_resources/notes.pdf", "web_resources/notes-1.docx"),
        ("web_resources/notes.pdf", "web_resources/note.pdf"),
        ("web_resources/notes-1.pdf", "web_resources/notes.pdf"),
        (f"web_resources/{LONG}.pdf", f"web_resources/{LONG[:30]}.pdf"),
        ("web_resources/Notes.pdf", "web_resources/notes.pdf"),
    ],
)
def test_a_file_that_only_looks_similar_explains_nothing(reference: str, member: str) -> None:
    assert match_references([reference], {member}) == MatchedReferences((reference,), ())


def test_a_member_explains_one_reference_and_never_when_it_is_somebodys_own() -> None:
    assert match_references(["n.pdf", "n%2Epdf"], {"n-1.pdf"}).missing == ("n.pdf",)
    assert match_references(["n.pdf", "n-1.pdf"], {"n-1.pdf"}).missing == ("n.pdf",)


def test_the_exact_spelling_wins_over_a_likeness() -> None:
    matched = match_references(["a b.pdf"], {"a%20b.pdf", "a b-1.pdf"})
    assert matched.renamed == (("a b.pdf", "a%20b.pdf"),)


@pytest.mark.parametrize(
    ("reference", "member"),
    [
        (r"wiki_content\a.html", "wiki_content/a.html"),
        (r".\wiki_content\b\..\a.html", "wiki_content/a.html"),
        ("x/../a.txt", "a.txt"),
        ("./a.txt", "a.txt"),
        ("x/./y//a.txt", "x/y/a.txt"),
        ("/a.txt", "a.txt"),
        ("x/y/../../a.txt", "a.txt"),
        ("a..txt", "a..txt"),
        ("..a/b.txt", "..a/b.txt"),
        ("x/../a.txt", "x/../a.txt"),
    ],
)
def test_a_path_is_resolved_as_canvas_does(reference: str, member: str) -> None:
    assert match_references([reference], {member, "other"}) == MatchedReferences((), ())


@pytest.mark.parametrize("reference", ["../a.txt", "x/../../a.txt", r"..\a.txt", "/../a.txt"])
def test_a_path_that_leads_out_of_the_package_leads_to_nothing(reference: str) -> None:
    assert match_references([reference], {"a.txt"}).missing == ("../a.txt",)


def test_a_member_with_backslashes_is_the_file_that_is_meant() -> None:
    assert match_references(["a/b.txt"], {r"a\b.txt"}).renamed == (("a/b.txt", r"a\b.txt"),)


@pytest.mark.parametrize("reference", ["", ".", "./", "/", "x/.."])
def test_the_package_itself_is_not_missing(reference: str) -> None:
    assert match_references([reference], set()) == MatchedReferences((), ())


def test_a_sidecar_explains_nothing() -> None:
    assert match_references(["x/a.txt"], {"x/._a.txt", "x/.DS_Store", "__MACOSX/x/a-1.txt"}).missing == (
        "x/a.txt",
    )


def test_more_accents_than_any_language_has_are_left_as_they_are() -> None:
    wild = "a" + "\u0301\u0316" * 50
    assert normalize_text(wild) == wild
    assert normalize_text("e\u0301") == "\u00e9"
    assert match_references([f"{wild}%20.txt"], {f"{wild} .txt"}).missing == ()


NAMES = st.sets(st.text("ab-1 %20/.\\", min_size=1, max_size=6), max_size=12)


@settings(max_examples=200)
@given(references=NAMES, members=NAMES)
def test_nothing_is_lost_and_nothing_explained_twice(references: set[str], members: set[str]) -> None:
    matched = match_references(references, members)
    wanted = {name if name in members else resolve_path(name) for name in references} - {""}
    explained = {reference for reference, _ in matched.renamed}
    stand_ins = [member for _, member in matched.renamed]
    assert wanted - members == explained | set(matched.missing)
    assert not explained & set(matched.missing)
    assert len(stand_ins) == len(set(stand_ins))
    assert set(stand_ins) <= members - wanted
