"""Users: ``/api/v1/users``."""

from __future__ import annotations

from typing import Any

from canvas_sandbox.campus import User
from canvas_sandbox.web.http import errors
from canvas_sandbox.web.http.messages import Call, Response
from canvas_sandbox.web.http.router import Router
from canvas_sandbox.web.lookups import find_user
from canvas_sandbox.web.permissions import can_read, can_see_sis_ids
from canvas_sandbox.world import World


class UserEndpoints:
    """Show a user, mostly the caller."""

    def __init__(self, world: World) -> None:
        self._world = world

    def add_to(self, router: Router) -> None:
        """Add the routes."""
        router.add("GET", "/api/v1/users/:user_id", self.show)

    def show(self, call: Call) -> Response:
        """``GET /api/v1/users/:user_id``; ``self`` is the caller."""
        user = find_user(self._world, call.ids["user_id"], call.user)
        if user is None:
            raise errors.not_found()
        if not can_read(self._world, call.user, user):
            raise errors.denied(self._world.kernel.switches)
        return Response(data=_json(user, call.user))


def _json(user: User, caller: User) -> dict[str, Any]:
    family, _, given = user.name.rpartition(" ")
    data: dict[str, Any] = {
        "id": user.id,
        "name": user.name,
        "sortable_name": f"{given}, {family}",
        "short_name": user.name,
        "effective_locale": "en",
    }
    if can_see_sis_ids(caller):
        data["sis_user_id"] = user.sis_user_id
    if user.login_id:
        data["login_id"] = user.login_id
    return data
