"""Readers of Canvas's own documents in a cartridge or QTI package, fed while the package is unpacked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from canvas_exports.core.packages.cartridge.xml_reader import StreamedXml, XmlReader
from canvas_exports.core.packages.findings import Findings
from canvas_exports.core.packages.proof import Finding, Severity
from canvas_exports.core.packages.work_limits import WorkLimit
from canvas_exports.errors import CorruptPackageError, HostileXmlError

_MOST_TOOLS = 50_000
_MOST_IDENTIFIERS = 100_000
_LONGEST_IDENTIFIER = 100


class ContentSummary:
    """The results of all documents of a package.

    Attributes:
        work: the work limit of the package.
        counts: numbers by name.
        findings: what is wrong with the documents.
        tools: identifiers of module items that are links to external tools.
        identifiers: identifiers defined in documents; ``None`` once there are too many to keep.
        nonempty: names of documents with an element below the root; unreadable documents are included.
        has_modules: whether ``module_meta.xml`` was read.
    """

    def __init__(self, work: WorkLimit) -> None:
        self.work = work
        self.counts: Counter[str] = Counter()
        self.findings = Findings()
        self.tools: set[str] = set()
        self.identifiers: set[str] | None = set()
        self.nonempty: set[str] = set()
        self.has_modules = False

    def add_identifier(self, identifier: str) -> None:
        """Keep an identifier that a document defines."""
        if self.identifiers is not None and len(identifier) <= _LONGEST_IDENTIFIER:
            self.identifiers.add(identifier)
            if len(self.identifiers) > _MOST_IDENTIFIERS:
                self.identifiers = None


class DocumentReader(XmlReader):
    """Reads one document of Canvas's own and adds to the summary at its end."""

    texts_of: tuple[str, ...] = ()

    def __init__(self, summary: ContentSummary, name: str) -> None:
        super().__init__(name, self.texts_of, summary.work)
        self.summary = summary

    def start_element(self, space: str, local: str, attributes: dict[str, str]) -> None:
        """Keep the identifier of the element."""
        if "identifier" in attributes:
            self.summary.add_identifier(attributes["identifier"])
        super().start_element(space, local, attributes)

    def on_document_end(self) -> None:
        """Add the results to the summary; called once the whole document could be read."""


class StreamedDocument:
    """Feeds a document to its reader. An unreadable document becomes a finding, and the rest of the package is still read.

    Args:
        summary: where the results go.
        name: of the document.
        make: creates its reader.
        is_known: whether Canvas is known to write this document. An unknown one is never an error.
    """

    def __init__(
        self,
        summary: ContentSummary,
        name: str,
        make: Callable[[ContentSummary, str], DocumentReader] = DocumentReader,
        *,
        is_known: bool = True,
    ) -> None:
        self._summary = summary
        self._name = name
        self._is_known = is_known
        self._reader = make(summary, name)
        self._make = make
        self._xml: StreamedXml | None = StreamedXml(self._new_reader)

    def feed(self, piece: bytes | memoryview) -> None:
        """Read the next bytes; ignored once the document was found to be unreadable."""
        if self._xml is not None:
            try:
                self._xml.feed(piece)
            except CorruptPackageError as error:
                self._fail(error)

    def end(self) -> None:
        """End the document and add its results to the summary, if it could be read."""
        if self._xml is None:
            return
        try:
            self._xml.end()
        except CorruptPackageError as error:
            self._fail(error)
            return
        if self._reader.defect:
            self._summary.findings.add(odd_xml(self._name, self._reader.defect))
        if self._reader.elements > 1:
            self._summary.nonempty.add(self._name)
        self._reader.on_document_end()

    def _new_reader(self) -> DocumentReader:
        self._reader = self._make(self._summary, self._name)
        return self._reader

    def _fail(self, error: CorruptPackageError) -> None:
        self._xml = None
        self._summary.nonempty.add(self._name)
        if isinstance(error, HostileXmlError):
            finding = Finding("hostile_xml", Severity.ERROR, error.message, self._name)
        else:
            text = "it is truncated or not XML: an import loses the rest of it"
            finding = Finding("broken_xml", Severity.ERROR, text, self._name)
        if not self._is_known:
            finding = replace(finding, severity=Severity.WARNING)
        self._summary.findings.add(finding)


