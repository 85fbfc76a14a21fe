"""Every paginated call over HTTP, with a Canvas that leaves links out and a proxy that removes them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.canvas.scripted_canvas import (
    COURSE,
    Clock,
    Either,
    ScriptedServer,
    Seen,
    export_json,
    open_either,
)

from canvas_exports.core.canvas.api.course_filters import CourseFilters
from canvas_exports.errors import InputError, UnexpectedResponseError

_LIMIT = 6 * 1024
_ORDER = ("current", "next", "prev", "first", "last")

Keep = Callable[[dict[str, str]], dict[str, str]]


def keep_what_fits(links: dict[str, str]) -> dict[str, str]:
    """Canvas: by priority, and one that does not fit makes no room for the next one's sake."""
    kept: dict[str, str] = {}
    length = 0
    for rel in ("next", "last", "prev", "current", "first"):
        if rel in links and length + len(links[rel]) <= _LIMIT:
            kept[rel] = links[rel]
            length += len(links[rel])
    return kept


def drop_next_first(links: dict[str, str]) -> dict[str, str]:
    """The other reading of the same rule."""
    kept = dict(links)
    for rel in ("next", "last", "prev", "current", "first"):
        if sum(map(len, kept.values())) > _LIMIT:
            kept.pop(rel, None)
    return kept


def none_at_all(_links: dict[str, str]) -> dict[str, str]:
    """A proxy that takes the header away."""
    return {}


def never_next(links: dict[str, str]) -> dict[str, str]:
    """Next is gone, everything else is there."""
    return {rel: link for rel, link in links.items() if rel != "next"}


def paginated(
    rows: Callable[[dict[str, list[str]]], list[Any]], keep: Keep = keep_what_fits, *, bookmarks: bool = True
) -> Mapping[str, Any]:
    """A list that answers with pages and links as Canvas does."""

    def then(seen: Seen) -> Mapping[str, Any]:
        query = parse_qs(seen.query)
        size = min(max(int(query.get("per_page", ["10"])[0]), 1), 100)
        token = query.get("page", ["first" if bookmarks else "1"])[0]
        at = int(base64.urlsafe_b64decode(token[9:])) if token.startswith("bookmark:") else 0
        at = at if bookmarks else (int(token) - 1) * size
        found = rows(query)
        rest = sorted(
            (name, value) for name, value in parse_qsl(seen.query) if name not in ("page", "per_page")
        )

        def link(rel: str, start: int) -> str:
            page = str(start // size + 1)
            if bookmarks:
                page = (
                    f"bookmark:{base64.urlsafe_b64encode(str(start).encode()).decode()}" if start else "first"
                )
            host = f"http://{seen.headers['host']}"
            return (
                f'<{host}{seen.path}?{urlencode([*rest, ("page", page), ("per_page", size)])}>; rel="{rel}"'
            )

        links = {"current": link("current", at), "first": link("first", 0)}
        if at + size < len(found):
            links["next"] = link("next", at + size)
        if not bookmarks:
            links["last"] = link("last", max(len(found) - 1, 0) // size * size)
        links = keep(links)
        headers = {"Link": ",".join(links[rel] for rel in _ORDER if rel in links)}
        return {"json": found[at : at + size], "headers": headers}

    return {"then": then}


COURSES = "GET /api/v1/accounts/1/courses"


def taught_by(teachers: int) -> Callable[[dict[str, list[str]]], list[Any]]:
    """Courses of an account: each teacher has one, and shares another with the next teacher."""

    def rows(query: dict[str, list[str]]) -> list[Any]:
        wanted = query.get("by_teachers[]", [str(1_000_000 + number) for number in range(teachers)])
        found = {each for text in wanted for each in (2 * int(text), 2 * int(text) + 1, 2 * int(text) + 3)}
        return [{"id": number} for number in sorted(found)]

    return rows


@pytest.mark.parametrize("keep", [keep_what_fits, drop_next_first])
@pytest.mark.parametrize("teachers", [1, 24, 25, 261])
def test_no_course_is_left_out_however_many_teachers_are_named(
    either: Either, server: ScriptedServer, teachers: int, keep: Keep
) -> None:
    server.on(COURSES, paginated(taught_by(teachers), keep))
    named = [str(1_000_000 + number) for number in range(teachers)]
    found = [row.id for row in either.account_courses("1", CourseFilters.build({"by_teachers": named}))]
    assert sorted(found) == [row["id"] for row in taught_by(teachers)({"by_teachers[]": named})]
    assert len(found) == len(set(found))
    assert max(len(seen.target) for seen in server.seen) < 1200


def test_teachers_and_subaccounts_are_asked_for_in_every_combination(
    either: Either, server: ScriptedServer
) -> None:
    def rows(query: dict[str, list[str]]) -> list[Any]:
        pairs = [(int(a), int(b)) for a in query["by_teachers[]"] for b in query["by_subaccounts[]"]]
        return [{"id": teacher * 1000 + account} for teacher, account in sorted(pairs)]

    server.on(COURSES, paginated(rows))
    teachers, accounts = list(range(100, 170)), list(range(200, 260))
    filters = CourseFilters.build({"by_teachers": teachers, "by_subaccounts": accounts, "published": True})
    found = {row.id for row in either.account_courses("1", filters)}
    assert found == {a * 1000 + b for a in teachers for b in accounts}
    assert all("published=true" in seen.query for seen in server.seen)


def test_a_search_so_long_that_canvas_may_have_left_next_out_is_an_error_and_not_the_end(
    either: Either, server: ScriptedServer
) -> None:
    server.on(COURSES, paginated(lambda _: [{"id": number} for number in range(1, 251)], never_next))
    filters = CourseFilters.build({"search_term": "課" * 255})
    with pytest.raises(
        UnexpectedResponseError, match="100 rows, but the link to the next page may have been left out"
    ):
        either.account_courses("1", filters)


def test_filters_too_long_for_any_server_are_refused_before_anything_is_sent(
    either: Either, server: ScriptedServer
) -> None:
    filters = CourseFilters.build(
        {"search_term": "\N{GRINNING FACE}" * 255, "enrollment_term_id": "sis_term_id:" + "課" * 255}
    )
    with pytest.raises(InputError, match="filters: together they make an address of"):
        either.account_courses("sis_account_id:" + "課" * 255, filters)
    assert server.seen == []


MIGRATION = {"id": 1, "workflow_state": "completed", "migration_type": "x"}
LISTS: list[tuple[str, str, tuple[Any, ...], dict[str, Any]]] = [
    ("account_courses", COURSES, ("1",), {}),
    ("list_exports", "GET /api/v1/courses/101/content_exports", (COURSE,), export_json()),
    (
        "migration_issues",
        "GET /api/v1/courses/101/content_migrations/7/migration_issues",
        (COURSE, 7),
        {"description": "x", "issue_type": "todo"},
    ),
    ("list_migrations", "GET /api/v1/courses/101/content_migrations", (COURSE,), MIGRATION),
]


BOTH = [(kind, each) for kind in ("requests", "aiohttp") for each in LISTS]


@pytest.fixture(
    params=[each for each in BOTH if each[0] == "requests" or each[1][0] != "list_migrations"],
    ids=lambda each: f"{each[1][0]}-{each[0]}",
)
def a_list(
    request: pytest.FixtureRequest, server: ScriptedServer, clock: Clock
) -> Iterator[tuple[Callable[[], list[int]], str, Callable[..., Any]]]:
    """One of the paginated calls of a client that has it, where it is asked, and rows for it."""
    kind, (name, path, args, row) = request.param

    def rows(count: int) -> Callable[..., list[Any]]:
        return lambda _query: [{**row, "id": count - number} for number in range(count)]

    with open_either(kind, server.url, clock) as client:
        yield lambda: [each.id for each in getattr(client, name)(*args)], path, rows


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250, 300])
@pytest.mark.parametrize("bookmarks", [True, False])
def test_every_list_is_read_to_its_end(
    a_list: Any, server: ScriptedServer, count: int, *, bookmarks: bool
) -> None:
    ask, path, rows = a_list
    server.on(path, paginated(rows(count), bookmarks=bookmarks))
    assert ask() == list(range(count, 0, -1))


