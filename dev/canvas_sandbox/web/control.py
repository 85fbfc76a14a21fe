"""The sandbox's own endpoints, for tests and demos in other processes: without rate limit and token."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict

from canvas_sandbox.changes import apply
from canvas_sandbox.changes.content import CONTENT_CHANGES
from canvas_sandbox.faults import RequestFault
from canvas_sandbox.imports.records import MigrationRecord
from canvas_sandbox.records import ExportRecord, RequestRecord
from canvas_sandbox.web.http.messages import Call, Response
from canvas_sandbox.web.http.router import Router
from canvas_sandbox.world import World


class ControlEndpoints:
    """``/sandbox/...``: read what happened, and inject faults."""

    def __init__(
        self,
        world: World,
        requests: Callable[[], list[RequestRecord]],
        exports: Callable[[], list[ExportRecord]],
        migrations: Callable[[], list[MigrationRecord]],
        inject: Callable[[RequestFault], None],
    ) -> None:
        self._world = world
        self._requests = requests
        self._exports = exports
        self._migrations = migrations
        self._inject = inject
        self._router = Router()
        self._router.add("GET", "/sandbox/health", self.health)
        self._router.add("GET", "/sandbox/requests", self.requests)
        self._router.add("GET", "/sandbox/exports", self.exports)
        self._router.add("GET", "/sandbox/migrations", self.migrations)
        self._router.add("POST", "/sandbox/faults", self.faults)
        self._router.add("POST", "/sandbox/advance", self.advance)
        self._router.add("GET", "/sandbox/courses/:id", self.course)
        self._router.add("POST", "/sandbox/changes", self.changes)

    def answer(self, call: Call) -> Response:
        """Answer a request below ``/sandbox/``."""
        found = self._router.find(call.method, call.path)
        if found is None:
            return Response(404, {"message": "no such endpoint of the sandbox"})
        handler, call.ids = found
        return handler(call)

    def health(self, call: Call) -> Response:
        """``GET /sandbox/health``."""
        return Response(data={"status": "ok", "time": call.now, "courses": len(self._world.courses)})

    def requests(self, _: Call) -> Response:
        """``GET /sandbox/requests``: the log, oldest first."""
        return Response(data=[asdict(record) for record in self._requests()])

    def exports(self, _: Call) -> Response:
        """``GET /sandbox/exports``: every export ever created, oldest first."""
        return Response(data=[asdict(record) for record in self._exports()])

    def migrations(self, _: Call) -> Response:
        """``GET /sandbox/migrations``: every migration ever created, oldest first, with its number of imports."""
        return Response(data=[asdict(record) for record in self._migrations()])

    def faults(self, call: Call) -> Response:
        """``POST /sandbox/faults`` with the fields of a `RequestFault` as JSON."""
        try:
            self._inject(RequestFault(**json.loads(call.body)))
        except (TypeError, ValueError) as error:
            return Response(400, {"message": str(error)})
        return Response(data={"status": "injected"})

    def course(self, call: Call) -> Response:
        """``GET /sandbox/courses/:id``: the settings of a course, and id, kind, title and text of all that it holds."""
        course = self._world.courses.get(int(call.ids["id"])) if call.ids["id"].isdecimal() else None
        if course is None:
            return Response(404, {"message": "no such course"})
        content = self._world.contents.of(course)
        items = [
            {"id": item.id, "kind": item.kind.value, "title": item.title, "html": item.text}
            for item in content.items.values()
        ]
        return Response(data={"settings": dict(content.settings), "items": items})

    def changes(self, call: Call) -> Response:
        """``POST /sandbox/changes`` with ``{"what": name, "arguments": [...]}``: edit a course, as its teacher does."""
        try:
            wanted = json.loads(call.body)
            what, arguments = wanted["what"], wanted["arguments"]
            result = apply(self._world, what, *arguments) if what in CONTENT_CHANGES else None
        except (KeyError, TypeError, ValueError) as error:
            return Response(400, {"message": str(error)})
        if what not in CONTENT_CHANGES:
            return Response(400, {"message": f"the edits are {', '.join(sorted(CONTENT_CHANGES))}"})
        return Response(data={"result": result})

    def advance(self, call: Call) -> Response:
        """``POST /sandbox/advance`` with ``{"seconds": n}``: jump forward in time."""
        try:
            self._world.kernel.advance(float(call.params.get("seconds", 0)))
        except (TypeError, ValueError) as error:
            return Response(400, {"message": str(error)})
        return Response(data={"time": self._world.kernel.now})
