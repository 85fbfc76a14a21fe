"""GraphQL: ``/api/graphql``, as far as Progress goes."""

from __future__ import annotations

import re
from typing import Any

from canvas_sandbox.permissions import follows
from canvas_sandbox.web.reply import Call, Reply
from canvas_sandbox.web.router import Router
from canvas_sandbox.world import World

_QUERY = re.compile(r"\s*(?:query(?:\s+\w+)?\s*)?\{(?P<nodes>.*)\}\s*", re.DOTALL)
_NODE = re.compile(
    r'\s*(?P<alias>\w+)\s*:\s*legacyNode\(\s*_id:\s*"(?P<id>[^"]*)"\s*,?\s*type:\s*(?P<type>\w+)\s*\)'
    r"\s*\{\s*\.\.\.\s*on\s+Progress\s*\{(?P<fields>[\w\s]*)\}\s*\}\s*,?"
)
_STATES = frozenset({"queued", "running", "completed", "failed"})
"""What the schema's ``ProgressState`` knows; a row in another state is an error where the state is asked for."""


class GraphQL:
    """Any number of ``alias: legacyNode(_id: "1", type: Progress) {... on Progress {_id state completion message}}``.

    What Canvas cannot find, or may not show, is ``null``. Errors are an array beside the data, with the status 200.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def add_to(self, router: Router) -> None:
        """Add the route, if there is one."""
        if self._world.switches.graphql:
            router.add("POST", "/api/graphql", self.execute)

    def execute(self, call: Call) -> Reply:
        """``POST /api/graphql``."""
        whole = _QUERY.fullmatch(str(call.params.get("query", "")))
        text = whole["nodes"] if whole else ""
        nodes = list(_NODE.finditer(text))
        if not nodes or _NODE.sub("", text).strip():
            return _failed("Parse error")
        if len(nodes) > self._world.switches.graphql_aliases:
            return _failed("Query has too many aliases")
        if unknown := {node["type"] for node in nodes} - {"Progress"}:
            return _failed(f"Argument 'type' on Field 'legacyNode' has an invalid value ({min(unknown)})")
        call.extra_cost += len(nodes) * self._world.switches.graphql_node_cost
        problems: list[dict[str, Any]] = []
        data = {node["alias"]: self._node(call, node, problems) for node in nodes}
        return Reply(data={"data": data, "errors": problems} if problems else {"data": data})

    def _node(self, call: Call, node: re.Match[str], problems: list[dict[str, Any]]) -> dict[str, Any] | None:
        number = node["id"]
        progress = self._world.progresses.get(int(number)) if number.isdecimal() else None
        if progress is None or not follows(self._world, call.user, progress):
            return None
        if progress.workflow_state not in _STATES:
            problems.append(
                {"message": "`Progress.state` returned an invalid value", "path": [node["alias"]]}
            )
            return None
        known = {
            "_id": str(progress.id),
            "state": progress.workflow_state,
            "completion": progress.completion,
            "message": progress.message,
        }
        return {name: known[name] for name in node["fields"].split() if name in known}


def _failed(message: str) -> Reply:
    return Reply(data={"errors": [{"message": message}]})
