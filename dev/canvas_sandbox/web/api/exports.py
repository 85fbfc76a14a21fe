"""Content exports of courses, groups and users."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from canvas_sandbox.campus import Course, Exportable
from canvas_sandbox.clock import iso
from canvas_sandbox.content.model import Kind
from canvas_sandbox.content.selection import parse_selection
from canvas_sandbox.faults import Fault
from canvas_sandbox.records import COPY_TYPES, Export, ExportRequest
from canvas_sandbox.web.http import errors
from canvas_sandbox.web.http.messages import Call, RequestRefusedError, Response
from canvas_sandbox.web.http.pagination import paginate
from canvas_sandbox.web.http.params import is_true
from canvas_sandbox.web.http.router import Router
from canvas_sandbox.web.lookups import find_context
from canvas_sandbox.web.permissions import can_create_export, can_list_export, can_read, can_show_export
from canvas_sandbox.web.storage.files import file_json
from canvas_sandbox.world import World

_TYPES = {"course": ("common_cartridge", "qti", "zip", "quizzes2"), "group": ("zip",), "user": ("zip",)}
_PAGES: dict[Fault, Callable[[], Response]] = {
    Fault.POST_403: errors.firewall,
    Fault.POST_400: errors.bad_request,
    Fault.POST_500: errors.broken,
}


class ExportEndpoints:
    """List, show and create exports. Canvas's API has no way to cancel or delete one."""

    def __init__(self, world: World) -> None:
        self._world = world

    def add_to(self, router: Router) -> None:
        """Add the nine routes."""
        for kind in _TYPES:
            router.add("GET", f"/api/v1/{kind}s/:{kind}_id/content_exports", self.index)
            router.add("POST", f"/api/v1/{kind}s/:{kind}_id/content_exports", self.create)
            router.add("GET", f"/api/v1/{kind}s/:{kind}_id/content_exports/:id", self.show)

    def index(self, call: Call) -> Response:
        """``GET .../content_exports``: newest first."""
        context = self._context(call)
        rows = [
            export
            for export in reversed(self._world.exports.rows.values())
            if export.context is context
            and export.export_type not in COPY_TYPES
            and export.workflow_state != "deleted"
            and can_list_export(self._world, call.user, export)
        ]
        url = f"{call.base_url}/api/v1/{context.kind}s/{context.id}/content_exports"
        return paginate(call, rows, lambda export: self._json(export, call), url)

    def show(self, call: Call) -> Response:
        """``GET .../content_exports/:id``."""
        context = self._context(call)
        number = call.ids["id"]
        export = self._world.exports.rows.get(int(number)) if number.isdecimal() else None
        if export is None or export.context is not context or export.export_type in COPY_TYPES:
            raise errors.not_found()
        if not can_show_export(self._world, call.user, export):
            raise errors.denied(self._world.kernel.switches)
        return Response(data=self._json(export, call))

    def create(self, call: Call) -> Response:
        """``POST .../content_exports``: always a new export, answered with 200."""
        context = self._context(call)
        lost = self._apply_fault(context)
        export_type = call.params.get("export_type")
        if export_type not in _TYPES[context.kind]:
            raise errors.invalid("invalid export_type")
        if export_type == "quizzes2":
            self._check_quiz(context, call.params.get("quiz_id"))
        if not can_create_export(self._world, call.user, context, export_type):
            raise errors.denied(self._world.kernel.switches)
        select = call.params.get("select")
        if select and not isinstance(select, Mapping):
            raise errors.crashed(next(self._world.kernel.error_reports))
        request = ExportRequest(
            context=context,
            export_type=export_type,
            user=call.user,
            selection=parse_selection(select or None, export_type),
            version="1.3.0" if str(call.params.get("version")) == "1.3" else "1.1.0",
            notify=not is_true(call.params.get("skip_notifications", "")),
        )
        response = Response(data=self._json(self._world.exports.create(request), call))
        response.drop = lost
        return response

    def _context(self, call: Call) -> Exportable:
        context = find_context(self._world, call.ids, call.user)
        if context is None:
            raise errors.not_found()
        if not can_read(self._world, call.user, context):
            raise errors.denied(self._world.kernel.switches)
        return context

    def _check_quiz(self, context: Exportable, quiz_id: object) -> None:
        if not str(quiz_id).isdecimal():
            raise errors.invalid("quiz_id required and must be a valid ID")
        quiz = self._world.contents.of(context).items.get(int(str(quiz_id)))
        if quiz is None or quiz.kind is not Kind.QUIZ:
            raise errors.invalid("Quiz could not be found")

    def _apply_fault(self, context: Exportable) -> bool:
        """Raise the response of a fault of the context. Returns whether the real response is lost."""
        active_faults = context.active_faults
        if active_faults.take(Fault.REFUSED):
            raise RequestRefusedError(Response(drop=True))
        if active_faults.take(Fault.THROTTLED):
            raise RequestRefusedError(errors.throttled(self._world.kernel.switches))
        if active_faults.take(Fault.MAINTENANCE):
            raise RequestRefusedError(errors.maintenance())
        if active_faults.take(Fault.SERVER_ERROR):
            raise errors.crashed(next(self._world.kernel.error_reports))
        for fault, make in _PAGES.items():
            if active_faults.take(fault):
                raise RequestRefusedError(make())
        return active_faults.take(Fault.LOST_ANSWER)

    def _json(self, export: Export, call: Call) -> dict[str, Any]:
        data: dict[str, Any] = {
            "id": export.id,
            "user_id": export.user_id,
            "workflow_state": export.workflow_state,
            "export_type": export.export_type,
            "created_at": iso(export.created_at),
        }
        if isinstance(export.context, Course):
            data["course_id"] = export.context.id
        if export.attachment is not None and not self._world.exports.is_expired(export):
            data["attachment"] = file_json(self._world, export.attachment, call.base_url)
        if export.progress is not None:
            data["progress_url"] = f"{call.base_url}/api/v1/progress/{export.progress.id}"
        return data
