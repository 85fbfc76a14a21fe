"""The content of a course, written by hand: what ``CourseContent`` promises, without a package."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone

from canvas_exports.core.archive.manifest import ContextFacts, ExportFacts, Manifest, PackageFacts
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.packages.content.model import Document, Item, ItemKind, Module
from canvas_exports.core.packages.proof import Finding, Proof, Verdict
from canvas_exports.errors import ObjectNotFoundError

FILE_TOKEN = "$IMS-CC-FILEBASE$/"


class HandContent:
    """A course of documents. A file is an address ``$IMS-CC-FILEBASE$/<member>``, a page ``$WIKI_REFERENCE$/pages/<identifier>``."""

    def __init__(
        self,
        documents: Sequence[Document],
        *,
        modules: Sequence[Module] = (),
        files: Mapping[str, bytes] | None = None,
        title: str = "Biology",
    ) -> None:
        self.title = title
        self.modules = tuple(modules)
        self.items = tuple(document.item for document in documents)
        self._documents = {(each.item.kind, each.item.identifier): each for each in documents}
        self._files = files or {}

    def find(self, kind: ItemKind, identifier: str) -> Item | None:
        document = self._documents.get((kind, identifier))
        return document.item if document else None

    def home(self) -> Item | None:
        return next((item for item in self.items if item.is_front_page), None)

    def read(self, item: Item) -> Document:
        return self._documents[item.kind, item.identifier]

    def read_all(self, items: Iterable[Item]) -> Iterator[Document]:
        return map(self.read, items)

    def file_blocks(self, member: str, window: range | None = None) -> Iterator[bytes]:
        if member not in self._files:
            raise ObjectNotFoundError(member)
        data = self._files[member]
        yield data if window is None else data[window.start : window.stop]

    def resolve(self, address: str, *, base: Item | None = None) -> Item | str | None:
        assert base is None or base in self.items
        if address.startswith(FILE_TOKEN):
            member = "web_resources/" + address.removeprefix(FILE_TOKEN).partition("?")[0]
            return next((item for item in self.items if item.member == member), None)
        if address.startswith("$WIKI_REFERENCE$/pages/"):
            return self.find(ItemKind.PAGE, address.rpartition("/")[2])
        return address if ":" in address or address.startswith("//") else None


def manifest(
    *,
    findings: Sequence[Finding] = (),
    name: str = "Biology",
    context_id: int = 101,
    verdict: Verdict = Verdict.WHOLE,
) -> Manifest:
    """Return the manifest of a copy."""
    at = datetime(2026, 11, 23, 2, 0, tzinfo=timezone.utc)
    key = f"courses/{context_id}/20261123T020000Z-common_cartridge-501.imscc"
    return Manifest(
        context=ContextFacts("course", context_id, name=name, course_code="BIO-101", term="Autumn 2026"),
        export=ExportFacts(501, "common_cartridge", at, "canvas.example.edu"),
        package=PackageFacts(key, 24_000_000, {"sha256": "0" * 64}, "1" * 64, 12, "application/zip"),
        proof=Proof(ProofLevel.DIRECTORY, verdict, tuple(findings), 12, "1" * 64, {"pages": 1}),
        run=RunFacts(software="canvas_exports"),
        stored_at=at,
    )
