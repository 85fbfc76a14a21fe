"""Courses with text that is made up: no real course is in it. What is assumed is stated here.

A course has a syllabus, 8 pages, 8 assignments, 6 discussions and announcements, 3 quizzes, 25 files, 3 web links or tools: some
4,500 words, 27 KB. Words are drawn from a vocabulary of 50,000 by Zipf's law, with an exponent of 1; every tenth page links to a
host. In an archive of many terms, a course is taught ten times: each time, three of ten documents are new and the others as they
were, under new identifiers, as in a course that is copied in Canvas.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from canvas_exports.core.archive.search.documents import SearchDocument
from canvas_exports.core.archive.search.index_rows import IndexedPackage, document_digest
from canvas_exports.core.archive.search.index_segments import SegmentWriting
from canvas_exports.core.storage.store import Store

TERMS = 10
CHANGED = 0.3
VOCABULARY = 50_000
#: What some queries look for: in one, and in five, of a hundred courses.
RARE, PHRASE = "nitrogenase", "nitrogen cycle"
HOST, TOOL = "video.example.edu", "lti.example.com"

_SHAPE = (
    ("syllabus", 1, 500),
    ("page", 8, 250),
    ("assignment", 8, 120),
    ("discussion", 4, 60),
    ("announcement", 2, 60),
    ("quiz", 3, 200),
    ("file", 25, 0),
    ("web_link", 2, 0),
    ("external_tool", 1, 0),
)
_HOSTS = tuple(f"host{number}.example.org" for number in range(200))
_START = datetime(2020, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Size:
    """What a corpus has.

    Attributes:
        courses, copies: of the archive.
        documents: each text once.
        text: bytes of their rows.
    """

    courses: int
    copies: int
    documents: int
    text: int


class Corpus:
    """Documents from a seed."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)  # noqa: S311 - no secret
        letters = "etaoinshrdlucmfwypvbgk"
        words: dict[str, None] = {}
        while len(words) < VOCABULARY:
            words["".join(self._random.choices(letters, k=2 + int(self._random.expovariate(0.2)) % 12))] = (
                None
            )
        self._words = list(words)
        self._weights = list(itertools.accumulate(1 / (rank + 10) for rank in range(VOCABULARY)))

    def course(self) -> list[SearchDocument]:
        """Return the documents of a course."""
        return [self._document(kind, words) for kind, number, words in _SHAPE for _ in range(number)]

    def changed(self, documents: list[SearchDocument], share: float) -> list[SearchDocument]:
        """Return the documents of a later copy: a share of them is new."""
        lengths = {kind: words for kind, _, words in _SHAPE}
        return [
            self._document(each.kind, lengths[each.kind]) if self._random.random() < share else each
            for each in documents
        ]

    def frequent(self, number: int) -> str:
        """Return the most frequent words that have three letters or more."""
        return " ".join([word for word in self._words if len(word) > 2][:number])  # noqa: PLR2004

    def identifier(self) -> str:
        """Return an identifier as Canvas makes them."""
        return f"g{self._random.getrandbits(128):032x}"

    def _document(self, kind: str, words: int) -> SearchDocument:
        chance = self._random.random()
        text = self._text(int(words * self._random.uniform(0.4, 1.6)))
        if words and chance < 0.002:  # noqa: PLR2004 - some 5 of 100 courses
            text += f" {PHRASE}"
        elif words and chance < 0.0025:  # noqa: PLR2004 - some one of 100 courses
            text += f" {RARE}"
        hosts: tuple[str, ...] = ()
        if kind == "external_tool":
            hosts = (TOOL,)
        elif kind == "web_link" or (kind == "page" and chance > 0.9):  # noqa: PLR2004 - every tenth
            hosts = (HOST if chance > 0.99 else self._random.choice(_HOSTS),)  # noqa: PLR2004 - one of a hundred
        return SearchDocument(kind, self._text(3), text, hosts, hosts if kind == "external_tool" else ())

    def _text(self, words: int) -> str:
        return " ".join(self._random.choices(self._words, cum_weights=self._weights, k=words))


def write_index(store: Store, courses: int, *, terms: int = 1, copies: int = 1) -> Size:
    """Write the segments of an archive, as ``update_search_index`` does, without packages.

    Args:
        store: where to.
        courses: in all terms.
        terms: in which each course is taught.
        copies: of each course, one a day, with 2 of 100 documents changed.
    """
    corpus, writing, known = Corpus(), SegmentWriting(store), set[str]()
    text = number = 0
    for subject in range(courses // terms):
        documents = corpus.course()
        for term in range(terms):
            documents = corpus.changed(documents, CHANGED) if term else documents
            number += 1
            identifiers = [corpus.identifier() for _ in documents]
            copied = documents
            for copy in range(copies):
                copied = corpus.changed(copied, 0.02) if copy else copied
                digests = []
                for row in (each.to_json() for each in copied):
                    digests.append(document_digest(row))
                    if digests[-1] not in known:
                        known.add(digests[-1])
                        text += len(row)
                        writing.add_document(digests[-1], row)
                writing.add_package(
                    _package(number, subject, term, copy, zip(identifiers, digests, strict=True))
                )
    writing.flush()
    return Size(number, number * copies, len(known), text)


def keys_of(course: int, terms: int, copies: int) -> Iterator[str]:
    """Yield the keys of the packages and manifests of a course."""
    for copy in range(copies):
        stem = _stem(course, _created(course, (course - 1) % terms, copy))
        yield from (f"{stem}.imscc", f"{stem}.json")


def _created(course: int, term: int, copy: int) -> datetime:
    return _START + timedelta(days=120 * term + copy, seconds=course % 3600)


def _stem(course: int, created: datetime) -> str:
    return f"courses/{course}/{created:%Y%m%dT%H%M%SZ}-common_cartridge-{course}"


def _package(
    course: int, subject: int, term: int, copy: int, items: Iterator[tuple[str, str]]
) -> IndexedPackage:
    created = _created(course, term, copy)
    stem = _stem(course, created)
    return IndexedPackage(
        key=f"{stem}.imscc",
        size=1,
        identity="0" * 64,
        manifest=f"{stem}.json",
        canvas_id=course,
        export_type="common_cartridge",
        created_at=created,
        name=f"Course of subject {subject}",
        course_code=f"SUB-{subject}",
        sis_id=f"SUB-{subject}-{term}",
        term=f"Term {term}",
        items=tuple(items),
    )