@pytest.mark.parametrize("count", [100, 250])
def test_no_list_ends_where_its_links_are_taken_away(a_list: Any, server: ScriptedServer, count: int) -> None:
    ask, path, rows = a_list
    server.on(path, paginated(rows(count), none_at_all))
    with pytest.raises(UnexpectedResponseError, match="may go on after this page of 100 rows"):
        ask()


def test_a_numbered_list_that_names_a_later_last_page_has_not_ended(
    a_list: Any, server: ScriptedServer
) -> None:
    ask, path, rows = a_list
    server.on(path, paginated(rows(250), never_next, bookmarks=False))
    with pytest.raises(UnexpectedResponseError, match="left out the link to the next page, of 3"):
        ask()


def test_no_list_is_followed_for_ever(a_list: Any, server: ScriptedServer) -> None:
    ask, path, rows = a_list
    number = iter(range(10**6))
    page = rows(100)({})

    def then(seen: Seen) -> Mapping[str, Any]:
        return {"json": page, "headers": {"Link": f'<{seen.path}?page={next(number)}>; rel="next"'}}

    server.on(path, {"then": then})
    with pytest.raises(UnexpectedResponseError, match="circles"):
        ask()
    assert len(server.seen) < 20


@given(
    kind=st.sampled_from(["requests", "aiohttp"]),
    teachers=st.lists(st.integers(1, 10**15), min_size=1, max_size=300, unique=True),
    term=st.none() | st.text(st.characters(exclude_categories=["Cs"]), min_size=2, max_size=255),
    keep=st.sampled_from([keep_what_fits, drop_next_first, never_next, none_at_all]),
    bookmarks=st.booleans(),
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_list_is_whole_or_an_error(
    server: ScriptedServer,
    clock: Clock,
    *,
    kind: str,
    teachers: list[int],
    term: str | None,
    keep: Keep,
    bookmarks: bool,
) -> None:
    def rows(query: dict[str, list[str]]) -> list[Any]:
        return [{"id": int(text) * 2 + odd} for text in query["by_teachers[]"] for odd in (0, 1)]

    server.on(COURSES, paginated(rows, keep, bookmarks=bookmarks))
    filters = CourseFilters.build({"by_teachers": teachers, "search_term": term})
    with open_either(kind, server.url, clock) as client:
        try:
            found = {row.id for row in client.account_courses("1", filters)}
        except UnexpectedResponseError:
            return
    assert found == {each * 2 + odd for each in teachers for odd in (0, 1)} or keep is never_next
