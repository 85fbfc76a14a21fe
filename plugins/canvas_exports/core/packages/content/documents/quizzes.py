"""Read quizzes and question banks: settings, description, questions."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from canvas_exports.core.packages.content.documents.fields import fields_of
from canvas_exports.core.packages.content.documents.material import html_of
from canvas_exports.core.packages.content.documents.newer_questions import item_addresses
from canvas_exports.core.packages.content.documents.questions import GROUP, metadata_of, read_questions
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


def read_quiz(item: Item, source: DocumentSource) -> Document:
    """Read a quiz.

    A cartridge has its questions twice; the more complete ones are taken. A test in QTI 2 or 3 leads to its questions, at most
    1,000, which are read one by one.
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
    found = _read(item.member, source)
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
    """Return a test in QTI 2 or 3 with its questions, which are documents of their own."""
    left, problem = _MOST_ITEMS, found.problem
    questions = list(found.results)
    for member in dict.fromkeys(islice(item_addresses(found.root, name), MOST_QUESTIONS)):
        left -= source.size(member)
        if not source.holds(member) or left < 0:
            problem = problem or "some of its questions are not in the package, or too long"
            continue
        source.note(member)
        item = _read(member, source)
        questions += item.results
        problem = problem or item.problem
    return XmlTree(found.root, tuple(questions), problem)


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
