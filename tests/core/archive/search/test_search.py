"""Search finds what a plain reading of the present copies finds, and nothing else."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.archives.counting_store import Counting
from tests.support.archives.holdings import lay, manifest
from tests.support.archives.searchable import SearchableArchive, page

from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.search import search
from canvas_exports.core.archive.search.results import SearchQuery
from canvas_exports.core.packages.content.model import Document, ItemKind
from canvas_exports.core.storage.local import FileStore
from canvas_exports.errors import ArchiveUnavailableError, InputError

SOIL = [
    page("Soil", "<p>The nitrogen cycle of <i>forests</i></p>", links=["https://www.video.example.edu/1"])
]


@pytest.fixture
def archive(tmp_path: Path) -> SearchableArchive:
    folder = tmp_path / "archive"
    return SearchableArchive(FileStore(folder.as_uri(), folder), tmp_path / "cache")


_WORDS = ("nitrogen", "cycle", "Cycles", "Ökologie", "okologie", "soil", "a1", "窒素", "x")
_KINDS = (ItemKind.PAGE, ItemKind.QUIZ, ItemKind.FILE)
_HOSTS = ("example.edu", "www.example.edu", "anexample.edu", "example.edu.evil.example")
_texts = st.lists(st.sampled_from(_WORDS), max_size=5).map(" ".join)


@dataclass(frozen=True)
class _Made:
    kind: ItemKind
    identifier: str
    title: str
    text: str
    host: str | None

    def document(self) -> Document:
        links = [f"https://{self.host}/"] if self.host and self.kind is not ItemKind.FILE else []
        html = "" if self.kind is ItemKind.FILE else f"<p>{self.text}</p>"
        return page(self.title, html, kind=self.kind, identifier=self.identifier, links=links)


_documents = st.lists(
    st.builds(
        _Made,
        st.sampled_from(_KINDS),
        st.sampled_from("pqr"),
        _texts,
        _texts,
        st.none() | st.sampled_from(_HOSTS),
    ),
    max_size=4,
    unique_by=lambda each: (each.kind, each.identifier),
)
_copies = st.lists(
    st.tuples(st.integers(1, 3), _documents, st.booleans()), min_size=1, max_size=7
)  # course, content, whether it is deleted later


def _tokens(text: str) -> list[str]:
    plain = "".join(
        each for each in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(each)
    )
    return re.findall("[\u4e00-\u9fff]|[a-z0-9]+", plain)


def _holds(made: _Made, terms: Sequence[str]) -> bool:
    """A plain reading."""
    fields = [_tokens(made.title), _tokens("" if made.kind is ItemKind.FILE else made.text)]

    def has(term: str) -> bool:
        wanted, is_prefix = _tokens(term), term.endswith("*")
        return any(
            field[at : at + len(wanted)] == wanted
            or (
                is_prefix
                and field[at : at + len(wanted) - 1] == wanted[:-1]
                and len(field) >= at + len(wanted)
                and field[at + len(wanted) - 1].startswith(wanted[-1])
            )
            for field in fields
            for at in range(len(field))
        )

    return all(has(term) for term in terms)


_queries = st.fixed_dictionaries(
    {
        "text": st.lists(
            st.sampled_from((*_WORDS, "nitro*", "cycl*", '"nitrogen cycle"', '"soil x"', "窒*")),
            min_size=1,
            max_size=2,
        ),
        "kinds": st.sampled_from(((), ("page",), ("quiz", "file"))),
        "host": st.sampled_from(("", "example.edu")),
        "all_copies": st.booleans(),
    }
)


@settings(max_examples=30, deadline=None)
@given(copies=_copies, query=_queries, indexed_after=st.integers(0, 7))
def test_it_finds_what_a_plain_reading_finds(
    copies: list[tuple[int, list[_Made], bool]], query: dict[str, Any], indexed_after: int
) -> None:
    terms, kinds, host = query["text"], query["kinds"], query["host"]
    with TemporaryDirectory() as folder:
        store = FileStore(Path(folder, "a").as_uri(), Path(folder, "a"))
        archive = SearchableArchive(store, Path(folder, "cache"))
        stored = []
        for day, (course, made, _) in enumerate(copies):
            stored.append(archive.add(course, [each.document() for each in made], day=day))
            if day == indexed_after:
                archive.index()
        archive.index()
        archive.search("anything")  # the database knows what is deleted afterwards
        left: dict[int, list[tuple[int, list[_Made]]]] = {}
        for day, ((course, made, is_deleted), document) in enumerate(zip(copies, stored, strict=True)):
            if is_deleted:
                store.delete(manifest_key(document.package.key))
                store.delete(document.package.key)
            else:
                left.setdefault(course, []).append((day, made))
        wanted: set[tuple[int, str, str, int]] = set()
        for course, held in left.items():
            for day, made in held if query["all_copies"] else held[-1:]:
                wanted |= {
                    (course, each.kind.value, each.identifier, day)
                    for each in made
                    if (not kinds or each.kind.value in kinds)
                    and _holds(each, terms)
                    and (
                        not host
                        or (
                            each.kind is not ItemKind.FILE and each.host in ("example.edu", "www.example.edu")
                        )
                    )
                }

        def found() -> set[tuple[int, str, str, int]]:
            courses = archive.search(**{**query, "text": " ".join(terms)}).courses
            return {
                (course.canvas_id, item.kind, item.identifier, copy.created_at.day - 1)
                for course in courses
                for item in course.items
                for copy in item.copies
            }

        present = {(course, day) for course, held in left.items() for day, _ in held}
        assert {(course, day) for course, _, _, day in found()} <= present
        archive.index(allow_empty=True)
        assert found() == wanted


def test_results_are_grouped_by_course_with_a_snippet_and_the_copy(archive: SearchableArchive) -> None:
    facts = {"name": "Biology", "course_code": "BIO", "sis_id": "B1", "term": "Fall"}
    archive.add(101, SOIL, facts=facts)
    second = archive.add(101, [*SOIL, page("Rain", "no such thing")], day=1, facts=facts)
    archive.index()
    (course,) = archive.search("FOREST*").courses
    assert (course.canvas_id, course.name, course.course_code, course.sis_id, course.term) == (
        101,
        "Biology",
        "BIO",
        "B1",
        "Fall",
    )
    (item,) = course.items
    assert (item.kind, item.identifier) == ("page", "Soil")
    text = item.snippet.text
    assert [text.text[begin:end] for begin, end in text.spans] == ["forests"]
    (copy,) = item.copies
    assert (copy.manifest, copy.created_at) == (manifest_key(second.package.key), second.export.created_at)
    (old,) = archive.search("forest*", all_copies=True).courses
    assert len(old.items[0].copies) == 2


def test_a_domain_is_found_with_its_hosts_and_no_other(archive: SearchableArchive) -> None:
    archive.add(1, SOIL)
    archive.add(
        2, [page("Other", links=["https://notvideo.example.edu/", "https://video.example.edu.evil.example/"])]
    )
    archive.index()
    assert archive.found(host="video.example.edu") == [(1, "Soil")]
    assert archive.found(host="https://WWW.video.example.edu/anything") == [(1, "Soil")]
    assert archive.found(host="example.edu") == [(1, "Soil"), (2, "Other")]
    assert archive.found("nitrogen", host="notvideo.example.edu") == []


def test_a_tool_is_found_by_its_host_or_by_its_name(archive: SearchableArchive) -> None:
    archive.add(1, [page("Panopto Video", kind=ItemKind.EXTERNAL_TOOL, links=["https://lti.film.example/x"])])
    archive.add(2, [page("Panopto", "how to use it"), page("A link", links=["https://lti.film.example/y"])])
    archive.add(3, [page("Film", links=["/external_tools/retrieve?url=https%3A%2F%2Flti.film.example%2F"])])
    archive.index()
    assert archive.found(tool="panopto") == [(1, "Panopto Video")]
    assert archive.found(tool="film.example") == [(1, "Panopto Video"), (3, "Film")]


def test_courses_and_terms_are_chosen_without_regard_to_case(archive: SearchableArchive) -> None:
    archive.add(1, SOIL, facts={"name": "Biology", "sis_id": "BIO-1", "term": "Herbst Ö"})
    archive.add(2, SOIL, facts={"name": "Soil science", "term": "Spring"})
    archive.index()
    assert archive.found("nitrogen", term="herbst ö") == [(1, "Soil")]
    for name in ("1", "course:1", "bio-1", "BIOLOGY", "sis_course_id:BIO-1"):
        assert archive.found("nitrogen", course=name) == [(1, "Soil")]
    assert archive.found("nitrogen", course="unheard of") == []
    assert archive.found("nitrogen", term="Summer") == []


def test_two_export_types_of_a_course_are_both_searched(archive: SearchableArchive) -> None:
    archive.add(1, SOIL)
    archive.add(1, [page("nitrogen.pdf", kind=ItemKind.FILE)], day=1, export_type="zip")
    archive.index()
    assert archive.found("nitrogen") == [(1, "Soil"), (1, "nitrogen.pdf")]


def test_a_copy_whose_first_manifest_is_deleted_is_found_by_its_second(archive: SearchableArchive) -> None:
    first = archive.add(1, SOIL)
    unchanged = manifest("course:1", day=3, export_id=77)
    lay(archive.store, unchanged, names=first)
    archive.index()
    archive.store.delete(manifest_key(first.package.key))
    (course,) = archive.search("nitrogen").courses
    assert course.items[0].copies[0].manifest == manifest_key(unchanged.package.key)


def test_answers_are_bounded_and_say_so(archive: SearchableArchive, monkeypatch: pytest.MonkeyPatch) -> None:
    for course in range(1, 6):
        archive.add(course, [page(f"Page {number}", "soil") for number in range(4)])
    archive.index()
    found = search.search_archive(
        archive.store, SearchQuery("soil"), folder=archive.folder, most_courses=2, most_items=3
    )
    assert [(len(each.items), each.more) for each in found.courses] == [(3, 1), (3, 1)]
    assert (found.has_more, found.is_complete, found.packages, found.indexed_courses) == (True, True, 5, 5)
    monkeypatch.setattr(search, "MOST_LOOKED_AT", 2)
    assert not archive.search("soil").is_complete


def test_a_search_that_takes_too_long_is_ended(
    archive: SearchableArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.add(1, [page(f"Page {number}", "soil " * 50) for number in range(50)])
    archive.index()
    monkeypatch.setattr(search, "_SECONDS", -1.0)
    monkeypatch.setattr(search, "_STEPS", 1)
    with pytest.raises(InputError, match="more words"):
        archive.search("soil")


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"text": "  "},
        {"text": "x", "kinds": ("secrets",)},
        {"text": "x", "course": "a" * 300},
        {"host": "a b"},
    ],
)
def test_a_bad_query_is_refused(archive: SearchableArchive, query: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        archive.search(**query)


def test_an_archive_without_an_index_has_none(archive: SearchableArchive) -> None:
    archive.add(1, SOIL)
    found = archive.search("nitrogen")
    assert (found.courses, found.packages, found.newest) == ((), 0, None)


def test_a_store_that_fails_is_an_error_and_no_empty_answer(tmp_path: Path) -> None:
    store = Counting(tmp_path / "archive")
    archive = SearchableArchive(store, tmp_path / "cache")
    archive.add(1, SOIL)
    archive.index()
    assert archive.found("nitrogen")
    store.fails = True
    with pytest.raises(ArchiveUnavailableError):
        archive.search("nitrogen")


def test_a_second_search_reads_no_segment_again(tmp_path: Path) -> None:
    store = Counting(tmp_path / "archive")
    archive = SearchableArchive(store, tmp_path / "cache")
    archive.add(1, SOIL)
    archive.index()
    archive.search("nitrogen")
    store.got, store.listed = [], []
    archive.search("nitrogen")
    assert (store.got, sorted(store.listed)) == ([], ["courses/1/", "search/"])


def test_characters_of_another_script_are_found_and_shown_as_they_are(archive: SearchableArchive) -> None:
    archive.add(1, [page("土", "<p>窒素循環と土壌 (soil)</p>")])
    archive.index()
    (course,) = archive.search("窒素").courses
    text = course.items[0].snippet.text
    assert text.text == "窒素循環と土壌 (soil)"
    assert [text.text[begin:end] for begin, end in text.spans] == ["窒素"]
    assert archive.found("素窒") == []
