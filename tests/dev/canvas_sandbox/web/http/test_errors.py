"""Canvas's error bodies, byte for byte, and the credentials that lead to them."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import requests

from canvas_sandbox import Course, Fault, RequestFault, Sandbox, Switches

if TYPE_CHECKING:
    from tests.support.canvas.sandbox_client import Call, Caller, Start

SELF = "/api/v1/users/self"
CHALLENGE = 'Bearer realm="canvas-lms"'


def problem(response: requests.Response) -> tuple[int, str | None, Any]:
    return response.status_code, response.headers.get("WWW-Authenticate"), response.json()


def test_an_unknown_token_is_invalid(canvas: Sandbox) -> None:
    response = requests.get(canvas.url + SELF, headers={"Authorization": "Bearer nonsense"}, timeout=20)
    assert problem(response) == (401, CHALLENGE, {"errors": [{"message": "Invalid access token."}]})


def test_the_scheme_is_compared_with_its_case(canvas: Sandbox) -> None:
    response = requests.get(
        canvas.url + SELF, headers={"Authorization": f"bearer {canvas.token}"}, timeout=20
    )
    assert problem(response)[2]["status"] == "unauthenticated"


def test_revoked_and_expired_tokens_say_so(canvas: Sandbox, admin: Caller) -> None:
    canvas.revoke(canvas.token)
    assert problem(admin.get(SELF)) == (401, CHALLENGE, {"errors": [{"message": "Revoked access token."}]})
    canvas.revoke(canvas.token, problem="expired")
    status, challenge, body = problem(admin.get(SELF))
    assert (status, challenge) == (401, CHALLENGE)
    assert body["errors"][0]["message"] == "Expired access token."
    assert body["errors"][0]["expired_at"].endswith("Z")


@pytest.mark.parametrize("status", [401, 403])
def test_a_missing_right_has_either_status_and_no_challenge(start: Start, call: Call, status: int) -> None:
    outsider = call(start(switches=Switches(manual_clock=True, denied_status=status)), "outsider")
    body = {"status": "unauthorized", "errors": [{"message": "user not authorized to perform that action"}]}
    assert problem(outsider.get("/api/v1/courses/101")) == (status, None, body)


def test_records_and_routes_that_do_not_exist_differ(admin: Caller) -> None:
    record = {"errors": [{"message": "The specified resource does not exist."}]}
    route = {"errors": [{"message": "An error occurred.", "error_code": "not_found"}]}
    assert problem(admin.get("/api/v1/courses/999")) == (404, None, record)
    assert problem(admin.get("/api/v1/nothing/here")) == (404, None, route)


def test_a_crash_has_an_error_report(canvas: Sandbox, admin: Caller) -> None:
    canvas.inject(RequestFault("server_error"))
    status, challenge, body = problem(admin.get(SELF))
    assert (status, challenge) == (500, None)
    assert body["errors"] == [{"message": "An error occurred.", "error_code": "internal_server_error"}]
    assert isinstance(body["error_report_id"], int)
    assert admin.get(SELF).status_code == 200


def test_masquerading_is_for_admins_and_real_people(admin: Caller, teacher: Caller) -> None:
    assert admin.get(SELF, params={"as_user_id": 3}).json()["id"] == 3
    for caller, number in ((admin, 999), (teacher, 3)):
        response = caller.get(SELF, params={"as_user_id": number})
        assert problem(response) == (401, None, {"errors": "Invalid as_user_id"})


def test_a_short_search_term_is_refused_with_its_field(admin: Caller) -> None:
    response = admin.get("/api/v1/accounts/1/courses", params={"search_term": "ab"})
    error = {"field": "search_term", "code": "invalid", "message": "3 or more characters is required"}
    assert problem(response) == (400, None, {"errors": [error]})


@pytest.mark.parametrize(("required", "status"), [(True, 403), (False, 200)])
def test_a_request_without_user_agent_is_stopped_at_the_edge(
    start: Start, required: bool, status: int
) -> None:
    canvas = start(switches=Switches(manual_clock=True, require_user_agent=required))
    connection = http.client.HTTPConnection(urlsplit(canvas.url).netloc, timeout=20)
    connection.request("GET", SELF, headers={"Authorization": f"Bearer {canvas.token}"})
    response = connection.getresponse()
    body = json.loads(response.read())
    connection.close()
    assert response.status == status
    assert status == 200 or set(body) == {"error", "message"}


def test_every_answer_says_which_request_it_was_and_whose(admin: Caller, call: Call, canvas: Sandbox) -> None:
    first, second = admin.get(SELF), admin.get("/api/v1/courses/999")
    assert first.headers["X-Request-Context-Id"] != second.headers["X-Request-Context-Id"]
    assert first.headers["X-Canvas-User-Id"] == "10000000000001"
    assert "X-Canvas-User-Id" not in call(canvas, None).get(SELF).headers


def test_a_token_works_as_a_parameter_too(canvas: Sandbox, call: Call) -> None:
    nobody = call(canvas, None)
    assert nobody.get(SELF, params={"access_token": canvas.token}).json()["id"] == 1


@pytest.mark.parametrize("state", ["gone", "deleted", "vanished", "forbidden"])
def test_a_course_out_of_reach_answers_the_same_on_every_path(start: Start, call: Call, state: str) -> None:
    faults = [] if state == "gone" else [Fault(state)]
    canvas = start(Course(id=101, faults=faults))
    if state == "gone":
        canvas.delete_course(101)
    admin = call(canvas)
    expected = 403 if state == "forbidden" else 404
    for path in ("", "/content_exports", "/content_exports/1", "/content_list"):
        assert admin.get(f"/api/v1/courses/101{path}").status_code == expected
    assert admin.post("/api/v1/courses/101/content_exports", {"export_type": "zip"}).status_code == expected
