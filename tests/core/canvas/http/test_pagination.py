from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from canvas_exports.core.canvas.http.messages import Request, Response
from canvas_exports.core.canvas.http.origin import Origin
from canvas_exports.core.canvas.http.pagination import SHORT_LINK, Pagination, parse_links
from canvas_exports.errors import UnexpectedResponseError

HERE = "https://canvas.example.edu/api/v1/courses/101/content_exports"


def pagination(query: str = "per_page=2", most_pages: int = 100) -> Pagination[int]:
    first = Request("GET", "/api/v1/courses/101/content_exports", query, context="course:101")
    return pagination_of([first], most_pages)


def pagination_of(firsts: list[Request], most_pages: int = 100) -> Pagination[int]:
    origin = Origin.parse("canvas.example.edu")
    return Pagination(firsts, lambda row: int(row["id"]), lambda row: row, origin, most_pages)


def turn(pages: Pagination[int], ids: list[int], link: str | None = None) -> list[int]:
    return list(turning(pages, ids, link))


def turning(pages: Pagination[int], ids: list[int], link: str | None = None) -> Iterator[int]:
    assert pages.next_page is not None
    headers = {} if link is None else {"link": link}
    document: list[Any] = [{"id": id_} for id_ in ids]
    return pages.new_rows(pages.next_page.read(document, Response(200, headers)))


@pytest.mark.parametrize(
    ("link", "target"),
    [
        (f'<{HERE}?page=2&per_page=2>; rel="next"', "/api/v1/courses/101/content_exports?page=2&per_page=2"),
        (
            f'<{HERE}?page=1>; rel="current",<{HERE}?page=bookmark:WzFd&x%5B%5D=a,b>; rel="next",<{HERE}?page=1>; rel="first"',
            "/api/v1/courses/101/content_exports?page=bookmark:WzFd&x%5B%5D=a,b",
        ),
        ("<?page=2>; rel=next", "/api/v1/courses/101/content_exports?page=2"),
        ('</api/v1/elsewhere?p=%2E>; title=x; REL="prev next"', "/api/v1/elsewhere?p=%2E"),
        ('<http://canvas.example.edu/api/v1/x?page=2>; rel="Next"', "/api/v1/x?page=2"),
    ],
)  # fmt: skip
def test_next_links_are_followed_whatever_their_form(link: str, target: str) -> None:
    pages = pagination()
    turn(pages, [1], link)
    assert pages.next_page is not None
    assert pages.next_page.request.target == target
    assert (pages.next_page.request.method, pages.next_page.request.context) == ("GET", "course:101")


CURRENT = f'<{HERE}?page=1&per_page=2>; rel="current"'
LONG = f'<{HERE}?{"x" * SHORT_LINK}&page=1&per_page=2>; rel="current"'


@pytest.mark.parametrize("link", [None, "", f"<{HERE}?page=1>", "nonsense", CURRENT, LONG])
def test_a_page_with_fewer_rows_than_were_asked_for_is_the_end(link: str | None) -> None:
    pages = pagination()
    assert turn(pages, [1], link) == [1]
    assert pages.next_page is None


@pytest.mark.parametrize(
    "link",
    [
        CURRENT,
        f'<{HERE}?page=1&per_page=2>; rel="first"',
        f'{CURRENT},<{HERE}?page=1&per_page=2>; rel="last"',
        f'<{HERE}?page=bookmark:x&per_page=2>; rel="current",<{HERE}?page=first&per_page=2>; rel="first"',
    ],
)
def test_a_full_page_is_the_end_where_short_links_say_so(link: str) -> None:
    pages = pagination()
    assert turn(pages, [1, 2], link) == [1, 2]
    assert pages.next_page is None


@pytest.mark.parametrize(
    "link",
    [
        None,
        "",
        "nonsense",
        f"<{HERE}?page=1>",
        f'<{HERE}?page=1>; rel="last"',
        f'<{HERE}?page=1>; rel="prev"',
        LONG,
        f'{CURRENT},<{HERE}?page=3&per_page=2>; rel="last"',
    ],
)
def test_a_full_page_that_does_not_say_whether_the_list_goes_on_is_an_error_and_not_the_end(
    link: str | None,
) -> None:
    pages = pagination()
    rows = turning(pages, [1, 2], link)
    assert [next(rows), next(rows)] == [1, 2]  # who needs no more than these never meets the error
    with pytest.raises(
        UnexpectedResponseError, match="the list may go on after this page of 2 rows"
    ) as caught:
        next(rows)
    assert pages.next_page is None
    assert caught.value.context == "course:101"


def test_a_page_size_that_canvas_cuts_down_counts_as_asked_for() -> None:
    """Asked for 2, given 1: the links name the size that holds."""
    turn(pagination(), [1], f'<{HERE}?page=1&per_page=1>; rel="current"')
    with pytest.raises(UnexpectedResponseError, match="may go on"):
        turn(pagination(), [1], LONG.replace("per_page=2", "per_page=1"))


