"""Build GraphQL queries, and read what Canvas answers. No I/O.

Canvas answers a query with status 200, also where it refuses it or a part of it: then ``errors`` stands beside ``data``, or in
its place. Messages are written for people and may be translated, so only codes and paths are read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from canvas_exports.core.canvas.http.bounded_values import bounded_int, bounded_text
from canvas_exports.core.canvas.http.messages import Endpoint, Request, Response
from canvas_exports.errors import UnexpectedResponseError

MOST_ALIASES = 20  #: of one query, by default
LARGEST_PAGE = 100  #: nodes of a connection

_LONGEST = 255  # characters of an id, a code, a cursor or a step of a path
_MOST_ERRORS, _DEEPEST = 1000, 32


@dataclass(frozen=True)
class GraphQLQuery:
    """A query, which changes nothing, and its variables."""

    text: str = field(repr=False)
    variables: Mapping[str, str | int | None] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class GraphQLError:
    """One error of a response.

    Attributes:
        code: for programs, such as ``undefinedField``; ``None`` where there is none.
        path: the field that it is about, from the top, such as ``("c1", "modulesConnection")``; empty for the whole query.
    """

    code: str | None = None
    path: tuple[str, ...] = ()


@dataclass(frozen=True)
class GraphQLResult:
    """What Canvas answered to a query.

    Attributes:
        data: the fields at the top by alias; ``None`` if the query as a whole was refused.
        errors: what is missing from the data, and why.
    """

    data: Mapping[str, Any] | None
    errors: tuple[GraphQLError, ...] = ()

    def whole(self, alias: str) -> Any:
        """Return a field at the top; ``None`` if it is null, or if any error is about it, a part of it, or all fields."""
        if self.data is None or any(not error.path or error.path[0] == alias for error in self.errors):
            return None
        return self.data.get(alias)


def graphql(query: GraphQLQuery) -> Endpoint[GraphQLResult]:
    """``POST /api/graphql``."""
    body = json.dumps({"query": query.text, "variables": dict(query.variables)}, separators=(",", ":"))
    return Endpoint(Request("POST", "/api/graphql", json=body), _read_result)


@dataclass(frozen=True)
class Page:
    """One page of a connection.

    Attributes:
        nodes: the objects of this page.
        after: the cursor of the next page; ``None`` on the last one.
    """

    nodes: tuple[Mapping[str, Any], ...]
    after: str | None = None


def read_page(connection: Any) -> Page | None:
    """Read a connection with ``nodes`` and ``pageInfo``; ``None`` if a part of it is missing, null or of another type."""
    if not isinstance(connection, Mapping):
        return None
    nodes, info = connection.get("nodes"), connection.get("pageInfo")
    if not isinstance(nodes, list) or not all(isinstance(node, Mapping) for node in nodes):
        return None
    has_next = info.get("hasNextPage") if isinstance(info, Mapping) else None
    if not isinstance(info, Mapping) or not isinstance(has_next, bool):
        return None
    after = bounded_text(info.get("endCursor"), most=_LONGEST) if has_next else None
    return None if has_next and not after else Page(tuple(nodes), after)


def read_legacy_id(node: Mapping[str, Any]) -> int | None:
    """Return ``_id`` of an object, the number that the REST API knows it by."""
    return bounded_int(node.get("_id"), least=1)


def _read_result(document: Any, _response: Response) -> GraphQLResult:
    if not isinstance(document, Mapping) or not document.keys() & {"data", "errors"}:
        raise UnexpectedResponseError("Canvas answered something else than the result of a GraphQL query")
    data = document.get("data")
    if data is not None and not isinstance(data, Mapping):
        raise UnexpectedResponseError("the data of a GraphQL result is not an object")
    return GraphQLResult(data, _read_errors(document.get("errors")))


def _read_errors(errors: Any) -> tuple[GraphQLError, ...]:
    if errors is None or errors == []:
        return ()
    if not isinstance(errors, list) or len(errors) > _MOST_ERRORS:
        return (GraphQLError(),)
    return tuple(_read_error(error) for error in errors)


def _read_error(error: Any) -> GraphQLError:
    row = error if isinstance(error, Mapping) else {}
    extensions, path = row.get("extensions"), row.get("path")
    code = extensions.get("code") if isinstance(extensions, Mapping) else None
    steps = path[:_DEEPEST] if isinstance(path, list) else []
    is_path = all(isinstance(step, str | int) for step in steps)
    return GraphQLError(
        bounded_text(code, most=_LONGEST), tuple(str(step)[:_LONGEST] for step in steps) if is_path else ()
    )
