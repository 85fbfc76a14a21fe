"""The pages of a course as HTML: its home, its lists, and one page for each item.

::

    pages = CoursePages(content, manifest, addresses)
    pages.home()                    the course: which copy, what is missing, modules
    pages.listing(ItemKind.PAGE)    all pages; pages.listing_parts(kind) tells how many such lists there are
    pages.item(item)                one item; it is read from the package here
    pages.body(item)                the text of an item alone, where addresses.body(item) names a place for it

Each returns a whole document as bytes (UTF-8), without scripts. Whatever comes from the package is escaped, and HTML is cleaned
by ``clean_html``. A server sends every page with ``page_policy.HEADERS``, and the bytes of ``FILE`` items, of no other members
(those of quizzes hold the key), with ``page_policy.file_headers``. In a folder the same policy is in the head of each page.

Pages know nothing of rights: the key of quizzes is written if ``show_key`` says so, and a caller asks first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Protocol

from canvas_exports.core.archive.browsing.clean_html import Links, outside_address
from canvas_exports.core.archive.browsing.document_view import document_view
from canvas_exports.core.archive.browsing.file_types import inert_name, is_audio, is_picture, is_video
from canvas_exports.core.archive.browsing.kinds import KIND_NAMES, NEVER_HELD_SENTENCES
from canvas_exports.core.archive.browsing.page_policy import FRAME_SANDBOX, PAGE_POLICY, STYLE
from canvas_exports.core.archive.manifest import Manifest
from canvas_exports.core.packages.content.addresses import COURSE_PARTS, course_part, leads_to_modules
from canvas_exports.core.packages.content.model import CourseContent, Document, Item, ItemKind, Module
from canvas_exports.core.packages.proof import NEVER_HELD, Severity
from canvas_exports.core.text.html_templates import load_template

#: Items of one list; more are in further parts of it.
LIST_LENGTH = 1000

_MAX_OUTLINE = 3000  # lines of modules on the home page


class Addresses(Protocol):
    """Where the pages of a course are. All addresses are relative to its home, or absolute; they are written as they are.

    Attributes:
        up: what stands before a relative address on every page but the home, such as ``../``; ``""`` for absolute ones.
        style: of a style sheet with the text ``page_policy.STYLE``; ``None`` to have it in each page.
    """

    up: str
    style: str | None

    def home(self) -> str:
        """Return the address of the course."""
        ...

    def listing(self, kind: ItemKind, part: int) -> str:
        """Return the address of a list."""
        ...

    def item(self, item: Item) -> str:
        """Return the address of an item's page."""
        ...

    def body(self, item: Item) -> str | None:
        """Return the address of an item's text alone, which its page shows in a frame; ``None`` to have it in the page itself."""
        ...

    def file(self, item: Item) -> str | None:
        """Return the address of the bytes of a ``FILE``; ``None`` if they are not at hand."""
        ...


@dataclass(frozen=True)
class Crumb:
    """A page above the course: its title, and its address, relative to the home of the course or absolute."""

    title: str
    address: str


