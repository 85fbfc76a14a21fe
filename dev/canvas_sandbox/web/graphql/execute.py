"""Answer a query: parse, validate, measure, execute."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSyntaxError,
    execute_sync,
    parse,
    validate,
)

from canvas_sandbox.campus import User
from canvas_sandbox.web.graphql.limits import TOO_MANY_TOKENS, problem_of
from canvas_sandbox.web.graphql.nodes import Reader
from canvas_sandbox.web.graphql.schema import build
from canvas_sandbox.world import World

_REMEMBERED = 64
_UNKNOWN_FIELD = re.compile(r"Cannot query field '(\w+)' on type '(\w+)'")


class Executor:
    """Answers the queries of one Canvas, and remembers the last texts that it has parsed."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._schema = build(world.kernel.switches.graphql_missing_fields)
        self._parsed: OrderedDict[str, DocumentNode | list[GraphQLError]] = OrderedDict()

    def answer(
        self, query: str, variables: Mapping[str, Any], operation: str | None, caller: User
    ) -> tuple[dict[str, Any], int]:
        """Return the answer, and how many objects were read for it."""
        document = self._document(query)
        if not isinstance(document, DocumentNode):
            return {"errors": [_refusal(error) for error in document]}, 0
        problem = problem_of(document, variables, self._world.kernel.switches)
        if problem is not None:
            return {"errors": [{"message": problem}]}, 0
        reader = Reader(self._world, caller)
        result = execute_sync(
            self._schema,
            document,
            root_value=reader,
            variable_values=dict(variables),
            operation_name=operation,
        )
        assert isinstance(result, ExecutionResult)
        return dict(result.formatted), reader.read

    def _document(self, query: str) -> DocumentNode | list[GraphQLError]:
        if query in self._parsed:
            self._parsed.move_to_end(query)
            return self._parsed[query]
        found = self._parse(query)
        self._parsed[query] = found
        if len(self._parsed) > _REMEMBERED:
            self._parsed.popitem(last=False)
        return found

    def _parse(self, query: str) -> DocumentNode | list[GraphQLError]:
        try:
            document = parse(query, max_tokens=self._world.kernel.switches.graphql_max_tokens)
        except GraphQLSyntaxError as error:
            return [GraphQLError(TOO_MANY_TOKENS) if "contains more than" in error.message else error]
        return validate(self._schema, document) or document


def _refusal(error: GraphQLError) -> dict[str, Any]:
    """Return an error of a query that is not executed, as Canvas writes it: an unknown field has a code and a path."""
    unknown = _UNKNOWN_FIELD.match(error.message)
    if unknown is None:
        return dict(error.formatted)
    name, owner = unknown.groups()
    return {
        "message": f"Field '{name}' doesn't exist on type '{owner}'",
        "locations": [{"line": each.line, "column": each.column} for each in error.locations or ()],
        "path": ["query", name],
        "extensions": {"code": "undefinedField", "typeName": owner, "fieldName": name},
    }
