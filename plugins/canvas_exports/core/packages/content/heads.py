"""Read the beginning of documents for a list: their titles, whether they are published, what kind they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from canvas_exports.core.packages.cartridge.xml_reader import XmlReader
from canvas_exports.core.packages.cartridge.xml_strict import NotWellFormedError, StrictParser
from canvas_exports.core.packages.content.html_text import decode, read_head
from canvas_exports.core.packages.content.package_members import MemberPieces
from canvas_exports.core.packages.content.xml_tree import read_tree
from canvas_exports.core.packages.work_limits import WorkLimit
from canvas_exports.errors import CorruptPackageError

#: Unpacked bytes of a document that are read for a list.
HEAD = 16 * 1024

_WORK_PER_PAGE = 5_000
_WORK_PER_BYTE = 5

_TEXTS = ("title", "type", "workflow_state", "available", "url", "launch_url", "secure_launch_url")
# Elements of quizzes whose title is an attribute; those of QTI 2 and 3 are the roots of their documents.
_TITLED = (
    "assessment",
    "assessmentItem",
    "assessmentTest",
    "qti-assessment-item",
    "qti-assessment-test",
)
_ON = ("active", "published", "available", "true")
_OFF = ("unpublished", "false", "deleted", "post_delayed")


@dataclass(frozen=True)
class Head:
    """What the beginning of a document says.

    Attributes:
        title: ``""`` if it has none there.
        root: the name of its root element; ``html`` of a page.
        texts: the first texts of some elements, or what ``meta`` elements say, by name.
    """

    title: str = ""
    root: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_published(self) -> bool | None:
        """Return whether it is published; ``None`` if it does not say."""
        return is_published(self.texts.get("workflow_state") or self.texts.get("available") or "")


def is_published(state: str) -> bool | None:
    """Return whether a state is that of something published; ``None`` if it says nothing."""
    return True if state in _ON else False if state in _OFF else None


def read_document_head(name: str, pieces: MemberPieces, work: WorkLimit) -> Head:
    """Read the head of a document, as far as it can be read.

    Raises:
        HostileXmlError: the package needs more work than any course.
    """
    try:
        data = pieces.head(HEAD)
    except CorruptPackageError:
        return Head()
    if name.lower().endswith((".xml", ".qti")):
        return _xml_head(name, data, pieces, work)
    work.spend(_WORK_PER_PAGE + _WORK_PER_BYTE * len(data), name)
    return _page_head(data)


def _page_head(data: bytes) -> Head:
    head = read_head(decode(data))
    return Head(head.title, "html", head.meta)


def _xml_head(name: str, data: bytes, pieces: MemberPieces, work: WorkLimit) -> Head:
    reader = _HeadReader(name, work)
    parser = StrictParser(reader)
    try:
        work.spend(len(data), name)
        parser.feed(data)
    except (NotWellFormedError, CorruptPackageError):
        if not reader.texts and pieces.member.size <= HEAD:
            tree = read_tree(name, pieces, work).root
            return Head(tree.value("title"), tree.name, {key: tree.value(key) for key in _TEXTS})
    texts = {key: text.strip() for key, text in reader.texts.items()}
    return Head(reader.own_title or texts.get("title", ""), reader.root or "", texts)


class _HeadReader(XmlReader):
    """Keeps the first texts, and the title of a quiz or a question bank."""

    def __init__(self, name: str, work: WorkLimit) -> None:
        super().__init__(name, _TEXTS, work)
        self.own_title = ""
        self._label = self._entry = ""

    def on_start(self, name: str, attributes: dict[str, str]) -> None:
        if name in _TITLED:
            self.own_title = attributes.get("title", "")
        elif name == "qtimetadatafield":
            self._label = self._entry = ""

    def characters(self, text: str) -> None:
        if self.open[-1] == "fieldlabel":
            self._label = (self._label + text)[:100]
        elif self.open[-1] == "fieldentry":
            self._entry = (self._entry + text)[:500]
        super().characters(text)

    def on_end(self, name: str) -> None:
        if name == "qtimetadatafield" and self._label.strip() == "bank_title":
            self.own_title = self.own_title or self._entry.strip()


HeadOf = Callable[[str], Head]
"""Returns the head of a member; an empty one if it was not read."""
