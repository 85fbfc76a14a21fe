"""Every call ends in a value or an error of our own tree, whatever the response."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.canvas.any_response import ORIGIN, a_session, drive, replies, rows

from canvas_exports.core.canvas.api import endpoints
from canvas_exports.core.canvas.api.course_filters import CourseFilters
from canvas_exports.core.canvas.api.export_request import ExportRequest
from canvas_exports.core.canvas.api.graphql import GraphQLQuery, graphql
from canvas_exports.core.canvas.api.migrations import (
    MigrationRequest,
    MigrationType,
    PackageFile,
)
from canvas_exports.core.canvas.auth.oauth import RefreshGrant, refresh
from canvas_exports.core.canvas.http.flow import call_flow
from canvas_exports.core.canvas.http.messages import Endpoint, Response, Result
from canvas_exports.core.canvas.http.pagination import Pagination
from canvas_exports.core.model.contexts import Context
from canvas_exports.errors import CanvasExportsError

COURSE = Context.parse("101")
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
    "graphql": lambda: graphql(GraphQLQuery("{ course(id: 5) { _id } }")),
}


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
    session, clock = a_session()
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
