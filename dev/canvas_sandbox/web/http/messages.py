"""Requests and responses as values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from canvas_sandbox.campus import User
from canvas_sandbox.packages.virtual_file import VirtualFile

JSON_TYPE = "application/json; charset=utf-8"
HTML_TYPE = "text/html; charset=utf-8"
STRING_IDS = "application/json+canvas-string-ids"
_ESCAPES = {"&": "\\u0026", "<": "\\u003c", ">": "\\u003e", "\u2028": "\\u2028", "\u2029": "\\u2029"}


@dataclass
class Call:
    """A request to a handler.

    ``ids`` are the decoded variable segments of the path; ``query`` and ``params`` are nested as Rails nests them, and
    ``params`` includes the body. ``user`` is the caller once the middleware has identified one.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    query: dict[str, Any]
    params: dict[str, Any]
    base_url: str
    now: float
    body: bytes = b""
    ids: dict[str, str] = field(default_factory=dict)
    caller: User | None = None
    token: str = ""

    @property
    def user(self) -> User:
        """Return the caller. Use it only where the middleware requires one."""
        assert self.caller is not None
        return self.caller


@dataclass
class Response:
    """A response. The server renders ``data`` as JSON, or streams ``package``, in place of ``body``.

    ``throttled`` marks the response of the throttle. ``cut_after`` breaks the connection after that many bytes of the body,
    ``drop`` before the first byte of the response; ``rate`` limits the body to bytes per second; ``chunked`` leaves
    ``Content-Length`` out. ``cost`` is that of the request, if it differs from the usual one.
    """

    status: int = 200
    data: Any = None
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: dict[str, str] = field(default_factory=dict)
    package: VirtualFile | None = None
    throttled: bool = False
    drop: bool = False
    cut_after: int | None = None
    rate: float | None = None
    chunked: bool = False
    cost: float | None = None

    @property
    def length(self) -> int:
        """Size of the body in bytes."""
        return len(self.body) if self.package is None else self.package.size


class RequestRefusedError(Exception):
    """Ends a handler with a response."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


def render_json(data: Any, *, string_ids: bool = False) -> bytes:
    """Render JSON as Canvas does: compact, with ``&``, ``<`` and ``>`` escaped."""
    text = json.dumps(stringify_ids(data) if string_ids else data, separators=(",", ":"), ensure_ascii=False)
    for sign, escape in _ESCAPES.items():
        if sign in text:
            text = text.replace(sign, escape)
    return text.encode()


def stringify_ids(data: Any) -> Any:
    """Return the data with every ``id`` and ``*_id`` as a string."""
    if isinstance(data, list):
        return [stringify_ids(item) for item in data]
    if isinstance(data, dict):
        return {
            key: str(value)
            if isinstance(value, int) and not isinstance(value, bool) and (key == "id" or key.endswith("_id"))
            else stringify_ids(value)
            for key, value in data.items()
        }
    return data


def page(status: int, title: str, text: str) -> Response:
    """Return a plain HTML page."""
    html = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{title}</title>\n</head>\n<body>\n<h1>{title}</h1>\n<p>{text}</p>\n</body>\n</html>\n"
    )
    return Response(status, body=html.encode(), content_type=HTML_TYPE)