def test_a_next_link_that_forgets_the_page_size_does_not_make_a_full_page_the_end() -> None:
    pages = pagination()
    turn(pages, [1, 2], "<?page=2>; rel=next")
    with pytest.raises(UnexpectedResponseError, match="may go on"):
        turn(pages, [3, 4])


def test_a_list_that_is_not_cut_into_pages_is_whole() -> None:
    pages = pagination("")
    assert turn(pages, [1, 2, 3]) == [1, 2, 3]
    assert pages.next_page is None


def test_lists_that_are_joined_are_all_read_and_a_row_of_several_comes_once() -> None:
    firsts = [Request("GET", "/api/v1/x", f"part={part}&per_page=2") for part in "abc"]
    pages = pagination_of(firsts)
    assert turn(pages, [1, 2], "<?part=a&page=2&per_page=2>; rel=next") == [1, 2]
    assert turn(pages, [2]) == []
    assert pages.next_page is not None
    assert pages.next_page.request.query == "part=b&per_page=2"
    assert turn(pages, [2, 3], CURRENT) == [3]
    assert turn(pages, [1]) == []
    assert pages.next_page is None


def test_one_joined_list_that_may_go_on_is_an_error_for_all() -> None:
    pages = pagination_of([Request("GET", "/api/v1/x", f"part={part}&per_page=2") for part in "ab"])
    with pytest.raises(UnexpectedResponseError):
        turn(pages, [1, 2])
    assert pages.next_page is None


@pytest.mark.parametrize(
    "link",
    [
        "<https://evil.example/api?page=2>; rel=next",
        "<//evil.example/api?page=2>; rel=next",
        "<https://canvas.example.edu:8443/api>; rel=next",
        "<https://canvas.example.edu@evil.example/api>; rel=next",
        "<http://[>; rel=next",
        "<ftp://canvas.example.edu/>; rel=next",
    ],
)
def test_a_next_link_never_leads_the_token_away(link: str) -> None:
    with pytest.raises(
        UnexpectedResponseError, match=r"the token is sent to https://canvas\.example\.edu only"
    ):
        turn(pagination(), [1], link)


def test_pages_that_run_in_circles_end_in_an_error() -> None:
    pages = pagination()
    turn(pages, [1], "<?page=2>; rel=next")
    turn(pages, [2], "<?page=3>; rel=next")
    with pytest.raises(UnexpectedResponseError, match="circles"):
        turn(pages, [3], "<?page=2>; rel=next")


def test_a_list_that_never_ends_is_ended() -> None:
    pages = pagination(most_pages=2)
    turn(pages, [1], "<?page=2>; rel=next")
    with pytest.raises(UnexpectedResponseError, match="circles"):
        turn(pages, [2], "<?page=3>; rel=next")


@pytest.mark.parametrize("ids", [[], [1], [1, 2]])
def test_pages_with_ever_new_links_that_bring_nothing_new_run_in_circles(ids: list[int]) -> None:
    pages = pagination()

    def go_on() -> None:
        for number in range(20):
            turn(pages, ids, f"<?page=bookmark:{number}>; rel=next")

    with pytest.raises(UnexpectedResponseError, match="circles"):
        go_on()


def test_a_next_link_longer_than_any_server_takes_is_not_asked_for() -> None:
    with pytest.raises(UnexpectedResponseError, match="longer than any server takes"):
        turn(pagination(), [1, 2], f"<?page={'x' * 20_000}>; rel=next")


def test_rows_that_shift_to_the_next_page_come_once() -> None:
    pages = pagination()
    assert turn(pages, [9, 8], "<?page=2>; rel=next") == [9, 8]
    assert turn(pages, [8, 7], CURRENT) == [7]


def test_an_empty_page_is_a_page() -> None:
    pages = pagination()
    assert turn(pages, [], "<?page=2>; rel=next") == []
    assert pages.next_page is not None


def test_a_hostile_link_header_is_read_in_linear_time() -> None:
    assert parse_links({"link": "<" * 50_000}) == {}
    assert parse_links({"link": "<x>" + "; a=b" * 20_000}) == {}


def test_rows_that_can_be_read_come_before_the_error_about_one_that_cannot() -> None:
    def read(row: Any) -> int:
        if not isinstance(row, int):
            raise UnexpectedResponseError("the field id is missing")
        return row

    first = Request("GET", "/api/v1/courses/101/content_exports", "per_page=100", context="course:101")
    pages = Pagination(first, read, lambda row: row, Origin.parse("canvas.example.edu"))
    assert pages.next_page is not None
    rows = pages.new_rows(pages.next_page.read([1, None, 2, {}], Response(200, {})))
    assert [next(rows), next(rows)] == [1, 2]
    with pytest.raises(UnexpectedResponseError, match="id is missing") as caught:
        next(rows)
    assert caught.value.context == "course:101"
    assert pages.next_page is None
