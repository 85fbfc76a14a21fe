"""Whatever Canvas, or somebody in its place, answers: a value, or an error of our own tree."""

from __future__ import annotations

import json
import math
import string
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.canvas.conftest import Clock

from canvas_exports.core.canvas.api import endpoints
from canvas_exports.core.canvas.api.course_filters import CourseFilters
from canvas_exports.core.canvas.api.export_request import ExportRequest
from canvas_exports.core.canvas.api.migrations import (
    MigrationRequest,
    MigrationType,
    PackageFile,
    UploadTicket,
)
from canvas_exports.core.canvas.auth.oauth import RefreshGrant, refresh
from canvas_exports.core.canvas.files.download_flow import open_flow, range_flow
from canvas_exports.core.canvas.files.upload import MultipartForm, upload_flow
from canvas_exports.core.canvas.files.validators import (
    check_full_response,
    check_resumed_response,
    matches_range,
    supports_ranges,
    validator_of,
)
from canvas_exports.core.canvas.http.flow import AcquireSlot, Flow, RenewToken, Send, Wait, call_flow
from canvas_exports.core.canvas.http.messages import Endpoint, Failure, Response, Result
from canvas_exports.core.canvas.http.origin import Origin
from canvas_exports.core.canvas.http.pagination import Pagination
from canvas_exports.core.canvas.http.rate_limiter import RateLimiter
from canvas_exports.core.canvas.http.session import CanvasSession
from canvas_exports.core.canvas.http.token_source import StaticToken
from canvas_exports.core.model.contexts import Context
from canvas_exports.errors import CanvasExportsError

COURSE = Context.parse("101")
ORIGIN = Origin.parse("canvas.example.edu")
CARTRIDGE = ExportRequest.build("common_cartridge")
FILE = PackageFile("x.imscc", 10)
MIGRATION = MigrationRequest(MigrationType.CARTRIDGE, file=FILE)

CALLS: dict[str, Callable[[], Endpoint[Any] | Pagination[Any]]] = {
    "whoami": endpoints.whoami,
    "course": lambda: endpoints.course(COURSE),
    "resolve": lambda: endpoints.resolve(COURSE),
    "account_courses": lambda: endpoints.account_courses(ORIGIN, "1", CourseFilters()),
    "content_list": lambda: endpoints.content_list(ORIGIN, COURSE, None),
    "list_exports": lambda: endpoints.list_exports(ORIGIN, COURSE, 2),
    "show_export": lambda: endpoints.show_export(COURSE, 5),
    "create_export": lambda: endpoints.create_export(COURSE, CARTRIDGE),
    "create_migration": lambda: endpoints.create_migration(COURSE, MIGRATION),
    "upload_again": lambda: endpoints.upload_again(COURSE, 5, FILE),
    "list_migrations": lambda: endpoints.list_migrations(ORIGIN, COURSE),
    "show_migration": lambda: endpoints.show_migration(COURSE, 5),
    "migration_issues": lambda: endpoints.migration_issues(ORIGIN, COURSE, 5),
    "root_folder": lambda: endpoints.root_folder(COURSE),
    "syllabus": lambda: endpoints.syllabus(COURSE),
    "progress": lambda: endpoints.progress(5),
}

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


def a_peer() -> tuple[CanvasSession, Clock]:
    clock = Clock()
    rate_limiter = RateLimiter(clock=clock, jitter=lambda: 0.5)
    return CanvasSession(ORIGIN, StaticToken("7~token"), rate_limiter, 3, clock, lambda: 0.5), clock


def drive(flow: Flow[Any], session: CanvasSession, clock: Clock, script: list[Result]) -> Any:
    """Carry a dialogue out over a script of replies, the last of which stays; no wait is unreasonable."""
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


def check(value: Any) -> None:
    """Everything in a value that was read can be written, compared and counted with."""
    if isinstance(value, Enum):
        return
    if is_dataclass(value):
        for field in fields(value):
            check(getattr(value, field.name))
    elif isinstance(value, dict | list | tuple):
        for each in value.items() if isinstance(value, dict) else value:
            check(each)
    elif isinstance(value, str):
        value.encode()
    elif isinstance(value, datetime):
        assert timedelta(days=-36500) < value - datetime.now(timezone.utc) < timedelta(days=90000)
    elif isinstance(value, float):
        json.dumps(value)


def finite(value: Any) -> bool:
    return not isinstance(value, float) or math.isfinite(value)


