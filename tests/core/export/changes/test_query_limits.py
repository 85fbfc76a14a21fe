from __future__ import annotations

from canvas_exports.core.canvas.api.graphql import GraphQLError, GraphQLResult
from canvas_exports.core.export.changes.fingerprint import RULES
from canvas_exports.core.export.changes.query_limits import QueryLimits
from canvas_exports.errors import (
    BadRequestError,
    CanvasUnavailableError,
    NotFoundError,
    PermissionDeniedError,
    ThrottledError,
)

REFUSED = GraphQLResult(None, (GraphQLError(),))
ANSWERED = GraphQLResult({"c0": {}})


def test_a_second_refusal_of_a_size_makes_smaller_queries_the_rule() -> None:
    limits = QueryLimits(10)
    limits.check(ANSWERED, 1)
    for courses in (10, 5, 3):
        assert not limits.check(REFUSED, courses)
        assert limits.courses == 10
    limits.check(REFUSED, 5)
    assert limits.courses == 2
    limits.check(REFUSED, 10)
    assert limits.courses == 2
    assert limits.rules is RULES[0]


def test_an_undefined_field_leads_to_the_rules_that_do_without_it() -> None:
    limits = QueryLimits(10)
    undefined = GraphQLResult(None, (GraphQLError("undefinedField"),))
    limits.check(undefined, 10)
    assert limits.rules is RULES[1]
    limits.check(undefined, 10)
    assert limits.rules is None


def test_a_first_course_that_is_refused_alone_leads_there_too() -> None:
    limits = QueryLimits(10)
    limits.check(REFUSED, 1)
    assert limits.rules is RULES[1]
    limits.check(ANSWERED, 1)
    limits.check(REFUSED, 1)
    assert limits.rules is RULES[1]


def test_an_error_about_one_course_is_no_refusal_of_the_query() -> None:
    limits = QueryLimits(10)
    assert limits.check(GraphQLResult({"c0": None}, (GraphQLError(None, ("c0",)),)), 1)
    assert not limits.check(GraphQLResult({"c0": None}, (GraphQLError(),)), 1)


def test_a_canvas_that_answers_no_query_is_not_asked_again() -> None:
    for error in (NotFoundError, PermissionDeniedError, ThrottledError):
        limits = QueryLimits(10)
        limits.fail(error("no"), 10)
        assert limits.rules is None


def test_a_canvas_that_keeps_refusing_is_not_asked_for_ever() -> None:
    limits = QueryLimits(1)
    limits.check(ANSWERED, 1)
    asked = 0
    while limits.rules is not None:
        limits.fail(BadRequestError("no"), 1)
        asked += 1
    assert asked == 12
    limits = QueryLimits(10)
    for _ in range(3):
        assert limits.rules is not None
        limits.fail(CanvasUnavailableError("no"), 10)
    assert limits.rules is None
