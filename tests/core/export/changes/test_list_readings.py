"""``updated_at`` of a hundred courses a request: from the list of an account, or from its pages."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.support.canvas.campus import Campus

from canvas_exports.core.canvas.api.course_filters import CourseFilters
from canvas_exports.core.canvas.api.graphql import GraphQLQuery, GraphQLResult
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.export.changes.list_readings import ListReadings
from canvas_exports.core.export.changes.probe import LIST, PAGES, Reading
from canvas_exports.errors import (
    CanvasError,
    CredentialError,
    PermissionDeniedError,
    ThrottledError,
    UnexpectedResponseError,
)
from canvas_sandbox import Account, Course, Sandbox, Switches, User

BIOLOGY = Account(2, "Biology", parent_id=1, sis_account_id="BIO")


def campus(count: int = 250, *, users: tuple[User, ...] = (), **switches: object) -> Sandbox:
    courses = [Course(number, account_id=2 if number > 100 else 1) for number in range(1, count + 1)]
    options = {"users": users} if users else {}
    return Sandbox(
        courses,
        accounts=[Account(1, "Campus"), BIOLOGY],
        switches=Switches(manual_clock=True, **switches),  # type: ignore[arg-type]
        **options,  # type: ignore[arg-type]
    )


def collected(
    sandbox: Sandbox, account: str = "1", filters: CourseFilters | None = None
) -> tuple[int, dict[str, Reading]]:
    with Campus(sandbox).client() as client:
        found: dict[str, Reading] = {}
        listed = client.account_courses(account, filters, updated_at=True)
        return len(list(ListReadings(client, found).collect(account, listed))), found


def paths(sandbox: Sandbox) -> list[str]:
    return [each.path for each in sandbox.requests]


def test_the_list_itself_tells_without_a_further_request() -> None:
    with campus() as sandbox:
        count, found = collected(sandbox)
        assert count == len(found) == 250
        assert {each.source for each in found.values()} == {LIST}
        assert found["course:7"].updated_at == sandbox.updated_at(7)
        assert paths(sandbox) == ["/api/v1/accounts/1/courses"] * 3


@pytest.mark.parametrize("account", ["1", "self"])
def test_where_the_list_does_not_tell_the_pages_of_the_account_do(account: str) -> None:
    with campus(shows_updated_at=False) as sandbox:
        _, found = collected(sandbox, account)
        assert len(found) == 250
        assert {each.source for each in found.values()} == {PAGES}
        assert paths(sandbox).count("/api/graphql") == 3


def test_an_account_named_by_its_sis_id_is_read_too() -> None:
    with campus(shows_updated_at=False) as sandbox:
        count, found = collected(sandbox, "sis_account_id:BIO")
        assert count == len(found) == 150


def test_an_account_with_many_courses_that_do_not_matter_is_not_read_for_a_few() -> None:
    with campus(900, shows_updated_at=False) as sandbox:
        _, found = collected(sandbox, filters=CourseFilters(search_term="Course 77"))
        assert paths(sandbox).count("/api/graphql") <= 2
        assert len(found) < 12


def test_where_nothing_tells_there_are_no_readings() -> None:
    with campus(20, shows_updated_at=False, graphql=False) as sandbox:
        assert collected(sandbox) == (20, {})


def test_a_token_that_may_not_list_courses_by_graphql_has_no_readings() -> None:
    class WithoutList:
        """A client to which GraphQL shows the account, and none of its courses."""

        def __init__(self, client: CanvasClient) -> None:
            self.server_now = client.server_now

        def graphql(self, _query: GraphQLQuery) -> GraphQLResult:
            return GraphQLResult({"account": {"coursesConnection": None}})

    with campus(20, shows_updated_at=False) as sandbox, Campus(sandbox).client() as client:
        found: dict[str, Reading] = {}
        readings = ListReadings(WithoutList(client), found)
        assert len(list(readings.collect("1", client.account_courses("1", updated_at=True)))) == 20
        assert found == {}


def test_a_reading_has_the_time_before_the_first_page_was_asked_for() -> None:
    """A course is edited while the list is read: what its page says then is not older than the reading claims."""
    with campus() as sandbox, Campus(sandbox).client() as client:
        client.whoami()
        began = client.server_now()
        found: dict[str, Reading] = {}
        listed = ListReadings(client, found).collect("1", client.account_courses("1", updated_at=True))
        next(listed)
        sandbox.edit_course(240)
        list(listed)
        assert {each.read_at for each in found.values()} == {found["course:1"].read_at}
        assert abs(found["course:240"].read_at - began) < timedelta(seconds=5)


def test_of_two_readings_of_one_course_the_first_counts() -> None:
    with campus(3) as sandbox, Campus(sandbox).client() as client:
        found: dict[str, Reading] = {}
        readings = ListReadings(client, found)
        list(readings.collect("1", client.account_courses("1", updated_at=True)))
        first = dict(found)
        sandbox.advance(3600)
        sandbox.edit_course(2)
        list(readings.collect("1", client.account_courses("1", updated_at=True)))
        assert found == first


@pytest.mark.parametrize(
    "kind", [CredentialError, PermissionDeniedError, ThrottledError, UnexpectedResponseError]
)
def test_pages_that_are_refused_do_not_fail_the_list(kind: type[CanvasError]) -> None:
    class Refusing:
        def __init__(self, client: CanvasClient) -> None:
            self.server_now = client.server_now

        def graphql(self, _query: GraphQLQuery) -> GraphQLResult:
            raise kind("no")

    with campus(3, shows_updated_at=False) as sandbox, Campus(sandbox).client() as client:
        found: dict[str, Reading] = {}
        listed = ListReadings(Refusing(client), found).collect(
            "1", client.account_courses("1", updated_at=True)
        )
        assert len(list(listed)) == 3
        assert found == {}