@pytest.mark.parametrize("name", CALLS)
@given(script=st.lists(replies, min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_every_call_ends_in_a_value_or_an_error_of_ours(name: str, script: list[Result]) -> None:
    session, clock = a_peer()
    made = CALLS[name]()
    with suppress(CanvasExportsError):
        if isinstance(made, Pagination):
            pages = 0
            while made.next_page is not None:
                for row in made.new_rows(drive(call_flow(made.next_page, session), session, clock, script)):
                    check(row)
                pages += 1
                assert pages < 50
        else:
            found = drive(call_flow(made, session), session, clock, script)
            check(found)
    assert session.rate_limiter.in_flight == 0
    session.now().timestamp()


@given(rows=st.lists(rows, min_size=1, max_size=3))
@settings(max_examples=100, deadline=None)
def test_what_was_read_is_in_range(rows: list[dict[str, Any]]) -> None:
    for read in (
        endpoints.show_export(COURSE, 5),
        endpoints.course(COURSE),
        endpoints.progress(5),
        endpoints.show_migration(COURSE, 5),
    ):
        for row in rows:
            try:
                found = read.read(json.loads(json.dumps(row)), Response(200, {}))
            except CanvasExportsError:
                continue
            for field in fields(found):
                value = getattr(found, field.name)
                if field.name.endswith("id") and isinstance(value, int):
                    assert 0 < value < 2**63
                assert not isinstance(value, bool) or field.name == "has_file"
                assert finite(value)
            completion = getattr(found, "completion", None)
            assert completion is None or 0 <= completion <= 100


@given(answer=replies)
@settings(max_examples=100, deadline=None)
def test_an_oauth_answer_is_a_token_or_an_error_of_ours(answer: Result) -> None:
    grant = RefreshGrant("31", "secret", "7~refresh")
    try:
        token = refresh(grant, ORIGIN, lambda _: answer)
    except CanvasExportsError:
        return
    assert token.lifetime is None or 0 < token.lifetime < 1e9
    token.value.encode("latin-1")


class Nothing:
    """A body that holds nothing."""

    is_complete = True

    def readinto(self, _target: memoryview) -> int:
        return 0

    def close(self) -> None:
        return


def streaming(result: Result) -> Result:
    if isinstance(result, Response) and 200 <= result.status < 300:
        return Response(result.status, result.headers, stream=Nothing())
    return result


@given(
    script=st.lists(replies.map(streaming), min_size=1, max_size=6),
    url=odd_texts | st.just("https://s.example/k?s=x"),
)
@settings(max_examples=100, deadline=None)
def test_the_way_to_a_package_ends_in_a_body_or_an_error_of_ours(script: list[Result], url: str) -> None:
    session, clock = a_peer()
    with suppress(CanvasExportsError):
        answer = drive(open_flow(session, url), session, clock, script)
        validator = validator_of(answer)
        supports_ranges(answer, validator)
        matches_range(answer, 0, 10, 20, validator)
        if validator is not None:
            assert validator.if_range.isascii()
            assert validator.if_range.isprintable()
        drive(range_flow(session, "https://s.example/k", 0, 10, validator), session, clock, script)
        with suppress(CanvasExportsError):
            check_full_response(answer, 10)
        check_resumed_response(answer, 5, 10, validator)
    assert session.rate_limiter.in_flight == 0


@given(
    script=st.lists(replies, min_size=1, max_size=6),
    url=odd_texts | st.just("https://s.example/k"),
    params=st.dictionaries(odd_texts, odd_texts, max_size=4),
)
@settings(max_examples=100, deadline=None)
def test_an_upload_ends_well_or_in_an_error_of_ours(
    script: list[Result], url: str, params: dict[str, str]
) -> None:
    session, clock = a_peer()
    document = {
        "id": 1,
        "workflow_state": "created",
        "pre_attachment": {"upload_url": url, "upload_params": params},
    }
    with suppress(CanvasExportsError):
        ticket = (
            endpoints.show_migration(COURSE, 5)
            .read(json.loads(json.dumps(document)), Response(200, {}))
            .ticket
        )
        if ticket is None:
            return
        assert isinstance(ticket, UploadTicket)
        b"".join(bytes(block) for block in MultipartForm.of(ticket, FILE).stream([b"0123456789"]))
        drive(upload_flow(session, ticket, FILE, [b"0123456789"]), session, clock, script)
    assert session.rate_limiter.in_flight == 0
