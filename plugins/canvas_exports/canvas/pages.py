"""Walking a list by its ``next`` links, which are opaque: numbers, bookmarks, relative or absolute."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from canvas_exports.canvas.origin import Origin, host_of, resolve
from canvas_exports.canvas.parse import read_list
from canvas_exports.canvas.wire import Answer, Call, Request
from canvas_exports.errors import UnexpectedAnswerError

T = TypeVar("T")

_LINK = re.compile(r"<([^<>]*)>((?:\s*;\s*[^\s=;,]+\s*(?:=\s*(?:\"[^\"]*\"|[^\s\";,]+))?)*)")
_REL = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s\";,]+))", re.IGNORECASE)
_MOST_PAGES = 100_000  # ten million courses; a list that is longer runs in circles


class Walk(Generic[T]):
    """A list that is read page by page: ask for ``call``, hand its rows to ``rows``, until there is no call.

    Pages of a list that grows at its head shift while they are read, so a row that was seen already is passed over.
    """

    def __init__(
        self, first: Request, read_row: Callable[[Any], T], key: Callable[[T], Hashable], origin: Origin
    ) -> None:
        self.call: Call[list[T]] | None = Call(first, self._read)
        self._read_row = read_row
        self._key = key
        self._origin = origin
        self._pages = {first.target}
        self._seen: set[Hashable] = set()

    def rows(self, page: list[T]) -> Iterator[T]:
        """The rows of a page that no earlier page had."""
        for row in page:
            if self._key(row) not in self._seen:
                self._seen.add(self._key(row))
                yield row

    def _read(self, document: Any, answer: Answer) -> list[T]:
        rows = read_list(document, self._read_row)
        self.call = self._following(answer)
        return rows

    def _following(self, answer: Answer) -> Call[list[T]] | None:
        assert self.call is not None
        request = self.call.request
        link = next_link(answer.headers)
        if link is None:
            return None
        url = self._origin.adopt(resolve(f"{self._origin}{request.target}", link))
        if url is None:
            raise UnexpectedAnswerError(
                f"the next page of the list is said to be on {host_of(link)}; the token is sent to {self._origin} only"
            )
        parts = urlsplit(url)
        following = replace(request, path=parts.path, query=parts.query)
        if following.target in self._pages or len(self._pages) >= _MOST_PAGES:
            raise UnexpectedAnswerError("the pages of the list run in circles")
        self._pages.add(following.target)
        return Call(following, self._read)


def next_link(headers: Mapping[str, str]) -> str | None:
    """The URL with ``rel="next"`` in a ``Link`` header."""
    for url, parameters in _LINK.findall(headers.get("link", "")):
        quoted_or_bare = _REL.search(parameters)
        if quoted_or_bare and "next" in (quoted_or_bare[1] or quoted_or_bare[2] or "").lower().split():
            return str(url)
    return None
