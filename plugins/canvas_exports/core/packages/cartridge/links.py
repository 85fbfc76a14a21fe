"""Find links to files and other parts of the course, in pages, assignments and questions, that lead to nothing.

Canvas writes such links with tokens. They are searched in the bytes of a document while it streams by, whether it is HTML
or XML that contains HTML. A link is compared in every spelling that it may have.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from functools import cached_property
from urllib.parse import unquote, unquote_plus

from canvas_exports.core.packages.cartridge.manifest import CartridgeManifest
from canvas_exports.core.packages.cartridge.references import normalize_text, resolve_path
from canvas_exports.core.packages.proof import Finding, Severity
from canvas_exports.core.packages.work_limits import WorkLimit
from canvas_exports.core.text.html_entities import unescape
from canvas_exports.errors import HostileXmlError
from canvas_exports.foreign_text import harmless

_LONGEST = 1_000  # bytes of a link
_LINK = re.compile(
    rb"(?:\$|%24)(IMS-CC-FILEBASE|CANVAS_OBJECT_REFERENCE|WIKI_REFERENCE)(?:\$|%24)([^\"'<>\r\n\t]{0,1000})"
)
_OVERLAP = _LONGEST + 100
_ENDS = re.compile("[\"'<>\\\\]")
_IDENTIFIER = re.compile(r"[gi][0-9a-f]{32}")
_KINDS = frozenset(
    {"assignments", "quizzes", "discussion_topics", "announcements", "modules", "pages", "wiki"}
)
_WORK = 1_500
_WORK_PER_BYTE = 100  # one that is full of accents, escapes and dots
_MOST_PENDING = 10_000


class LinkChecker:
    """Checks and counts the links of a package.

    Args:
        manifest: of the package.
        files: names of its members, without folders.
        work: the work limit of all link checks.

    Attributes:
        count: number of links that could be checked so far.
        broken: number of those that lead to nothing.
    """

    def __init__(self, manifest: CartridgeManifest, files: AbstractSet[str], work: WorkLimit) -> None:
        self.count = 0
        self.broken = 0
        self._manifest = manifest
        self._files = files
        self._work = work
        self._first: tuple[str, str] | None = None
        self._pending: Counter[str] = Counter()
        self._pending_first: dict[str, tuple[str, str]] = {}

    def resolve_pending(self, identifiers: AbstractSet[str] | None) -> None:
        """Check the links that had to wait for the end of all documents.

        Args:
            identifiers: those that the documents define; ``None`` if not all of them are known.
        """
        for identifier, times in self._pending.items():
            if identifiers is not None:
                self.count += times
                if identifier not in identifiers:
                    self.broken += times
                    self._first = self._first or self._pending_first[identifier]
        self._pending.clear()

    def finding(self) -> Iterator[Finding]:
        """Yield one finding if any link is broken. Most were already broken in the course."""
        if self._first is not None:
            member, link = self._first
            text = (
                f"{self.broken:,} of {self.count:,} links to files and other parts of the course lead to nothing in the package, "
                f"such as {link}"
            )
            yield Finding("broken_links", Severity.INFO, text, member)

    def spend(self, units: int, member: str) -> None:
        """Count work. Raises ``HostileXmlError`` beyond the limit."""
        self._work.spend(units, member)

    def check(self, member: str, token: bytes, raw: bytes) -> None:
        """Check a link in a member."""
        self.spend(_WORK + _WORK_PER_BYTE * len(raw), member)
        targets = list(spellings(raw.decode("utf-8", "replace")))
        example = (member, harmless(f"${token.decode()}${targets[0]}", most=200))
        if token == b"CANVAS_OBJECT_REFERENCE":
            self._check_object(targets[0], example)
            return
        paths = [path for path in targets if path.strip("/")]
        if not paths or paths[0].endswith("/"):
            return  # the folder of all files, or of some
        is_there = self._is_file if token == b"IMS-CC-FILEBASE" else self._is_page
        self.count += 1
        if not any(map(is_there, paths)):
            self.broken += 1
            self._first = self._first or example

    def _check_object(self, path: str, example: tuple[str, str]) -> None:
        kind, _, identifier = path.strip("/").partition("/")
        identifier = identifier.partition("/")[0]
        if not identifier or not (kind in _KINDS or _IDENTIFIER.fullmatch(identifier)):
            return  # another part of Canvas, which no package contains
        if identifier in self._identifiers or self._is_page(f"/{kind}/{identifier}"):
            self.count += 1
        elif identifier in self._pending or len(self._pending) < _MOST_PENDING:
            self._pending[identifier] += 1
            self._pending_first.setdefault(identifier, example)

    def _is_file(self, path: str) -> bool:
        names = (resolve_path(f"web_resources/{path}"), resolve_path(path))
        return any(
            name in self._files or name in self._referred or normalize_text(name) in self._normalized
            for name in names
        )

    def _is_page(self, path: str) -> bool:
        kind, _, slug = path.strip("/").partition("/")
        if kind not in ("pages", "wiki"):
            return False
        if not slug or slug in self._identifiers:
            return True
        names = (f"wiki_content/{slug}.html", f"wiki_content/{slug}.json")
        return any(name in self._files or normalize_text(name) in self._normalized for name in names)

    @cached_property
    def _identifiers(self) -> frozenset[str]:
        return frozenset(
            (
                *(each.identifier for each in self._manifest.resources),
                *(each.identifier for each in self._manifest.outline),
            )
        )

    @cached_property
    def _referred(self) -> frozenset[str]:
        """Return the files that the manifest names: missing and renamed ones have findings of their own."""
        return frozenset(map(resolve_path, self._manifest.references))

    @cached_property
    def _normalized(self) -> frozenset[str]:
        return frozenset(
            normalize_text(name) for name in self._files if not name.isascii() and len(name) <= _LONGEST
        )


class LinkScanner:
    """Finds the links in one document while it streams by, until the work limit is reached."""

    def __init__(self, links: LinkChecker, member: str) -> None:
        self._links = links
        self._member = member
        self._kept = b""
        self._stopped = False

    def feed(self, piece: bytes | memoryview) -> None:
        """Scan the next bytes."""
        if not self._stopped:
            self._kept += bytes(piece)
            self._scan(len(self._kept) - _OVERLAP)

    def end(self) -> None:
        """Scan the rest."""
        if not self._stopped:
            self._scan(len(self._kept))

    def _scan(self, before: int) -> None:
        try:
            self._look(before)
        except HostileXmlError:
            self._stopped = True

    def _look(self, before: int) -> None:
        done = max(before, 0)
        self._links.spend(done, self._member)
        for match in _LINK.finditer(self._kept):
            if match.start() >= before:
                break
            self._links.check(self._member, match[1], match[2])
            done = max(done, match.end())
        self._kept = self._kept[done:]


def spellings(raw: str) -> Iterator[str]:
    """Yield the possible targets of a link, likeliest first: unescaped once and twice, URL-decoded, with and without query."""
    once = _ENDS.split(unescape(raw), maxsplit=1)[0]
    twice = _ENDS.split(unescape(once), maxsplit=1)[0]
    seen = set()
    for text in (once, twice):
        path = text.partition("#")[0].partition("?")[0]
        for spelling in (unquote(path), path, unquote_plus(path), unquote(path.split(" ")[0]), unquote(text)):
            if spelling not in seen:
                seen.add(spelling)
                yield spelling
