"""Progress: ``/api/v1/progress``."""

from __future__ import annotations

from typing import Any

from canvas_sandbox.changes import apply
from canvas_sandbox.clock import iso
from canvas_sandbox.records import Progress
from canvas_sandbox.web.http import errors
from canvas_sandbox.web.http.messages import Call, Response
from canvas_sandbox.web.http.router import Router
from canvas_sandbox.web.permissions import can_show_progress
from canvas_sandbox.world import World


class ProgressEndpoints:
    """Show and cancel a progress. A cancelled export continues."""

    def __init__(self, world: World) -> None:
        self._world = world

    def add_to(self, router: Router) -> None:
        """Add the routes."""
        router.add("GET", "/api/v1/progress/:id", self.show)
        router.add("POST", "/api/v1/progress/:id/cancel", self.cancel)

    def show(self, call: Call) -> Response:
        """``GET /api/v1/progress/:id``: for users who may see what the job is for."""
        progress = self._find(call)
        if not can_show_progress(self._world, call.user, progress):
            raise errors.denied(self._world.kernel.switches)
        return Response(data=_json(progress, call.base_url))

    def cancel(self, call: Call) -> Response:
        """``POST /api/v1/progress/:id/cancel``: for its owner. It becomes ``failed``, and the job overwrites that later."""
        progress = self._find(call)
        if progress.user_id != call.user.id:
            raise errors.denied(self._world.kernel.switches)
        apply(self._world, "cancel_progress", progress.id, call.params.get("message"))
        return Response(data=_json(progress, call.base_url))

    def _find(self, call: Call) -> Progress:
        number = call.ids["id"]
        progress = self._world.kernel.progresses.get(int(number)) if number.isdecimal() else None
        if progress is None:
            raise errors.not_found()
        return progress


def _json(progress: Progress, base_url: str) -> dict[str, Any]:
    return {
        "id": progress.id,
        "context_id": progress.context_id,
        "context_type": progress.context_type,
        "user_id": progress.user_id,
        "tag": progress.tag,
        "completion": progress.completion,
        "workflow_state": progress.workflow_state,
        "created_at": iso(progress.created_at),
        "updated_at": iso(progress.updated_at),
        "message": progress.message,
        "url": f"{base_url}/api/v1/progress/{progress.id}",
    }
