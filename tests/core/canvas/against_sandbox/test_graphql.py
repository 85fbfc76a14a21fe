"""What tells that a course has changed: ``updated_at`` in a list, and GraphQL."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.support.canvas.campus import COURSE, Campus

from canvas_exports.core.canvas.api.graphql import GraphQLQuery
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.export.changes.course_query import account_page, first_pages
from canvas_exports.core.export.changes.fingerprint import RULES
from canvas_exports.core.model.contexts import Context
from canvas_exports.errors import CredentialError, NotFoundError
from canvas_sandbox import Course

Found = Callable[..., Campus]


def test_a_list_tells_when_its_courses_were_updated_if_asked(campus: Campus, client: CanvasClient) -> None:
    (asked,), (plain,) = (list(client.account_courses("self", updated_at=wanted)) for wanted in (True, False))
    assert asked.updated_at == campus.sandbox.updated_at(101)
    assert plain.updated_at is None


def test_a_canvas_that_does_not_tell_is_no_error(found: Found) -> None:
    with found(switches={"shows_updated_at": False}).client() as client:
        (row,) = client.account_courses("self", updated_at=True)
        assert row.updated_at is None


@pytest.mark.parametrize("rules", RULES)
def test_a_query_has_every_list_of_a_course(client: CanvasClient, rules: object) -> None:
    named = Context.parse("sis_course_id:BIO/101.1é")
    result = client.graphql(first_pages([COURSE, named], rules))  # type: ignore[arg-type]
    assert result.errors == ()
    by_number, by_sis_id = result.whole("c0"), result.whole("c1")
    assert by_number == by_sis_id
    assert by_number["_id"] == "101"
    assert set(by_number) == {"_id", "updatedAt", *(each.name for each in rules.lists)}  # type: ignore[attr-defined]
    assert by_number["modulesConnection"]["nodes"]


def test_a_page_of_an_account_has_a_hundred_courses(found: Found) -> None:
    with found(*(Course(number) for number in range(1, 151))).client() as client:
        first = client.graphql(account_page("1", None)).whole("account")["coursesConnection"]
        rest = client.graphql(account_page("1", first["pageInfo"]["endCursor"])).whole("account")[
            "coursesConnection"
        ]
    assert [len(page["nodes"]) for page in (first, rest)] == [100, 50]
    assert rest["pageInfo"]["hasNextPage"] is False


def test_what_graphql_refuses_is_in_its_result(client: CanvasClient) -> None:
    unknown = client.graphql(GraphQLQuery("{ course(id: 101) { nothing } }"))
    assert (unknown.data, unknown.errors[0].code) == (None, "undefinedField")
    aliases = " ".join(f"c{number}: course(id: 101) {{ _id }}" for number in range(21))
    assert client.graphql(GraphQLQuery(f"{{ {aliases} }}")).data is None


def test_a_canvas_without_graphql_answers_that_it_is_not_there(found: Found) -> None:
    with found(switches={"graphql": False}).client() as client, pytest.raises(NotFoundError):
        client.graphql(GraphQLQuery("{ course(id: 101) { _id } }"))


def test_graphql_needs_a_valid_token_and_spends_the_same_rate_limit(
    campus: Campus, client: CanvasClient
) -> None:
    before = client.rate_limiter.remaining
    client.graphql(first_pages([COURSE], RULES[0]))
    assert client.rate_limiter.remaining != before
    assert client.rate_limiter.in_flight == 0
    with CanvasClient(campus.sandbox.url, "wrong") as other, pytest.raises(CredentialError):
        other.graphql(GraphQLQuery("{ course(id: 101) { _id } }"))