class CoursePages:
    """Writes the pages of one course; see above.

    Args:
        content: the open package.
        manifest: of the copy.
        addresses: of the pages.
        show_key: whether the correct answers, the feedback and the access codes of quizzes are shown.
        crumbs: pages above the course.
        zone: time zone of the times of the copy, an IANA name.
    """

    def __init__(
        self,
        content: CourseContent,
        manifest: Manifest,
        addresses: Addresses,
        *,
        show_key: bool = False,
        crumbs: Sequence[Crumb] = (),
        zone: str = "UTC",
    ) -> None:
        self._content = content
        self._manifest = manifest
        self._addresses = addresses
        self._show_key = show_key
        self._crumbs = tuple(crumbs)
        self._zone = zone
        self._lists: dict[ItemKind, list[Item]] = {kind: [] for kind in KIND_NAMES}
        for item in content.items:
            self._lists[item.kind].append(item)
        self._lists[ItemKind.FILE].sort(key=lambda item: (item.folder, item.title))
        self._order: list[Item] = []
        self._places: dict[tuple[ItemKind, str], int] = {}
        for item in _targets(content.modules):
            if (item.kind, item.identifier) not in self._places:
                self._places[item.kind, item.identifier] = len(self._order)
                self._order.append(item)

    @property
    def title(self) -> str:
        """Return the title of the course: the package's, else the manifest's, else its number."""
        facts = self._manifest.context
        return self._content.title.strip() or (facts.name or "").strip() or f"{facts.kind}:{facts.id}"

    def listing_parts(self, kind: ItemKind) -> int:
        """Return how many lists there are of a kind; 0 if the package has none, or one syllabus, which needs no list."""
        return 0 if self._stands_alone(kind) else -(-len(self._lists[kind]) // LIST_LENGTH)

    def home(self) -> bytes:
        """Return the page of the course."""
        findings = self._manifest.proof.findings
        return self._page(
            "home.html",
            is_home=True,
            heading=self.title,
            front=self._content.home(),
            kinds=[
                (names.many, self._list_address(kind), len(self._lists[kind]))
                for kind, names in KIND_NAMES.items()
            ],
            missing=[each for each in findings if each.severity is not Severity.INFO],
            explained=[each for each in findings if each.severity is Severity.INFO],
            modules=list(_shortened(self._content.modules)),
            outline_is_cut=sum(len(module.items) + 1 for module in self._content.modules) > _MAX_OUTLINE,
            never_held=[
                (words[:1].upper() + words[1:], NEVER_HELD_SENTENCES.get(words, ""))
                for words in NEVER_HELD.get(self._manifest.export.type, ())
            ],
            outside=outside_address,
        )

    def listing(self, kind: ItemKind, part: int = 0) -> bytes:
        """Return a list of items, ``LIST_LENGTH`` of them.

        Args:
            kind: of the items.
            part: 0 to ``listing_parts(kind) - 1``.
        """
        items = self._lists[kind]
        shown = items[part * LIST_LENGTH : (part + 1) * LIST_LENGTH]
        grouped = (
            groupby(shown, key=lambda item: item.folder) if kind is ItemKind.FILE else [("", iter(shown))]
        )
        return self._page(
            "listing.html",
            heading=KIND_NAMES[kind].many,
            kind=kind,
            number=len(items),
            groups=[(folder, list(members)) for folder, members in grouped],
            part=part,
            parts=self.listing_parts(kind),
        )

    def item(self, item: Item) -> bytes:
        """Read an item and return its page.

        Raises:
            ArchiveError: see ``CourseContent.read``.
        """
        return self.item_page(self._content.read(item))

    def body(self, item: Item) -> bytes:
        """Read an item and return its text alone, for a frame; see ``Addresses.body``.

        Raises:
            ArchiveError: see ``CourseContent.read``.
        """
        return self.body_page(self._content.read(item))

    def needs_frame(self, document: Document) -> bool:
        """Return whether the page of an item shows the text alone in a frame, so that ``body_page`` is needed."""
        return bool(document.html or document.questions) and self._addresses.body(document.item) is not None

    def item_page(self, document: Document) -> bytes:
        """Return the page of an item that was read."""
        item = document.item
        place = self._places.get((item.kind, item.identifier))
        framed = self._addresses.body(item) if self.needs_frame(document) else None
        name = item.member or item.title
        return self._page(
            "item.html",
            heading=item.title or KIND_NAMES[item.kind].one,
            item=item,
            kind=KIND_NAMES[item.kind].one,
            problem=document.problem,
            framed=framed,
            sandbox=FRAME_SANDBOX,
            target="",
            document=None if framed else self._view(document, target=""),
            list_title=KIND_NAMES[item.kind].many,
            list_address=None if self._stands_alone(item.kind) else self._list_address(item.kind),
            before=self._order[place - 1] if place else None,
            after=self._order[place + 1] if place is not None and place + 1 < len(self._order) else None,
            file=self._addresses.file(item) if item.kind is ItemKind.FILE else None,
            shows="picture"
            if is_picture(name)
            else "audio"
            if is_audio(name)
            else "video"
            if is_video(name)
            else "",
            is_renamed=inert_name(name) != name,
        )

    def body_page(self, document: Document) -> bytes:
        """Return the text of an item that was read, alone."""
        return self._page(
            "body.html",
            heading=document.item.title or KIND_NAMES[document.item.kind].one,
            target="_top",
            document=self._view(document, target="_top"),
        )

    def _view(self, document: Document, *, target: str) -> Any:
        up = self._addresses.up

        def file(item: Item) -> str | None:
            address = self._addresses.file(item) if item.kind is ItemKind.FILE else None
            return None if address is None else up + address

        links = Links(
            resolve=lambda address: self._content.resolve(address, base=document.item),
            page=lambda item: up + self._addresses.item(item),
            file=file,
            course=self._part,
            target=target,
        )
        return document_view(document, links, show_key=self._show_key, find=self._content.find)

    def _part(self, address: str) -> str | None:
        """Return the address of the part of the course that an address of Canvas leads to; ``None`` if it leads to none."""
        up = self._addresses.up
        if leads_to_modules(address):
            return f"{up}{self._addresses.home()}#modules" if self._content.modules else None
        name = course_part(address)
        if name == "":
            return up + self._addresses.home()
        kind = COURSE_PARTS.get(name or "")
        found = self._list_address(kind) if kind else None
        return None if found is None else up + found

    def _list_address(self, kind: ItemKind) -> str | None:
        """Return where the items of a kind are listed; of a single one, its own page; ``None`` if there are none."""
        items = self._lists[kind]
        if self._stands_alone(kind):
            return self._addresses.item(items[0])
        return self._addresses.listing(kind, 0) if items else None

    def _stands_alone(self, kind: ItemKind) -> bool:
        return kind in (ItemKind.SYLLABUS, ItemKind.SETTINGS) and len(self._lists[kind]) == 1

    def _page(self, name: str, *, heading: str, is_home: bool = False, **values: Any) -> bytes:
        up = "" if is_home else self._addresses.up
        style = self._addresses.style
        rendered = load_template(__package__, name).render(
            heading=heading,
            is_home=is_home,
            title=self.title,
            manifest=self._manifest,
            crumbs=self._crumbs,
            policy=PAGE_POLICY,
            style=STYLE,
            style_address=None if style is None else up + style,
            addresses=self._addresses,
            up=up,
            zone=self._zone,
            names=KIND_NAMES,
            **values,
        )
        return rendered.encode("utf-8", "replace")


def _targets(modules: Sequence[Module]) -> Iterator[Item]:
    for module in modules:
        for line in module.items:
            if line.target is not None:
                yield line.target


def _shortened(modules: Sequence[Module]) -> Iterator[Module]:
    """Yield modules with as many lines as the home page shows."""
    left = _MAX_OUTLINE
    for module in modules:
        if left <= 0:
            return
        yield Module(module.identifier, module.title, module.items[: left - 1], module.is_published)
        left -= len(module.items) + 1
