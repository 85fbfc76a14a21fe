"""Responses of every kind, valid and not, and a driver that runs a flow over them."""

from __future__ import annotations

import json
import math
import string
from typing import Any

from hypothesis import strategies as st
from tests.support.canvas.scripted_canvas import Clock

from canvas_exports.core.canvas.http.flow import AcquireSlot, Flow, RenewToken, Send, Wait
from canvas_exports.core.canvas.http.messages import Failure, Response, Result
from canvas_exports.core.canvas.http.origin import Origin
from canvas_exports.core.canvas.http.rate_limiter import RateLimiter
from canvas_exports.core.canvas.http.session import CanvasSession
from canvas_exports.core.canvas.http.token_source import StaticToken

ORIGIN = Origin.parse("canvas.example.edu")


NAMES = [
    "id",
    "name",
    "original_name",
    "course_code",
    "workflow_state",
    "account_id",
    "root_account_id",
    "enrollment_term_id",
    "term",
    "sis_term_id",
    "sis_course_id",
    "uuid",
    "created_at",
    "updated_at",
    "export_type",
    "user_id",
    "attachment",
    "progress_url",
    "course_id",
    "filename",
    "display_name",
    "size",
    "url",
    "content-type",
    "completion",
    "type",
    "title",
    "property",
    "count",
    "syllabus_body",
    "pre_attachment",
    "upload_url",
    "upload_params",
    "file_param",
    "error",
    "message",
    "errors",
    "error_report_id",
    "migration_type",
    "issue_type",
    "description",
    "access_token",
    "expires_in",
]


numbers = st.one_of(
    st.integers(),
    st.integers(0, 2**65),
    st.just(10**4000),
    st.floats(),
    st.sampled_from([math.nan, math.inf, -math.inf, 1e308, -0.0, 2**63, 2**63 - 1, -1, True]),
)


odd_texts = st.one_of(
    st.text(),
    st.text(st.characters(categories=["Cs", "Nd", "No", "Cc", "Cf"])),
    st.sampled_from(
        [
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59Z",
            "2026-02-30T00:00:00Z",
            "2026-11-23T02:00:00.1234567890+01:00",
            "\uff12\uff10\uff12\uff16-11-23T02:00:00Z",
            "²",
            "9" * 30,
            "https://canvas.example.edu/api/v1/progress/²",
            "https://canvas.example.edu/api/v1/progress/" + "9" * 5000,
            "http://[",
            "\ud800",
            "completed",
            "x" * 100_000,
        ]
    ),
)


leaves = st.none() | st.booleans() | numbers | odd_texts


values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES) | st.text(), inner, max_size=8)
    ),
    max_leaves=25,
)


whole_rows = st.fixed_dictionaries(
    {
        "id": st.integers(1, 99),
        "created_at": st.just("2026-11-23T02:00:00Z"),
        "export_type": st.just("zip"),
        "workflow_state": st.just("created"),
        "type": st.just("quizzes"),
        "access_token": st.just("7~token"),
    }
)


rows = st.builds(
    lambda good, odd: {**good, **odd}, whole_rows, st.dictionaries(st.sampled_from(NAMES), values, max_size=8)
)


documents = values | rows | st.lists(rows, max_size=4)


bodies = st.one_of(
    documents.map(lambda document: json.dumps(document).encode("utf-8", "surrogatepass")),
    st.binary(max_size=200),
    st.sampled_from(
        [
            b"[" * 100_000,
            b'{"a":' * 50_000,
            b"1" * 5000,
            b'{"id": ' + b"9" * 4000 + b"}",
            b"NaN",
            b"\xff\xfe{",
        ]
    ),
)


HEADERS = [
    "Link",
    "Retry-After",
    "Date",
    "Content-Length",
    "Content-Range",
    "X-Rate-Limit-Remaining",
    "X-Request-Cost",
    "Location",
    "ETag",
    "Last-Modified",
    "Content-Type",
    "WWW-Authenticate",
    "X-Request-Context-Id",
    "Accept-Ranges",
    "Content-Encoding",
]


header_values = st.one_of(
    st.text(string.printable.strip(), max_size=80),
    st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=40),
    numbers.map(str),
    st.sampled_from(
        [
            "inf",
            "nan",
            "-1e400",
            "1e308",
            "1_0",
            "9" * 5000,
            "Fri, 31 Dec 9999 23:59:59 GMT",
            "Mon, 01 Jan 0001 00:00:00 GMT",
            "Tue, 31 Feb 2026 00:00:00 GMT",
            "Mon, 23 Nov 2026 02:00:00 +9999",
            "bytes 0-99999999999999999999999/9",
            "bytes " + "9" * 5000 + "-1/2",
            "bytes \u0663-\u0664/\u0665",
            '"日本"',
            '"x\x7f"',
            "http://[::1",
            "https://canvas.example.edu:99999999/",
            "//\\x",
            '<http://[>; rel="next"',
            '<?page=2>; rel="next"',
            f'<?page={"9" * 9000}>; rel="next"',
            '<x?page=99999999999&per_page=0>; rel="current"',
            "application/json",
            "text/html",
            "Bearer",
        ]
    ),
)


answers = st.builds(
    lambda status, headers, body: Response(
        status, {name.lower(): value for name, value in headers.items()}, body
    ),
    st.sampled_from(
        [200, 201, 204, 301, 302, 400, 401, 403, 404, 409, 410, 413, 418, 422, 429, 500, 503, 999]
    )
    | st.integers(100, 999),
    st.dictionaries(st.sampled_from(HEADERS), header_values, max_size=8),
    bodies,
)


replies = answers | st.sampled_from(list(Failure))


def a_session() -> tuple[CanvasSession, Clock]:
    clock = Clock()
    rate_limiter = RateLimiter(clock=clock, jitter=lambda: 0.5)
    return CanvasSession(ORIGIN, StaticToken("7~token"), rate_limiter, 3, clock, lambda: 0.5), clock


def drive(flow: Flow[Any], session: CanvasSession, clock: Clock, script: list[Result]) -> Any:
    """Run a flow over a script of results, the last of which stays, and check that no wait is unreasonable."""
    result: Any = None
    at = 0
    while True:
        try:
            step = flow.send(result)
        except StopIteration as end:
            return end.value
        result = None
        if isinstance(step, AcquireSlot):
            began = clock.now
            while (wait := session.rate_limiter.try_acquire()) > 0:
                assert wait <= 1
                clock.now += wait
                assert clock.now - began <= 1000
        elif isinstance(step, Wait):
            assert 0 <= step.seconds <= 120
            clock.now += step.seconds
        elif isinstance(step, Send):
            result = script[min(at, len(script) - 1)]
            at += 1
        else:
            assert isinstance(step, RenewToken)
