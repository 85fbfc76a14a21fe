"""Read quizzes and question banks: settings, description, questions."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice

from canvas_exports.core.packages.content.documents.fields import fields_of
from canvas_exports.core.packages.content.documents.material import html_of
from canvas_exports.core.packages.content.documents.newer_questions import item_addresses
from canvas_exports.core.packages.content.documents.questions import (
    GROUP,
    REFERENCE,
    metadata_of,
    read_questions,
)
from canvas_exports.core.packages.content.documents.source import DocumentSource, described, missing, work_for
from canvas_exports.core.packages.content.html_text import links_of
from canvas_exports.core.packages.content.model import Document, Item, Question
from canvas_exports.core.packages.content.xml_tree import Element, XmlTree
from canvas_exports.core.storage.buffers import MiB
from canvas_exports.errors import CorruptPackageError
from canvas_exports.foreign_text import harmless

# Documents that the questions of one test are read from, and their unpacked bytes.
MOST_QUESTIONS = 1_000
_MOST_ITEMS = 16 * MiB
_MISSING = "some of its questions are not in the package, or too long"


def read_quiz(item: Item, source: DocumentSource) -> Document:
    """Read a quiz.

    A cartridge has its questions twice; the more complete ones are taken. Questions of other documents that it leads to are
    read with it: of up to 1,000 documents.
    """
    settings = source.tree(item.settings) if item.settings else None
    root = settings.root if settings else Element("", {})
    found = _questions(item, source)
    if found is None and settings is None:
        return missing(item)
    body = found or XmlTree(Element("", {}), ())
    assessment = body.root.first("assessment") or body.root
    html = (
        root.value("description")
        or html_of(assessment.first("rubric"))
        or html_of(assessment.first("presentation_material"))
    )
    titled = described(
        replace(item, title=harmless(assessment.attributes.get("title", "")) or item.title), root
    )
    fields = fields_of(root, root.first("assignment"), without=("description",), more=metadata_of(assessment))
    return Document(
        titled,
        html=html,
        fields=fields,
        questions=body.results,
        links=links_of(html, *_texts(body.results)),
        problem=body.problem or (settings.problem if settings else ""),
    )


def read_bank(item: Item, source: DocumentSource) -> Document:
    """Read a question bank."""
    if item.member is None:
        return missing(item)
    found = _with_items(_read(item.member, source), item.member, source)
    bank = found.root.first("objectbank") or found.root.first("assessment") or found.root
    metadata = metadata_of(bank)
    title = metadata.pop("bank_title", "") or bank.attributes.get("title", "")
    return Document(
        replace(item, title=harmless(title) or item.title),
        fields=fields_of(more=metadata),
        questions=found.results,
        links=links_of(*_texts(found.results)),
        problem=found.problem,
    )


def _questions(item: Item, source: DocumentSource) -> XmlTree[Question] | None:
    best: XmlTree[Question] | None = None
    for name in _forms(item, source):
        found = _with_items(_read(name, source), name, source)
        if best is None or _number(found) > _number(best):
            best = found
        if _number(best) and not best.problem:
            break
    return best


def _with_items(found: XmlTree[Question], name: str, source: DocumentSource) -> XmlTree[Question]:
    """Return the questions of a document, with those of other documents that it leads to."""
    addresses = list(dict.fromkeys(islice(item_addresses(found.root, name), MOST_QUESTIONS)))
    if not addresses and not any(question.type == REFERENCE for question in found.results):
        return found
    elsewhere = _Elsewhere(name, source)
    questions: list[Question] = []
    left = MOST_QUESTIONS
    for question in found.results:
        if question.type != REFERENCE:
            questions.append(question)
        elif left >= 0:
            meant = elsewhere.meant(question)
            questions += meant[: max(left, 0)]
            left -= max(len(meant), 1)
    for address in addresses:
        questions += elsewhere.of(address)
    problem = found.problem or elsewhere.problem or ("" if left >= 0 else _MISSING)
    return XmlTree(found.root, tuple(questions), problem)


class _Elsewhere:
    """The questions that a document leads to: at most those of 1,000 documents, of 16 MiB in total."""

    def __init__(self, name: str, source: DocumentSource) -> None:
        self.problem = ""
        self._name = name
        self._source = source
        self._left = _MOST_ITEMS
        self._read: dict[str, tuple[Question, ...]] = {}

    def of(self, member: str) -> tuple[Question, ...]:
        """Return the questions of a member; none if it is not there, or beyond the bounds."""
        if member not in self._read:
            self._read[member] = self._of(member)
        return self._read[member]

    def meant(self, reference: Question) -> Sequence[Question]:
        """Return the questions that a reference means: of the document that it names, of a resource, or by its identifier."""
        documents = self._source.names.questions
        if reference.title:
            found = self.of(
                posixpath.normpath(posixpath.join(posixpath.dirname(self._name), reference.title))
            )
            return [each for each in found if each.identifier == reference.identifier] or (
                found if len(found) == 1 else ()
            )
        if reference.identifier in documents:
            return self.of(documents[reference.identifier])
        named = self._by_identifier.get(reference.identifier)
        self.problem = self.problem or (_MISSING if named is None else "")
        return (named,) if named else ()

    @cached_property
    def _by_identifier(self) -> dict[str, Question]:
        members = [each for each in self._source.names.questions.values() if each != self._name]
        return {each.identifier: each for member in reversed(members) for each in self.of(member)}

    def _of(self, member: str) -> tuple[Question, ...]:
        self._left -= self._source.size(member)
        if not self._source.holds(member) or self._left < 0 or len(self._read) >= MOST_QUESTIONS:
            self.problem = self.problem or _MISSING
            return ()
        self._source.note(member)
        found = _read(member, self._source)
        self.problem = self.problem or found.problem
        return tuple(each for each in found.results if each.type not in (REFERENCE, GROUP))


def _forms(item: Item, source: DocumentSource) -> Iterator[str]:
    if item.member is not None:
        yield item.member
    standard = f"{posixpath.dirname(item.settings)}/assessment_qti.xml" if item.settings else ""
    if standard != item.member and source.holds(standard):
        yield standard


def _number(found: XmlTree[Question]) -> int:
    return sum(question.type != GROUP or bool(question.bank) for question in found.results)


def _read(name: str, source: DocumentSource) -> XmlTree[Question]:
    try:
        pieces = source.pieces(name)
    except CorruptPackageError as error:
        return XmlTree(Element("", {}), (), error.message)
    return read_questions(name, pieces, work_for(pieces.member.size))


def _texts(questions: tuple[Question, ...]) -> Iterator[str]:
    for question in questions:
        yield question.html
        yield from (answer.html for answer in question.answers)
        yield from question.feedback
