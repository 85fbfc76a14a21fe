"""GraphQL: ``POST /api/graphql``. The library that executes queries is imported with the first of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from canvas_sandbox.web.http import errors
from canvas_sandbox.web.http.messages import Call, Response
from canvas_sandbox.web.http.router import Router
from canvas_sandbox.world import World

if TYPE_CHECKING:
    from canvas_sandbox.web.graphql.execute import Executor


class GraphQLEndpoint:
    """Answers queries about accounts and courses. What is refused is answered with 200 and ``errors``."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._executor: Executor | None = None

    def add_to(self, router: Router) -> None:
        """Add the route."""
        router.add("POST", "/api/graphql", self.post)

    def post(self, call: Call) -> Response:
        """``POST /api/graphql`` with ``query``, and if wanted ``variables`` and ``operationName``."""
        if not self._world.kernel.switches.graphql:
            raise errors.no_such_page()
        query, variables = call.params.get("query"), call.params.get("variables")
        if not isinstance(query, str) or not query.strip():
            return Response(data={"errors": [{"message": "No query string was present"}]})
        operation = call.params.get("operationName")
        data, read = self._started().answer(
            query,
            variables if isinstance(variables, dict) else {},
            operation if isinstance(operation, str) else None,
            call.user,
        )
        return Response(data=data, cost=self._cost(read))

    def _cost(self, read: int) -> float:
        switches = self._world.kernel.switches
        return round(switches.request_cost + read * switches.graphql_cost, 6)

    def _started(self) -> Executor:
        if self._executor is None:
            from canvas_sandbox.web.graphql.execute import Executor  # noqa: PLC0415  a large library

            self._executor = Executor(self._world)
        return self._executor
