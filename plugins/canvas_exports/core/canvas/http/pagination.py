"""Read a list page by page, by the ``next`` links of its ``Link`` headers, which are opaque.

A list that ends early looks like a complete one. Canvas leaves single links out, ``next`` among them, where all of them
together would be longer than 6 KiB, and a proxy may remove the header. So a list has ended only where that is certain: the
page has fewer rows than were asked for; or it is full, has links without ``next``, and they are so short that none was left
out. Anything else is an error, never the end.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from canvas_exports.core.canvas.http.messages import Endpoint, Request, Response
from canvas_exports.core.canvas.http.origin import Origin, host_of, resolve
from canvas_exports.core.canvas.http.responses import with_request
from canvas_exports.errors import UnexpectedResponseError
from canvas_exports.foreign_text import harmless

T = TypeVar("T")

#: Characters of a link up to which Canvas sends all five links of a page.
SHORT_LINK = 6 * 1024 // 5

_LINK = re.compile(r"<([^<>]*)>((?:\s*;\s*[^\s=;,]+\s*(?:=\s*(?:\"[^\"]*\"|[^\s\";,]+))?)*)")
_REL = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s\";,]+))", re.IGNORECASE)
_SIZE = re.compile(r"[?&]per_page=([0-9]{1,3})(?:&|$)")
_NUMBER = re.compile(r"[?&]page=([0-9]{1,9})(?:&|$)")
_LONGEST_TARGET = 8 * 1024  # characters; no server accepts a longer one
_MOST_REPEATED = 10  # pages in a row without a new row


class Pagination(Generic[T]):
    """One list, or several that are joined, read page by page.

    Call the endpoint ``next_page`` and pass its rows to ``new_rows``, until there is no next page. Rows of a list that grows at
    its head shift between pages, and joined lists overlap, so rows that came before are left out.

    Args:
        firsts: the request for the first page of each list. A list without ``per_page`` has one page, unless it links to a next.
        read_row: reads a row.
        key: returns what identifies a row.
        origin: the only origin to which the token may be sent.
        most_pages: pages after which reading ends with an error.

    Attributes:
        next_page: the endpoint of the next page; ``None`` at the end.
    """

    def __init__(
        self,
        firsts: Request | Sequence[Request],
        read_row: Callable[[Any], T],
        key: Callable[[T], Hashable],
        origin: Origin,
        most_pages: int = 20_000,
    ) -> None:
        self._firsts = deque([firsts] if isinstance(firsts, Request) else firsts)
        self._asked: int | None = None
        self._read_row = read_row
        self._key = key
        self._origin = origin
        self._most_pages = most_pages
        self._pages: set[str] = set()
        self._repeated = 0
        self._seen: set[Hashable] = set()
        self._problem: Exception | None = None
        self.next_page: Endpoint[list[T]] | None = None
        self._begin()

    def new_rows(self, page: list[T]) -> Iterator[T]:
        """Yield the rows of a page that no earlier page had.

        Raises:
            UnexpectedResponseError: after the last row, where a row could not be read, or the next page is not known. A caller
                that stops at an earlier row never meets it.
        """
        before = len(self._seen)
        for row in page:
            if self._key(row) not in self._seen:
                self._seen.add(self._key(row))
                yield row
        self._repeated = 0 if len(self._seen) > before else self._repeated + 1
        if self._problem is not None:
            raise self._problem

    def _begin(self) -> None:
        first = self._firsts.popleft() if self._firsts else None
        self.next_page = None if first is None else Endpoint(first, self._read)
        if first is not None:
            self._asked = _size(first.target)
            self._pages.add(first.target)

    def _read(self, document: Any, response: Response) -> list[T]:
        assert self.next_page is not None
        request = self.next_page.request
        rows, unreadable = read_rows(document, self._read_row)
        self.next_page = None
        if unreadable is not None:
            self._problem = with_request(unreadable, request, response)
            return rows
        try:
            following = self._next_request(request, len(rows), response)
            if following is None:
                self._begin()
            else:
                self.next_page = Endpoint(following, self._read)
        except UnexpectedResponseError as error:
            self._problem = with_request(error, request, response)
        return rows

    def _next_request(self, request: Request, count: int, response: Response) -> Request | None:
        """Return the request for the next page, or ``None`` at the end of the list."""
        links = parse_links(response.headers)
        link = links.get("next")
        if link is None:
            here = f"{self._origin}{request.target}"
            doubt = _why_incomplete(count, _size(request.target) or self._asked, links, here)
            if doubt is not None:
                raise UnexpectedResponseError(
                    f"the list may go on after this page of {count} rows, but {doubt}"
                )
            return None
        url = self._origin.own_url(resolve(f"{self._origin}{request.target}", link))
        if url is None:
            raise UnexpectedResponseError(
                f"the next page of the list is said to be on {harmless(host_of(link), most=100)}; the token is sent to "
                f"{self._origin} only"
            )
        parts = urlsplit(url)
        following = replace(request, path=parts.path, query=parts.query)
        if len(following.target) > _LONGEST_TARGET:
            raise UnexpectedResponseError(
                "the address of the next page of the list is longer than any server takes"
            )
        in_circles = following.target in self._pages or self._repeated >= _MOST_REPEATED
        if in_circles or len(self._pages) >= self._most_pages:
            raise UnexpectedResponseError("the pages of the list run in circles")
        self._pages.add(following.target)
        return following


def parse_links(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the URLs in a ``Link`` header by their ``rel``."""
    found: dict[str, str] = {}
    for url, parameters in _LINK.findall(headers.get("link", "")):
        quoted_or_bare = _REL.search(parameters)
        if quoted_or_bare:
            for rel in (quoted_or_bare[1] or quoted_or_bare[2] or "").lower().split():
                found.setdefault(rel, str(url))
    return found


def _why_incomplete(count: int, asked: int | None, links: Mapping[str, str], url: str) -> str | None:
    """Return why a page without ``next`` may not be the last; ``None`` if it is."""
    if asked is None:
        return None
    at, last = _page(links.get("current")), _page(links.get("last"))
    if at is not None and last is not None and last > at:
        return f"Canvas left out the link to the next page, of {last}"
    base = links.get("current", links.get("first"))
    if count < min(asked, _size(base or "") or asked):
        return None
    if base is None:
        return (
            "it came without the links that say so: Canvas leaves links out when they grow too long, and a proxy may "
            "remove the header Link; ask for less at once, with fewer or shorter filters"
        )
    if max(len(url), *map(len, links.values())) > SHORT_LINK:
        return (
            "the link to the next page may have been left out, as Canvas does when links grow too long; ask for less at "
            "once, with fewer or shorter filters"
        )
    return None


def _size(url: str) -> int | None:
    """Return ``per_page`` of a URL."""
    found = _SIZE.search(url)
    return int(found[1]) or None if found else None


def _page(url: str | None) -> int | None:
    """Return ``page`` of a URL, where pages have numbers."""
    found = _NUMBER.search(url or "")
    return int(found[1]) if found else None


def read_rows(document: Any, read: Callable[[Any], T]) -> tuple[list[T], UnexpectedResponseError | None]:
    """Return the rows of a JSON array that can be read, and the error of the first that cannot.

    Raises:
        UnexpectedResponseError: it is not an array.
    """
    if not isinstance(document, list):
        raise UnexpectedResponseError("Canvas answered something else than a list")
    rows: list[T] = []
    problem: UnexpectedResponseError | None = None
    for row in document:
        try:
            rows.append(read(row))
        except UnexpectedResponseError as error:  # noqa: PERF203 - one unreadable row costs no other
            problem = problem or error
    return rows, problem
