"""Pagination: ``Link`` headers with page numbers or bookmarks."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from canvas_sandbox.web.http import errors
from canvas_sandbox.web.http.messages import Call, Response
from canvas_sandbox.web.http.params import to_query

_DEFAULT, _MAXIMUM = 10, 100
_FIRST, _MARK = "first", "bookmark:"
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
) -> Response:
    """Return one page of ``rows``, by number, with its ``Link`` header.

    Links point at ``url``; without ``counted`` there is no ``last``.
    """
    size = _page_size(call.query.get("per_page"))
    number = _page_number(call.query.get("page"))
    first = (number - 1) * size
    tokens = {"current": str(number), "first": "1"}
    if first + size < len(rows):
        tokens["next"] = str(number + 1)
    if number > 1:
        tokens["prev"] = str(number - 1)
    if counted:
        tokens["last"] = str(max(1, -(-len(rows) // size)))
    return _response(call, [render(row) for row in rows[first : first + size]], url, tokens, size)


def paginate_by_bookmark(
    call: Call,
    rows: Sequence[_Row],
    render: Callable[[_Row], Any],
    url: str,
    key: Callable[[_Row], list[Any]],
    *,
    descending: bool = False,
) -> Response:
    """Return one page of ``rows``, from a bookmark. There are no ``prev`` and ``last`` links.

    ``key`` is the sort key of a row. A bookmark contains the key of the last row shown, which may be deleted by now.
    """
    size = _page_size(call.query.get("per_page"))
    token = str(call.query.get("page") or _FIRST)
    first = 0 if token == _FIRST else _place(token, [key(row) for row in rows], descending=descending)
    shown = rows[first : first + size]
    tokens = {"current": token, "first": _FIRST}
    if first + size < len(rows):
        tokens["next"] = _bookmark(key(shown[-1]))
    return _response(call, [render(row) for row in shown], url, tokens, size)


def _response(call: Call, data: list[Any], url: str, tokens: dict[str, str], size: int) -> Response:
    query = urlencode(to_query({key: value for key, value in call.query.items() if key not in _DROPPED}))
    prefix = f"{url}?{query}&" if query else f"{url}?"
    links = {rel: f'<{prefix}page={token}&per_page={size}>; rel="{rel}"' for rel, token in tokens.items()}
    response = Response(data=data)
    if kept := _join(links):
        response.headers["Link"] = kept
    return response


def _join(links: dict[str, str]) -> str:
    """Return the header's value. Links beyond the length limit are left out, the most useful last.

    A link that is too long alone leaves out those after it as well: a page never has a ``current`` without a ``next``.
    """
    kept: set[str] = set()
    length = 0
    for rel in _PRIORITY:
        if rel in links:
            length += len(links[rel]) + 1
            if length <= _LINK_LIMIT:
                kept.add(rel)
    return ",".join(links[rel] for rel in _ORDER if rel in kept)


def _page_size(text: object) -> int:
    """Parse an integer and clamp it; an invalid one counts as 0 and becomes 1."""
    if text is None:
        return _DEFAULT
    match = _INTEGER.match(str(text))
    return min(max(int(match[1]) if match else 0, 1), _MAXIMUM)


def _page_number(token: object) -> int:
    text = "1" if token is None else str(token)
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise errors.no_such_page()
    return int(text)


def _bookmark(key: list[Any]) -> str:
    """Return an opaque page token."""
    return _MARK + base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def _place(token: str, keys: list[list[Any]], *, descending: bool) -> int:
    """Return the index of the first row after a bookmark, whose own row may be deleted.

    Raises:
        RequestRefusedError: not a bookmark, or one of a list in another order.
    """
    if not token.startswith(_MARK):
        raise errors.stale_bookmark()
    text = token[len(_MARK) :]
    try:
        marked = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        before = [key >= marked if descending else key <= marked for key in keys]
    except (ValueError, TypeError):
        raise errors.stale_bookmark() from None
    return sum(before)
