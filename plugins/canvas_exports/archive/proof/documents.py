"""The documents inside a cartridge or QTI package that tell more than the manifest, read as they pass."""

from __future__ import annotations

import re
from collections import Counter
from urllib.parse import urlsplit

from canvas_exports.archive.proof.model import Finding, Severity
from canvas_exports.archive.proof.xml_reader import HostileXmlError, XmlReader
from canvas_exports.errors import CorruptPackageError

# The host of New Quizzes, such as campus.quiz-lti-dub-prod.instructure.com.
_NEW_QUIZZES = re.compile(r"(\A|\.)quiz-lti[a-z0-9-]*\.instructure\.com\Z")

_MOST_FINDINGS = 1_000
_MOST_TOOLS = 100_000


class Gathered:
    """What the documents told. ``tools``: identifiers of module items that are links to external tools."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.findings: list[Finding] = []
        self.tools: set[str] = set()
        self.has_modules = False

    def found(self, finding: Finding) -> None:
        """Remember it, unless there are far too many already."""
        if len(self.findings) < _MOST_FINDINGS:
            self.findings.append(finding)


class Document(XmlReader):
    """A document of Canvas's own. One that cannot be read is a finding: the rest of the package may be of use."""

    texts_of: tuple[str, ...] = ()

    def __init__(self, gathered: Gathered, name: str) -> None:
        super().__init__(name, self.texts_of)
        self.gathered = gathered
        self.name = name
        self._refused = False

    def feed(self, piece: bytes | memoryview) -> None:
        """The next bytes; of a document that was refused, nothing more is looked at."""
        if not self._refused:
            try:
                super().feed(piece)
            except CorruptPackageError as error:
                self._refuse(error)

    def end(self) -> None:
        """Tell what it says, if all of it could be read."""
        if not self._refused:
            try:
                super().end()
            except CorruptPackageError as error:
                self._refuse(error)
            else:
                self.told()

    def told(self) -> None:
        """It has been read to its end."""

    def _refuse(self, error: CorruptPackageError) -> None:
        self._refused = True
        if isinstance(error, HostileXmlError):
            self.gathered.found(Finding("hostile_xml", Severity.ERROR, error.message, self.name))
        else:
            self.gathered.found(
                Finding(
                    "broken_xml",
                    Severity.ERROR,
                    "it is not well-formed XML: no Canvas can import it",
                    self.name,
                )
            )


class Listing(Document):
    """A settings document, of which certain elements are counted."""

    def __init__(self, gathered: Gathered, name: str, element: str, count: str) -> None:
        super().__init__(gathered, name)
        self._element, self._count, self._seen = element, count, 0

    def started(self, name: str, attributes: dict[str, str]) -> None:  # noqa: ARG002 - the base's signature
        """See what begins."""
        self._seen += name == self._element

    def told(self) -> None:
        """Pass on what it said."""
        self.gathered.counts[self._count] += self._seen


class ModuleMeta(Document):
    """``module_meta.xml``: which items of modules are links to external tools, which no resource stands for."""

    def __init__(self, gathered: Gathered, name: str) -> None:
        super().__init__(gathered, name)
        self._names: list[str] = []
        self._is_tool = False
        self._text = ""

    def started(self, name: str, attributes: dict[str, str]) -> None:
        """See what begins."""
        self._text = ""
        if name == "item":
            self._names, self._is_tool = [attributes.get("identifier", "")], False

    def said(self, text: str) -> None:
        """Remember what is needed of it."""
        if self.open[-1] in ("content_type", "identifierref"):
            self._text = (self._text + text)[:200]

    def ended(self, name: str) -> None:
        """See what has ended."""
        if "item" not in self.open:
            return
        if name == "identifierref":
            self._names.append(self._text.strip())
        elif name == "content_type":
            self._is_tool = self._text.strip() == "ContextExternalTool"
        elif name == "item" and self._is_tool and len(self.gathered.tools) < _MOST_TOOLS:
            self.gathered.tools.update(filter(None, self._names))

    def told(self) -> None:
        """Pass on what it said."""
        self.gathered.has_modules = True


class Assignment(Document):
    """An assignment. If it is an external tool's, the package holds its name and dates, and not what is asked."""

    texts_of = ("title", "submission_types", "external_tool_url")

    def told(self) -> None:
        """Pass on what it said."""
        if self.texts.get("submission_types") != "external_tool":
            return
        if _is_new_quiz(self.texts.get("external_tool_url", "")):
            self.gathered.counts["new_quizzes"] += 1
            text = f"New Quiz {self.texts.get('title', '')[:200]!r}: its questions are not in the package"
            self.gathered.found(Finding("new_quiz", Severity.WARNING, text, self.name))
        else:
            self.gathered.counts["tool_assignments"] += 1


class Questions(Document):
    """A quiz or question bank in QTI."""

    def __init__(self, gathered: Gathered, name: str) -> None:
        super().__init__(gathered, name)
        self._items = 0

    def started(self, name: str, attributes: dict[str, str]) -> None:  # noqa: ARG002 - the base's signature
        """See what begins."""
        self._items += name == "item"

    def told(self) -> None:
        """Pass on what it said."""
        if self.root == "questestinterop":
            self.gathered.counts["questions"] += self._items


class Topic(Document):
    """What Canvas says of a discussion, if the document is that: whether it is an announcement."""

    texts_of = ("type",)

    def told(self) -> None:
        """Pass on what it said."""
        if self.root == "topicMeta" and self.texts.get("type") == "announcement":
            self.gathered.counts["announcements"] += 1


def _is_new_quiz(url: str) -> bool:
    try:
        return _NEW_QUIZZES.search(urlsplit(url).hostname or "") is not None
    except ValueError:
        return False
