"""Canvas's limits of a query: its tokens, aliases, depth and complexity. Each is measured before anything is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)

from canvas_sandbox.switches import Switches

TOO_MANY_TOKENS = "This query is too large to execute."


@dataclass
class Measures:
    """What a query amounts to. The complexity of a connection is that of one node for each that it may return."""

    aliases: int = 0
    depth: int = 0
    complexity: int = 0


def problem_of(document: DocumentNode, variables: Mapping[str, object], switches: Switches) -> str | None:
    """Return which limit a valid query exceeds, or ``None``."""
    measures = measure(document, variables, switches.graphql_page_size)
    limits = (
        ("aliases", measures.aliases, switches.graphql_max_aliases),
        ("depth", measures.depth, switches.graphql_max_depth),
        ("complexity", measures.complexity, switches.graphql_max_complexity),
    )
    for name, found, limit in limits:
        if found > limit:
            return f"Query has {name} of {found}, which exceeds max {name} of {limit}"
    return None


def measure(document: DocumentNode, variables: Mapping[str, object], page_size: int) -> Measures:
    """Measure a valid query: one without unknown or circular fragments."""
    fragments = {
        node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
    }
    meter = _Meter(fragments, variables, page_size)
    measures = Measures()
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode):
            measures.complexity += meter.walk(node.selection_set, 1, measures)
    return measures


class _Meter:
    def __init__(
        self,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: Mapping[str, object],
        page_size: int,
    ) -> None:
        self._fragments = fragments
        self._variables = variables
        self._page_size = page_size

    def walk(self, selected: SelectionSetNode | None, depth: int, measures: Measures) -> int:
        """Return the complexity of a selection, and count the rest."""
        if selected is None:
            return 0
        total = 0
        for node in selected.selections:
            if isinstance(node, FieldNode):
                measures.aliases += node.alias is not None
                measures.depth = max(measures.depth, depth)
                total += 1 + self._factor(node) * self.walk(node.selection_set, depth + 1, measures)
            elif isinstance(node, InlineFragmentNode):
                total += self.walk(node.selection_set, depth, measures)
            elif isinstance(node, FragmentSpreadNode):
                total += self.walk(self._fragments[node.name.value].selection_set, depth, measures)
        return total

    def _factor(self, node: FieldNode) -> int:
        """Return how many nodes a field may return."""
        if not node.name.value.endswith("Connection"):
            return 1
        for argument in node.arguments or ():
            if argument.name.value in ("first", "last"):
                value: object = None
                if isinstance(argument.value, IntValueNode):
                    value = int(argument.value.value)
                elif isinstance(argument.value, VariableNode):
                    value = self._variables.get(argument.value.name.value)
                if isinstance(value, int):
                    return max(0, min(value, self._page_size))
        return self._page_size
