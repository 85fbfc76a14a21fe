"""Pagination."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from canvas_sandbox.web import errors
from canvas_sandbox.web.params import to_query
from canvas_sandbox.web.reply import Call, Reply

_DEFAULT, _MAXIMUM = 10, 100
_FIRST = "first"
_LINK_LIMIT = 6 * 1024
_ORDER = ("current", "next", "prev", "first", "last")
_PRIORITY = ("next", "last", "prev", "current", "first")
_DROPPED = frozenset({"page", "per_page", "access_token", "api_key"})
_INTEGER = re.compile(r"\s*(-?\d+)")
_Row = TypeVar("_Row")


def paginate(
    call: Call,
    rows: Sequence[_Row],
    render: Callable[[_Row], Any],
    url: str,
    *,
    counted: bool = True,
    bookmarks: bool = False,
) -> Reply:
    """One page of ``rows`` with its ``Link`` header.

    ``url`` is the address links point at; without ``counted`` there is no ``last``; with ``bookmarks`` page tokens are
    opaque.
    """
    size = _page_size(call.query.get("per_page"))
    number = _page_number(call.query.get("page"), bookmarks=bookmarks)
    first = (number - 1) * size
    total = max(1, -(-len(rows) // size))
    numbers = {"current": number, "first": 1}
    if first + size < len(rows):
        numbers["next"] = number + 1
    if number > 1:
        numbers["prev"] = number - 1
    if counted:
        numbers["last"] = total
    if bookmarks:
        numbers.pop("prev", None)
    query = urlencode(to_query({key: value for key, value in call.query.items() if key not in _DROPPED}))
    prefix = f"{url}?{query}&" if query else f"{url}?"
    links = {
        rel: f'<{prefix}page={_token(page, bookmarks=bookmarks)}&per_page={size}>; rel="{rel}"'
        for rel, page in numbers.items()
    }
    reply = Reply(data=[render(row) for row in rows[first : first + size]])
    reply.headers["Link"] = _join(links)
    return reply


def _join(links: dict[str, str]) -> str:
    """The header's value; links that would make it too long are left out, the least useful first."""
    kept: set[str] = set()
    length = 0
    for rel in _PRIORITY:
        if rel in links and length + len(links[rel]) <= _LINK_LIMIT:
            kept.add(rel)
            length += len(links[rel]) + 1
    return ",".join(links[rel] for rel in _ORDER if rel in kept)


def _page_size(text: object) -> int:
    """Integer-parse, then clamp: nonsense counts as 0 and so becomes 1."""
    if text is None:
        return _DEFAULT
    match = _INTEGER.match(str(text))
    return min(max(int(match[1]) if match else 0, 1), _MAXIMUM)


def _page_number(token: object, *, bookmarks: bool) -> int:
    if token is None or (bookmarks and token == _FIRST):
        return 1
    text = str(token)
    if bookmarks:
        try:
            return int(base64.urlsafe_b64decode(text.removeprefix("bookmark:")))
        except (ValueError, binascii.Error):
            raise errors.stale_bookmark() from None
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise errors.no_such_page()
    return int(text)


def _token(number: int, *, bookmarks: bool) -> str:
    if not bookmarks:
        return str(number)
    return _FIRST if number == 1 else "bookmark:" + base64.urlsafe_b64encode(str(number).encode()).decode()
