"""The documents inside a cartridge or QTI package that tell more than the manifest, read as they pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from canvas_exports.core.packages.cartridge.xml_reader import Passing, XmlReader
from canvas_exports.core.packages.findings import Findings
from canvas_exports.core.packages.proof import Finding, Severity
from canvas_exports.core.packages.work_limits import Work
from canvas_exports.errors import CorruptPackageError, HostileXmlError

_MOST_TOOLS = 50_000
_MOST_IDENTIFIERS = 100_000
_LONGEST_IDENTIFIER = 100


class Gathered:
    """What the documents told.

    Attributes:
        work: what may still be done for the package.
        counts: by name.
        findings: what was noticed.
        tools: identifiers of module items that are links to external tools.
        identifiers: those that documents give to what they hold; ``None`` once there are too many to know them all.
        filled: documents that hold any element but their root, or may: what could not be read is among them.
    """

    def __init__(self, work: Work) -> None:
        self.work = work
        self.counts: Counter[str] = Counter()
        self.findings = Findings()
        self.tools: set[str] = set()
        self.identifiers: set[str] | None = set()
        self.filled: set[str] = set()
        self.has_modules = False

    def identify(self, identifier: str) -> None:
        """Remember an identifier."""
        if self.identifiers is not None and len(identifier) <= _LONGEST_IDENTIFIER:
            self.identifiers.add(identifier)
            if len(self.identifiers) > _MOST_IDENTIFIERS:
                self.identifiers = None


class Part(XmlReader):
    """A document of Canvas's own."""

    texts_of: tuple[str, ...] = ()

    def __init__(self, gathered: Gathered, name: str) -> None:
        super().__init__(name, self.texts_of, gathered.work)
        self.gathered = gathered

    def begin(self, space: str, local: str, attributes: dict[str, str]) -> None:
        """See the base; identifiers are known from then on."""
        if "identifier" in attributes:
            self.gathered.identify(attributes["identifier"])
        super().begin(space, local, attributes)

    def told(self) -> None:
        """It has been read to its end: pass on what it said."""


class Document:
    """Reads a part as it passes. One that cannot be read is a finding: the rest of the package may be of use.

    Args:
        gathered: where to tell what it says.
        name: of the document.
        make: makes a reader of it.
        is_known: whether Canvas is known to write such documents. What else lies among its settings is never an error.
    """

    def __init__(
        self,
        gathered: Gathered,
        name: str,
        make: Callable[[Gathered, str], Part] = Part,
        *,
        is_known: bool = True,
    ) -> None:
        self._gathered = gathered
        self._name = name
        self._is_known = is_known
        self._last = make(gathered, name)
        self._make = make
        self._passing: Passing | None = Passing(self._made)

    def feed(self, piece: bytes | memoryview) -> None:
        """The next bytes; of a document that was refused, nothing more is looked at."""
        if self._passing is not None:
            try:
                self._passing.feed(piece)
            except CorruptPackageError as error:
                self._refuse(error)

    def end(self) -> None:
        """Tell what it says, if all of it could be read."""
        if self._passing is None:
            return
        try:
            self._passing.end()
        except CorruptPackageError as error:
            self._refuse(error)
            return
        if self._last.oddity:
            self._gathered.findings.add(odd(self._name, self._last.oddity))
        if self._last.elements > 1:
            self._gathered.filled.add(self._name)
        self._last.told()

    def _made(self) -> Part:
        self._last = self._make(self._gathered, self._name)
        return self._last

    def _refuse(self, error: CorruptPackageError) -> None:
        self._passing = None
        self._gathered.filled.add(self._name)
        if isinstance(error, HostileXmlError):
            finding = Finding("hostile_xml", Severity.ERROR, error.message, self._name)
        else:
            text = "it is cut, or not XML: whoever imports it loses the rest of it"
            finding = Finding("broken_xml", Severity.ERROR, text, self._name)
        if not self._is_known:
            finding = replace(finding, severity=Severity.WARNING)
        self._gathered.findings.add(finding)


def odd(name: str, oddity: str) -> Finding:
    """The finding that a document could be read, though it is not well-formed."""
    text = f"it is not well-formed XML, but can be read as Canvas's importer reads it: {oddity}"
    return Finding("odd_xml", Severity.WARNING, text, name)


class Listing(Part):
    """A settings document, of which certain elements are counted: those of a name, or all below the root."""

    def __init__(self, gathered: Gathered, name: str, element: str | None, count: str) -> None:
        super().__init__(gathered, name)
        self._element, self._count, self._seen = element, count, 0

    def started(self, name: str, attributes: dict[str, str]) -> None:  # noqa: ARG002 - the base's signature
        """See what begins."""
        self._seen += name == self._element if self._element else len(self.open) == 2  # noqa: PLR2004 - below the root

    def told(self) -> None:
        """Pass on what it said."""
        self.gathered.counts[self._count] += self._seen


class OneOfMany(Part):
    """A document of which each is one thing, unless it lists several."""

    def __init__(self, gathered: Gathered, name: str, several: str, count: str) -> None:
        super().__init__(gathered, name)
        self._several, self._count, self._below = several, count, 0

    def started(self, name: str, attributes: dict[str, str]) -> None:  # noqa: ARG002 - the base's signature
        """See what begins."""
        self._below += len(self.open) == 2  # noqa: PLR2004 - below the root

    def told(self) -> None:
        """Pass on what it said."""
        self.gathered.counts[self._count] += self._below if self.root == self._several else 1


class ModuleMeta(Part):
    """``module_meta.xml``: which items of modules are links to external tools, which no resource stands for."""

    def __init__(self, gathered: Gathered, name: str) -> None:
        super().__init__(gathered, name)
        self._names: list[str] = []
        self._tools: set[str] = set()
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
        if name == "identifierref" and len(self._names) < 3:  # noqa: PLR2004 - its own, and what it refers to
            self._names.append(self._text.strip())
        elif name == "content_type":
            self._is_tool = self._text.strip() == "ContextExternalTool"
        elif name == "item" and self._is_tool and len(self._tools) < _MOST_TOOLS:
            self._tools.update(each[:_LONGEST_IDENTIFIER] for each in self._names if each)

    def told(self) -> None:
        """Pass on what it said."""
        self.gathered.tools |= self._tools
        self.gathered.has_modules = True


class Questions(Part):
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


class Topic(Part):
    """What Canvas says of a discussion, if the document is that: whether it is an announcement."""

    texts_of = ("type",)

    def told(self) -> None:
        """Pass on what it said."""
        if self.root == "topicMeta" and self.texts.get("type") == "announcement":
            self.gathered.counts["announcements"] += 1
