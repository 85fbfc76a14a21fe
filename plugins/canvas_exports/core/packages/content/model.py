"""The content of a package in Canvas's nouns: items, documents, modules.

An *item* is listed without reading its document: its title comes from the package's own manifest where that has one. A
*document* is an item that was read: its HTML as the teacher wrote it (hostile input: see ``archive.browsing``), its settings,
its questions. Nothing here reads a package; see ``open_content``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class ItemKind(str, Enum):
    """What an item is, in Canvas's nouns. The values are stable: they stand in JSON, in addresses and in the search index."""

    PAGE = "page"
    SYLLABUS = "syllabus"
    ASSIGNMENT = "assignment"
    DISCUSSION = "discussion"
    ANNOUNCEMENT = "announcement"
    QUIZ = "quiz"
    QUESTION_BANK = "question_bank"
    FILE = "file"
    WEB_LINK = "web_link"
    EXTERNAL_TOOL = "external_tool"
    RUBRIC = "rubric"
    OUTCOME = "outcome"
    EVENT = "event"
    SETTINGS = "settings"


@dataclass(frozen=True)
class Item:
    """One thing in a package, listed but not read.

    Attributes:
        kind: what it is.
        identifier: of the package, the same in every export of a course: of its resource or its element; of a file without a
            resource, its path.
        title: of its document; where opening did not read that, from the manifest's outline, else from the document's name.
        member: the member of the package with its document or, of a file, its bytes; ``None`` if there is none.
        settings: the member with its settings, such as ``<id>/assignment_settings.xml``; ``None`` if there is none.
        folder: of a file, the folder it lies in, as Canvas shows it (``""`` for the course's own); else ``""``.
        size: bytes of ``member``, unpacked; 0 if there is none.
        is_published: ``None`` if the package does not say, or says it only in the document.
        is_front_page: whether it is the page that the course opens with.
    """

    kind: ItemKind
    identifier: str
    title: str
    member: str | None = None
    settings: str | None = None
    folder: str = ""
    size: int = 0
    is_published: bool | None = None
    is_front_page: bool = False


@dataclass(frozen=True)
class Answer:
    """An answer that a question offers, or accepts.

    Attributes:
        identifier: in the question.
        html: what it says; hostile, as in ``Document``.
        is_correct: ``None`` if the package does not say.
        match: of a matching question, the text it belongs to; of one that asks for an order, its place; else ``""``. Part of
            the key.
        blank: of a question with several blanks, menus or categories, the one that it is offered for; else ``""``.
    """

    identifier: str
    html: str
    is_correct: bool | None = None
    match: str = ""
    blank: str = ""


@dataclass(frozen=True)
class Question:
    """A question of a quiz or of a question bank.

    Attributes:
        identifier: of the package.
        type: Canvas's, such as ``multiple_choice_question``; of another system, its profile; ``""`` if unknown.
        title: such as ``Question``.
        html: the question itself; hostile, as in ``Document``.
        points: ``None`` if the package does not say.
        answers: in order. With ``is_correct`` and ``match`` they hold the key.
        feedback: texts shown after an answer, as HTML. Part of the key.
        bank: of a group that draws from a bank, the identifier of that bank; else ``""``. A group has the type
            ``question_group`` and stands before the questions that it draws from, if these are its own.
    """

    identifier: str
    type: str
    title: str
    html: str
    points: float | None = None
    answers: tuple[Answer, ...] = ()
    feedback: tuple[str, ...] = ()
    bank: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of text: the criteria of a rubric, the steps of a grading scheme. No cell is HTML."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Field:
    """One setting, such as the points of an assignment.

    Attributes:
        name: the package's own, such as ``points_possible`` or ``due_at``; stable, for comparing.
        label: for a person, such as ``Points``.
        value: text; a date in ISO 8601 as in the package.
    """

    name: str
    label: str
    value: str


@dataclass(frozen=True)
class Document:
    """An item that was read.

    Attributes:
        item: with what its document says of title and publication.
        html: its body as its author wrote it, with Canvas's tokens (``$IMS-CC-FILEBASE$`` and their kin). Hostile.
        fields: its settings, in a fixed order.
        questions: of a quiz or a question bank, in order.
        tables: of a rubric, or of the settings of the course.
        links: addresses that it leads to, as written: ``href`` and ``src`` of its HTML, the address of a web link or tool.
        problem: why it could not be read, or not wholly, in one sentence; else ``""``.
    """

    item: Item
    html: str = ""
    fields: tuple[Field, ...] = ()
    questions: tuple[Question, ...] = ()
    tables: tuple[Table, ...] = ()
    links: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class ModuleItem:
    """One line of a module.

    Attributes:
        identifier: of the line, not of what it leads to.
        title: as the module shows it.
        indent: 0 or more.
        target: the item it leads to; ``None`` of a heading, of an address, and where the package lacks it.
        url: of an external address or tool; else ``""``.
        is_published: ``None`` if the package does not say.
    """

    identifier: str
    title: str
    indent: int = 0
    target: Item | None = None
    url: str = ""
    is_published: bool | None = None


@dataclass(frozen=True)
class Module:
    """A module with its lines, in order."""

    identifier: str
    title: str
    items: tuple[ModuleItem, ...] = ()
    is_published: bool | None = None


class CourseContent(Protocol):
    """A package that is open for reading; made by ``open_content``.

    Listing costs what opening cost; each document costs the requests for its members, and no more.

    Attributes:
        title: of the course, as the package has it; ``""`` if it does not say.
        items: every item, each kind in the order of the package.
        modules: in order; where there are no modules, the outline of the manifest.
    """

    title: str
    items: tuple[Item, ...]
    modules: tuple[Module, ...]

    def find(self, kind: ItemKind, identifier: str) -> Item | None:
        """Return an item; ``None`` if the package has none of this kind and identifier."""
        ...

    def home(self) -> Item | None:
        """Return the item that the course opens with: its front page, else its syllabus; ``None`` if there is neither."""
        ...

    def read(self, item: Item) -> Document:
        """Read one item's document. A document that cannot be read has a ``problem``; nothing is raised for it.

        Raises:
            ArchiveError: the store failed (retryable), or denied (permanent).
        """
        ...

    def read_all(self, items: Iterable[Item]) -> Iterator[Document]:
        """Read many documents, in the order of the items, in bounded memory.

        Members that lie together are read together, so that it takes few requests. Raises the errors of ``read``.
        """
        ...

    def file_blocks(self, member: str, window: range | None = None) -> Iterator[bytes]:
        """Yield the unpacked bytes of a member, or a window of them.

        A window of a member that is stored uncompressed is one ranged read, and one of its header; of a compressed one, it is
        unpacked from its beginning, and each block before the window is empty.

        Raises:
            ObjectNotFoundError: the package has no such member.
            CorruptPackageError: it cannot be unpacked.
        """
        ...

    def resolve(self, address: str, *, base: Item | None = None) -> Item | str | None:
        """Return what an address of a document leads to.

        Args:
            address: as the document has it, once HTML is unescaped.
            base: the item of the document, for relative addresses.

        Returns:
            An item of the package (the fragment of the address is lost); an address outside as it is written (``https:``,
            ``mailto:``); or ``None`` where it leads to nothing that the package holds.
        """
        ...
