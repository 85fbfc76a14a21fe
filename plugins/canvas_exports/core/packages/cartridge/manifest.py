"""Read ``imsmanifest.xml`` and ``course_settings/context.xml`` of a package.

Both are untrusted XML: no document type, and bounded depth, elements and size.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from canvas_exports.core.packages.cartridge.xml_reader import XmlReader, read_xml
from canvas_exports.core.packages.work_limits import WorkLimit
from canvas_exports.errors import CorruptPackageError, HostileXmlError

MANIFEST = "imsmanifest.xml"
CONTEXT = "course_settings/context.xml"

MAX_MANIFEST = 32 * 1024 * 1024
MAX_CONTEXT = 64 * 1024

_MAX_COMMENTS = 1_000
_MAX_TEXT = 2_000
_MOST_DIGITS = 19
_MOST_TYPES = 100
_WEB = ("https://", "http://")
_LAUNCH = ("secure_launch_url", "launch_url")
_BASE = "http://www.w3.org/XML/1998/namespace base"
# Number of resources, files, items and dependencies together, and the characters kept of them.
MAX_PARTS = 150_000
MAX_CHARACTERS = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Resource:
    """One ``resource`` element.

    Attributes:
        identifier: used in references to it.
        type: such as ``webcontent`` or ``imsdt_xmlv1p1``.
        href: its own file; empty if it has none. Of a web link or tool that is described in the manifest itself, its address.
        intended_use: ``syllabus``, or empty.
        files: the ``href`` of each of its files.
        dependencies: identifiers of the resources it depends on.
        base: the folder that other systems let its paths begin in; ``""`` in what Canvas writes. See ``with_bases``.
        title: that other systems write to the resource itself; ``""`` in what Canvas writes.
        preferred: identifier of the resource that this one stands in for, in systems that know no such type; else ``""``.
    """

    identifier: str
    type: str
    href: str
    intended_use: str
    files: tuple[str, ...]
    dependencies: tuple[str, ...]
    base: str = ""
    title: str = ""
    preferred: str = ""


@dataclass(frozen=True, slots=True)
class OutlineItem:
    """One ``item`` of the course outline: ``level`` 1 is a module, 2 and more an item in a module."""

    level: int
    identifier: str
    resource: str
    title: str


@dataclass(frozen=True)
class CartridgeManifest:
    """The parts of ``imsmanifest.xml`` that show whether the package is whole.

    Attributes:
        identifier: of the root element; the same in every export of a course.
        schema: such as ``IMS Common Cartridge``.
        schema_version: such as ``1.1.0``.
        resources: in order.
        outline: the modules and their items, in order.
        export_errors: errors during the export, which Canvas wrote as comments after the root element.
        defect: why it is not well-formed, although it could be read.
        title: of the course, else of its outline; ``""`` if the manifest says neither.
    """

    identifier: str | None
    schema: str | None
    schema_version: str | None
    resources: tuple[Resource, ...]
    outline: tuple[OutlineItem, ...]
    export_errors: tuple[str, ...]
    defect: str | None = None
    title: str = ""

    @property
    def references(self) -> tuple[str, ...]:
        """Every file that the manifest names, as written, in order."""
        return tuple(
            href
            for resource in self.resources
            for href in ((resource.href, *resource.files) if resource.href else resource.files)
        )


@dataclass(frozen=True)
class CartridgeContext:
    """The parts of ``context.xml`` that identify the course and its Canvas; ``defect`` as in ``CartridgeManifest``."""

    course_id: int | None
    root_account_id: int | None
    canvas_domain: str | None
    defect: str | None = None


def read_manifest(pieces: Iterable[bytes], work: WorkLimit | None = None) -> CartridgeManifest:
    """Parse ``imsmanifest.xml``.

    Args:
        pieces: its content, an iterable that may be read twice.
        work: the work limit of the package.

    Raises:
        CorruptPackageError: not XML, not a manifest, or hostile.
    """
    reader = read_xml(lambda: _ManifestReader(work), pieces)
    if reader.root != "manifest":
        raise CorruptPackageError(f"the root element of {MANIFEST} is not a manifest")
    return CartridgeManifest(
        identifier=reader.identifier,
        schema=reader.texts.get("schema"),
        schema_version=reader.texts.get("schemaversion"),
        resources=_with_known_preferences(reader.resources),
        outline=tuple(reader.outline),
        # The first comment only announces the others, in the language of the exporting user.
        export_errors=tuple(reader.comments[1:] or reader.comments),
        defect=reader.defect,
        title=" ".join(reader.title.split()) or " ".join(reader.outline_title.split()),
    )


def _with_known_preferences(resources: list[Resource]) -> tuple[Resource, ...]:
    """Return the resources; only a web page stands in for another resource, and only for one of the manifest and another type."""
    if not any(resource.preferred for resource in resources):
        return tuple(resources)
    types = {resource.identifier: resource.type for resource in resources}
    return tuple(
        resource
        if resource.type == "webcontent" and types.get(resource.preferred, "webcontent") != "webcontent"
        else replace(resource, preferred="")
        for resource in resources
    )


def read_context(pieces: Iterable[bytes], work: WorkLimit | None = None) -> CartridgeContext:
    """Parse ``course_settings/context.xml``, with the arguments of ``read_manifest``.

    Raises:
        CorruptPackageError: not XML, or hostile.
    """
    reader = read_xml(
        lambda: XmlReader(CONTEXT, texts_of=("course_id", "root_account_id", "canvas_domain"), work=work),
        pieces,
    )
    return CartridgeContext(
        course_id=_number(reader.texts.get("course_id", "")),
        root_account_id=_number(reader.texts.get("root_account_id", "")),
        canvas_domain=reader.texts.get("canvas_domain"),
        defect=reader.defect,
    )


def outlined_modules(
    outline: Iterable[OutlineItem],
) -> Iterator[tuple[OutlineItem, list[OutlineItem]]]:
    """Yield the modules of an outline with their items, in order.

    Canvas has one item around all modules. Other systems may have the modules themselves at the top, and modules that lead to
    something: these are their own first item.
    """
    items = list(outline)
    tops = [item for item in items if item.level == 0]
    top = 0 if any(item.resource for item in tops) or sum(bool(item.title) for item in tops) > 1 else 1
    head: OutlineItem | None = None
    lines: list[OutlineItem] = []
    for item in items:
        if item.level > top and head is not None:
            lines.append(replace(item, level=item.level + 1 - top))
        elif item.level == top:
            if head is not None:
                yield head, lines
            head, lines = item, [item] if item.resource else []
    if head is not None:
        yield head, lines


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None


class _ManifestReader(XmlReader):
    def __init__(self, work: WorkLimit | None) -> None:
        super().__init__(MANIFEST, texts_of=("schema", "schemaversion"), work=work)
        self.identifier: str | None = None
        self.resources: list[Resource] = []
        self.outline: list[OutlineItem] = []
        self.comments: list[str] = []
        self._attributes: dict[str, str] = {}
        self._files: list[str] = []
        self._dependencies: list[str] = []
        self._inline: dict[str, str] = {}  # texts of the link or tool that is described in the open resource
        self._items: list[int] = []  # the open ones, as positions in the outline
        self._bases: list[str] = []
        self._title = ""
        self.title = self.outline_title = ""
        self._has_title = self._has_outline_title = False
        self._parts = 0
        self._characters = 0
        self._types: dict[str, str] = {}  # one copy of each value that thousands of resources share

    def on_start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self.open) == 1:
            self.identifier = attributes.get("identifier")
            self._bases = [attributes.get(_BASE, "")]
        elif name == "resources":
            self._bases = [self._bases[0], attributes.get(_BASE, "")]
        elif name == "resource":
            self._attributes, self._files, self._dependencies = attributes, [], []
            self._inline = {}
            self._keep(
                *(
                    attributes.get(key, "")
                    for key in ("identifier", "type", "href", "intendeduse", "title", _BASE)
                )
            )
        elif name == "file" and "href" in attributes:
            own, href = self._attributes.get("href"), attributes["href"]
            self._keep(href)
            self._files.append(own if own == href else href)
        elif name == "dependency":
            self._dependencies.append(attributes.get("identifierref", ""))
            self._keep(self._dependencies[-1])
        elif name == "item":
            self._items.append(len(self.outline))
            identifier, resource = attributes.get("identifier", ""), attributes.get("identifierref", "")
            self._keep(identifier, resource)
            self.outline.append(OutlineItem(len(self._items) - 1, identifier, resource, ""))
        elif name == "variant" and self.open[-2] == "resource":
            self._inline["preferred"] = attributes.get("identifierref", "")[:_MAX_TEXT]
        elif name == "url" and self.open[-2] == "webLink":
            self._inline.setdefault("launch_url", attributes.get("href", "")[:_MAX_TEXT])
        elif name == "title":
            self._title = ""

    def on_end(self, name: str) -> None:
        if name == "resource":
            self._end_resource()
        elif name == "item" and self._items:  # the root element is no item, even if it has that name
            self._items.pop()
        elif self.open[1:2] == ["metadata"] and name in ("string", "langstring", "title"):
            self._has_title = bool(self.title.strip())
        elif name == "organization":
            self._has_outline_title = bool(self.outline_title.strip())
        elif name == "title" and self._items and self.open[-2] == "item":
            item, title = self.outline[self._items[-1]], self._title.strip()
            self._keep(title)
            self.outline[self._items[-1]] = OutlineItem(item.level, item.identifier, item.resource, title)

    def characters(self, text: str) -> None:
        if self._items and self.open[-1] == "title":
            self._title = (self._title + text)[:_MAX_TEXT]
        elif self.open[2:] == ["organization", "title"] and not self._has_outline_title:
            self.outline_title = (self.outline_title + text)[:_MAX_TEXT]
        elif (
            not self._has_title and self.open[1:2] == ["metadata"] and {"general", "title"} <= set(self.open)
        ):
            self.title = (self.title + text)[:_MAX_TEXT]
        elif self.open[-1] in ("title", *_LAUNCH) and self.open[2:3] == ["resource"]:
            name = self.open[-1]
            self._inline[name] = (self._inline.get(name, "") + text)[:_MAX_TEXT]
        super().characters(text)

    def comment(self, text: str) -> None:
        after_root = self.root is not None and not self.open
        if after_root and len(self.comments) < _MAX_COMMENTS:
            self.comments.append(text.strip()[:_MAX_TEXT])

    def _keep(self, *texts: str) -> None:
        self._parts += 1
        self._characters += sum(map(len, texts))
        if self._parts > MAX_PARTS or self._characters > MAX_CHARACTERS:
            raise HostileXmlError(f"{self.name} has more or longer entries than that of any course")

    def _once(self, text: str) -> str:
        return (
            self._types.setdefault(text, text)
            if len(self._types) < _MOST_TYPES
            else self._types.get(text, text)
        )

    def _end_resource(self) -> None:
        attributes, self._attributes = self._attributes, {}
        kind, use = (attributes.get(key, "") for key in ("type", "intendeduse"))
        inline, self._inline = {key: text.strip() for key, text in self._inline.items()}, {}
        self._keep(*inline.values())
        href = attributes.get("href", "")
        if not href and not self._files:
            addresses = (inline.get(name, "") for name in _LAUNCH)
            href = next((each for each in addresses if each.lower().startswith(_WEB)), "")
        self.resources.append(
            Resource(
                attributes.get("identifier", ""),
                self._once(kind),
                href,
                self._once(use),
                tuple(self._files),
                tuple(self._dependencies),
                self._once("/".join(filter(None, (*self._bases, attributes.get(_BASE, ""))))),
                attributes.get("title", "").strip() or inline.get("title", ""),
                inline.get("preferred", ""),
            )
        )
