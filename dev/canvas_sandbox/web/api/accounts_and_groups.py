"""Accounts and groups: ``/api/v1/accounts``, ``/api/v1/groups``."""

from __future__ import annotations

from canvas_sandbox.web.http import errors
from canvas_sandbox.web.http.messages import Call, Response
from canvas_sandbox.web.http.params import strings
from canvas_sandbox.web.http.router import Router
from canvas_sandbox.web.lookups import ancestry, find_account, find_group
from canvas_sandbox.web.permissions import can_read, can_see_sis_ids
from canvas_sandbox.world import World


class AccountAndGroupEndpoints:
    """Show an account or a group."""

    def __init__(self, world: World) -> None:
        self._world = world

    def add_to(self, router: Router) -> None:
        """Add the routes."""
        router.add("GET", "/api/v1/accounts/:account_id", self.account)
        router.add("GET", "/api/v1/accounts/:account_id/permissions", self.permissions)
        router.add("GET", "/api/v1/groups/:group_id", self.group)

    def account(self, call: Call) -> Response:
        """``GET /api/v1/accounts/:account_id``: for admins."""
        account = find_account(self._world, call.ids["account_id"])
        if account is None:
            raise errors.not_found()
        if call.user.role != "admin":
            raise errors.denied(self._world.kernel.switches)
        return Response(
            data={
                "id": account.id,
                "name": account.name,
                "workflow_state": "active",
                "parent_account_id": account.parent_id,
                "root_account_id": None if account.parent_id is None else self._world.root_account.id,
                "sis_account_id": account.sis_account_id,
            }
        )

    def permissions(self, call: Call) -> Response:
        """``GET /api/v1/accounts/:account_id/permissions``: for admins, and for teachers of a course in the account."""
        account = find_account(self._world, call.ids["account_id"])
        if account is None:
            raise errors.not_found()
        teaches = any(
            call.user.id in course.teachers and account.id in ancestry(self._world, course.account_id)
            for course in self._world.courses.values()
        )
        if call.user.role != "admin" and not teaches:
            raise errors.denied(self._world.kernel.switches)
        named = call.query.get("permissions")
        return Response(
            data={
                name: call.user.may(name) for name in ([named] if isinstance(named, str) else strings(named))
            }
        )

    def group(self, call: Call) -> Response:
        """``GET /api/v1/groups/:group_id``: for its members and for admins."""
        group = find_group(self._world, call.ids["group_id"])
        if group is None:
            raise errors.not_found()
        if not can_read(self._world, call.user, group):
            raise errors.denied(self._world.kernel.switches)
        in_course = group.course_id is not None
        data = {
            "id": group.id,
            "name": group.name,
            "context_type": "Course" if in_course else "Account",
            "course_id" if in_course else "account_id": group.course_id if in_course else group.account_id,
            "members_count": len(group.members),
        }
        if can_see_sis_ids(call.user):
            data["sis_group_id"] = group.sis_group_id
        return Response(data=data)