def odd_xml(name: str, defect: str) -> Finding:
    """Return the finding for a document that is not well-formed but can be read."""
    text = f"it is not well-formed XML, but Canvas's importer can read it: {defect}"
    return Finding("odd_xml", Severity.WARNING, text, name)


class ListReader(DocumentReader):
    """Counts elements of a settings document: those of one name, or all directly below the root."""

    def __init__(self, summary: ContentSummary, name: str, element: str | None, count: str) -> None:
        super().__init__(summary, name)
        self._element, self._count, self._seen = element, count, 0

    def on_start(self, name: str, attributes: dict[str, str]) -> None:  # noqa: ARG002 - the base's signature
        """Note an element that begins."""
        self._seen += name == self._element if self._element else len(self.open) == 2  # noqa: PLR2004 - below the root

    def on_document_end(self) -> None:
        """Add the results to the summary."""
        self.summary.counts[self._count] += self._seen


class ItemReader(DocumentReader):
    """Counts a document as one item, or the items directly below its root if it is a list."""

    def __init__(self, summary: ContentSummary, name: str, list_root: str, count: str) -> None:
        super().__init__(summary, name)
        self._list_root, self._count, self._below = list_root, count, 0

    def on_start(self, name: str, attributes: dict[str, str]) -> None:  # noqa: ARG002 - the base's signature
        """Note an element that begins."""
        self._below += len(self.open) == 2  # noqa: PLR2004 - below the root

    def on_document_end(self) -> None:
        """Add the results to the summary."""
        self.summary.counts[self._count] += self._below if self.root == self._list_root else 1


class ModuleMetaReader(DocumentReader):
    """Reads ``module_meta.xml``: finds the module items that link to external tools, which have no resource."""

    def __init__(self, summary: ContentSummary, name: str) -> None:
        super().__init__(summary, name)
        self._names: list[str] = []
        self._tools: set[str] = set()
        self._is_tool = False
        self._text = ""

    def on_start(self, name: str, attributes: dict[str, str]) -> None:
        """Note an element that begins."""
        self._text = ""
        if name == "item":
            self._names, self._is_tool = [attributes.get("identifier", "")], False

    def characters(self, text: str) -> None:
        """Keep the texts that are needed."""
        if self.open[-1] in ("content_type", "identifierref"):
            self._text = (self._text + text)[:200]

    def on_end(self, name: str) -> None:
        """Note an element that has ended."""
        if "item" not in self.open:
            return
        if name == "identifierref" and len(self._names) < 3:  # noqa: PLR2004 - its own, and what it refers to
            self._names.append(self._text.strip())
        elif name == "content_type":
            self._is_tool = self._text.strip() == "ContextExternalTool"
        elif name == "item" and self._is_tool and len(self._tools) < _MOST_TOOLS:
            self._tools.update(each[:_LONGEST_IDENTIFIER] for each in self._names if each)

    def on_document_end(self) -> None:
        """Add the results to the summary."""
        self.summary.tools |= self._tools
        self.summary.has_modules = True


# The root elements of a question in QTI 2 and 3, which is a document of its own.
_NEWER_ITEMS = ("assessmentItem", "qti-assessment-item")


class QuestionsReader(DocumentReader):
    """Counts the questions of a quiz or question bank in QTI."""

    def __init__(self, summary: ContentSummary, name: str) -> None:
        super().__init__(summary, name)
        self._items = 0

    def on_start(self, name: str, attributes: dict[str, str]) -> None:  # noqa: ARG002 - the base's signature
        """Note an element that begins."""
        self._items += name == "item"

    def on_document_end(self) -> None:
        """Add the results to the summary."""
        if self.root == "questestinterop":
            self.summary.counts["questions"] += self._items
        elif self.root in _NEWER_ITEMS:
            self.summary.counts["questions"] += 1


class TopicReader(DocumentReader):
    """Counts announcements: a discussion's settings say whether it is one."""

    texts_of = ("type",)

    def on_document_end(self) -> None:
        """Add the results to the summary."""
        if self.root == "topicMeta" and self.texts.get("type") == "announcement":
            self.summary.counts["announcements"] += 1
