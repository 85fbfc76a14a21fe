"""The leaky bucket."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import requests

from canvas_sandbox import RequestFault, Sandbox, Switches

if TYPE_CHECKING:
    from tests.support.canvas.sandbox_client import Call, Caller, Start

SELF = "/api/v1/users/self"
FROZEN = Switches(manual_clock=True, request_cost=0.0)


def at_once(canvas: Sandbox, count: int) -> list[int]:
    """Statuses of requests that are all in flight together."""

    def ask(_: int) -> int:
        headers = {"Authorization": f"Bearer {canvas.token}"}
        return requests.get(canvas.url + SELF, headers=headers, timeout=20).status_code

    with ThreadPoolExecutor(count) as pool:
        return sorted(pool.map(ask, range(count)))


def test_38_eleven_requests_in_flight_pass_and_the_twelfth_does_not(start: Start) -> None:
    canvas = start(switches=replace(FROZEN, latency=0.5))
    assert at_once(canvas, 11) == [200] * 11
    assert at_once(canvas, 12) == [200] * 11 + [429]


def test_38_with_a_running_clock_thirteen_are_too_many(start: Start) -> None:
    canvas = start(switches=Switches(latency=0.5, request_cost=0.0))
    assert 429 in at_once(canvas, 13)


def test_39_a_lone_request_is_refused_from_560_with_a_positive_remainder(start: Start, call: Call) -> None:
    canvas = start(switches=FROZEN)
    canvas.fill_bucket(560)
    refused = call(canvas).get(SELF)
    assert refused.status_code == 429
    assert float(refused.headers["X-Rate-Limit-Remaining"]) == 40.0


def test_39_just_below_it_passes(start: Start, call: Call) -> None:
    canvas = start(switches=FROZEN)
    canvas.fill_bucket(549)
    assert call(canvas).get(SELF).status_code == 200


@pytest.mark.parametrize(
    ("status", "body"),
    [(403, "403 Forbidden (Rate Limit Exceeded)\n"), (429, "429 Too Many Requests (Rate Limit Exceeded)\n")],
)
def test_40_a_refusal_is_plain_text_without_cost_or_retry_after(
    start: Start, call: Call, status: int, body: str
) -> None:
    canvas = start(switches=replace(FROZEN, throttle_status=status))
    canvas.fill_bucket(800)
    refused = call(canvas).get(SELF)
    assert (refused.status_code, refused.text) == (status, body)
    assert refused.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert not {"X-Request-Cost", "Retry-After", "WWW-Authenticate"} & set(refused.headers)
    assert float(refused.headers["X-Rate-Limit-Remaining"]) == -150.0


def test_41_a_denial_and_a_refusal_can_share_a_status_but_not_a_type(start: Start, call: Call) -> None:
    canvas = start(switches=replace(FROZEN, throttle_status=403))
    outsider = call(canvas, "outsider")
    denied = outsider.get("/api/v1/courses/101")
    canvas.fill_bucket(800, canvas.tokens["outsider"])
    refused = outsider.get("/api/v1/courses/101")
    assert (denied.status_code, refused.status_code) == (403, 403)
    assert denied.headers["Content-Type"].startswith("application/json")
    assert refused.headers["Content-Type"].startswith("text/plain")


def test_42_sixty_idle_seconds_empty_a_bucket_at_the_mark(start: Start, call: Call) -> None:
    canvas = start(switches=FROZEN)
    canvas.fill_bucket(600)
    canvas.advance(60)
    answered = call(canvas).get(SELF)
    assert float(answered.headers["X-Rate-Limit-Remaining"]) == 600.0


def test_each_token_has_its_own_bucket(start: Start, call: Call) -> None:
    canvas = start(switches=FROZEN)
    canvas.fill_bucket(800)
    assert call(canvas).get(SELF).status_code == 429
    assert call(canvas, "teacher").get(SELF).status_code == 200


def test_cost_is_shown_and_charged_by_pattern(start: Start, call: Call) -> None:
    canvas = start(
        switches=Switches(manual_clock=True, request_cost=1.5, request_costs={r"^GET .*/users/": 30.0})
    )
    admin = call(canvas)
    first, second = admin.get(SELF), admin.get("/api/v1/courses/101")
    assert [response.headers["X-Request-Cost"] for response in (first, second)] == ["30.0", "1.5"]
    assert [float(response.headers["X-Rate-Limit-Remaining"]) for response in (first, second)] == [
        570.0,
        568.5,
    ]


def test_the_bucket_stops_at_its_maximum_and_recovers_in_80_seconds(start: Start, call: Call) -> None:
    canvas = start(switches=replace(FROZEN, request_cost=5000.0))
    admin = call(canvas)
    assert float(admin.get(SELF).headers["X-Rate-Limit-Remaining"]) == -200.0
    canvas.advance(80)
    assert admin.get(SELF).status_code == 200


def test_the_throttle_comes_before_credentials_and_routes(start: Start, call: Call) -> None:
    canvas = start(switches=replace(FROZEN, request_cost=5000.0))
    nobody = call(canvas, None)
    assert nobody.get("/api/v1/no/such/route").status_code == 404
    assert nobody.get(SELF).status_code == 429


def test_a_token_in_a_post_body_uses_another_bucket(start: Start, call: Call) -> None:
    canvas = start(switches=FROZEN)
    canvas.fill_bucket(800)
    nobody = call(canvas, None)
    form = {"access_token": canvas.token, "export_type": "qti"}
    assert nobody.post("/api/v1/courses/101/content_exports", form).status_code == 200
    assert nobody.get(SELF, params={"access_token": canvas.token}).status_code == 429


def test_an_injected_throttling_looks_like_a_real_one(canvas: Sandbox, admin: Caller) -> None:
    canvas.inject(RequestFault("throttled", times=2))
    answers = [admin.get(SELF) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert "X-Request-Cost" not in answers[0].headers


def test_without_the_throttle_there_are_no_limits_and_no_headers(start: Start, call: Call) -> None:
    canvas = start(switches=replace(FROZEN, throttle=False, request_cost=5000.0))
    admin = call(canvas)
    answers = [admin.get(SELF) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    assert "X-Rate-Limit-Remaining" not in answers[0].headers
