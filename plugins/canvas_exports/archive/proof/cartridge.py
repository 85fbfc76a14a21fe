"""What a Canvas cartridge says of itself: ``imsmanifest.xml`` and ``course_settings/context.xml``.

The XML is a stranger's: no document type, hence no entities, and bounds on depth, elements and size.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from xml.parsers import expat

from canvas_exports.errors import CorruptPackageError

MANIFEST = "imsmanifest.xml"
CONTEXT = "course_settings/context.xml"

MAX_MANIFEST = 32 * 1024 * 1024
MAX_CONTEXT = 64 * 1024

_MAX_DEPTH = 100
_MAX_ELEMENTS = 500_000
_MAX_COMMENTS = 1_000
_MAX_TEXT = 2_000


@dataclass(frozen=True)
class CartridgeManifest:
    """The parts of ``imsmanifest.xml`` that tell whether the package is whole.

    Attributes:
        identifier: of the root element; Canvas derives it from the course, so it stays the same.
        schema: such as ``IMS Common Cartridge``.
        schema_version: such as ``1.1.0``.
        references: the ``href`` of every ``file`` element, as written, in order.
        export_errors: what Canvas wrote into comments after the root element while it exported.
    """

    identifier: str | None
    schema: str | None
    schema_version: str | None
    references: tuple[str, ...]
    export_errors: tuple[str, ...]


@dataclass(frozen=True)
class CartridgeContext:
    """The parts of ``context.xml`` that tell which course of which Canvas this is."""

    course_id: int | None
    root_account_id: int | None
    canvas_domain: str | None


def read_manifest(pieces: Iterable[bytes]) -> CartridgeManifest:
    """Parse ``imsmanifest.xml``.

    Raises:
        CorruptPackageError: not XML, not a manifest, or hostile.
    """
    reader = _ManifestReader()
    reader.feed(pieces)
    if reader.root != "manifest":
        raise CorruptPackageError(f"the root element of {MANIFEST} is not a manifest")
    return CartridgeManifest(
        identifier=reader.identifier,
        schema=reader.texts.get("schema"),
        schema_version=reader.texts.get("schemaversion"),
        references=tuple(reader.references),
        # The first comment only announces the others, in the language of the exporting user.
        export_errors=tuple(reader.comments[1:] or reader.comments),
    )


def read_context(pieces: Iterable[bytes]) -> CartridgeContext:
    """Parse ``course_settings/context.xml``.

    Raises:
        CorruptPackageError: not XML, or hostile.
    """
    reader = _Reader(CONTEXT, texts_of=frozenset({"course_id", "root_account_id", "canvas_domain"}))
    reader.feed(pieces)
    return CartridgeContext(
        course_id=_number(reader.texts.get("course_id", "")),
        root_account_id=_number(reader.texts.get("root_account_id", "")),
        canvas_domain=reader.texts.get("canvas_domain"),
    )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


class _Reader:
    """A bounded expat parser that remembers the text of a few elements, the first of each name."""

    def __init__(self, name: str, texts_of: frozenset[str]) -> None:
        self.texts: dict[str, str] = {}
        self.root: str | None = None
        self._name = name
        self._wanted = set(texts_of)
        self._open: list[str] = []
        self._elements = 0
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text

    def feed(self, pieces: Iterable[bytes]) -> None:
        try:
            for piece in pieces:
                self._parser.Parse(piece, False)
            self._parser.Parse(b"", True)
            self.texts = {name: text.strip() for name, text in self.texts.items()}
        except (expat.ExpatError, LookupError, ValueError):  # the latter two of an unknown encoding
            raise CorruptPackageError(f"{self._name} is not well-formed XML") from None

    def started(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    def _doctype(self, *_: object) -> None:
        raise CorruptPackageError(f"{self._name} has a document type, which Canvas never writes")

    def _start(self, qualified: str, attributes: dict[str, str]) -> None:
        name = qualified.rpartition(" ")[2]
        self._elements += 1
        self._open.append(name)
        if len(self._open) > _MAX_DEPTH or self._elements > _MAX_ELEMENTS:
            raise CorruptPackageError(f"{self._name} is deeper or longer than any course makes it")
        if self.root is None:
            self.root = name
        self.started(name, attributes)

    def _end(self, _: str) -> None:
        self._wanted.discard(self._open.pop())

    def _text(self, text: str) -> None:
        name = self._open[-1]
        if name in self._wanted:
            self.texts[name] = (self.texts.get(name, "") + text)[:_MAX_TEXT].lstrip()


class _ManifestReader(_Reader):
    def __init__(self) -> None:
        super().__init__(MANIFEST, texts_of=frozenset({"schema", "schemaversion"}))
        self.identifier: str | None = None
        self.references: list[str] = []
        self.comments: list[str] = []
        self._parser.CommentHandler = self._comment

    def started(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) == 1:
            self.identifier = attributes.get("identifier")
        if name == "file" and "href" in attributes:
            self.references.append(attributes["href"])

    def _comment(self, text: str) -> None:
        after_root = self.root is not None and not self._open
        if after_root and len(self.comments) < _MAX_COMMENTS:
            self.comments.append(text.strip()[:_MAX_TEXT])
