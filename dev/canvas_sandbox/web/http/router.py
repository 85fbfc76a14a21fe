"""Route a path to its handler, with Rails' rules for segments and formats."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote

from canvas_sandbox.web.http.messages import Call, Response

Handler = Callable[[Call], Response]


class Router:
    """A table of routes such as ``/api/v1/courses/:course_id``.

    A literal ``.xxx`` at the end of the last segment is a format and is cut off, so the dot of a SIS id with such an end
    must be encoded, like slashes inside a segment.
    """

    def __init__(self) -> None:
        self._routes: dict[tuple[str, int], list[tuple[list[str], Handler]]] = {}

    def add(self, method: str, template: str, handler: Handler) -> None:
        """Add a route. Earlier routes win."""
        segments = template.strip("/").split("/")
        self._routes.setdefault((method, len(segments)), []).append((segments, handler))

    def find(self, method: str, path: str) -> tuple[Handler, dict[str, str]] | None:
        """Return handler and variables of a raw path. HEAD counts as GET."""
        segments = path.strip("/").split("/")
        name, dot, _ = segments[-1].rpartition(".")
        if dot:
            segments[-1] = name
        for template, handler in self._routes.get(("GET" if method == "HEAD" else method, len(segments)), ()):
            ids = _match(template, segments)
            if ids is not None:
                return handler, ids
        return None


def _match(template: list[str], segments: list[str]) -> dict[str, str] | None:
    ids: dict[str, str] = {}
    for pattern, segment in zip(template, segments, strict=True):
        if pattern.startswith(":"):
            ids[pattern[1:]] = unquote(segment)
        elif pattern != segment:
            return None
    return ids
