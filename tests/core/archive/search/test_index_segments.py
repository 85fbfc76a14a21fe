"""A segment is what was written, or nothing: an attacker with write access may forge rows, and break no reader."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.archives.hostile_documents import SPOILT, mutations
from tests.support.archives.searchable import LATER, SearchableArchive, page, segments

from canvas_exports.core.archive.key_patterns import KeyPatterns
from canvas_exports.core.archive.search import index_segments
from canvas_exports.core.archive.search.documents import KINDS, SearchDocument
from canvas_exports.core.archive.search.index_rows import IndexedPackage, document_digest, parse_document
from canvas_exports.core.archive.search.index_segments import (
    FOLDER,
    FORMAT,
    PACKAGES,
    TEXTS,
    SegmentWriting,
    _key,
    list_segments,
    read_packages,
    read_texts,
)
from canvas_exports.core.storage.local import FileStore

PACKAGE = IndexedPackage(
    key="courses/1/a.imscc",
    size=3,
    identity="0" * 64,
    manifest="courses/1/a.json",
    canvas_id=1,
    export_type="common_cartridge",
    created_at=LATER,
    name="Bïo\n",
    term="Fall",
    is_selection=True,
    problem="in part",
    items=(("g" + "0" * 32, "1" * 32), ("web_resources/ä", "2" * 32)),
)
DOCUMENT = SearchDocument("page", "Soil", "Nitrogen 窒素", ("a.example", "2001:db8::1"), ("a.example",))


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path.as_uri(), tmp_path)


def _put(store: FileStore, suffix: str, data: bytes) -> str:
    key = _key(data, suffix)
    store.put_if_absent(key, data)
    return key


def test_rows_come_back_as_they_were() -> None:
    without_sha256 = replace(PACKAGE, identity=f"blake3:{'0' * 64}")
    for package in (PACKAGE, without_sha256):
        assert IndexedPackage.from_json(package.to_json()) == package
    assert "sha256" not in json.loads(without_sha256.to_json())
    assert parse_document(DOCUMENT.to_json()) == DOCUMENT


@given(st.text(max_size=40), st.text(max_size=40), st.sampled_from(KINDS))
def test_every_document_that_is_written_can_be_read(title: str, text: str, kind: str) -> None:
    document = SearchDocument(kind, title, text)
    assert parse_document(document.to_json()) == document


def test_a_segment_comes_back_and_equal_rows_make_an_equal_segment(store: FileStore) -> None:
    row = DOCUMENT.to_json()
    for _ in range(2):
        writing = SegmentWriting(store)
        writing.add_document(document_digest(row), row)
        writing.add_package(PACKAGE)
        writing.flush()
    listed = list_segments(store, now=LATER)
    (key,) = listed.packages
    segment = read_packages(store, key)
    assert segment is not None
    assert (segment.packages, segment.documents) == ((PACKAGE,), ((document_digest(row), len(row)),))
    assert list(listed.texts) == [segment.texts]
    assert list(read_texts(store, segment.texts)) == [(document_digest(row), row)]
    assert all(KeyPatterns().owns(each) for each in (key, segment.texts))


def test_a_full_segment_is_written_and_another_begun(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_segments, "FULL_DOCUMENTS", 2)
    writing = SegmentWriting(store)
    for number in range(5):
        row = SearchDocument("page", f"Page {number}").to_json()
        writing.add_document(document_digest(row), row)
    writing.flush()
    assert len(writing.written) == 3
    writing.flush()
    assert len(segments(store)) == 6


@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_row_is_passed_over(name: str) -> None:
    spoilt = SPOILT[name](PACKAGE.to_json())
    found = IndexedPackage.from_json(spoilt)
    assert found is None or found.canvas_id == 1


@given(mutations(PACKAGE.to_json()))
def test_a_mutated_row_is_valid_or_passed_over(row: bytes) -> None:
    found = IndexedPackage.from_json(row)
    assert found is None or (found.key.startswith(f"courses/{found.canvas_id}/") and found.to_json())


@given(mutations(DOCUMENT.to_json()))
def test_a_mutated_document_is_valid_or_passed_over(row: bytes) -> None:
    found = parse_document(row)
    assert found is None or (found.kind in KINDS and found.text.encode() is not None)


@pytest.mark.parametrize(
    "change",
    [
        {"package": "courses/2/a.imscc"},
        {"package": "courses/1/../2/a.imscc"},
        {"package": "groups/1/a.imscc", "manifest": "groups/1/a.json"},
        {"manifest": "courses/2/a.json"},
        {"sha256": "x"},
        {"type": "film"},
        {"size": -1},
        {"size": 2**70},
        {"size": True},
        {"created_at": "9999-01-01T00:00:00Z"},
        {"items": [["x"]]},
        {"items": [["x", "not a digest"]]},
        {"items": [["", "1" * 32]]},
        {"items": [["x" * 600, "1" * 32]]},
        {"items": {"a": 1}},
        {"course": []},
        {"course": {"name": 7}},
    ],
)
def test_a_row_that_nobody_would_write_is_passed_over(change: dict[str, object]) -> None:
    row = json.loads(PACKAGE.to_json())
    assert IndexedPackage.from_json(json.dumps({**row, **change}).encode()) is None


@pytest.mark.parametrize(
    "row",
    [
        ["settings", "a", "b", [], []],
        ["page", "a" * 501, "b", [], []],
        ["page", "a", "b" * 100_001, [], []],
        ["page", "a", "\ud800", [], []],
        ["page", "a", "b", ["NOT.lower"], []],
        ["page", "a", "b", ["a..b"], []],
        ["page", "a", "b", [["a"]], []],
        ["page", "a", "b", ["a.example"] * 500, []],
        ["page", 1, "b", [], []],
        ["page", "a", "b", []],
        {"page": 1},
    ],
)
def test_a_document_that_nobody_would_write_is_passed_over(row: object) -> None:
    assert parse_document(json.dumps(row).encode()) is None


_BOMB = gzip.compress(b"\n" * (300 * 1024 * 1024), 9)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(lambda _: b"", id="nothing"),
        pytest.param(lambda data: data[:-20], id="cut"),
        pytest.param(lambda data: data[:40] + b"\0" + data[41:], id="a byte"),
        pytest.param(lambda _: gzip.compress(b"[" * 5_000_000), id="a line without end"),
        pytest.param(lambda _: _BOMB, id="a bomb"),
        pytest.param(
            lambda _: gzip.compress(b'{"texts": "search/../x", "documents": []}\n'), id="other texts"
        ),
        pytest.param(lambda _: gzip.compress(b'{"documents": 3}\n'), id="no list"),
    ],
)
def test_a_damaged_segment_is_ignored_and_its_packages_are_indexed_again(
    tmp_path: Path, data: Callable[[bytes], bytes]
) -> None:
    folder = tmp_path / "archive"
    archive = SearchableArchive(FileStore(folder.as_uri(), folder), tmp_path / "cache")
    archive.add(1, [page("Soil", "nitrogen")])
    archive.index()
    (packages,) = (key for key in segments(archive.store) if key.endswith(PACKAGES))
    spoilt = data(archive.store.read(packages))
    archive.store.delete(packages)
    archive.store.replace(packages, spoilt)  # under a name that is not its digest
    _put(FileStore(folder.as_uri(), folder), PACKAGES, spoilt)  # and under the right one
    assert archive.found("nitrogen") in ([], [(1, "Soil")])  # a beginning of it may hold whole rows
    archive.index()
    assert archive.found("nitrogen") == [(1, "Soil")]


def test_no_more_rows_are_read_than_a_segment_may_have(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_segments, "_MOST_ROWS", 10)
    assert len(list(read_texts(store, _put(store, TEXTS, _BOMB)))) == 10
    head = json.dumps({"texts": _key(b"", TEXTS), "documents": []}).encode()
    packages = read_packages(
        store, _put(store, PACKAGES, gzip.compress(head + b"\n" + PACKAGE.to_json() + b"\n" * 10**7))
    )
    assert packages is not None
    assert packages.packages == (PACKAGE,)


def test_a_document_cannot_be_replaced_by_another(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    store = FileStore(folder.as_uri(), folder)
    archive = SearchableArchive(store, tmp_path / "cache")
    archive.add(1, [page("Soil", "nitrogen")])
    archive.index()
    digest = document_digest(SearchDocument("page", "Soil", "nitrogen").to_json())
    other = SearchDocument("page", "Soil", "a forged nitrogen").to_json()
    texts = _put(store, TEXTS, gzip.compress(other + b"\n"))
    head = json.dumps({"texts": texts, "documents": [[digest, len(other)]]}).encode()
    _put(store, PACKAGES, gzip.compress(head + b"\n"))
    (course,) = archive.search("nitrogen").courses
    assert [item.snippet.text.text for item in course.items] == ["nitrogen"]


def test_objects_of_others_below_the_folder_are_left_alone(store: FileStore) -> None:
    names = [f"{FOLDER}notes.txt", f"{FOLDER}{FORMAT}-xyz{TEXTS}", f"{FOLDER}{FORMAT}-{'0' * 32}.sqlite3"]
    for name in names:
        store.replace(name, b"mine")
    listed = list_segments(store, now=LATER)
    assert (listed.packages, dict(listed.texts), listed.abandoned) == ((), {}, ())
