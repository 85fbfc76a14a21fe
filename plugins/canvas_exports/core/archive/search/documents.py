"""What the search index holds of a package: a text for each of its items.

Quizzes and question banks: what the question says, and the choices of questions that show them. Nothing of the key: no
accepted answers, no pairs of matching questions, no feedback, and not which choice is right. Of a file, its name and folder.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from canvas_exports.core.archive.search.hosts import host_of, hosts_of, tool_hosts_of
from canvas_exports.core.archive.search.plain_text import MOST_TEXT, one_line, plain_text
from canvas_exports.core.packages.content.model import (
    CourseContent,
    Document,
    Item,
    ItemKind,
    Module,
    Question,
)

#: The kind of a module, which is no item of a package.
MODULE = "module"

#: Every kind that is searched.
KINDS = (*(kind.value for kind in ItemKind if kind is not ItemKind.SETTINGS), MODULE)

#: Bounds of one package.
MOST_DOCUMENTS = 20_000
MOST_PACKAGE_TEXT = 16_000_000  # characters

MOST_TITLE = 500
MOST_IDENTIFIER = 500
MOST_HOSTS = 200

#: Questions that show their answers, all of them and before one is given.
_SHOWN = ("multiple_choice_question", "multiple_answers_question", "choiceInteraction")
_TOOL_FIELDS = "external_tool"


@dataclass(frozen=True)
class SearchDocument:
    """The text of one item. Equal documents, of any course and night, are stored once.

    Attributes:
        kind: one of ``KINDS``.
        title: one line.
        text: one line.
        hosts: that it links to, sorted.
        tools: the hosts of external tools among them, sorted.
    """

    kind: str
    title: str
    text: str = ""
    hosts: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()

    def to_json(self) -> bytes:
        """Return the row of a segment; equal documents have equal rows."""
        row = [self.kind, self.title, self.text, list(self.hosts), list(self.tools)]
        return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


@dataclass(frozen=True)
class FoundDocument:
    """A document with its identifier in the package."""

    identifier: str
    document: SearchDocument


def package_documents(
    content: CourseContent, *, is_late: Callable[[], bool] = lambda: False
) -> Iterator[FoundDocument]:
    """Yield the documents of a package, each identifier of a kind once.

    Ends early at ``MOST_DOCUMENTS`` and at ``MOST_PACKAGE_TEXT``.

    Args:
        content: the open package.
        is_late: asked before each document; if it is true, no more are read.

    Raises:
        ArchiveError: the store failed (retryable), or denied (permanent).
    """
    seen: set[tuple[str, str]] = set()
    left = MOST_PACKAGE_TEXT
    for found in _every_document(content):
        if left <= 0 or len(seen) >= MOST_DOCUMENTS or is_late():
            return
        name = (found.document.kind, found.identifier)
        if name not in seen and len(found.identifier) <= MOST_IDENTIFIER:
            seen.add(name)
            left -= len(found.document.text) + len(found.document.title)
            yield found


def _every_document(content: CourseContent) -> Iterator[FoundDocument]:
    read = [item for item in content.items if item.kind not in (ItemKind.FILE, ItemKind.SETTINGS)]
    for document in content.read_all(read):
        yield FoundDocument(document.item.identifier, _of_document(document))
    for module in content.modules:
        yield FoundDocument(module.identifier, _of_module(module))
    for item in content.items:
        if item.kind is ItemKind.FILE:
            yield FoundDocument(item.identifier, _of_file(item))


def _of_document(document: Document) -> SearchDocument:
    item = document.item
    links = document.links
    texts = [document.html, *(text for each in document.questions for text in _question_texts(each))]
    cells = (cell for table in document.tables for row in table.rows for cell in row)
    text = " ".join(filter(None, [*_plain(texts), one_line(" ".join(cells), most=MOST_TEXT)]))
    tools = {host for link in links for host in tool_hosts_of(link)}
    tools |= hosts_of(each.value for each in document.fields if _TOOL_FIELDS in each.name)
    hosts = hosts_of(links)
    if item.kind is ItemKind.EXTERNAL_TOOL:
        tools |= hosts
    return _document(item.kind.value, item.title, text, hosts | tools, tools)


def _of_file(item: Item) -> SearchDocument:
    return _document(item.kind.value, item.title, one_line(item.folder, most=MOST_TITLE), set(), set())


def _of_module(module: Module) -> SearchDocument:
    """Return a module with its headings and the addresses that it opens; what it leads to is an item of its own."""
    own = [each for each in module.items if each.target is None]
    hosts = {host for each in own if each.url and (host := host_of(each.url))}
    tools = {host for each in own for host in tool_hosts_of(each.url)}
    text = one_line(" ".join(each.title for each in own), most=MOST_TEXT)
    return _document(MODULE, module.title, text, hosts | tools, tools)


def _document(kind: str, title: str, text: str, hosts: set[str], tools: set[str]) -> SearchDocument:
    return SearchDocument(
        kind,
        one_line(title, most=MOST_TITLE),
        text[:MOST_TEXT].rstrip(),
        tuple(sorted(hosts)[:MOST_HOSTS]),
        tuple(sorted(tools)[:MOST_HOSTS]),
    )


def _question_texts(question: Question) -> Iterator[str]:
    yield question.title if question.title.lower() != "question" else ""
    yield question.html
    if question.type in _SHOWN:
        yield from (answer.html for answer in question.answers)


def _plain(texts: list[str]) -> Iterator[str]:
    left = MOST_TEXT
    for html in texts:
        if left > 0 and html:
            text = plain_text(html, most=left)
            left -= len(text)
            yield text
