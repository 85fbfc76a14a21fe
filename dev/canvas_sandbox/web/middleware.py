"""The layers between the listener and a handler."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable
from random import Random

from canvas_sandbox.clock import iso
from canvas_sandbox.faults import Fault
from canvas_sandbox.kernel import DAY
from canvas_sandbox.web.api.accounts_and_groups import AccountAndGroupEndpoints
from canvas_sandbox.web.api.course_content import CourseContentEndpoints
from canvas_sandbox.web.api.courses import CourseEndpoints
from canvas_sandbox.web.api.create_course import CreateCourseEndpoint
from canvas_sandbox.web.api.exports import ExportEndpoints
from canvas_sandbox.web.api.grading import GradingEndpoints
from canvas_sandbox.web.api.graphql import GraphQLEndpoint
from canvas_sandbox.web.api.html_pages import HtmlPages
from canvas_sandbox.web.api.migrations import MigrationEndpoints
from canvas_sandbox.web.api.oauth import OAuthEndpoints
from canvas_sandbox.web.api.progress import ProgressEndpoints
from canvas_sandbox.web.api.users import UserEndpoints
from canvas_sandbox.web.http import errors
from canvas_sandbox.web.http.messages import Call, RequestRefusedError, Response
from canvas_sandbox.web.http.router import Router
from canvas_sandbox.web.lookups import find_course, find_user
from canvas_sandbox.web.storage.files import FileEndpoints
from canvas_sandbox.web.storage.signed_urls import UrlSigner
from canvas_sandbox.web.storage.uploads import UploadEndpoints
from canvas_sandbox.web.throttle import Throttle
from canvas_sandbox.world import World

_CREATE_SUCCESS = re.compile(r"/files/\d+/create_success$")
_GLOBAL_ID = 10_000_000_000_000
"""Added to a user's id in ``X-Canvas-User-Id``."""

_PAGES: dict[Fault, Callable[[], Response]] = {
    Fault.PAGE_403: errors.firewall,
    Fault.PAGE_400: errors.bad_request,
    Fault.PAGE_500: errors.broken,
}


class Middleware:
    """Edge, throttle, routing and credentials, in Canvas's order."""

    def __init__(self, world: World, signer: UrlSigner) -> None:
        self._world = world
        self._throttle = Throttle(world.kernel.switches)
        self._costs = [
            (re.compile(pattern), cost) for pattern, cost in world.kernel.switches.request_costs.items()
        ]
        self._request_ids = Random(world.kernel.seed)
        self.uploads = UploadEndpoints(world, signer)
        self._router = Router()
        courses = CourseEndpoints(world)
        for endpoints in (
            UserEndpoints(world),
            AccountAndGroupEndpoints(world),
            courses,
            CreateCourseEndpoint(world, courses.json),
            CourseContentEndpoints(world),
            GradingEndpoints(world),
            ExportEndpoints(world),
            MigrationEndpoints(world, self.uploads),
            ProgressEndpoints(world),
            self.uploads,
            FileEndpoints(world, signer),
            OAuthEndpoints(world),
            GraphQLEndpoint(world),
            HtmlPages(world),
        ):
            endpoints.add_to(self._router)

    @staticmethod
    def client(call: Call) -> str:
        """Return the bucket of a request: by its token, if that is in the header or the query, else by its address."""
        token = _given_token(call, with_body=False)
        return f"token:{hashlib.sha256(token.encode()).hexdigest()}" if token else "ip:127.0.0.1"

    def reserve(self, call: Call) -> Response | None:
        """Reserve in the caller's bucket. Returns the response of a throttled request. Call `charge` in either case."""
        switches = self._world.kernel.switches
        if switches.throttle and not self._throttle.reserve(self.client(call), call.now):
            return errors.throttled(switches)
        return None

    def charge(self, call: Call, response: Response) -> None:
        """Charge the request and add the headers of Canvas's responses.

        A throttled response costs nothing and has no cost header; the remaining amount in it may be positive.
        """
        headers = response.headers
        if self._world.kernel.switches.throttle:
            cost = 0.0 if response.throttled else self._cost(call, response)
            remaining = self._throttle.settle(self.client(call), cost, call.now)
            if not response.throttled:
                headers["X-Request-Cost"] = str(cost)
            headers["X-Rate-Limit-Remaining"] = str(round(remaining, 10))
        headers["X-Request-Context-Id"] = str(uuid.UUID(int=self._request_ids.getrandbits(128), version=4))
        headers["X-Canvas-Meta"] = f"b={int(call.now)};"
        if call.caller is not None:
            headers["X-Canvas-User-Id"] = str(_GLOBAL_ID + call.caller.id)
        headers.setdefault("Cache-Control", "max-age=0, private, must-revalidate")

    def fill_bucket(self, token: str, count: float, now: float) -> None:
        """Set how much of the rate limit a token has used."""
        self._throttle.fill(f"token:{hashlib.sha256(token.encode()).hexdigest()}", count, now)

    def answer(self, call: Call) -> Response:
        """Route the request, identify the caller, and call the handler."""
        try:
            found = self._router.find(call.method, call.path)
            if found is None:
                raise errors.no_such_page()
            handler, call.ids = found
            self._identify(call)
            return self._fault_response(call) or handler(call)
        except RequestRefusedError as refusal:
            return refusal.response

    def _fault_response(self, call: Call) -> Response | None:
        """Return the response of a course with a fault on every path, by any of its ids."""
        course = find_course(self._world, call.ids["course_id"]) if "course_id" in call.ids else None
        for fault, make in _PAGES.items():
            if course is not None and course.active_faults.take(fault):
                return make()
        if course is not None and course.active_faults.take(Fault.CRASHES):
            return errors.crashed(next(self._world.kernel.error_reports)).response
        return None

    def _is_open(self, call: Call) -> bool:
        """Return whether the link alone is enough, as for completing an upload on some Canvases."""
        return not self._world.kernel.switches.create_success_auth and bool(_CREATE_SUCCESS.search(call.path))

    def _cost(self, call: Call, response: Response) -> float:
        line = f"{call.method} {call.path}"
        usual = self._world.kernel.switches.request_cost if response.cost is None else response.cost
        return next((cost for pattern, cost in self._costs if pattern.search(line)), usual)

    def _identify(self, call: Call) -> None:
        """Set the caller. Paths outside ``/api/`` need none, and ignore a bad token."""
        is_api = call.path.startswith("/api/") and not self._is_open(call)
        value = _given_token(call, with_body=True)
        token = self._world.tokens.get(value) if value else None
        if token is not None and token.expires_at is not None and call.now >= token.expires_at:
            token = None
        if not is_api:
            if token is not None and token.problem is None:
                call.caller, call.token = token.user, token.value
            return
        if not value:
            raise errors.unauthenticated()
        if token is None:
            raise errors.bad_token()
        if token.problem == "revoked":
            raise errors.bad_token("Revoked access token.")
        if token.problem == "expired":
            raise errors.bad_token("Expired access token.", iso(self._world.kernel.started - DAY))
        call.caller = token.user
        if "as_user_id" in call.params:
            acted_for = find_user(self._world, str(call.params["as_user_id"]), token.user)
            if acted_for is None or token.user.role != "admin":
                raise errors.bad_masquerade()
            call.caller = acted_for


def _given_token(call: Call, *, with_body: bool) -> str:
    header = call.headers.get("Authorization", "")
    if header.startswith("Bearer "):
        return header[len("Bearer ") :].strip()
    return str((call.params if with_body else call.query).get("access_token", ""))
